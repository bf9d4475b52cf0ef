package ownership

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/posternhq/postern/arm"
	"github.com/posternhq/postern/azuresim"
	"github.com/posternhq/postern/usage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	token        = "the-secret-token"
	subscription = "5b000001-0000-4000-8000-000000000001"
	group        = "/subscriptions/" + subscription + "/resourceGroups/shop/providers/"
)

// azure serves a handler and makes a client for it.
func azure(t testing.TB, h http.Handler) *arm.Client {
	t.Helper()
	server := httptest.NewServer(h)
	transport := arm.NewTransport()
	t.Cleanup(func() { transport.CloseIdleConnections(); server.Close() })
	endpoint, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	credential, err := arm.NewCredential(arm.Cloud{}, token, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return arm.NewClient(arm.Options{Endpoint: endpoint, Scope: server.URL + "/.default", Credential: credential, Transport: transport})
}

func simulated(t testing.TB, e azuresim.Estate, o azuresim.Options, faults ...string) *arm.Client {
	t.Helper()
	for _, text := range faults {
		f, err := azuresim.ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		o.Faults = append(o.Faults, f)
	}
	sim, err := azuresim.New(e, o)
	if err != nil {
		t.Fatal(err)
	}
	return azure(t, sim)
}

// told is a holding on a line.
func told(holdings []usage.Holding) []string {
	var out []string
	for _, h := range holdings {
		out = append(out, fmt.Sprintf("%s %s: %s, %s, %s", h.Range, h.Certainty, h.Name, h.Kind, h.Resource[strings.LastIndex(h.Resource, "/")+1:]))
	}
	return out
}

func TestTheDemosResources(t *testing.T) {
	found, err := Resources(t.Context(), simulated(t, azuresim.Demo(), azuresim.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	app := func(n int) string {
		return fmt.Sprintf("198.51.100.%d-198.51.100.%d candidate: web app shop-invoicing, web app, shop-invoicing", n, n)
	}
	want := []string{
		"198.51.100.20-198.51.100.20 owned: NAT gateway shop-nat (public IP address shop-nat-ip), public IP address, shop-nat-ip",
		app(60), app(61), app(62), app(63), app(64),
	}
	if diff := cmp.Diff(want, told(found.Holdings)); diff != "" || len(found.Gaps) > 0 {
		t.Errorf("gaps %q (-want +got):\n%s", found.Gaps, diff)
	}
}

// comesFrom is an outlet on a line.
func comesFrom(outlets []Outlet) []string {
	var out []string
	for _, o := range outlets {
		when := "now"
		if !o.Current {
			when = "once scaled"
		}
		out = append(out, fmt.Sprintf("%s %s: %s, %s", o.Name, when, o.Range, o.Resource[strings.LastIndex(o.Resource, "/")+1:]))
	}
	return out
}

func TestWhereResourcesComeFrom(t *testing.T) {
	e := azuresim.Estate{Subscriptions: []azuresim.Subscription{{ID: subscription, Name: "shop"}}}
	add := func(typ, name string, properties map[string]any) {
		e.Subscriptions[0].Resources = append(e.Subscriptions[0].Resources, azuresim.Resource{Type: typ, Name: name, ResourceGroup: "shop", Properties: properties})
	}
	ip := func(name, address, part, usedBy string) {
		add("Microsoft.Network/publicIPAddresses", name, map[string]any{"ipAddress": address, "publicIPAllocationMethod": "Static", part: map[string]any{"id": group + usedBy}})
	}
	ip("a-nat", "20.1.0.1", "natGateway", "Microsoft.Network/natGateways/nat")
	ip("b-nat", "20.1.0.2", "natGateway", "Microsoft.Network/NATGateways/nat/")
	ip("c-fw", "20.1.0.3", "ipConfiguration", "Microsoft.Network/azureFirewalls/edge/azureFirewallIpConfigurations/one")
	ip("d-vm", "20.1.0.4", "ipConfiguration", "Microsoft.Network/networkInterfaces/VM7-nic/ipConfigurations/one")
	add("Microsoft.Network/publicIPPrefixes", "e-prefix", map[string]any{"ipPrefix": "20.1.1.0/28", "natGateway": map[string]any{"id": group + "Microsoft.Network/natGateways/nat"}})
	add("Microsoft.Web/sites", "f-app", map[string]any{"outboundIpAddresses": "20.1.2.1, 20.1.2.2", "possibleOutboundIpAddresses": "20.1.2.2,20.1.2.1,20.1.2.3,10.0.0.1"})
	add("Microsoft.Web/sites", "g-app", map[string]any{"outboundIpAddresses": "20.1.2.1", "possibleOutboundIpAddresses": nil})
	found, err := Resources(t.Context(), simulated(t, e, azuresim.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"NAT gateway nat now: 20.1.0.1-20.1.0.1, nat",
		"NAT gateway nat now: 20.1.0.2-20.1.0.2, nat",
		"firewall edge now: 20.1.0.3-20.1.0.3, edge",
		"NAT gateway nat now: 20.1.1.0-20.1.1.15, nat",
		"web app f-app now: 20.1.2.1-20.1.2.1, f-app",
		"web app f-app now: 20.1.2.2-20.1.2.2, f-app",
		"web app f-app once scaled: 20.1.2.3-20.1.2.3, f-app",
		"web app g-app now: 20.1.2.1-20.1.2.1, g-app",
	}
	if diff := cmp.Diff(want, comesFrom(found.Outlets)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEveryKindOfHolder(t *testing.T) {
	e := azuresim.Estate{Subscriptions: []azuresim.Subscription{{ID: subscription, Name: "shop"}}}
	add := func(typ, name string, properties map[string]any) {
		e.Subscriptions[0].Resources = append(e.Subscriptions[0].Resources, azuresim.Resource{Type: typ, Name: name, ResourceGroup: "shop", Properties: properties})
	}
	ip := func(name, address, usedBy string) {
		add("Microsoft.Network/publicIPAddresses", name, map[string]any{"ipAddress": address, "publicIPAllocationMethod": "Static", "ipConfiguration": map[string]any{"id": usedBy}})
	}
	ip("a-vm", "20.1.0.1", group+"Microsoft.Network/networkInterfaces/VM7-nic/ipConfigurations/one")
	ip("b-fw", "20.1.0.2", group+"Microsoft.Network/AzureFirewalls/edge/azureFirewallIpConfigurations/one")
	ip("c-lb", "20.1.0.3", group+"Microsoft.Network/loadBalancers/front/frontendIPConfigurations/one")
	ip("d-odd", "20.1.0.4", "/what/is/this")
	ip("e-v6", "2603:1020::7", "")
	ip("f-private", "10.0.0.4", "")
	ip("g-wrong", "20.1.0.400", "")
	add("Microsoft.Network/publicIPAddresses", "h-dynamic", map[string]any{"ipAddress": "20.1.0.5", "publicIPAllocationMethod": "Dynamic"})
	add("Microsoft.Network/publicIPPrefixes", "i-prefix", map[string]any{"ipPrefix": "20.1.1.0/28", "natGateway": map[string]any{"id": group + "Microsoft.Network/natGateways/nat"}})
	add("Microsoft.Network/publicIPPrefixes", "j-all", map[string]any{"ipPrefix": "0.0.0.0/0"})
	for _, name := range []string{"k-app", "l-app", "m-app"} {
		add("Microsoft.Web/sites", name, map[string]any{"outboundIpAddresses": "20.1.2.1, 20.1.2.2", "possibleOutboundIpAddresses": nil})
	}
	add("Microsoft.App/managedEnvironments", "n-env", map[string]any{"staticIp": "20.1.3.1"})
	add("Microsoft.App/managedEnvironments", "o-internal", map[string]any{"staticIp": "10.1.3.1"})
	add("Microsoft.Web/sites", "p-odd", map[string]any{"outboundIpAddresses": []any{"20.1.2.9"}})
	found, err := Resources(t.Context(), simulated(t, e, azuresim.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"20.1.0.1-20.1.0.1 owned: network interface VM7-nic (public IP address a-vm), public IP address, a-vm",
		"20.1.0.2-20.1.0.2 owned: firewall edge (public IP address b-fw), public IP address, b-fw",
		"20.1.0.3-20.1.0.3 owned: load balancer front (public IP address c-lb), public IP address, c-lb",
		"20.1.0.4-20.1.0.4 owned: public IP address d-odd, public IP address, d-odd",
		"2603:1020::7-2603:1020::7 owned: public IP address e-v6, public IP address, e-v6",
		"20.1.1.0-20.1.1.15 owned: NAT gateway nat (public IP prefix i-prefix), public IP prefix, i-prefix",
		"20.1.0.5-20.1.0.5 candidate: public IP address h-dynamic, public IP address, h-dynamic",
		"20.1.2.1-20.1.2.1 candidate: web app k-app or one of 2 more resources, web app, k-app",
		"20.1.2.2-20.1.2.2 candidate: web app k-app or one of 2 more resources, web app, k-app",
		"20.1.3.1-20.1.3.1 candidate: container app environment n-env, container app environment, n-env",
	}
	if diff := cmp.Diff(want, told(found.Holdings)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// A private public address, one that is none, everything, and a list.
	if diff := cmp.Diff([]string{"4 of the resources that Resource Graph lists could not be understood"}, found.Gaps); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAllPagesAreRead(t *testing.T) {
	e := azuresim.Estate{Subscriptions: []azuresim.Subscription{{ID: subscription, Name: "shop"}}}
	for n := range 2500 {
		e.Subscriptions[0].Resources = append(e.Subscriptions[0].Resources, azuresim.Resource{
			Type: "Microsoft.Network/publicIPAddresses", Name: fmt.Sprintf("ip-%d", n), ResourceGroup: "shop",
			Properties: map[string]any{"ipAddress": fmt.Sprintf("20.1.%d.%d", n/250, n%250), "publicIPAllocationMethod": "Static"},
		})
	}
	c := simulated(t, e, azuresim.Options{}, "429,path=ResourceGraph,times=1,retry-after=1")
	found, err := Resources(t.Context(), c)
	if err != nil || len(found.Holdings) != 2500 || len(found.Gaps) > 0 {
		t.Errorf("%d addresses, gaps %q, %v", len(found.Holdings), found.Gaps, err)
	}
	if calls := c.Stats().Calls; calls != 4 {
		t.Errorf("%d calls", calls)
	}
}

func TestWhatResourceGraphDoesNotTellIsAGap(t *testing.T) {
	denied := azuresim.Demo()
	for i := range denied.Subscriptions {
		denied.Subscriptions[i].Denied = []string{"resources/read"}
	}
	says := func(bodies ...string) *arm.Client {
		n := 0
		return azure(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprint(w, bodies[min(n, len(bodies)-1)])
			n++
		}))
	}
	row := func(address string) string {
		r, _ := json.Marshal(map[string]any{"id": "/x", "name": "x", "type": "microsoft.network/publicipaddresses", "ipAddress": address, "allocation": "Static"})
		return string(r)
	}
	for name, tt := range map[string]struct {
		client *arm.Client
		gap    string
		holds  int
	}{
		"denied":      {simulated(t, denied, azuresim.Options{}), "AccessDenied: ", 0},
		"broken":      {simulated(t, azuresim.Demo(), azuresim.Options{}, "not-json,path=ResourceGraph"), "not what Resource Graph gives", 0},
		"redirected":  {simulated(t, azuresim.Demo(), azuresim.Options{}, "redirect,path=ResourceGraph"), "not followed with a token in hand", 0},
		"no data":     {says(`{}`), "it has no data", 0},
		"truncated":   {says(`{"totalRecords":1,"resultTruncated":"true","data":[` + row("20.1.0.1") + `]}`), "it gave 1 of 2 and no way to the rest", 1},
		"too few":     {says(`{"totalRecords":7,"data":[` + row("20.1.0.1") + `]}`), "it gave 1 of 7 and no way to the rest", 1},
		"in a circle": {says(`{"totalRecords":7,"$skipToken":"a","data":[` + row("20.1.0.1") + `]}`), "leads back to one that was read already", 2},
		"a page less": {says(`{"totalRecords":2,"$skipToken":"a","data":[`+row("20.1.0.1")+`]}`, `{"error":{"code":"x"}}`), "it has no data", 1},
	} {
		found, err := Resources(t.Context(), tt.client)
		if err != nil || len(found.Gaps) != 1 || !strings.Contains(found.Gaps[0], tt.gap) || !strings.HasPrefix(found.Gaps[0], "not all of your resources were read") || len(found.Holdings) != tt.holds {
			t.Errorf("%s: %d holdings, gaps %q, %v; want %q", name, len(found.Holdings), found.Gaps, err, tt.gap)
		}
	}
}

func TestServiceTagsOfTheAPI(t *testing.T) {
	c := simulated(t, azuresim.Demo(), azuresim.Options{PageSize: 2})
	tags, err := ServiceTags(t.Context(), c, subscription, "West Europe")
	if err != nil {
		t.Fatal(err)
	}
	book := usage.Book{Tags: tags}
	for address, want := range map[string]string{
		"198.51.100.20": "AzureCloud.westeurope", "198.51.100.241": "DataFactory.northeurope", "198.51.100.113": "PowerBI", "203.0.113.9": "",
	} {
		if got := book.Origin(address).Tag; got != want {
			t.Errorf("%s is in %q, want %q", address, got, want)
		}
	}
	if calls := c.Stats().Calls; calls != 3 {
		t.Errorf("%d calls for six tags, two a page", calls)
	}
}

func TestServiceTagsAreReadWholeOrNotAtAll(t *testing.T) {
	denied := azuresim.Demo()
	denied.Subscriptions[0].Denied = []string{"serviceTags/read"}
	small := azuresim.Options{PageSize: 2}
	for name, tt := range map[string]struct {
		client   *arm.Client
		location string
		want     string
	}{
		"denied":         {simulated(t, denied, small), "westeurope", "it takes Microsoft.Network/locations/serviceTags/read"},
		"no location":    {simulated(t, azuresim.Demo(), small), "", "not known in which subscription and region"},
		"a wrong one":    {simulated(t, azuresim.Demo(), small), "../../x", "HTTP 4"},
		"another host":   {simulated(t, azuresim.Demo(), small, "foreign-next,path=serviceTags"), "westeurope", "nothing is sent there, the token least of all"},
		"a circle":       {simulated(t, azuresim.Demo(), small, "self-next,path=serviceTags"), "westeurope", "links back to one that was read already"},
		"not JSON":       {simulated(t, azuresim.Demo(), small, "not-json,path=serviceTags"), "westeurope", "is no list of service tags"},
		"another object": {azure(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, `{"value":[]}`) })), "westeurope", "with a list of values"},
	} {
		tags, err := ServiceTags(t.Context(), tt.client, subscription, tt.location)
		if tags != nil || err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), token) {
			t.Errorf("%s: %v, %v; want %q", name, tags, err, tt.want)
		}
	}
}

func FuzzRow(f *testing.F) {
	f.Add([]byte(`{"id":"/x","name":"x","type":"microsoft.web/sites","outbound":"20.1.2.1,20.1.2.2"}`))
	f.Add([]byte(`{"id":"/x","name":"x","type":"microsoft.network/publicipprefixes","ipPrefix":"20.0.0.0/28"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		l := &list{candidates: map[netip.Addr][]usage.Holding{}}
		l.add(raw)
		for _, h := range l.all() {
			if !h.Range.IsValid() || h.Certainty == "" {
				t.Errorf("%q holds %+v", raw, h)
			}
		}
	})
}
