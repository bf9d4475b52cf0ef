package arm

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// Principal is who a token speaks for, as far as it tells. Microsoft warns that
// claims of a token for another service may change: they are for a person to read
// and nothing depends on them.
type Principal struct {
	// Tenant is the directory's id, empty where the token does not tell.
	Tenant string
	// Name is a user's name or an application's id, with the object id.
	Name string
}

// Principal reads who the client acts as. It returns no part of the token but
// names and ids.
func (c *Client) Principal(ctx context.Context) (Principal, error) {
	token, err := c.credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{c.scope}})
	if err != nil {
		return Principal{}, &CredentialError{Err: err}
	}
	return principalOf(token.Token), nil
}

// principalOf reads the claims of an access token (Microsoft's "Access token
// claims reference": tid, oid, upn, preferred_username, unique_name, appid, azp).
func principalOf(token string) Principal {
	unknown := Principal{Name: "(not named by the token)"}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return unknown
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return unknown
	}
	var claims struct {
		Tenant     string `json:"tid"`
		Object     string `json:"oid"`
		UPN        string `json:"upn"`
		Preferred  string `json:"preferred_username"`
		UniqueName string `json:"unique_name"`
		AppID      string `json:"appid"`
		Party      string `json:"azp"`
	}
	if json.Unmarshal(payload, &claims) != nil {
		return unknown
	}
	p := Principal{Tenant: claims.Tenant, Name: cmp.Or(claims.UPN, claims.Preferred, claims.UniqueName)}
	if app := cmp.Or(claims.AppID, claims.Party); p.Name == "" && app != "" {
		p.Name = "application " + app
	}
	switch {
	case p.Name == "" && claims.Object == "":
		p.Name = unknown.Name
	case p.Name == "":
		p.Name = "object " + claims.Object
	case claims.Object != "":
		p.Name += " (object " + claims.Object + ")"
	}
	return p
}
