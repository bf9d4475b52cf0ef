package azuresim

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// finish moves the clock past the running operation and returns its last poll.
func (s *sim) finish(started answer) answer {
	s.t.Helper()
	s.clock.advance(time.Second)
	return s.do("GET", started.header.Get("Azure-AsyncOperation"), "")
}

func TestChangeOfARule(t *testing.T) {
	for _, c := range []struct {
		name, server, query string
		put                 int // status of a PUT that creates
	}{
		{"single", billing, single17, 202},
		{"flexible 2022-12-01", orders, flex22, 202},
		{"flexible 2024-08-01", orders, flex24, 202},
		{"flexible 2025-08-01", orders, flex25, 202},
		{"citus", metrics, citus22, 201},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSim(t, Demo(), Options{})
			rule := c.server + "/firewallRules/Lab" + c.query

			put := s.do("PUT", rule, aRule)
			if put.status != c.put || put.header.Get("Location") == "" || put.header.Get("Retry-After") != "1" {
				t.Fatalf("PUT: %d %v %s", put.status, put.header, put.raw)
			}
			poll := s.do("GET", put.header.Get("Azure-AsyncOperation"), "")
			if poll.status != 200 || poll.body["status"] != "InProgress" || poll.header.Get("Retry-After") == "" {
				t.Errorf("poll: %d %s", poll.status, poll.raw)
			}
			if a := s.do("GET", put.header.Get("Location"), ""); a.status != 202 {
				t.Errorf("result while it runs: %d", a.status)
			}
			if a := s.get(rule); a.status != 404 {
				t.Errorf("the rule is there before its time: %d", a.status)
			}
			if a := s.finish(put); a.status != 200 || a.body["status"] != "Succeeded" {
				t.Errorf("last poll: %d %s", a.status, a.raw)
			}
			want := map[string]any{"startIpAddress": "198.51.100.1", "endIpAddress": "198.51.100.9"}
			if c.put == 201 {
				want["provisioningState"] = "Succeeded"
			}
			if diff := cmp.Diff(want, s.get(strings.ToLower(rule)).properties()); diff != "" {
				t.Errorf("the rule (-want +got):\n%s", diff)
			}
			if a := s.do("GET", put.header.Get("Location"), ""); a.status != 200 || a.body["name"] != "Lab" {
				t.Errorf("result: %d %s", a.status, a.raw)
			}

			again := s.do("PUT", strings.Replace(rule, "Lab", "LAB", 1), strings.Replace(aRule, ".9", ".8", 1))
			s.finish(again)
			if a := s.get(rule); a.body["name"] != "Lab" || a.properties()["endIpAddress"] != "198.51.100.8" {
				t.Errorf("after a second PUT: %s", a.raw)
			}

			del := s.do("DELETE", rule, "")
			if del.status != 202 {
				t.Fatalf("DELETE: %d %s", del.status, del.raw)
			}
			s.finish(del)
			if a := s.do("GET", del.header.Get("Location"), ""); a.status != 204 {
				t.Errorf("result of a DELETE: %d", a.status)
			}
			if a := s.get(rule); a.status != 404 {
				t.Errorf("the rule after its DELETE: %d", a.status)
			}
			if a := s.do("DELETE", rule, ""); a.status != 204 || a.raw != "" {
				t.Errorf("DELETE of an absent rule: %d %s", a.status, a.raw)
			}
		})
	}
}

func TestServerIsBusyWhileAChangeRuns(t *testing.T) {
	for server, c := range map[string]struct{ query, field, state string }{
		billing: {single17, "userVisibleState", "Ready"}, // its API has no other word
		orders:  {flex24, "state", "Updating"},
		metrics: {citus22, "state", "Updating"},
	} {
		s := newSim(t, Demo(), Options{})
		put := s.do("PUT", server+"/firewallRules/lab"+c.query, aRule)
		if got := s.get(server + c.query).properties()[c.field]; got != c.state {
			t.Errorf("%s while a change runs: state %v, want %s", server, got, c.state)
		}
		second := s.do("DELETE", server+"/firewallRules/office-utrecht"+c.query, "")
		if server == billing && (second.status != 409 || second.code() != "ServerIsBusy") {
			t.Errorf("a second change: %d %s, want 409 ServerIsBusy", second.status, second.raw)
		}
		other := s.do("PUT", server+"/firewallRules/other"+c.query, aRule)
		if other.status != 409 || other.code() != "ServerIsBusy" {
			t.Errorf("%s: a second change: %d %s, want 409 ServerIsBusy", server, other.status, other.raw)
		}
		s.finish(put)
		if got := s.get(server + c.query).properties()[c.field]; got != "Ready" {
			t.Errorf("%s after the change: state %v", server, got)
		}
		if a := s.do("PUT", server+"/firewallRules/other"+c.query, aRule); a.status >= 300 {
			t.Errorf("%s: a change after the first: %d %s", server, a.status, a.raw)
		}
	}
}

