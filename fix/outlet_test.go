package fix_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/usage"
)

const (
	invoicing = "/subscriptions/s/resourceGroups/shop/providers/Microsoft.Web/sites/invoicing"
	reports   = "/subscriptions/s/resourceGroups/shop/providers/Microsoft.Web/sites/reports"
)

// outlets are addresses of a resource, current ones or those of a scaled plan.
func outlets(resource string, current bool, addresses ...string) []fix.Outlet {
	var out []fix.Outlet
	for _, a := range addresses {
		out = append(out, fix.Outlet{Range: span(a, "").Range, Resource: resource, Name: "web app " + resource[strings.LastIndex(resource, "/")+1:], Current: current})
	}
	return out
}

// appRequest is a plan to be made for clients of which those of 20.60.* are an
// app's.
func appRequest(rules []string, held []fix.Outlet, addresses ...string) fix.Request {
	var clients []usage.Client
	for _, a := range addresses {
		clients = append(clients, client(a))
	}
	r := request(server(flexible, public, append([]string{door}, rules...)...), fix.KeepObserved, clients...)
	for i, c := range r.Answer.Clients {
		if strings.HasPrefix(c.Address, "20.60.") {
			r.Answer.Clients[i].Origin = usage.Origin{Owner: usage.Yours, Certainty: usage.Candidate, Name: "web app invoicing", Resource: invoicing}
		}
	}
	r.Claim = func(o usage.Origin) fix.Claim {
		if o.Owner != usage.Yours {
			return ""
		}
		return fix.Candidate
	}
	r.Outlets = held
	return r
}

