package exposure_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/exposure"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// public is a server with public access on and the given rules ("start-end").
func public(rules ...string) asset.Network {
	n := asset.Network{Public: asset.PublicAccess{State: asset.On, Why: "public"}}
	for i, r := range rules {
		start, end, _ := strings.Cut(r, "-")
		name := fmt.Sprintf("rule%d", i)
		n.FirewallRules = append(n.FirewallRules, asset.FirewallRule{ID: "/id/" + name, Name: name, Start: start, End: end})
	}
	return n
}

func with(n asset.Network, change func(*asset.Network)) asset.Network {
	change(&n)
	return n
}

func TestDoors(t *testing.T) {
	off := func(n *asset.Network) { n.Public = asset.PublicAccess{State: asset.Off, Why: "switched off"} }
	unclear := func(n *asset.Network) { n.Public = asset.PublicAccess{State: asset.Unclear, Why: "field is absent"} }
	injected := func(n *asset.Network) { n.InjectedSubnet = "/subnets/db" }
	gap := func(n *asset.Network) {
		n.FirewallGap = &asset.Gap{Scope: "/servers/x", Operation: "list firewall rules", Permission: "p/read", Status: 403}
	}
	says := func(prefixes ...string) func(*asset.Network) {
		return func(n *asset.Network) { n.FirewallRules[0].SourcePrefixes = prefixes }
	}

	tests := []struct {
		name    string
		network asset.Network
		want    string // azure internet range, by state
		reason  string // part of the reason of the first door that has one
	}{
		{"no rules", public(), "closed closed closed", ""},
		{"the azure door", public("0.0.0.0-0.0.0.0"), "open closed closed", ""},
		{"the whole internet", public("0.0.0.0-255.255.255.255"), "closed open closed", ""},
		{"two halves", public("0.0.0.1-127.255.255.255", "128.0.0.0-255.255.255.255"), "closed open closed", ""},
		{"all public addresses and no other", public("1.0.0.0-9.255.255.255", "11.0.0.0-223.255.255.255"), "closed open closed", ""},
		{"all but one address", public("0.0.0.0-20.0.0.0", "20.0.0.2-255.255.255.255"), "closed open closed", ""},
		{"all but a /8", public("0.0.0.0-19.255.255.255", "21.0.0.0-255.255.255.255"), "closed closed open", ""},
		{"one half", public("0.0.0.0-127.255.255.255"), "closed closed open", ""},
		{"a range that starts at 0.0.0.0", public("0.0.0.0-10.0.0.1"), "closed closed open", ""},
		{"0.0.0.1 alone", public("0.0.0.1-0.0.0.1"), "closed closed open", ""},
		{"a door beside a range", public("203.0.113.7-203.0.113.7", "0.0.0.0-0.0.0.0"), "open closed open", ""},
		{"public access off", with(public("0.0.0.0-0.0.0.0"), off), "latent closed closed", "switched off"},
		{"in a virtual network", with(public("0.0.0.0-0.0.0.0"), injected), "latent closed closed", "virtual network"},
		{"in a virtual network, switch absent", with(with(public("0.0.0.0-0.0.0.0"), unclear), injected), "latent closed closed", "virtual network"},
		{"switch unclear, door there", with(public("0.0.0.0-0.0.0.0"), unclear), "unknown closed closed", "field is absent"},
		{"switch unclear, nothing there", with(public(), unclear), "closed closed closed", ""},
		{"rules unread", with(public(), gap), "unknown unknown unknown", "p/read denied at /servers/x"},
		{"rules half read, door among them", with(public("0.0.0.0-0.0.0.0"), gap), "open unknown unknown", "p/read denied"},
		{"rules unread, public access off", with(with(public(), gap), off), "unknown unknown unknown", "switched off"},
		{"not an address", public("0.0.0.0.0-1.1.1.1"), "unknown unknown unknown", `"0.0.0.0.0" is no IPv4 address`},
		{"IPv6", public("::-::"), "unknown unknown unknown", `"::" is no IPv4 address`},
		{"IPv4 in IPv6", public("::ffff:0.0.0.0-::ffff:0.0.0.0"), "unknown unknown unknown", "no IPv4 address"},
		{"end before start", public("10.0.0.9-10.0.0.1"), "unknown unknown unknown", "end 10.0.0.1 lies before its start 10.0.0.9"},
		{"a bad rule beside a proven door", public("x-y", "0.0.0.0-0.0.0.0"), "open unknown unknown", `"x" is no IPv4 address`},
		{"no addresses at all", public("-"), "unknown unknown unknown", `start address "" is no IPv4 address`},
		{"the service says AzureCloud", with(public("10.0.0.1-10.0.0.1"), says("AzureCloud")), "open closed open", ""},
		{"the service says AzureCloud of a region", with(public("-"), says("AzureCloud.westus")), "open closed closed", ""},
		{"the service says anyone", with(public("-"), says("*")), "closed open closed", ""},
		{"the service says a prefix", with(public("-"), says("198.51.100.0/24")), "closed closed open", ""},
		{"the service says an address", with(public("-"), says("198.51.100.7")), "closed closed open", ""},
		{"the service says another tag", with(public("10.0.0.1-10.0.0.1"), says("DataFactory.WestUS")), "unknown unknown open", `"DataFactory.WestUS" is no IPv4 prefix`},
		{"bad addresses, but the service says AzureCloud", with(public("x-y"), says("AzureCloud")), "open unknown unknown", "no IPv4 address"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := exposure.Of(tt.network)
			var states []string
			var reason string
			for _, d := range e.Doors[:3] {
				states = append(states, string(d.State))
				if reason == "" {
					reason = d.Reason
				}
			}
			if diff := cmp.Diff(tt.want, strings.Join(states, " ")); diff != "" {
				t.Errorf("states (-want +got):\n%s", diff)
			}
			if !strings.Contains(reason, tt.reason) {
				t.Errorf("reason %q does not say %q", reason, tt.reason)
			}
		})
	}
}

