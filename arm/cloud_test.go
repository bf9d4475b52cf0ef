package arm

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestResolveCloud(t *testing.T) {
	document := func(body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/metadata/endpoints" || r.URL.Query().Get("api-version") != metadataVersion || r.Header.Get("Authorization") != "" {
				t.Errorf("asked for %s with Authorization %q", r.URL, r.Header.Get("Authorization"))
			}
			_, _ = fmt.Fprint(w, strings.ReplaceAll(body, "SELF", "http://"+r.Host))
		})
	}
	const object = `{"name":"Stack","resourceManager":"SELF/","authentication":{"loginEndpoint":"https://login.stack/adfs","audiences":["https://arm.stack/aud"]}}`
	tests := []struct {
		name    string
		handler http.Handler
		bearer  bool
		want    string // audience and authority, or the error
	}{
		{"an object", document(object), false, "https://arm.stack/aud https://login.stack/adfs"},
		{"an array", document("[" + object + "]"), false, "https://arm.stack/aud https://login.stack/adfs"},
		{"a byte order mark", document("\xef\xbb\xbf" + object), false, "https://arm.stack/aud https://login.stack/adfs"},
		{"another host", document(`{"resourceManager":"https://evil.example/"}`), true, "if that is right, give it as --cloud"},
		{"no document", http.NotFoundHandler(), false, "give a token in AZURE_ACCESS_TOKEN"},
		{"no document, but a token", http.NotFoundHandler(), true, "SELF/ "},
		{"not JSON", document("hello"), false, "read the endpoint document"},
		{"an empty array", document("[]"), false, "names no cloud"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewServer(tt.handler)
			defer s.Close()
			c, err := ResolveCloud(t.Context(), s.URL+"/", tt.bearer, s.Client())
			got := fmt.Sprintf("%s %s", c.Audience, c.Authority)
			if err != nil {
				got = err.Error()
			}
			if want := strings.ReplaceAll(tt.want, "SELF", s.URL); !strings.Contains(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestMicrosoftsOwnClouds(t *testing.T) {
	for name, host := range map[string]string{"public": "management.azure.com", "USGov": "management.usgovcloudapi.net", "china": "management.chinacloudapi.cn"} {
		c, err := ResolveCloud(t.Context(), name, false, nil)
		if err != nil || c.ARM.Host != host || c.Audience == "" || c.Authority == "" || c.Custom {
			t.Errorf("%s is %+v, %v; want the host %s", name, c, err, host)
		}
	}
}

func TestWhereLogAnalyticsIs(t *testing.T) {
	for name, want := range map[string]string{
		"public": "https://api.loganalytics.io/.default", "usgov": "https://api.loganalytics.us/.default",
		"china": "https://api.loganalytics.azure.cn/.default",
	} {
		c, err := ResolveCloud(t.Context(), name, true, nil)
		if err != nil || c.LogAnalyticsScope() != want || c.LogAnalyticsIsARM() {
			t.Errorf("%s has it at %+v, %v; want %s", name, c, err, want)
		}
	}
	for said, want := range map[string]string{
		"SELF": "the same", "SELF/": "the same", "https://logs.stack": "https://logs.stack", "https://logs.stack/": "https://logs.stack",
		"http://logs.stack": "none", "": "none", "https://u:p@logs.stack": "none", "not an address": "none",
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			said := strings.ReplaceAll(said, "SELF", "http://"+r.Host)
			_, _ = fmt.Fprintf(w, `{"logAnalyticsResourceId":%q,"authentication":{"audiences":["a"]}}`, said)
		}))
		c, err := ResolveCloud(t.Context(), s.URL, true, s.Client())
		s.Close()
		got := "none"
		switch {
		case c.LogAnalyticsIsARM():
			got = "the same"
		case c.LogAnalytics != nil:
			got = c.LogAnalytics.String()
		}
		if err != nil || got != want {
			t.Errorf("%q is taken for %s, %v; want %s", said, got, err, want)
		}
	}
}