func TestAllAddressesOfAKeptResourceAreKept(t *testing.T) {
	current := outlets(invoicing, true, "20.60.0.60", "20.60.0.61", "20.60.0.62", "20.60.9.1")
	const (
		seenWith = "keeps web app invoicing, and other outbound addresses of web app invoicing, which may come from any of them"
		another  = "keeps another outbound address of web app invoicing, which may come from any of them"
	)
	tests := []struct {
		name    string
		request fix.Request
		want    []string
	}{
		{"the others of an app", appRequest(nil, current, "20.60.0.61"), []string{"20.60.0.60-20.60.0.62 " + seenWith, "20.60.9.1-20.60.9.1 " + another}},
		{"one that a rule admits anyway", appRequest([]string{"old 20.60.9.0-20.60.9.9"}, current, "20.60.0.61"), []string{"20.60.0.60-20.60.0.62 " + seenWith}},
		{"of a client that a rule admits anyway", appRequest([]string{"old 20.60.0.60-20.60.0.62"}, current, "20.60.0.61"), []string{"20.60.9.1-20.60.9.1 " + another}},
		{"an app of which nobody came", appRequest(nil, current, "20.77.0.1"), nil},
		{"an app that only shares a later address", appRequest(nil, slices.Concat(outlets(invoicing, true, "20.60.0.61"), outlets(reports, false, "20.60.0.61"), outlets(reports, true, "20.60.3.1")), "20.60.0.61"),
			[]string{"20.60.0.61-20.60.0.61 keeps web app invoicing"}},
		{"apps that share an address", appRequest(nil, slices.Concat(outlets(invoicing, true, "20.60.0.61"), outlets(reports, true, "20.60.0.61", "20.60.3.1")), "20.60.0.61"),
			[]string{"20.60.0.61-20.60.0.61 keeps web app invoicing", "20.60.3.1-20.60.3.1 keeps another outbound address of web app reports, which may come from any of them"}},
		{"an app that was scaled since its addresses were read", appRequest(nil, slices.Concat(outlets(invoicing, false, "20.60.0.63"), outlets(invoicing, true, "20.60.9.1")), "20.60.0.63"),
			[]string{"20.60.0.63-20.60.0.63 keeps web app invoicing", "20.60.9.1-20.60.9.1 " + another}},
		{"a prefix of a gateway", appRequest(nil, outlets(invoicing, true, "20.60.0.56/29", "20.60.5.0/30"), "20.60.0.61"),
			[]string{"20.60.0.56-20.60.0.63 " + seenWith, "20.60.5.0-20.60.5.3 " + strings.Replace(another, "another outbound address", "other outbound addresses", 1)}},
		{"what no rule is about", appRequest(nil, outlets(invoicing, true, "20.60.0.61", "10.0.0.4", "2603:1020::1", "0.0.0.0"), "20.60.0.61"),
			[]string{"20.60.0.61-20.60.0.61 keeps web app invoicing"}},
		{"an address at which a stranger was seen", appRequest(nil, outlets(invoicing, true, "20.60.0.61", "20.77.0.1"), "20.60.0.61", "20.77.0.1"),
			[]string{"20.60.0.61-20.60.0.61 keeps web app invoicing"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, s := range plan(t, tt.request).Steps {
				if s.Act == fix.Put {
					got = append(got, s.Rule.Start+"-"+s.Rule.End+" "+s.Why)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestOnlyObservedKeepsWhatWasNotSeen(t *testing.T) {
	r := appRequest(nil, outlets(invoicing, true, "20.60.0.60", "20.60.0.61"), "20.60.0.61")
	r.Keep, r.Listed = fix.KeepListed, []fix.Span{span("20.60.0.61", "app")}
	if got := steps(plan(t, r).Steps); len(got) != 2 {
		t.Errorf("a list keeps %q", got)
	}
	r.Keep = fix.KeepNone
	if got := steps(plan(t, r).Steps); len(got) != 1 {
		t.Errorf("nobody is kept by %q", got)
	}
	r.Keep, r.Doors = fix.KeepObserved, []exposure.Kind{exposure.Internet}
	r.Answer.Clients[0].Origin.Tag = "AzureCloud"
	for _, rules := range [][]string{nil, {"old 20.60.0.61-20.60.0.61"}} {
		r.Asset = server(flexible, public, append(rules, door, "all 0.0.0.0-255.255.255.255")...)
		r.Network = request(r.Asset, fix.KeepNone).Network
		if got := steps(plan(t, r).Steps); len(got) != 1 {
			t.Errorf("where the azure door stays, rules are added: %q", got)
		}
	}
}

func TestAddressesOfAScaledAppAreWarnedOf(t *testing.T) {
	held := slices.Concat(outlets(invoicing, true, "20.60.0.61"), outlets(invoicing, false, "20.60.0.63", "20.60.0.64", "20.60.0.66"))
	p := plan(t, appRequest(nil, held, "20.60.0.61"))
	if want := "web app invoicing may come from 20.60.0.63–20.60.0.64, 20.60.0.66 when its plan is scaled: this plan does not keep them"; !oneOf(p.Warnings, want) {
		t.Errorf("got %q", p.Warnings)
	}
	if p := plan(t, appRequest([]string{"old 20.60.0.0-20.60.0.99"}, held, "20.60.0.61")); oneOf(p.Warnings, "scaled") {
		t.Errorf("what a rule admits is warned of: %q", p.Warnings)
	}
	if p := plan(t, appRequest(nil, held, "20.77.0.1")); oneOf(p.Warnings, "scaled") {
		t.Errorf("an app of which nobody came is warned of: %q", p.Warnings)
	}
}

// Every current address of a kept resource is admitted, by the fewest ranges, and
// nothing else is that was not before: no stranger, nobody's address, and none of a
// resource of which no client is kept.
func TestTheFewestRangesThatAdmitAllOfAResource(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const yours, stranger = 1, 2
		seen := rapid.SliceOfN(rapid.SampledFrom([]int{0, 0, 0, yours, stranger}), world, world).Draw(t, "seen")
		// Which of three resources comes from an address today, 0 for none.
		of := rapid.SliceOfN(rapid.SampledFrom([]int{0, 0, 1, 2, 3}), world, world).Draw(t, "of")
		var clients []usage.Client
		var held []fix.Outlet
		for i := range world {
			if seen[i] != 0 {
				clients = append(clients, client(addressOf(i)))
			}
			if of[i] != 0 {
				held = append(held, outlets("/r/"+string(rune('0'+of[i])), true, addressOf(i))...)
			}
		}
		if len(clients) == 0 {
			t.Skip("nobody was seen")
		}
		r := request(server(flexible, public, append(drawnRules(t, 2), door)...), fix.KeepObserved, clients...)
		r.Outlets = held
		for i, c := range r.Answer.Clients {
			if seen[indexOfAddress(c.Address)] == yours {
				r.Answer.Clients[i].Origin = usage.Origin{Owner: usage.Yours, Name: "mine"}
			}
		}
		p, err := fix.PlanServer(r)
		if err != nil {
			t.Fatal(err)
		}
		in := func(list []fix.Rule, i int) bool {
			ip := netip.MustParseAddr(addressOf(i))
			return slices.ContainsFunc(list, func(r fix.Rule) bool {
				return netip.MustParseAddr(r.Start).Compare(ip) <= 0 && ip.Compare(netip.MustParseAddr(r.End)) <= 0
			})
		}
		keptResource := map[int]bool{}
		for i := range world {
			keptResource[of[i]] = keptResource[of[i]] || seen[i] == yours && of[i] != 0
		}
		var kept []int
		allowed := make([]bool, world)
		var added []fix.Rule
		for _, s := range p.Steps {
			if s.Act == fix.Put {
				added = append(added, s.Rule)
			}
		}
		for i := range world {
			before := in(p.Before, i)
			want := seen[i] == yours || seen[i] == 0 && keptResource[of[i]]
			if after := in(p.After, i); after != (before || want) {
				t.Fatalf("%s: admitted before: %t, wanted: %t, admitted afterwards: %t", addressOf(i), before, want, after)
			}
			allowed[i] = before || want
			if want && !before {
				kept = append(kept, i)
			}
		}
		if want := fewest(kept, allowed); len(added) != want {
			t.Fatalf("%d ranges keep %v, and %d would", len(added), kept, want)
		}
	})
}
