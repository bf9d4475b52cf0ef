package loganalytics

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/posternhq/postern/arm"
)

// chain is a credential that gives a token for whatever it is asked.
type chain struct{ scopes []string }

func (c *chain) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	c.scopes = append(c.scopes, o.Scopes...)
	return azcore.AccessToken{Token: "for " + strings.Join(o.Scopes, " "), ExpiresOn: now.AddDate(10, 0, 0)}, nil
}

// post is a transport that notes who was sent which token.
type post struct{ sent []string }

func (p *post) RoundTrip(r *http.Request) (*http.Response, error) {
	p.sent = append(p.sent, r.URL.Host+" "+r.Header.Get("Authorization"))
	return &http.Response{StatusCode: http.StatusNotFound, Body: http.NoBody, Request: r, Header: http.Header{}}, nil
}

func TestTheTokenForResourceManagerStaysThere(t *testing.T) {
	parse := func(s string) *url.URL {
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	public, err := arm.ResolveCloud(t.Context(), "public", true, nil)
	if err != nil {
		t.Fatal(err)
	}
	local := arm.Cloud{Name: "local", ARM: parse("https://localhost:8443"), LogAnalytics: parse("https://localhost:8443"), Audience: "https://arm.local/"}
	other := local
	other.LogAnalytics = parse("https://localhost:8444")
	none := local
	none.LogAnalytics = nil
	bearer, err := arm.NewCredential(public, "arm-token", now)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		cloud  arm.Cloud
		bearer bool
		token  string
		want   string // what is sent, or the error
	}{
		"a chain":                         {public, false, "", "api.loganalytics.io Bearer for https://api.loganalytics.io/.default"},
		"a chain, locally":                {local, false, "", "localhost:8443 Bearer for https://arm.local//.default"},
		"a bearer":                        {public, true, "", "the token in AZURE_ACCESS_TOKEN is for Resource Manager and is not sent to api.loganalytics.io; give one for that in AZURE_LOG_ANALYTICS_TOKEN"},
		"a bearer and one of its own":     {public, true, "la-token", "api.loganalytics.io Bearer la-token"},
		"a bearer, locally":               {local, true, "", "localhost:8443 Bearer arm-token"},
		"a bearer, and another port":      {other, true, "", "is not sent to localhost:8444"},
		"one of its own that is no token": {public, false, "la token", "the token in AZURE_LOG_ANALYTICS_TOKEN is malformed"},
		"nowhere":                         {none, true, "la-token", "the cloud local names no address of it"},
	} {
		sent := &post{}
		a := Access{Cloud: tt.cloud, Credential: &chain{}, Bearer: tt.bearer, Token: tt.token, Transport: sent, Now: now}
		if tt.bearer {
			a.Credential = bearer
		}
		c, err := NewClient(a)
		var got string
		if err != nil {
			got = err.Error()
		} else {
			_, _ = c.Post(t.Context(), tt.cloud.LogAnalytics.String()+"/v1/x", []byte("{}"))
			got = strings.Join(sent.sent, "; ")
		}
		if !strings.Contains(got, tt.want) || strings.Contains(got, "arm-token") && !tt.cloud.LogAnalyticsIsARM() || strings.Contains(got, "la token") {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
