package azuresim

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// everything is an estate in which every optional part of a body is there.
func everything() Estate {
	e := Demo()
	for i := range e.Subscriptions {
		for j := range e.Subscriptions[i].Servers {
			s := &e.Subscriptions[i].Servers[j]
			s.PrivateEndpoints = append(s.PrivateEndpoints, PrivateEndpoint{Name: "extra-pe"}, PrivateEndpoint{Name: "new-pe", Status: "Pending"})
			s.Configurations = map[string]string{"log_checkpoints": "off", "work_mem": "4096"}
			s.Locks = []Lock{{Name: "keep", Level: "CanNotDelete", Notes: "in production"}}
		}
		sub := &e.Subscriptions[i]
		sub.Locks = []Lock{{Name: "freeze", Level: "CanNotDelete"}}
		sub.GroupLocks = map[string][]Lock{sub.Servers[0].ResourceGroup: {{Name: "group", Level: "CanNotDelete"}}}
		sub.Denied = []string{"serviceTags/read"}
		sub.Resources = append(sub.Resources, Resource{
			ID:         "/subscriptions/" + sub.ID + "/resourceGroups/net/providers/Microsoft.Network/azureFirewalls/fw",
			Properties: map[string]any{"ipConfigurations": []any{map[string]any{"name": "a"}}},
		})
	}
	e.Workspaces = append(e.Workspaces, Workspace{
		ID: "5b0000aa-0000-4000-8000-000000000002", Name: "more", Denied: []string{"query/read"},
		Tables: map[string][]map[string]any{"AzureDiagnostics": {{"TimeGenerated": "2026-11-01T08:00:00Z", "Message": "m"}}, "Empty": {}},
	})
	return e
}

// Every kind of answer to a reader is compared with Microsoft's documents: the
// comparing is done by the handler that newSim puts before the simulation.
func TestEveryReadIsAsDocumented(t *testing.T) {
	sharedDir(t)
	s := newSim(t, everything(), Options{})
	s.get("/tenants?api-version=2020-01-01")
	s.get("/subscriptions?api-version=2022-12-01")
	for _, sub := range []string{subOne, subTwo, subThree} {
		for _, path := range []string{"", "/locations", "/resourcegroups", pg} {
			if a := s.get(sub + path + "?api-version=2021-04-01"); a.status != http.StatusOK {
				t.Fatalf("%s%s: %d %s", sub, path, a.status, a.raw)
			}
		}
		for _, g := range s.get(sub + "/resourcegroups?api-version=2021-04-01").items() {
			s.get(g["id"].(string) + "?api-version=2021-04-01")
		}
		for _, typ := range resourceTypes {
			for _, version := range typ.versions {
				readServers(s, sub, typ, version)
			}
		}
	}
	for _, want := range []string{
		"GET servers list 2017-12-01 200", "GET servers list of group 2017-12-01 200", "GET servers 2017-12-01 200",
		"GET servers/firewallRules list 2017-12-01 200", "GET servers/firewallRules 2017-12-01 200",
		"GET servers/virtualNetworkRules list 2017-12-01 200", "GET servers/virtualNetworkRules 2017-12-01 200",
		"GET servers/configurations list 2017-12-01 200", "GET servers/configurations 2017-12-01 200",
		"GET servers/privateEndpointConnections list 2018-06-01 200", "GET servers/privateEndpointConnections 2018-06-01 200",
		"GET flexibleServers list 2022-12-01 200", "GET flexibleServers list of group 2024-08-01 200", "GET flexibleServers 2025-08-01 200",
		"GET flexibleServers/firewallRules list 2022-12-01 200", "GET flexibleServers/firewallRules 2025-08-01 200",
		"GET flexibleServers/configurations list 2024-08-01 200", "GET flexibleServers/configurations 2025-08-01 200",
		"GET flexibleServers/privateEndpointConnections list 2024-08-01 200", "GET flexibleServers/privateEndpointConnections 2025-08-01 200",
		"GET serverGroupsv2 list 2022-11-08 200", "GET serverGroupsv2 list of group 2022-11-08 200", "GET serverGroupsv2 2022-11-08 200",
		"GET serverGroupsv2/firewallRules list 2022-11-08 200", "GET serverGroupsv2/firewallRules 2022-11-08 200",
		"GET serverGroupsv2/configurations list 2022-11-08 200", "GET serverGroupsv2/configurations 2022-11-08 200",
		"GET serverGroupsv2/privateEndpointConnections list 2022-11-08 200", "GET serverGroupsv2/privateEndpointConnections 2022-11-08 200",
		"GET subscriptions 2022-12-01 200", "GET tenants 2020-01-01 200", "GET subscription  2021-04-01 200",
		"GET subscription locations 2021-04-01 200", "GET subscription resourcegroups 2021-04-01 200", "GET resourcegroup 2021-04-01 200",
	} {
		if !s.truth.seen[want] {
			t.Errorf("not compared: %s", want)
		}
	}
}