// The estate is as it was after an operation that failed, and the failure is an
// HTTP 200.
func TestFailedOperation(t *testing.T) {
	fault := Fault{Action: "fail-operation", Method: "DELETE", Code: "ServerBusy", Times: 1}
	s := newSim(t, Demo(), Options{Faults: []Fault{fault}})
	before := s.srv.Snapshot()
	rule := orders + "/firewallRules/office-amsterdam" + flex24
	del := s.do("DELETE", rule, "")
	end := s.finish(del)
	inner, _ := end.body["error"].(map[string]any)
	if end.status != 200 || end.body["status"] != "Failed" || inner["code"] != "ServerBusy" {
		t.Errorf("poll of a failed operation: %d %s", end.status, end.raw)
	}
	if a := s.do("GET", del.header.Get("Location"), ""); a.status != 500 {
		t.Errorf("result of a failed operation: %d", a.status)
	}
	if diff := cmp.Diff(before, s.srv.Snapshot()); diff != "" {
		t.Errorf("a failed operation changed the estate (-before +after):\n%s", diff)
	}
	s.finish(s.do("DELETE", rule, ""))
	if a := s.get(rule); a.status != 404 {
		t.Errorf("the second DELETE did nothing: %d", a.status)
	}
}

func TestRefusedChanges(t *testing.T) {
	s := newSim(t, deniedWrites(Demo()), Options{})
	long := strings.Repeat("a", 81)
	for _, c := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"PUT", billing + "/firewallRules/Allow%20access%20to%20Azure%20services" + single17, aRule, 400, "InvalidParameterValue"},
		{"PUT", orders + "/firewallRules/ends-in-a-hyphen-" + flex24, aRule, 400, "InvalidParameterValue"},
		{"PUT", orders + "/firewallRules/-starts" + flex24, aRule, 400, "InvalidParameterValue"},
		{"PUT", orders + "/firewallRules/dot.ted" + flex24, aRule, 400, "InvalidParameterValue"},
		{"PUT", orders + "/firewallRules/" + long + flex24, aRule, 400, "InvalidParameterValue"},
		{"PUT", orders + "/firewallRules/r" + flex24, strings.Replace(aRule, "198.51.100.1", "::1", 1), 400, "InvalidParameterValue"},
		{"PUT", orders + "/firewallRules/r" + flex24, strings.Replace(aRule, "198.51.100.1", "198.51.100.256", 1), 400, "InvalidParameterValue"},
		{"PUT", orders + "/firewallRules/r" + flex24, strings.Replace(aRule, "198.51.100.1", "198.51.100.01", 1), 400, "InvalidParameterValue"},
		{"PUT", orders + "/firewallRules/r" + flex24, `{"properties":{}}`, 400, "InvalidParameterValue"},
		{"PUT", orders + "/firewallRules/r" + flex24, `{"properties":`, 400, "InvalidRequestContent"},
		{"PUT", metrics + "/firewallRules/r" + citus22, `{}`, 400, "InvalidParameterValue"},
		{"PATCH", orders + "/firewallRules/r" + flex24, aRule, 405, "MethodNotAllowed"},
		{"PUT", reports + "/firewallRules/r" + flex24, aRule, 400, "FirewallRuleNotSupported"},
		{"DELETE", reports + "/firewallRules/AllowAllAzureIps" + flex24, "", 400, "FirewallRuleNotSupported"},
		{"PUT", archive + "/virtualNetworkRules/v" + single17, `{"properties":{"virtualNetworkSubnetId":"net"}}`, 400, "InvalidParameterValue"},
		{"PUT", archive + "/virtualNetworkRules/v" + single17, `[]`, 400, "InvalidRequestContent"},
		{"PUT", archive + "/virtualNetworkRules/a%20b" + single17, `{}`, 400, "InvalidParameterValue"},
		{"PUT", payroll + "/firewallRules/r" + flex24, aRule, 403, "AuthorizationFailed"},
		{"DELETE", payroll + "/firewallRules/AllowAllAzureIps" + flex24, "", 403, "AuthorizationFailed"},
		{"PUT", orders + "/configurations/none" + flex24, `{"properties":{"value":"on"}}`, 404, "ResourceNotFound"},
		{"PUT", orders + "/configurations/log_connections" + flex24, `{"properties":{"value":"off"}}`, 400, "ReadOnlyParameter"},
		{"PATCH", orders + "/configurations/log_checkpoints" + flex24, `{"properties":{"value":"perhaps"}}`, 400, "InvalidParameterValue"},
		{"PATCH", orders + "/configurations/log_checkpoints" + flex24, `{"properties":{}}`, 400, "InvalidParameterValue"},
		{"PATCH", orders + "/configurations/log_checkpoints" + flex24, `x`, 400, "InvalidRequestContent"},
	} {
		a := s.do(c.method, c.path, c.body)
		if a.status != c.status || a.code() != c.code {
			t.Errorf("%s %s: %d %s, want %d %s", c.method, c.path, a.status, a.code(), c.status, c.code)
		}
	}
	if diff := cmp.Diff(s.srv.Snapshot().Subscriptions, withStates(deniedWrites(Demo())).Subscriptions); diff != "" {
		t.Errorf("a refused change changed the estate:\n%s", diff)
	}
}

