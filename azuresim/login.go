package azuresim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// anonymousKind says whether a request needs no token, and what it is about:
// "metadata" for the cloud's description of itself, "token" for signing in.
func anonymousKind(r *http.Request) (kind string, anonymous bool) {
	path := lower(strings.TrimSuffix(r.URL.Path, "/"))
	switch {
	case path == "/metadata/endpoints":
		return "metadata", true
	case strings.HasSuffix(path, "/.well-known/openid-configuration"),
		strings.HasSuffix(path, "/oauth2/token"),
		strings.HasSuffix(path, "/oauth2/v2.0/token"),
		strings.HasSuffix(path, "/discovery/keys"):
		return "token", true
	}
	return "", false
}

// login answers the endpoints of the directory. What stands before them is the
// tenant, or, as az asks a directory that it takes for AD FS, "adfs" and even
// "adfs/adfs"; any is taken.
func (c *call) login() reply {
	path := strings.TrimSuffix(c.req.URL.Path, "/")
	switch {
	case strings.HasSuffix(path, "/.well-known/openid-configuration"):
		return c.openIDConfiguration(strings.TrimSuffix(path, "/.well-known/openid-configuration"))
	case strings.HasSuffix(path, "/discovery/keys"):
		return ok(map[string]any{"keys": []any{}}) // tokens are for the simulator alone to check
	case c.req.Method != http.MethodPost:
		return noVerb(c.req.Method).reply()
	default:
		return c.issueToken()
	}
}

func (c *call) openIDConfiguration(prefix string) reply {
	// Entra has a version in the path of its documents, AD FS does not.
	issuer, tokens := c.base+prefix, c.base+prefix+"/oauth2/token"
	if tenant, isV2 := strings.CutSuffix(prefix, "/v2.0"); isV2 {
		prefix = tenant
		tokens = c.base + prefix + "/oauth2/v2.0/token"
	}
	return ok(map[string]any{
		"issuer":                                issuer,
		"authorization_endpoint":                c.base + prefix + "/oauth2/authorize",
		"device_authorization_endpoint":         c.base + prefix + "/oauth2/devicecode",
		"token_endpoint":                        tokens,
		"jwks_uri":                              c.base + prefix + "/discovery/keys",
		"response_types_supported":              []string{"code", "id_token", "token"},
		"response_modes_supported":              []string{"query", "fragment", "form_post"},
		"subject_types_supported":               []string{"pairwise"},
		"scopes_supported":                      []string{"openid"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "client_secret_basic"},
	})
}

// issueToken signs a service principal in: any client id with any secret or
// assertion.
func (c *call) issueToken() reply {
	if err := c.req.ParseForm(); err != nil {
		return loginError(http.StatusBadRequest, "invalid_request", "AADSTS900144: The request body is no form.")
	}
	form := c.req.PostForm
	id, secret, basic := c.req.BasicAuth()
	if !basic {
		id, secret = form.Get("client_id"), form.Get("client_secret")+form.Get("client_assertion")
	}
	switch {
	case form.Get("grant_type") != "client_credentials":
		return loginError(http.StatusBadRequest, "unsupported_grant_type",
			"AADSTS70003: The simulator signs in service principals only (grant_type client_credentials).")
	case id == "" || secret == "":
		return loginError(http.StatusUnauthorized, "invalid_client",
			"AADSTS7000216: client_id and client_secret or client_assertion are required for the client_credentials grant type.")
	}
	life := c.sim.opts.TokenLife
	// The newer endpoint is asked for a scope, the older for a resource; either
	// says whom the token is for.
	audience := withDefault(strings.TrimSuffix(form.Get("scope"), "/.default"), form.Get("resource"))
	return ok(map[string]any{
		"token_type": "Bearer", "expires_in": int(life.Seconds()), "ext_expires_in": int(life.Seconds()),
		"access_token": c.sim.issue(c.base, withDefault(audience, c.base+"/"), id),
	})
}

// Token is a token as the login would issue it, for use with a simulation that
// is at a base address such as http://127.0.0.1:8421. A principal with an @ in
// its name is a user, any other an application.
func (s *Server) Token(base, principal string) string {
	return s.issue(base, base+"/", principal)
}