// readServers reads all of a type in a subscription, by every address there is.
func readServers(s *sim, sub string, typ resourceType, version string) {
	query := "?api-version=" + version
	for _, srv := range s.get(sub + pg + "/" + typ.name + query).items() {
		id := srv["id"].(string)
		group := strings.Split(id, "/providers/")[0]
		s.get(group + pg + "/" + typ.name + query)
		s.get(id + query)
		for _, child := range typ.children {
			v := query
			if len(child.versions) == 1 {
				v = "?api-version=" + child.versions[0]
			} else if version < child.versions[0] {
				continue
			}
			for _, item := range s.get(id + "/" + child.name + v).items() {
				s.get(item["id"].(string) + v)
			}
		}
	}
}

func TestBodies(t *testing.T) {
	s := newSim(t, Demo(), Options{})
	flexible := s.get(orders + flex24)
	if _, there := flexible.properties()["network"].(map[string]any)["delegatedSubnetResourceId"]; there {
		t.Error("a public server has a delegated subnet")
	}
	if got := flexible.body["location"]; got != "West Europe" {
		t.Errorf("location is %q, want it as the estate spells it", got)
	}
	injected := s.get(reports + flex24).properties()["network"].(map[string]any)
	want := subTwo + "/resourceGroups/analytics/providers/Microsoft.Network/virtualNetworks/analytics-net/subnets/databases"
	if injected["publicNetworkAccess"] != "Disabled" || injected["delegatedSubnetResourceId"] != want {
		t.Errorf("network of a server in a subnet: %v", injected)
	}
	cluster := s.get(metrics + citus22).properties()
	if cluster["coordinatorEnablePublicIpAccess"] != true || cluster["nodeEnablePublicIpAccess"] != true || cluster["nodeCount"] != 2.0 {
		t.Errorf("access of a cluster: %v", cluster)
	}
	if n := len(cluster["serverNames"].([]any)); n != 3 {
		t.Errorf("a cluster of two workers has %d servers, want 3", n)
	}
	if _, there := s.get(ledger + flex22).properties()["privateEndpointConnections"]; there {
		t.Error("API 2022-12-01 shows private endpoints")
	}
	if got := s.get(ledger + flex25).properties()["privateEndpointConnections"].([]any); len(got) != 1 {
		t.Errorf("private endpoints in the body: %v", got)
	}
}

func TestExtraIsMergedAndNullRemoves(t *testing.T) {
	e := Estate{Subscriptions: []Subscription{{ID: "5b000001-0000-4000-8000-000000000001", Servers: []DBServer{
		{Kind: Single, Name: "old", ResourceGroup: "g", Extra: map[string]any{
			"publicNetworkAccess": nil, "sslEnforcement": "Disabled",
			"storageProfile": map[string]any{"geoRedundantBackup": "Enabled"},
		}},
	}}}}
	s := newSim(t, e, Options{})
	p := s.get(subOne + "/resourceGroups/g" + pg + "/servers/old" + single17).properties()
	if _, there := p["publicNetworkAccess"]; there {
		t.Error("null did not remove the property")
	}
	want := map[string]any{"storageMB": 51200.0, "backupRetentionDays": 7.0, "geoRedundantBackup": "Enabled", "storageAutogrow": "Enabled"}
	if diff := cmp.Diff(want, p["storageProfile"]); diff != "" || p["sslEnforcement"] != "Disabled" {
		t.Errorf("merged properties (-want +got):\n%s", diff)
	}
}