func TestBadClouds(t *testing.T) {
	for name, want := range map[string]string{
		"germany":                   "is not known; give public, usgov, china",
		"":                          "is not known",
		"ftp://x":                   "is not known",
		"http://management.example": "plain http, which would show the token",
		"http://10.0.0.1":           "plain http",
		"https://u:secret@x":        "more than a host and a path",
		"https://x/?a=b":            "more than a host and a path",
		"https://a b":               "read cloud",
		"http://127.0.0.1.evil.com": "plain http",
		"http://localhost.evil.com": "plain http",
	} {
		_, err := ResolveCloud(t.Context(), name, true, http.DefaultClient)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("cloud %q: error %v, want %q", name, err, want)
		}
	}
}

func TestPlainHTTPKnowsNoProxy(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://proxy.example:3128")
	for _, address := range []string{"http://LOCALHOST:1", "http://127.0.0.1:1", "http://[::1]:1"} {
		req, err := http.NewRequest(http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if proxy, err := NewTransport().Proxy(req); proxy != nil || err != nil {
			t.Errorf("%s goes through %v, %v", address, proxy, err)
		}
	}
}

func TestTheSameOriginWithAndWithoutItsPort(t *testing.T) {
	parse := func(s string) *url.URL {
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	arm := parse("https://management.azure.com")
	for link, same := range map[string]bool{
		"https://management.azure.com:443/x": true, "https://MANAGEMENT.azure.com/x": true, "https://management.azure.com:444/x": false,
		"http://management.azure.com:443/x": false, "https://management.azure.com./x": false,
	} {
		if err := sameOrigin(arm, parse(link)); (err == nil) != same {
			t.Errorf("%s: %v", link, err)
		}
	}
}

func jwt(claims string) string {
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(`{"alg":"none"}`)) + "." + enc([]byte(claims)) + ".sig"
}

func TestTokensFromTheEnvironment(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	tests := []struct{ name, token, want string }{
		{"good", jwt(`{"exp":1000060}`), ""},
		{"good, with the scheme before it", "Bearer " + jwt(`{"exp":1000060}`), ""},
		{"good, with a newline after it", jwt(`{"exp":1000060}`) + "\n", ""},
		{"without an end", jwt(`{}`), ""},
		{"opaque", "local-token", ""},
		{"expired", jwt(`{"exp":999940}`), "expired at 1970-01-12T13:45:40Z, 1m0s ago"},
		{"blank", "  ", "it is blank"},
		{"with a space", "secret token", "holds a character that no token has"},
		{"quoted", `"secret"`, "holds a character that no token has"},
		{"damaged", "eyJhbGciOiJub25lIn0.!!!secret.sig", "is not base64"},
		{"not JSON", "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString([]byte("secret")) + ".sig", "is not JSON"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			credential, err := NewCredential(Cloud{}, tt.token, now)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("error %v", err)
			case tt.want == "":
				got := credential.(staticToken)
				if strings.ContainsAny(got.token, " \n") || !got.expires.After(now) {
					t.Errorf("the credential holds %+v", got)
				}
			case err == nil || !strings.Contains(err.Error(), tt.want):
				t.Errorf("error %v, want %q", err, tt.want)
			case strings.Contains(err.Error(), "secret"):
				t.Errorf("the error quotes the token: %v", err)
			}
		})
	}
}

func FuzzParseMetadata(f *testing.F) {
	f.Add([]byte("\xef\xbb\xbf[{}]"))
	f.Fuzz(func(_ *testing.T, body []byte) { _, _ = parseMetadata(body) })
}

func FuzzParsePage(f *testing.F) {
	f.Add([]byte(`{"value":[{"id":"x"}],"nextLink":"http://x"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := parsePage(body)
		if err == nil && p.items == nil {
			t.Errorf("took %q for a page", body)
		}
	})
}

func FuzzStaticToken(f *testing.F) {
	f.Add(jwt(`{"exp":1}`))
	f.Fuzz(func(_ *testing.T, token string) { _, _ = NewToken(TokenVariable, token, time.Unix(0, 0)) })
}
