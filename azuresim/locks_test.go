package azuresim

import (
	"strings"
	"testing"
)

// lockedDemo is the demo with locks at every scope.
func lockedDemo() Estate {
	e := Demo()
	sub := &e.Subscriptions[0]
	sub.Locks = []Lock{{Name: "whole", Level: "CanNotDelete", Notes: "ask platform"}}
	sub.GroupLocks = map[string][]Lock{"Finance": {{Name: "books", Level: "ReadOnly"}}}
	sub.Servers[0].Locks = []Lock{{Name: "orders-lock", Level: "ReadOnly"}}
	return e
}

func TestLocksAtEveryScope(t *testing.T) {
	s := newSim(t, lockedDemo(), Options{})
	const locks = "/providers/Microsoft.Authorization/locks"
	for _, c := range []struct{ path, names string }{
		{subOne + locks + "?api-version=2016-09-01", "whole books orders-lock"},
		{subOne + locks + "?api-version=2020-05-01&$filter=atScope()", "whole"},
		{strings.ToUpper(subOne) + "/RESOURCEGROUPS/SHOP" + strings.ToUpper(locks) + "?api-version=2016-09-01", "whole orders-lock"},
		{subOne + "/resourceGroups/finance" + locks + "?api-version=2016-09-01", "whole books"},
		{orders + locks + "?api-version=2016-09-01", "whole orders-lock"},
		{ledger + locks + "?api-version=2020-05-01", "whole books"},
		{billing + locks + "?api-version=2020-05-01", "whole"},
		{metrics + locks + "?api-version=2020-05-01", ""},
		{subOne + "/resourceGroups/shop/providers/microsoft.network/natgateways/SHOP-nat" + locks + "?api-version=2020-05-01", "whole"},
	} {
		if a := s.get(c.path); a.status != 200 || a.names() != c.names {
			t.Errorf("%s: %d %q, want %q", c.path, a.status, a.names(), c.names)
		}
	}
	one := s.get(orders + locks + "/ORDERS-lock?api-version=2016-09-01")
	if one.properties()["level"] != "ReadOnly" || one.body["id"] != orders+locks+"/orders-lock" {
		t.Errorf("one lock: %d %s", one.status, one.raw)
	}
	for _, c := range []struct {
		method, path string
		status       int
		code         string
	}{
		{"GET", orders + locks + "/whole?api-version=2016-09-01", 404, "LockNotFound"}, // it is at another scope
		{"GET", orders + locks + "?api-version=2016-09-02", 400, "NoRegisteredProviderFound"},
		{"GET", orders + locks, 400, "MissingApiVersionParameter"},
		{"GET", orders + locks + "?api-version=2016-09-01&$filter=name", 400, "InvalidFilterInQueryString"},
		{"DELETE", orders + locks + "/orders-lock?api-version=2016-09-01", 405, "MethodNotAllowed"},
		{"GET", orders + "x" + locks + "?api-version=2016-09-01", 404, "ResourceNotFound"},
		{"GET", subOne + "/resourceGroups/none" + locks + "?api-version=2016-09-01", 404, "ResourceGroupNotFound"},
		{"GET", subOne + "/resourceGroups/shop/providers/Microsoft.Network/natGateways/none" + locks + "?api-version=2016-09-01", 404, "ResourceNotFound"},
		{"GET", orders + locks + "/a/b?api-version=2016-09-01", 404, "NotFound"},
		{"GET", orders + locks + "mith?api-version=2016-09-01", 404, "NotFound"},
	} {
		if a := s.do(c.method, c.path, ""); a.status != c.status || a.code() != c.code {
			t.Errorf("%s %s: %d %s, want %d %s", c.method, c.path, a.status, a.code(), c.status, c.code)
		}
	}
}

func TestLocksForbidChanges(t *testing.T) {
	s := newSim(t, lockedDemo(), Options{})
	for _, c := range []struct {
		method, rule, locked string // the scopes in the refusal; none is none
	}{
		{"PUT", orders + "/firewallRules/new" + flex24, orders},
		{"DELETE", orders + "/firewallRules/office-amsterdam" + flex24, subOne + "," + orders},
		{"DELETE", orders + "/firewallRules/none" + flex24, subOne + "," + orders},
		{"PUT", ledger + "/firewallRules/new" + flex24, subOne + "/resourceGroups/finance"},
		{"DELETE", billing + "/firewallRules/office-utrecht" + single17, subOne},
		{"PUT", billing + "/firewallRules/new" + single17, ""},
		{"DELETE", metrics + "/firewallRules/AllowAllAzureIps" + citus22, ""},
	} {
		a := s.do(c.method, c.rule, aRule)
		if c.locked == "" {
			if a.status >= 300 {
				t.Errorf("%s %s: %d %s", c.method, c.rule, a.status, a.raw)
			}
			continue
		}
		verb := map[string]string{"PUT": "write", "DELETE": "delete"}[c.method]
		id, _, _ := strings.Cut(c.rule, "?")
		want := "The scope '" + id + "' cannot perform " + verb + " operation because following scope(s) are locked: '" + c.locked + "'. Please remove the lock"
		if a.status != 409 || a.code() != "ScopeLocked" || !strings.Contains(a.raw, want) {
			t.Errorf("%s %s: %d %s, want %s", c.method, c.rule, a.status, a.raw, want)
		}
	}
}

func TestDeniedLocks(t *testing.T) {
	e := lockedDemo()
	e.Subscriptions[0].Servers[0].Denied = []string{"locks/read"}
	e.Subscriptions[1].Denied = []string{"Locks/Read"}
	s := newSim(t, e, Options{})
	const locks = "/providers/Microsoft.Authorization/locks?api-version=2016-09-01"
	for path, scope := range map[string]string{orders: orders, metrics: metrics, subTwo: subTwo} {
		a := s.get(path + locks)
		if a.status != 403 || !strings.Contains(a.raw, "action 'Microsoft.Authorization/locks/read' over scope '"+scope+"'") {
			t.Errorf("%s: %d %s", path, a.status, a.raw)
		}
	}
	if a := s.get(subOne + "/resourceGroups/shop" + locks); a.status != 200 {
		t.Errorf("the group: %d", a.status)
	}
	s = newSim(t, Demo(), Options{Faults: mustParse(t, "403,path=/locks")})
	if a := s.get(orders + locks); !strings.Contains(a.raw, "action 'Microsoft.Authorization/locks/read' over scope '"+orders+"'") {
		t.Errorf("fault of 403: %s", a.raw)
	}
	if s.srv.Stats().ByKind["locks"] != 1 {
		t.Errorf("stats: %v", s.srv.Stats().ByKind)
	}
}
