package arm

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// TokenVariable is the environment variable that may hold a bearer token for
// Resource Manager.
const TokenVariable = "AZURE_ACCESS_TOKEN"

// NewCredential returns the bearer token if one is given and azidentity's
// default chain otherwise: environment, workload identity, managed identity,
// az, azd, PowerShell. A token that is malformed or has expired is refused here,
// before anything is asked of Azure; no error ever quotes the token.
func NewCredential(c Cloud, bearer string, now time.Time) (azcore.TokenCredential, error) {
	if bearer != "" {
		return NewToken(TokenVariable, bearer, now)
	}
	options := &azidentity.DefaultAzureCredentialOptions{DisableInstanceDiscovery: c.Custom}
	options.Cloud = cloud.Configuration{
		ActiveDirectoryAuthorityHost: c.Authority,
		Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {Endpoint: c.ARM.String(), Audience: c.Audience},
		},
	}
	credential, err := azidentity.NewDefaultAzureCredential(options)
	if err != nil {
		return nil, fmt.Errorf("set up the default credential chain: %w", err)
	}
	return credential, nil
}

// authenticate gets one token, so that a missing credential is one clear error
// and not a gap for every subscription.
func authenticate(ctx context.Context, credential azcore.TokenCredential, scope string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	_, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}})
	if err == nil {
		return nil
	}
	return &CredentialError{Err: err}
}

// CredentialError says that no credential gave a token.
type CredentialError struct {
	// Err holds azidentity's account of every credential that was tried.
	Err error
}

// Error names what was tried and the shortest way to a token.
func (e *CredentialError) Error() string {
	return fmt.Sprintf("get a token for Azure: %v\nhint: run `az login`, or put a token in %s:\n"+
		"  export %s=$(az account get-access-token --query accessToken -o tsv)\n"+
		"If something earlier in the chain answers wrongly, name the one you mean:\n"+
		"  export AZURE_TOKEN_CREDENTIALS=AzureCLICredential", e.Err, TokenVariable, TokenVariable)
}

// Unwrap returns azidentity's error.
func (e *CredentialError) Unwrap() error { return e.Err }

// staticToken is a bearer that was handed in. It cannot be renewed.
type staticToken struct {
	token   string
	expires time.Time
}

// GetToken implements [azcore.TokenCredential].
func (s staticToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: s.token, ExpiresOn: s.expires}, nil
}

// opaqueLifetime is what a token is taken to live for that does not say so.
const opaqueLifetime = 24 * time.Hour

// NewToken is a credential of one bearer token that was handed in, which cannot be
// renewed. Variable names, for errors, where it came from. No error quotes the token.
func NewToken(variable, bearer string, now time.Time) (azcore.TokenCredential, error) {
	token := strings.TrimSpace(bearer)
	if strings.HasPrefix(strings.ToLower(token), "bearer ") {
		token = strings.TrimSpace(token[len("bearer "):])
	}
	for _, r := range token {
		if r <= ' ' || r > '~' || r == '"' {
			return nil, fmt.Errorf("the token in %s is malformed: it holds a character that no token has; "+
				"set it from `az account get-access-token --query accessToken -o tsv`", variable)
		}
	}
	if token == "" {
		return nil, fmt.Errorf("the token in %s is malformed: it is blank", variable)
	}
	expires, err := expiry(token)
	if err != nil {
		return nil, fmt.Errorf("the token in %s is malformed: %w; "+
			"set it from `az account get-access-token --query accessToken -o tsv`", variable, err)
	}
	if expires.IsZero() {
		return staticToken{token, now.Add(opaqueLifetime)}, nil
	}
	if !now.Before(expires) {
		return nil, fmt.Errorf("the token in %s expired at %s, %s ago; get a fresh one with `az account get-access-token --query accessToken -o tsv`",
			variable, expires.UTC().Format(time.RFC3339), now.Sub(expires).Round(time.Second))
	}
	return staticToken{token, expires}, nil
}

// expiry reads when a JSON Web Token ends. It returns the zero time for a token
// that is not one, which local clouds issue.
func expiry(token string) (time.Time, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || !strings.HasPrefix(token, "eyJ") {
		return time.Time{}, nil
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return time.Time{}, errors.New("its middle part is not base64")
	}
	var claims struct {
		Expires *float64 `json:"exp"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return time.Time{}, errors.New("its middle part is not JSON")
	}
	if claims.Expires == nil {
		return time.Time{}, nil
	}
	return time.Unix(int64(*claims.Expires), 0), nil
}
