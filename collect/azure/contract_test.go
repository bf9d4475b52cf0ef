package azure

import (
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/posternhq/postern/azuresim"
	"github.com/posternhq/postern/collect"
	"github.com/posternhq/postern/collect/collecttest"
)

func newSim(t testing.TB, e azuresim.Estate, o azuresim.Options) (*azuresim.Server, *httptest.Server) {
	t.Helper()
	o.Token = testToken
	sim, err := azuresim.New(e, o)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(sim)
	t.Cleanup(s.Close)
	return sim, s
}

func faults(t *testing.T, specs ...string) azuresim.Options {
	t.Helper()
	var o azuresim.Options
	for _, spec := range specs {
		f, err := azuresim.ParseFault(spec)
		if err != nil {
			t.Fatal(err)
		}
		o.Faults = append(o.Faults, f)
	}
	return o
}

func TestContract(t *testing.T) {
	collecttest.Run(t, func(t *testing.T) collect.Collector {
		sim, _ := newSim(t, azuresim.Demo(), azuresim.Options{})
		c, _ := newTest(t, sim)
		return c
	})
}

// However the estate is cut into pages, and whatever transient trouble there
// is, the same assets come out.
func TestTheSameEstateUnderEveryKindOfTrouble(t *testing.T) {
	read := func(o azuresim.Options) []string {
		o.Token = testToken
		sim, err := azuresim.New(azuresim.Demo(), o)
		if err != nil {
			t.Fatal(err)
		}
		c, _ := newTest(t, sim)
		sink, _ := run(t, c)
		var out []string
		for _, a := range sink.Assets {
			line := a.ID
			for _, name := range []string{"firewallRules", "virtualNetworkRules"} {
				line += fmt.Sprintf(" %s=%d %t", name, len(a.Children[name].Items), a.Children[name].Gap == nil)
			}
			out = append(out, line)
		}
		for _, g := range sink.Gaps {
			out = append(out, "gap "+g.Scope)
		}
		return sorted(out)
	}
	want := read(azuresim.Options{})
	if len(want) != 12 {
		t.Fatalf("%d assets and gaps, want the 12 servers of the demo: %v", len(want), want)
	}
	for name, o := range map[string]azuresim.Options{
		"pages of one":    {PageSize: 1},
		"empty last page": faults(t, "empty-last-page"),
		"429":             faults(t, "429,path=/firewallRules,times=2"),
		"500":             faults(t, "500,times=2"),
		"cut":             faults(t, "cut,times=2"),
		"cut in the body": faults(t, "cut-body,times=2"),
		"slow":            faults(t, "slow,delay=50ms,path=orders-db"),
		"a small bucket":  {Reads: azuresim.Bucket{Size: 3, Refill: 20}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(want, read(o)); diff != "" {
				t.Errorf("assets (-undisturbed +disturbed):\n%s", diff)
			}
		})
	}
}

func TestWhatAzureRefusesLeavesTheRestWhole(t *testing.T) {
	tests := []struct {
		name, fault string
		assets      int
		scope       string
		permission  string
		status      int
	}{
		{"a type in one subscription", "403,path=5b000002-0000-4000-8000-000000000002/providers/Microsoft.DBforPostgreSQL/flexibleServers", 10,
			"/subscriptions/5b000002-0000-4000-8000-000000000002", "Microsoft.DBforPostgreSQL/flexibleServers/read", 403},
		{"the rules of one server", "403,path=/orders-db/firewallRules", 12, "/orders-db", "Microsoft.DBforPostgreSQL/flexibleServers/firewallRules/read", 403},
		{"the subnet rules of one server", "403,path=/billing-db/virtualNetworkRules", 12, "/billing-db", "Microsoft.DBforPostgreSQL/servers/virtualNetworkRules/read", 403},
		{"rules that link elsewhere", "foreign-next,path=/orders-db/firewallRules", 12, "/orders-db", "Microsoft.DBforPostgreSQL/flexibleServers/firewallRules/read", 0},
		{"rules that link to themselves", "self-next,path=/orders-db/firewallRules", 12, "/orders-db", "Microsoft.DBforPostgreSQL/flexibleServers/firewallRules/read", 0},
		{"rules behind a redirect", "redirect,path=/orders-db/firewallRules", 12, "/orders-db", "Microsoft.DBforPostgreSQL/flexibleServers/firewallRules/read", 0},
		{"rules that are a web page", "not-json,path=/orders-db/firewallRules", 12, "/orders-db", "Microsoft.DBforPostgreSQL/flexibleServers/firewallRules/read", 0},
		{"a broken service", "503,path=/orders-db/firewallRules", 12, "/orders-db", "Microsoft.DBforPostgreSQL/flexibleServers/firewallRules/read", 503},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			// The demo has a gap of its own, which is not the one looked for.
			estate := azuresim.Demo()
			estate.Subscriptions[2].Servers[0].Denied = nil
			o := faults(t, tt.fault)
			o.Token = testToken
			sim, err := azuresim.New(estate, o)
			if err != nil {
				t.Fatal(err)
			}
			c, _ := newTest(t, sim)
			sink, _ := run(t, c)
			gap := onlyGap(t, sink)
			if len(sink.Assets) != tt.assets || gap.Status != tt.status || gap.Permission != tt.permission || !strings.HasSuffix(gap.Scope, tt.scope) {
				t.Errorf("%d assets, gap %+v", len(sink.Assets), gap)
			}
		})
	}
}