// The field is in recordings of a newer API and in no document, so the answer
// cannot be compared with one.
func TestSourceAddressPrefixesAreEchoed(t *testing.T) {
	e := Estate{Subscriptions: []Subscription{{ID: "5b000001-0000-4000-8000-000000000001", Servers: []DBServer{
		{Kind: Flexible, Name: "a", ResourceGroup: "g", FirewallRules: []Rule{
			{Name: "r", Start: "0.0.0.0", End: "0.0.0.0", SourceAddressPrefixes: []string{"AzureCloud"}},
		}},
	}}}}
	s := newLiar(t, e, Options{})
	got := s.get(subOne + "/resourceGroups/g" + pg + "/flexibleServers/a/firewallRules/r" + flex25).properties()
	want := map[string]any{"startIpAddress": "0.0.0.0", "endIpAddress": "0.0.0.0", "sourceAddressPrefixes": []any{"AzureCloud"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("properties (-want +got):\n%s", diff)
	}
}

func TestRefusals(t *testing.T) {
	s := newSim(t, Demo(), Options{})
	const nowhere = "/subscriptions/00000000-0000-0000-0000-000000000009"
	for _, c := range []struct {
		method, path string
		status       int
		code         string
	}{
		{"GET", "/subscriptions", 400, "MissingApiVersionParameter"},
		{"GET", "/subscriptions?api-version=soon", 400, "InvalidApiVersionParameter"},
		{"GET", "/subscriptions/shop?api-version=2022-12-01", 400, "InvalidSubscriptionId"},
		{"GET", nowhere + "?api-version=2022-12-01", 404, "SubscriptionNotFound"},
		{"GET", nowhere + pg + "/servers" + single17, 404, "SubscriptionNotFound"},
		{"GET", subOne + "/resourceGroups/none" + pg + "/servers" + single17, 404, "ResourceGroupNotFound"},
		{"GET", subOne + "/resourcegroups/none?api-version=2021-04-01", 404, "ResourceGroupNotFound"},
		{"GET", subOne + "/providers/Microsoft.Nowhere/servers" + single17, 404, "InvalidResourceNamespace"},
		{"GET", subOne + pg + "/clusters" + flex24, 404, "InvalidResourceType"},
		{"GET", subOne + pg + "/servers" + flex24, 400, "NoRegisteredProviderFound"},
		{"GET", subOne + pg + "/flexibleServers?api-version=2026-10-01", 400, "NoRegisteredProviderFound"},
		{"GET", orders + "/privateEndpointConnections" + flex22, 400, "NoRegisteredProviderFound"},
		{"GET", subOne + "/resourceGroups/shop" + pg + "/flexibleServers/none" + flex24, 404, "ResourceNotFound"},
		{"GET", subOne + "/resourceGroups/shop" + pg + "/flexibleServers/none/firewallRules" + flex24, 404, "ParentResourceNotFound"},
		{"GET", orders + "/firewallRules/none" + flex24, 404, "ResourceNotFound"},
		{"GET", orders + "/databases" + flex24, 404, "InvalidResourceType"},
		{"GET", payroll + "/firewallRules" + flex24, 403, "AuthorizationFailed"},
		{"GET", payroll + "/firewallRules/AllowAllAzureIps" + flex24, 403, "AuthorizationFailed"},
		{"GET", "/somewhere?api-version=2022-12-01", 404, "NotFound"},
		{"GET", subOne + "/somewhere?api-version=2022-12-01", 404, "NotFound"},
		{"GET", subOne + pg + "/flexibleServers" + flex24 + "&$skiptoken=x", 400, "InvalidSkipToken"},
		{"DELETE", orders + flex24, 405, "MethodNotAllowed"},
		{"POST", orders + "/firewallRules" + flex24, 405, "MethodNotAllowed"},
		{"PUT", metrics + "/configurations/array_nulls" + citus22, 405, "MethodNotAllowed"},
		{"DELETE", subOne + "?api-version=2022-12-01", 405, "MethodNotAllowed"},
	} {
		a := s.do(c.method, c.path, "")
		if a.status != c.status || a.code() != c.code {
			t.Errorf("%s %s: %d %s, want %d %s", c.method, c.path, a.status, a.code(), c.status, c.code)
		}
	}
}

func TestDenialNamesActionAndScope(t *testing.T) {
	s := newSim(t, Demo(), Options{})
	a := s.get(payroll + "/firewallRules" + flex24)
	for _, want := range []string{"'Microsoft.DBforPostgreSQL/flexibleServers/firewallRules/read'", "over scope '" + payroll + "'"} {
		if !strings.Contains(a.raw, want) {
			t.Errorf("denial does not say %s:\n%s", want, a.raw)
		}
	}
	if a.header.Get("X-Ms-Failure-Cause") != "gateway" {
		t.Error("a denial is ARM's own and should say so")
	}
}

func TestServerThatMayNotBeReadIsNotListed(t *testing.T) {
	e := Demo()
	e.Subscriptions[0].Servers[0].Denied = []string{"read"}
	s := newSim(t, e, Options{})
	if names := s.get(subOne + pg + "/flexibleServers" + flex24).names(); strings.Contains(names, "orders-db") {
		t.Errorf("listed: %s", names)
	}
	if a := s.get(orders + flex24); a.status != 403 {
		t.Errorf("read one: %d, want 403", a.status)
	}
}

// Ids compare without case, and the answer has the spelling of the estate.
func TestCaseOfAddressesDoesNotMatter(t *testing.T) {
	s := newSim(t, Demo(), Options{})
	for _, path := range []string{
		orders, orders + "/firewallRules", orders + "/firewallRules/office-amsterdam", metrics, billing + "/virtualNetworkRules", subTwo,
	} {
		query := map[bool]string{true: citus22, false: flex24}[path == metrics]
		if strings.Contains(path, "/servers/") {
			query = single17
		}
		want := s.get(path + query).raw
		rapid.Check(t, func(r *rapid.T) {
			seed := rapid.Uint64().Draw(r, "seed")
			if got := s.get(randomCase(path, seed) + query).raw; got != want {
				r.Fatalf("%s:\ngot  %s\nwant %s", randomCase(path, seed), got, want)
			}
		})
	}
}

func randomCase(path string, seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 1))
	return strings.Map(func(c rune) rune {
		if r.IntN(2) == 0 {
			return []rune(strings.ToUpper(string(c)))[0]
		}
		return c
	}, path)
}