func deniedWrites(e Estate) Estate {
	p := &e.Subscriptions[2].Servers[0]
	p.Denied = append(p.Denied, "firewallRules/write", "firewallRules/delete")
	return e
}

// withStates writes out the default that a snapshot writes out.
func withStates(e Estate) Estate {
	for i := range e.Subscriptions {
		e.Subscriptions[i].State = withDefault(e.Subscriptions[i].State, "Enabled")
	}
	return e
}

func TestRulesWherePublicAccessIsOff(t *testing.T) {
	e := Demo()
	e.Subscriptions[0].Servers[1].PublicAccess = Disabled // billing-db
	s := newSim(t, e, Options{})
	if a := s.do("PUT", billing+"/firewallRules/r"+single17, aRule); a.status != 400 || a.code() != "DenyPublicEndpointEnabled" {
		t.Errorf("single: %d %s", a.status, a.raw)
	}
	if a := s.do("PUT", billing+"/virtualNetworkRules/r"+single17, `{}`); a.status != 405 || a.code() != "FeatureSwitchNotEnabled" {
		t.Errorf("single, virtual network: %d %s", a.status, a.raw)
	}
	before := s.get(ledger + "/firewallRules" + flex24).raw
	put := s.do("PUT", ledger+"/firewallRules/r"+flex24, aRule)
	if end := s.finish(put); put.status != 202 || end.body["status"] != "Succeeded" {
		t.Errorf("flexible: %d, then %s", put.status, end.raw)
	}
	s.finish(s.do("DELETE", ledger+"/firewallRules/AllowAllWindowsAzureIps"+flex24, ""))
	if after := s.get(ledger + "/firewallRules" + flex24).raw; after != before {
		t.Errorf("flexible: changes were not discarded:\n%s\n%s", before, after)
	}
}

func TestDisabledSubscriptionIsReadOnly(t *testing.T) {
	e := Demo()
	e.Subscriptions[0].State = "Disabled"
	s := newSim(t, e, Options{})
	if a := s.get(orders + "/firewallRules" + flex24); a.status != 200 {
		t.Errorf("read: %d", a.status)
	}
	if a := s.do("PUT", orders+"/firewallRules/r"+flex24, aRule); a.status != 409 || a.code() != "ReadOnlyDisabledSubscription" {
		t.Errorf("write: %d %s", a.status, a.raw)
	}
}

func TestStoppedServerTakesNoChange(t *testing.T) {
	e := Demo()
	e.Subscriptions[0].Servers[0].State = "Stopped"
	s := newSim(t, e, Options{})
	if a := s.do("PUT", orders+"/firewallRules/r"+flex24, aRule); a.status != 409 {
		t.Errorf("write: %d %s", a.status, a.raw)
	}
}

