package azuresim

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every property that a recording or one of Microsoft's examples shows is in
// the simulation's answer too. (That it has none beyond them is what the truth
// handler watches.)
func TestBodiesHaveEverythingThatLiveOnesHave(t *testing.T) {
	dir := sharedDir(t)
	s := newSim(t, everything(), Options{})
	const single, flexible, citus = "examples/single/", "examples/flexible-", "examples/cosmos-hsc-2022-11-08/"
	const newest = "examples/flexible-2025-08-01-from-go-sdk-v5/"
	for file, path := range map[string]string{
		"recordings/exchanges/subscriptions-list-0.json":                            "/subscriptions?api-version=2022-12-01",
		"recordings/exchanges/single-server-get-200-2017-12-01-1.json":              billing + single17,
		"recordings/exchanges/single-server-get-200-2017-12-01-preview-2.json":      billing + single17,
		"recordings/exchanges/single-firewallrules-list-get-200-2017-12-01-1.json":  billing + "/firewallRules" + single17,
		"recordings/exchanges/single-vnetrule-get-200-2017-12-01-1.json":            archive + "/virtualNetworkRules/from-analytics" + single17,
		"recordings/exchanges/single-configurations-list-get-200-2017-12-01-1.json": billing + "/configurations" + single17,
		"recordings/exchanges/flexible-server-get-200-2021-06-01-1.json":            reports + flex22,
		"recordings/exchanges/flexible-servers-list-get-200-2021-06-01-1.json":      subOne + pg + "/flexibleServers" + flex22,
		"recordings/exchanges/flexible-firewallrule-get-200-2021-06-01-1.json":      orders + "/firewallRules/office-amsterdam" + flex22,
		single + "ServerGet.json":                                  billing + single17,
		flexible + "2022-12-01/ServerGet.json":                     orders + flex22,
		flexible + "2024-08-01/ServerGet.json":                     orders + flex24,
		flexible + "2024-08-01/ServerGetWithPrivateEndpoints.json": ledger + flex24,
		flexible + "2024-08-01/PrivateEndpointConnectionList.json": ledger + "/privateEndpointConnections" + flex24,
		flexible + "2024-08-01/ConfigurationGet.json":              orders + "/configurations/array_nulls" + flex24,
		newest + "ServersGet.json":                                 orders + flex25,
		newest + "ConfigurationsGet.json":                          orders + "/configurations/array_nulls" + flex25,
		newest + "FirewallRulesListByServer.json":                  orders + "/firewallRules" + flex25,
		citus + "ClusterGet.json":                                  metrics + citus22,
		citus + "FirewallRuleListByCluster.json":                   metrics + "/firewallRules" + citus22,
		citus + "ConfigurationListByCluster.json":                  metrics + "/configurations" + citus22,
		citus + "PrivateEndpointConnectionsListByCluster.json":     metrics + "/privateEndpointConnections" + citus22,
	} {
		want, got := map[string]bool{}, map[string]bool{}
		keyPaths(want, bodyIn(t, filepath.Join(dir, file)), "")
		keyPaths(got, any(s.get(path).body), "")
		for p := range want {
			if !got[p] && !leftOut.MatchString(p) {
				t.Errorf("%s: the live body has %s, and %s has not", file, p, path)
			}
		}
	}
}

// leftOut is what live bodies show for some servers only: who else manages a
// subscription, a restored cluster's source, tags of the recorder's own.
var leftOut = regexp.MustCompile(`^(value\.)?(managedByTenants\.|properties\.sourceResourceId$|tags\.|tags$|nextLink$)`)

// bodyIn is the answer in a recording, or in one of Microsoft's examples.
func bodyIn(t *testing.T, file string) any {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Response  struct{ Body any }
		Responses map[string]struct{ Body any }
	}
	var plain any
	if err := json.Unmarshal(raw, &plain); err != nil {
		t.Fatal(err)
	}
	_ = json.Unmarshal(raw, &doc) // an answer alone fits none of this
	switch {
	case doc.Response.Body != nil:
		return doc.Response.Body
	case doc.Responses["200"].Body != nil:
		return doc.Responses["200"].Body
	}
	return plain
}

func keyPaths(into map[string]bool, v any, path string) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			keyPaths(into, e, path)
		}
	case map[string]any:
		for k, e := range v {
			into[join(path, k)] = true
			keyPaths(into, e, join(path, k))
		}
	}
}

// What the simulation says when it refuses is what Azure was recorded, or
// quoted, to say; only what stands between quotes differs.
func TestRefusalsAreInAzuresWords(t *testing.T) {
	dir := sharedDir(t)
	quiet := newSim(t, Demo(), Options{})
	busy := newSim(t, Demo(), Options{})
	busy.do("PUT", orders+"/firewallRules/r"+flex24, aRule)
	dry := newSim(t, Demo(), Options{Reads: Bucket{Size: 1, Refill: 1}})
	dry.get(orders + flex24)
	broken := newSim(t, Demo(), Options{Faults: mustParse(t, "fail-operation")})
	failed := broken.finish(broken.do("DELETE", orders+"/firewallRules/office-amsterdam"+flex24, ""))

	for file, got := range map[string]answer{
		"400-NoRegisteredProviderFound-rp-error.json":                 quiet.get(subOne + pg + "/flexibleServers" + single17),
		"404-ResourceNotFound-flexible-error.json":                    quiet.get(orders + "/firewallRules/none" + flex24),
		"403-AuthorizationFailed-generic-2.json":                      quiet.get(payroll + "/firewallRules" + flex24),
		"quoted-409-ServerIsBusy.json":                                busy.do("PUT", orders+"/firewallRules/q"+flex24, aRule),
		"quoted-429-SubscriptionRequestsThrottled.json":               dry.get(orders + flex24),
		"lro-failed-test_postgres_flexible_server_mgmt_valid-48.json": failed,
	} {
		list, err := readExchanges(dir, "errors/"+file)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			want := e[0].Response
			if got.status != want.Status {
				t.Errorf("%s: got %d, recorded %d", file, got.status, want.Status)
			}
			if diff := cmp.Diff(withoutQuoted(t, want.Body), withoutQuoted(t, got.body)); diff != "" {
				t.Errorf("%s (-recorded +got):\n%s", file, diff)
			}
			if cause, has := want.Headers["x-ms-failure-cause"]; has && got.header.Get("x-ms-failure-cause") != cause {
				t.Errorf("%s: failure cause %q, recorded %v", file, got.header.Get("x-ms-failure-cause"), cause)
			}
		}
	}
}

var quoted = regexp.MustCompile(`'[^']*'`)

// withoutQuoted is the error of a body with what it quotes left out, and a
// slip of the pen of Azure's put right.
func withoutQuoted(t *testing.T, body any) map[string]string {
	t.Helper()
	m, _ := body.(map[string]any)
	inner, isError := m["error"].(map[string]any)
	if !isError {
		t.Fatalf("%v has no error", body)
	}
	out := map[string]string{}
	for k, v := range inner {
		out[k] = quoted.ReplaceAllString(v.(string), "'…'")
	}
	out["message"] = regexp.MustCompile(`\boccur+ed\b`).ReplaceAllString(out["message"], "occurred")
	return out
}