func (s *Server) issue(base, audience, principal string) string {
	now := s.opts.Now()
	claims := map[string]any{
		"aud": audience, "iss": base + "/" + s.tenant + "/", "tid": s.tenant,
		"oid": objectID, "sub": objectID, "ver": "1.0",
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(s.opts.TokenLife).Unix(),
	}
	if strings.Contains(principal, "@") {
		claims["upn"], claims["idtyp"], claims["appid"] = principal, "user", azureCLI
	} else {
		claims["appid"], claims["idtyp"] = principal, "app"
	}
	return s.sign(claims)
}

// azureCLI is the application by which people sign in who use az.
const azureCLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"

func loginError(status int, code, description string) reply {
	return reply{status: status, header: http.Header{}, body: map[string]any{"error": code, "error_description": description}}
}

// sign makes a token that looks as Azure's do, a JWT, with a signature that only
// this simulation makes.
func (s *Server) sign(claims map[string]any) string {
	raw, _ := json.Marshal(claims) // of strings and numbers
	enc := base64.RawURLEncoding
	signed := enc.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + enc.EncodeToString(raw)
	return signed + "." + enc.EncodeToString(s.mac(signed))
}

func (s *Server) mac(signed string) []byte {
	h := hmac.New(sha256.New, s.signing)
	h.Write([]byte(signed))
	return h.Sum(nil)
}

// authenticate lets a request through that carries a token the simulation
// issued, or the one that [Options.Token] demands; where none is demanded, any
// that is not plainly expired.
func (s *Server) authenticate(c *call) *fail {
	header := c.req.Header.Get("Authorization")
	if header == "" {
		return c.unauthorized("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.",
			"The authentication failed because of missing 'Authorization' header.")
	}
	scheme, token, _ := strings.Cut(header, " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return c.invalidToken("The authentication scheme of the header is not Bearer.")
	}
	expiry, audience, own, readable := s.readToken(token)
	switch {
	case readable && !c.now.Before(expiry):
		const form = "1/2/2006 3:04:05 PM"
		message := fmt.Sprintf("The access token expiry UTC time '%s' is earlier than current UTC time '%s'.",
			expiry.UTC().Format(form), c.now.UTC().Format(form))
		return c.unauthorized("ExpiredAuthenticationToken", message, message)
	case !own && s.opts.Token != "" && token != s.opts.Token:
		return c.invalidToken("The access token is invalid.")
	case own && c.isLogs() && strings.TrimSuffix(audience, "/") != c.base:
		// ARM itself is lenient here, for clients that know the simulation by
		// another of its names.
		message := fmt.Sprintf("The access token has been obtained from wrong audience or resource '%s'. "+
			"It should exactly match (including forward slash) with one of the allowed audiences '%s'.", audience, c.base)
		return c.unauthorized("InvalidAuthenticationTokenAudience", message, message)
	}
	return nil
}

func (c *call) invalidToken(message string) *fail {
	return c.unauthorized("InvalidAuthenticationToken", message, message)
}

func (c *call) unauthorized(code, message, description string) *fail {
	return &fail{status: http.StatusUnauthorized, gateway: true, code: code, message: message,
		challenge: fmt.Sprintf(`Bearer authorization_uri="%s/%s", error="invalid_token", error_description="%s"`,
			c.base, c.sim.tenant, description)}
}

// readToken reads the expiry and audience of a JWT and says whether the simulation issued
// it. A token of another form is not readable, and good for as long as it is
// taken at all.
func (s *Server) readToken(token string) (expiry time.Time, audience string, own, readable bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}, "", false, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		Expiry   float64 `json:"exp"`
		Audience any     `json:"aud"` // a text or a list of them
	}
	if err != nil || json.Unmarshal(raw, &claims) != nil || claims.Expiry == 0 {
		return time.Time{}, "", false, false
	}
	mac, err := base64.RawURLEncoding.DecodeString(parts[2])
	own = err == nil && hmac.Equal(mac, s.mac(parts[0]+"."+parts[1]))
	audience, _ = claims.Audience.(string)
	return time.Unix(int64(claims.Expiry), 0), audience, own, true
}