func TestChangeOfAVNetRule(t *testing.T) {
	s := newSim(t, Demo(), Options{})
	rule := archive + "/virtualNetworkRules/lab" + single17
	subnet := subTwo + "/resourceGroups/analytics/providers/Microsoft.Network/virtualNetworks/n/subnets/s"
	put := s.do("PUT", rule, `{"properties":{"virtualNetworkSubnetId":"`+subnet+`","ignoreMissingVnetServiceEndpoint":true}}`)
	s.finish(put)
	want := map[string]any{"virtualNetworkSubnetId": subnet, "ignoreMissingVnetServiceEndpoint": true, "state": "Ready"}
	if diff := cmp.Diff(want, s.get(rule).properties()); diff != "" {
		t.Errorf("the rule (-want +got):\n%s", diff)
	}
	s.finish(s.do("PUT", rule, `{"properties":{"virtualNetworkSubnetId":"`+subnet+`2"}}`))
	if got := s.get(rule).properties()["virtualNetworkSubnetId"]; got != subnet+"2" {
		t.Errorf("after a second PUT: %v", got)
	}
	s.finish(s.do("DELETE", rule, ""))
	if a := s.do("DELETE", rule, ""); a.status != 204 {
		t.Errorf("DELETE of an absent rule: %d", a.status)
	}
}

func TestChangeOfAConfiguration(t *testing.T) {
	s := newSim(t, Demo(), Options{})
	for _, c := range []struct{ method, path string }{
		{"PUT", billing + "/configurations/log_checkpoints" + single17},
		{"PUT", orders + "/configurations/log_checkpoints" + flex24},
		{"PATCH", orders + "/configurations/log_duration" + flex22},
	} {
		value := "off"
		if strings.Contains(c.path, "duration") {
			value = "on"
		}
		s.finish(s.do(c.method, c.path, `{"properties":{"value":"`+value+`","source":"user-override"}}`))
		if p := s.get(c.path).properties(); p["value"] != value || p["source"] != "user-override" {
			t.Errorf("%s %s: %v", c.method, c.path, p)
		}
	}
	want := map[string]string{"log_checkpoints": "off", "log_duration": "on"}
	if diff := cmp.Diff(want, s.srv.Snapshot().Subscriptions[0].Servers[0].Configurations); diff != "" {
		t.Errorf("in the estate (-want +got):\n%s", diff)
	}
}

func TestUnknownOperation(t *testing.T) {
	s := newSim(t, Demo(), Options{})
	put := s.do("PUT", orders+"/firewallRules/r"+flex24, aRule)
	poll := put.header.Get("Azure-AsyncOperation")
	for name, address := range map[string]string{
		"an id that was never given": subOne + pg + "/locations/westeurope/azureAsyncOperation/5b000001-0000-4000-8000-000000000001" + flex24,
		"another subscription's":     strings.Replace(poll, subOne, subTwo, 1),
	} {
		if a := s.do("GET", address, ""); a.status != 404 {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	if a := s.do("GET", strings.Replace(poll, "2024-08-01", "2024-08-02", 1), ""); a.status != 400 {
		t.Errorf("unknown api-version: %d", a.status)
	}
	if a := s.do("DELETE", poll, ""); a.status != 405 {
		t.Errorf("DELETE: %d", a.status)
	}
}

func TestSnapshotIsACopyOfTheEstate(t *testing.T) {
	e := everything()
	s := newSim(t, e, Options{})
	got := s.srv.Snapshot()
	want := withStates(everything())
	want.Tenant = defaultTenant
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("snapshot (-want +got):\n%s", diff)
	}
	got.Subscriptions[0].Servers[0].FirewallRules[0].Name = "changed"
	e.Subscriptions[0].Servers[0].FirewallRules[0].Name = "changed"
	e.Subscriptions[0].Servers[0].Configurations["log_checkpoints"] = "changed"
	if diff := cmp.Diff(want, s.srv.Snapshot()); diff != "" {
		t.Errorf("the simulation shares memory with the caller:\n%s", diff)
	}
	put := s.do("PUT", orders+"/firewallRules/r"+flex24, aRule)
	s.clock.advance(time.Second)
	if !slices.ContainsFunc(s.srv.Snapshot().Subscriptions[0].Servers[0].FirewallRules, func(r Rule) bool { return r.Name == "r" }) {
		t.Error("a snapshot does not have a change whose time has come")
	}
	if put.status != http.StatusAccepted {
		t.Errorf("PUT: %d", put.status)
	}
}
