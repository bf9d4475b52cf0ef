package azuresim

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	armruntime "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// sdk is Microsoft's own client, signed in to a simulation through azidentity.
// Microsoft's code is the judge of what has no document: tokens, retries, and
// the following of operations.
func sdk(t *testing.T, o Options) (*Server, runtime.Pipeline, string) {
	t.Helper()
	s := prepare(t, Demo(), o)
	web := httptest.NewTLSServer(&truth{t: t, next: s.srv, seen: map[string]bool{}})
	t.Cleanup(web.Close)
	where := cloud.Configuration{
		ActiveDirectoryAuthorityHost: web.URL,
		Services:                     map[cloud.ServiceName]cloud.ServiceConfiguration{cloud.ResourceManager: {Endpoint: web.URL, Audience: web.URL + "/"}},
	}
	options := policy.ClientOptions{Cloud: where, Transport: web.Client(), Retry: policy.RetryOptions{MaxRetries: 2, RetryDelay: time.Millisecond}}
	cred, err := azidentity.NewClientSecretCredential(defaultTenant, "app", "secret",
		&azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
	if err != nil {
		t.Fatal(err)
	}
	pl, err := armruntime.NewPipeline("azuresim", "test", cred, runtime.PipelineOptions{},
		&arm.ClientOptions{ClientOptions: options, DisableRPRegistration: true})
	if err != nil {
		t.Fatal(err)
	}
	return s.srv, pl, web.URL
}

func sdkRequest(t *testing.T, method, url, body string) *policy.Request {
	t.Helper()
	req, err := runtime.NewRequest(t.Context(), method, url)
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		if err := runtime.MarshalAsJSON(req, json.RawMessage(body)); err != nil {
			t.Fatal(err)
		}
	}
	return req
}

func TestMicrosoftsClientSignsInAndReads(t *testing.T) {
	_, pl, base := sdk(t, Options{Token: "no-other-token-than-issued-ones"})
	resp, err := pl.Do(sdkRequest(t, "GET", base+"/subscriptions?api-version=2022-12-01", ""))
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Value []struct{ DisplayName string }
	}
	if err := runtime.UnmarshalAsJSON(resp, &list); err != nil || len(list.Value) != 3 || list.Value[0].DisplayName != "shop-production" {
		t.Errorf("subscriptions: %v, %v", list, err)
	}
}

func TestMicrosoftsClientRetries(t *testing.T) {
	srv, pl, base := sdk(t, Options{Faults: mustParse(t, "503,times=2")})
	resp, err := pl.Do(sdkRequest(t, "GET", base+orders+flex24, ""))
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", resp, err)
	}
	resp.Body.Close()
	if st := srv.Stats(); st.ByKind["get"] != 3 {
		t.Errorf("%d tries, want 3", st.ByKind["get"])
	}
}

func TestMicrosoftsClientReadsErrors(t *testing.T) {
	_, pl, base := sdk(t, Options{})
	resp, err := pl.Do(sdkRequest(t, "GET", base+payroll+"/firewallRules"+flex24, ""))
	if err != nil {
		t.Fatal(err)
	}
	var refused *azcore.ResponseError
	if err := runtime.NewResponseError(resp); !errors.As(err, &refused) || refused.ErrorCode != "AuthorizationFailed" {
		t.Errorf("error: %v", err)
	}
}

// The SDK's poller follows a change of each generation to its end, the failed
// one too.
func TestMicrosoftsClientFollowsOperations(t *testing.T) {
	for _, c := range []struct{ name, method, url, fault, want string }{
		{"single PUT", "PUT", billing + "/firewallRules/r" + single17, "", ""},
		{"single DELETE", "DELETE", billing + "/firewallRules/office-utrecht" + single17, "", ""},
		{"flexible PUT", "PUT", orders + "/firewallRules/r" + flex25, "", ""},
		{"flexible PATCH", "PATCH", orders + "/configurations/log_checkpoints" + flex24, "", ""},
		{"flexible DELETE", "DELETE", orders + "/firewallRules/office-amsterdam" + flex24, "", ""},
		{"citus PUT", "PUT", metrics + "/firewallRules/r" + citus22, "", ""},
		{"citus DELETE", "DELETE", metrics + "/firewallRules/AllowAllAzureIps" + citus22, "", ""},
		{"failed", "DELETE", orders + "/firewallRules/office-amsterdam" + flex24, "fail-operation,code=ServerBusy", "ServerBusy"},
		{"absent", "DELETE", orders + "/firewallRules/none" + flex24, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := Options{Now: time.Now, OperationTime: 20 * time.Millisecond}
			if c.fault != "" {
				o.Faults = mustParse(t, c.fault)
			}
			_, pl, base := sdk(t, o)
			body := map[string]string{"PUT": aRule, "PATCH": `{"properties":{"value":"off","source":"user-override"}}`}[c.method]
			resp, err := pl.Do(sdkRequest(t, c.method, base+c.url, body))
			if err != nil {
				t.Fatal(err)
			}
			poller, err := runtime.NewPoller[map[string]any](resp, pl, nil)
			if err != nil {
				t.Fatal(err)
			}
			end, err := follow(t.Context(), poller)
			var failed *azcore.ResponseError
			switch {
			case c.want == "" && err != nil:
				t.Errorf("%v", err)
			case c.want != "" && (!errors.As(err, &failed) || failed.ErrorCode != c.want):
				t.Errorf("%v, want %s", err, c.want)
			case c.method == "PUT" && !strings.HasSuffix(end["id"].(string), "/firewallRules/r"):
				t.Errorf("the result is %v", end)
			}
		})
	}
}

// follow polls at its own pace: the poller's would wait whole seconds.
func follow(ctx context.Context, p *runtime.Poller[map[string]any]) (map[string]any, error) {
	for !p.Done() {
		time.Sleep(5 * time.Millisecond)
		if _, err := p.Poll(ctx); err != nil {
			return nil, err
		}
	}
	return p.Result(ctx)
}
