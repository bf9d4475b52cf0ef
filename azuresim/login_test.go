package azuresim

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const form = "application/x-www-form-urlencoded"

func (s *sim) signIn(path, body string) answer {
	s.t.Helper()
	return s.do("POST", path, body, "Content-Type", form)
}

func TestTokens(t *testing.T) {
	s := newSim(t, Demo(), Options{Token: "the-token", TokenLife: time.Minute})
	list := "/subscriptions?api-version=2022-12-01"
	const good = "grant_type=client_credentials&client_id=app&client_secret=pw"
	issued, _ := s.signIn("/adfs/oauth2/token", good).body["access_token"].(string)
	other := newSim(t, Demo(), Options{})
	foreign, _ := other.signIn("/adfs/oauth2/token", good).body["access_token"].(string)

	for _, c := range []struct {
		name, header string
		status       int
		code         string
	}{
		{"none", "", 401, "AuthenticationFailed"},
		{"the one demanded", "Bearer the-token", 200, ""},
		{"in other case", "bearer the-token", 200, ""},
		{"another", "Bearer other", 401, "InvalidAuthenticationToken"},
		{"not a bearer", "Basic dXNlcjpwdw==", 401, "InvalidAuthenticationToken"},
		{"an empty bearer", "Bearer ", 401, "InvalidAuthenticationToken"},
		{"one that was issued", "Bearer " + issued, 200, ""},
		{"one that another simulation issued", "Bearer " + foreign, 401, "InvalidAuthenticationToken"},
		{"one that was tampered with", "Bearer " + issued[:len(issued)-3] + "xxx", 401, "InvalidAuthenticationToken"},
	} {
		s.token = ""
		a := s.do("GET", list, "", "Authorization", c.header)
		if a.status != c.status || a.code() != c.code {
			t.Errorf("%s: %d %s, want %d %s", c.name, a.status, a.code(), c.status, c.code)
		}
		if challenge := a.header.Get("WWW-Authenticate"); (c.status == 401) != strings.HasPrefix(challenge, "Bearer authorization_uri=") {
			t.Errorf("%s: challenge %q", c.name, challenge)
		}
	}
	s.clock.advance(time.Minute)
	s.token = issued
	if a := s.get(list); a.status != 401 || a.code() != "ExpiredAuthenticationToken" {
		t.Errorf("an expired token: %d %s", a.status, a.raw)
	}
	if st := s.srv.Stats(); st.Unauthorized != 7 {
		t.Errorf("%d unauthorized, want 7", st.Unauthorized)
	}
}

func TestAnyTokenWillDoWhereNoneIsDemanded(t *testing.T) {
	s := newSim(t, Demo(), Options{})
	s.token = "anything"
	if a := s.get("/subscriptions?api-version=2022-12-01"); a.status != 200 {
		t.Errorf("%d", a.status)
	}
	// {"exp":1} of whatever issuer is plainly expired.
	s.token = "e30.eyJleHAiOjF9.e30"
	if a := s.get("/subscriptions?api-version=2022-12-01"); a.code() != "ExpiredAuthenticationToken" {
		t.Errorf("an expired JWT: %d %s", a.status, a.raw)
	}
}

func TestSigningInIsRefused(t *testing.T) {
	s := newSim(t, Demo(), Options{})
	for body, want := range map[string]string{
		"grant_type=client_credentials&client_id=app":                   "invalid_client",
		"grant_type=client_credentials&client_secret=pw":                "invalid_client",
		"grant_type=password&client_id=app&client_secret=pw":            "unsupported_grant_type",
		"grant_type=client_credentials&client_id=app&client_secret=%zz": "invalid_request",
	} {
		if a := s.signIn("/tenant/oauth2/v2.0/token", body); a.body["error"] != want || a.status < 400 {
			t.Errorf("%s: %d %s, want %s", body, a.status, a.raw, want)
		}
	}
	if a := s.get("/tenant/oauth2/v2.0/token"); a.status != 405 {
		t.Errorf("GET: %d", a.status)
	}
}

// The documents lead back to the place that was asked, under every path that
// az and azidentity ask.
func TestOpenIDConfiguration(t *testing.T) {
	s := newSim(t, Demo(), Options{})
	for path, token := range map[string]string{
		"/adfs":             "/adfs/oauth2/token",
		"/adfs/adfs":        "/adfs/adfs/oauth2/token",
		"/some-tenant":      "/some-tenant/oauth2/token",
		"/some-tenant/v2.0": "/some-tenant/oauth2/v2.0/token",
	} {
		s.token = ""
		doc := s.get(path + "/.well-known/openid-configuration").body
		if doc["token_endpoint"] != s.http.URL+token || doc["issuer"] != s.http.URL+path {
			t.Errorf("%s: %v", path, doc)
		}
		const good = "grant_type=client_credentials&client_id=app&client_assertion=signed"
		if a := s.signIn(doc["token_endpoint"].(string), good); a.status != 200 || a.body["token_type"] != "Bearer" {
			t.Errorf("%s: token: %d %s", path, a.status, a.raw)
		}
		if a := s.do("GET", doc["jwks_uri"].(string), ""); a.status != 200 {
			t.Errorf("%s: keys: %d", path, a.status)
		}
	}
}

func TestMetadata(t *testing.T) {
	s := newSim(t, Demo(), Options{})
	s.token = ""
	doc := s.get("/metadata/endpoints?api-version=2022-09-01").body
	want := map[string]any{
		"loginEndpoint": s.http.URL, "audiences": []any{s.http.URL + "/", s.http.URL}, "tenant": "common", "identityProvider": "AAD",
	}
	if diff := cmp.Diff(want, doc["authentication"]); diff != "" || doc["resourceManager"] != s.http.URL {
		t.Errorf("metadata %v (-want +got):\n%s", doc, diff)
	}
	if a := s.get("/metadata/endpoints?api-version=2019-05-01"); !strings.HasPrefix(a.raw, "[{") {
		t.Errorf("an older version: %s", a.raw)
	}
	for query, status := range map[string]int{"": 400, "?api-version=new": 400} {
		if a := s.get("/metadata/endpoints" + query); a.status != status {
			t.Errorf("%q: %d", query, a.status)
		}
	}
	if a := s.do("POST", "/metadata/endpoints?api-version=2022-09-01", ""); a.status != 405 {
		t.Errorf("POST: %d", a.status)
	}
}