func TestAClosedPublicAddressIsKnownEvenWhenRulesAreNot(t *testing.T) {
	n := public()
	n.Public = asset.PublicAccess{State: asset.Off, Why: "off"}
	n.FirewallGap = &asset.Gap{Permission: "p/read"}
	door := exposure.Of(n).Door(exposure.Azure)
	if door.Open != exposure.No || door.Latent != exposure.Maybe {
		t.Errorf("open %s, latent %s; want no and unknown", door.Open, door.Latent)
	}
}

func TestGuiltyRulesAreThoseThatMakeTheDoor(t *testing.T) {
	tests := []struct {
		name  string
		rules []string
		want  []string
	}{
		{"office beside the world", []string{"203.0.113.7-203.0.113.7", "0.0.0.0-255.255.255.255"}, []string{"rule1"}},
		{"two worlds", []string{"0.0.0.0-255.255.255.255", "1.0.0.0-255.255.255.254"}, []string{"rule0", "rule1"}},
		{"a world and two halves", []string{"0.0.0.0-255.255.255.255", "0.0.0.0-127.255.255.255", "128.0.0.0-255.255.255.255"}, []string{"rule0", "rule1", "rule2"}},
		{"a third that the halves do not need", []string{"60.0.0.0-190.0.0.0", "0.0.0.0-127.255.255.255", "128.0.0.0-255.255.255.255"}, []string{"rule1", "rule2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, r := range exposure.Of(public(tt.rules...)).Door(exposure.Internet).Rules {
				got = append(got, r.Name)
			}
			slices.Sort(got)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("guilty rules (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSubnetAndPrivateDoors(t *testing.T) {
	rule := func(state string) asset.SubnetRule {
		return asset.SubnetRule{Name: "r", Subnet: "/subnets/app", State: state}
	}
	endpoint := func(status string) asset.PrivateEndpoint {
		return asset.PrivateEndpoint{Name: "pe", Endpoint: "/pe", Status: status}
	}
	tests := []struct {
		name    string
		network asset.Network
		subnet  exposure.State
		private exposure.State
	}{
		{"neither", public(), exposure.Closed, exposure.Closed},
		{"a ready rule", with(public(), func(n *asset.Network) { n.SubnetRules = []asset.SubnetRule{rule("Ready")} }), exposure.Open, exposure.Closed},
		{"a rule on its way out", with(public(), func(n *asset.Network) { n.SubnetRules = []asset.SubnetRule{rule("Deleting")} }), exposure.Unknown, exposure.Closed},
		{"rules unread", with(public(), func(n *asset.Network) { n.SubnetGap = &asset.Gap{} }), exposure.Unknown, exposure.Closed},
		{"approved", with(public(), func(n *asset.Network) { n.PrivateEndpoints = []asset.PrivateEndpoint{endpoint("Approved")} }), exposure.Closed, exposure.Open},
		{"pending", with(public(), func(n *asset.Network) { n.PrivateEndpoints = []asset.PrivateEndpoint{endpoint("Pending")} }), exposure.Closed, exposure.Latent},
		{"rejected", with(public(), func(n *asset.Network) { n.PrivateEndpoints = []asset.PrivateEndpoint{endpoint("Rejected")} }), exposure.Closed, exposure.Closed},
		{"injected", with(public(), func(n *asset.Network) { n.InjectedSubnet = "/subnets/db" }), exposure.Closed, exposure.Open},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := exposure.Of(tt.network)
			if got := e.Door(exposure.Subnet).State; got != tt.subnet {
				t.Errorf("subnet door is %s, want %s", got, tt.subnet)
			}
			if got := e.Door(exposure.Private).State; got != tt.private {
				t.Errorf("private door is %s, want %s", got, tt.private)
			}
		})
	}
}

func TestAnUnreadableResourceHasNoKnownDoor(t *testing.T) {
	e := exposure.Unreadable("not JSON")
	for _, kind := range exposure.Kinds {
		if d := e.Door(kind); d.State != exposure.Unknown || d.Open != exposure.Maybe {
			t.Errorf("door %s is %s", kind, d.State)
		}
	}
}

// A policy that counts rules must not take a list that broke off for a short one.
func TestWhatADoorIsMadeOfIsUnreadWhenItsListBrokeOff(t *testing.T) {
	n := public("0.0.0.0-0.0.0.0")
	n.FirewallGap = &asset.Gap{Permission: "p/read", Scope: "/x", Status: 403}
	doc, unread := exposure.Of(n).Document()
	reasons := map[string]string{}
	for _, u := range unread {
		reasons[strings.Join(u.Path, ".")] = u.Reason
	}
	for _, path := range []string{"exposure.azure.rules", "exposure.range.addresses", "exposure.internet.open", "exposure.internet.ranges"} {
		if !strings.Contains(reasons[path], "p/read denied at /x") {
			t.Errorf("%s is unread because %q", path, reasons[path])
		}
	}
	azure := doc["azure"].(map[string]any)
	if _, unread := reasons["exposure.azure.open"]; unread || azure["open"] != true {
		t.Error("the azure door is proven and reads as unknown")
	}
	if _, there := doc["internet"].(map[string]any)["open"]; there {
		t.Error("a field that is not known stands in the document")
	}
	if _, unread := exposure.Of(public("1.1.1.1-1.1.1.1")).Document(); len(unread) != 0 {
		t.Errorf("all was read, and yet unread: %v", unread)
	}
}

func TestAPrivateEndpointThatCannotBeReadIsNoClosedDoor(t *testing.T) {
	n := public()
	n.PrivateEndpoints = []asset.PrivateEndpoint{{Fault: "odd"}}
	e := exposure.Of(n)
	if e.Door(exposure.Private).State != exposure.Unknown || len(e.Blind) != 1 || e.Door(exposure.Azure).State != exposure.Closed {
		t.Errorf("the private door is %s, blind to %v", e.Door(exposure.Private).State, e.Blind)
	}
}
