package azuresim

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAdmits(t *testing.T) {
	e := Demo()
	e.Subscriptions[0].Servers[1].FirewallRules = append(e.Subscriptions[0].Servers[1].FirewallRules,
		Rule{Name: "broken", Start: "x", End: "255.255.255.255"}, Rule{Name: "half", Start: "0.0.0.0", End: "y"})
	s := prepare(t, e, Options{})
	search := subOne + "/resourceGroups/shop" + pg + "/flexibleServers/search-db"
	for _, c := range []struct {
		server, address string
		inside          bool
		rule            string // empty: it is not let in
	}{
		{orders, "198.51.100.200", true, "AllowAllAzureServicesAndResourcesWithinAzureIps_2024-3-7_10-12-44"},
		{orders, "198.51.100.200", false, ""},
		{orders, "203.0.113.8", false, "office-amsterdam"},
		{orders, "203.0.113.15", false, "office-amsterdam"},
		{orders, "203.0.113.16", false, ""},
		{orders, "::ffff:203.0.113.9", false, "office-amsterdam"},
		{orders, "2001:db8::1", true, ""},
		{strings.ToUpper(billing), "203.0.113.8", true, "office-utrecht"}, // the first that fits
		{billing, "1.1.1.1", false, ""},
		{search, "200.0.0.1", false, "partners-high"},
		{ledger, "198.51.100.200", true, ""},  // public access is off
		{reports, "198.51.100.200", true, ""}, // in a virtual network
		{metrics, "198.51.100.200", true, "AllowAllAzureIps"},
		{orders + "x", "203.0.113.8", true, ""},
		{"nonsense", "203.0.113.8", true, ""},
		{orders + "/firewallRules/office-amsterdam", "203.0.113.8", true, ""},
	} {
		admitted, rule := s.srv.Admits(c.server, netip.MustParseAddr(c.address), c.inside)
		if admitted != (c.rule != "") || rule != c.rule {
			t.Errorf("%s from %s, in Azure %v: %v by %q, want %q", c.server, c.address, c.inside, admitted, rule, c.rule)
		}
	}
}

func TestRulesAreThoseInForce(t *testing.T) {
	s := newSim(t, Demo(), Options{})
	before := s.srv.Rules(orders)
	if diff := cmp.Diff(Demo().Subscriptions[0].Servers[0].FirewallRules, before); diff != "" {
		t.Fatalf("rules (-want +got):\n%s", diff)
	}
	before[0].Name = "changed"
	put := s.do("PUT", orders+"/firewallRules/lab"+flex24, aRule)
	if got := s.srv.Rules(orders); len(got) != 2 || got[0].Name == "changed" {
		t.Errorf("while the change runs, or changed from outside: %v", got)
	}
	s.finish(put)
	want := append(Demo().Subscriptions[0].Servers[0].FirewallRules, Rule{Name: "lab", Start: "198.51.100.1", End: "198.51.100.9"})
	if diff := cmp.Diff(want, s.srv.Rules(orders)); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	if got := s.srv.Rules(orders + "x"); got != nil {
		t.Errorf("no server: %v", got)
	}
	if got := s.srv.Rules(subOne + "/resourceGroups/x"); got != nil {
		t.Errorf("no server's id: %v", got)
	}
}

const door = orders + "/firewallRules/AllowAllAzureServicesAndResourcesWithinAzureIps_2024-3-7_10-12-44" + flex24

// doorIsOpen asks the firewall, not the API.
func (s *sim) doorIsOpen() bool {
	open, _ := s.srv.Admits(orders, netip.MustParseAddr("198.51.100.200"), true)
	return open
}

func TestOperationThatNeverEnds(t *testing.T) {
	s := newSim(t, Demo(), Options{Faults: mustParse(t, "endless-operation,method=DELETE,times=1")})
	del := s.do("DELETE", door, "")
	s.clock.advance(48 * time.Hour)
	if a := s.finish(del); a.body["status"] != "InProgress" || !s.doorIsOpen() {
		t.Errorf("after two days: %s", a.raw)
	}
	if a := s.do("DELETE", door, ""); a.status != 409 || a.code() != "ServerIsBusy" {
		t.Errorf("a second change: %d %s", a.status, a.raw)
	}
}

func TestChangeWithoutEffect(t *testing.T) {
	s := newSim(t, Demo(), Options{Faults: mustParse(t, "no-effect,method=DELETE,times=1")})
	if a := s.finish(s.do("DELETE", door, "")); a.body["status"] != "Succeeded" || !s.doorIsOpen() {
		t.Errorf("a lie: %s, open %v", a.raw, s.doorIsOpen())
	}
	if s.finish(s.do("DELETE", door, "")); s.doorIsOpen() {
		t.Error("the second change had no effect either")
	}
}

func TestChangeOfLateEffect(t *testing.T) {
	s := newSim(t, Demo(), Options{Faults: mustParse(t, "late-effect,method=DELETE,delay=90s,times=1")})
	if a := s.finish(s.do("DELETE", door, "")); a.body["status"] != "Succeeded" {
		t.Fatalf("%s", a.raw)
	}
	// The server is free again, and a later change takes effect before the late one.
	s.finish(s.do("PUT", orders+"/firewallRules/lab"+flex24, aRule))
	if a := s.get(door); a.status != 200 || !s.doorIsOpen() || len(s.srv.Rules(orders)) != 3 {
		t.Errorf("before its time: %d, open %v, %v", a.status, s.doorIsOpen(), s.srv.Rules(orders))
	}
	s.clock.advance(89 * time.Second)
	if a := s.get(door); a.status != 404 || s.doorIsOpen() || len(s.srv.Rules(orders)) != 2 {
		t.Errorf("at its time: %d, open %v", a.status, s.doorIsOpen())
	}
}

func TestForgottenOperation(t *testing.T) {
	s := newSim(t, Demo(), Options{OperationTime: time.Minute, Faults: mustParse(t, "forget-operation,delay=30s")})
	del := s.do("DELETE", door, "")
	poll := func() int { return s.do("GET", del.header.Get("Azure-AsyncOperation"), "").status }
	if got := poll(); got != 200 {
		t.Errorf("at once: %d", got)
	}
	s.clock.advance(30 * time.Second)
	if got := poll(); got != 404 {
		t.Errorf("after its time: %d", got)
	}
	s.clock.advance(30 * time.Second)
	if s.doorIsOpen() {
		t.Error("the change came to nothing")
	}
}

func TestAnswerThatIsLost(t *testing.T) {
	s := newLiar(t, Demo(), Options{Faults: mustParse(t, "cut-after,method=DELETE,times=1")})
	if a, err := s.try("DELETE", door, ""); err == nil {
		t.Fatalf("answered: %d", a.status)
	}
	s.clock.advance(time.Second)
	if s.doorIsOpen() {
		t.Error("the change was not made")
	}
	if a := s.do("DELETE", door, ""); a.status != 204 {
		t.Errorf("the same again: %d", a.status)
	}
}