func TestAVanishedServerIsNoGap(t *testing.T) {
	estate := azuresim.Demo()
	estate.Subscriptions[2].Servers[0].Denied = nil
	o := faults(t, "vanish,path=/orders-db")
	o.Token = testToken
	sim, err := azuresim.New(estate, o)
	if err != nil {
		t.Fatal(err)
	}
	c, _ := newTest(t, sim)
	sink, stats := run(t, c)
	if len(sink.Assets) != 11 || len(sink.Gaps) != 0 || stats.Vanished != 1 {
		t.Errorf("%d assets, gaps %v, %d vanished", len(sink.Assets), sink.Gaps, stats.Vanished)
	}
}

func TestTheCallsAreTheFewestPossible(t *testing.T) {
	sim, _ := newSim(t, azuresim.Generate(40, azuresim.Shape{Subscriptions: 2}), azuresim.Options{})
	c, _ := newTest(t, sim)
	_, stats := run(t, c)
	const want = 1 + 2*3 + 40 // the subscriptions, three types in each, the servers
	if got := sim.Stats().Calls; got != want || stats.Calls != want {
		t.Errorf("%d calls, %d by the collector's count, want %d", got, stats.Calls, want)
	}
}

func TestAWrongTokenIsOneClearError(t *testing.T) {
	sim, err := azuresim.New(azuresim.Demo(), azuresim.Options{Token: "another"})
	if err != nil {
		t.Fatal(err)
	}
	c, _ := newTest(t, sim)
	_, err = c.Collect(t.Context(), &collecttest.Sink{T: t})
	if err == nil || !strings.Contains(err.Error(), "hint: the token is expired") || strings.Contains(err.Error(), testToken) {
		t.Errorf("error %v", err)
	}
}

func TestNoSubscriptionIsAnError(t *testing.T) {
	sim, _ := newSim(t, azuresim.Estate{}, azuresim.Options{})
	c, _ := newTest(t, sim)
	if _, err := c.Collect(t.Context(), &collecttest.Sink{T: t}); err == nil {
		t.Error("an estate without subscriptions is reported as clean")
	}
}

func TestOnlyTheServerThatIsAskedForIsRead(t *testing.T) {
	sim, _ := newSim(t, azuresim.Demo(), azuresim.Options{})
	c, _ := newTest(t, sim, func(o *Options) {
		o.Only = only("orders-db")
		o.Subscriptions = []string{"SHOP-production"}
	})
	sink, _ := run(t, c)
	if len(sink.Assets) != 1 || sim.Stats().ByKind["children"] != 1 {
		t.Errorf("%d assets with %d calls for their rules", len(sink.Assets), sim.Stats().ByKind["children"])
	}
	if u, _ := url.Parse(sink.Assets[0].ID); u == nil || sink.Assets[0].SubscriptionName != "shop-production" {
		t.Errorf("the asset is %+v", sink.Assets[0])
	}
}