func TestPagingLosesNothing(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(0, 30).Draw(r, "servers")
		size := rapid.IntRange(1, 12).Draw(r, "page size")
		empty := rapid.Bool().Draw(r, "empty last page")
		var o Options
		o.PageSize = size
		if empty {
			o.Faults = []Fault{{Action: "empty-last-page"}}
		}
		s := newSim(t, Generate(n, Shape{}), o)
		next := s.http.URL + "/subscriptions/5b000000-0000-4000-8000-000000000000" + pg + "/flexibleServers" + flex24
		var names []string
		pages := 0
		for next != "" {
			a := s.do("GET", next, "")
			for _, item := range a.items() {
				names = append(names, item["name"].(string))
			}
			pages++
			next, _ = a.body["nextLink"].(string)
		}
		if len(names) != n {
			r.Fatalf("%d servers in pages of %d: read %d", n, size, len(names))
		}
		for i, name := range names {
			if name != fmt.Sprintf("db-%06d", i) {
				r.Fatalf("server %d is %s", i, name)
			}
		}
		want := max(1, (n+size-1)/size)
		if empty && n > 0 {
			want++
		}
		if pages != want {
			r.Fatalf("%d servers in pages of %d: %d pages, want %d", n, size, pages, want)
		}
	})
}

// Lists of single servers have no nextLink in Microsoft's document, and clients
// do not look for one.
func TestSingleServersDoNotPage(t *testing.T) {
	faults := mustParse(t, "empty-last-page") // which needs pages
	s := newSim(t, Generate(7, Shape{Kind: Single, Rules: 5}), Options{PageSize: 2, Faults: faults})
	list := s.get("/subscriptions/5b000000-0000-4000-8000-000000000000" + pg + "/servers" + single17)
	if len(list.items()) != 7 || list.body["nextLink"] != nil {
		t.Errorf("%d servers, next %v", len(list.items()), list.body["nextLink"])
	}
}

func TestSubscriptionsPage(t *testing.T) {
	s := newSim(t, Demo(), Options{PageSize: 2})
	first := s.get("/subscriptions?api-version=2022-12-01")
	next, err := url.Parse(first.body["nextLink"].(string))
	if err != nil || next.Query().Get("$skiptoken") == "" {
		t.Fatalf("nextLink %v: %v", first.body["nextLink"], err)
	}
	second := s.do("GET", next.String(), "")
	if len(first.items()) != 2 || len(second.items()) != 1 || second.body["nextLink"] != nil {
		t.Errorf("pages of %d and %d, next %v", len(first.items()), len(second.items()), second.body["nextLink"])
	}
}
