package fix_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go4.org/netipx"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/resourcetype"
	"github.com/posternhq/postern/usage"
)

const (
	flexible = "Microsoft.DBforPostgreSQL/flexibleServers"
	single   = "Microsoft.DBforPostgreSQL/servers"
	citus    = "Microsoft.DBforPostgreSQL/serverGroupsv2"

	subscription = "5b000001-0000-4000-8000-000000000001"

	door   = "AllowAllAzureIps 0.0.0.0-0.0.0.0"
	office = "office 203.0.113.8-203.0.113.15"
)

var (
	now     = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	public  = `"state": "Ready", "userVisibleState": "Ready", "publicNetworkAccess": "Enabled", "network": {"publicNetworkAccess": "Enabled"}, "coordinatorEnablePublicIpAccess": true, "nodeEnablePublicIpAccess": false`
	private = strings.ReplaceAll(strings.ReplaceAll(public, "Enabled", "Disabled"), "true", "false")
)

// server is a server with the given properties and rules ("name start-end", with
// source prefixes after a space).
func server(kind, properties string, rules ...string) *asset.Asset {
	id := fmt.Sprintf("/subscriptions/%s/resourceGroups/shop/providers/%s/orders-db", subscription, kind)
	a := &asset.Asset{
		ID: id, Type: kind, Name: "orders-db", SubscriptionID: subscription, ResourceGroup: "shop", Location: "westeurope",
		Origin:   asset.Origin{Source: "arm", APIVersion: "2025-08-01"},
		Body:     json.RawMessage(`{"properties": {` + properties + `}}`),
		Children: map[string]asset.Children{"firewallRules": {Items: []json.RawMessage{}}, "virtualNetworkRules": {}},
	}
	list := asset.Children{Items: []json.RawMessage{}}
	for _, r := range rules {
		parts := strings.Fields(r)
		start, end, _ := strings.Cut(parts[1], "-")
		p := map[string]any{"startIpAddress": start, "endIpAddress": end, "provisioningState": "Succeeded"}
		if len(parts) > 2 {
			p["sourceAddressPrefixes"] = parts[2:]
		}
		item, err := json.MarshalIndent(map[string]any{"id": id + "/firewallRules/" + parts[0], "name": parts[0], "properties": p}, "", "  ")
		if err != nil {
			panic(err)
		}
		list.Items = append(list.Items, item)
	}
	a.Children["firewallRules"] = list
	return a
}

func request(a *asset.Asset, keep fix.Keep, clients ...usage.Client) fix.Request {
	n, err := resourcetype.Network(resourcetype.All(), a)
	if err != nil {
		panic(err)
	}
	r := fix.Request{Asset: a, Network: n, Keep: keep, Claims: true, Now: now}
	if len(clients) > 0 {
		r.Answer = answer(n, clients...)
	}
	return r
}

// answer is evidence in which the addresses 20.50.* are yours by a list.
func answer(n asset.Network, clients ...usage.Client) *usage.Answer {
	a := &usage.Answer{Outcome: usage.CutsOff}
	a.Window.First, a.Window.Last = now.AddDate(0, 0, -9), now
	access := usage.NewAccess(n)
	for _, c := range clients {
		j := access.Judge(c)
		j.Origin = usage.Origin{Owner: usage.NotKnown}
		if strings.HasPrefix(c.Address, "20.50.") {
			j.Origin = usage.Origin{Owner: usage.Yours, Name: "NAT gateway west"}
		}
		a.Clients = append(a.Clients, j)
	}
	return a
}

func client(address string) usage.Client {
	return usage.Client{Address: address, User: "u", First: now.AddDate(0, 0, -8), Last: now, Connections: 3}
}

func span(text, name string) fix.Span {
	if ip, err := netip.ParseAddr(text); err == nil {
		return fix.Span{Range: netipx.IPRangeFrom(ip, ip), Name: name}
	}
	if p, err := netip.ParsePrefix(text); err == nil {
		return fix.Span{Range: netipx.RangeOfPrefix(p), Name: name}
	}
	return fix.Span{Range: netipx.MustParseIPRange(text), Name: name}
}

func plan(t testing.TB, r fix.Request) fix.ServerPlan {
	t.Helper()
	p, err := fix.PlanServer(r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// whole is a plan of one or more servers, as it would be written.
func whole(t testing.TB, keep fix.Keep, servers ...fix.ServerPlan) *fix.Plan {
	t.Helper()
	p, err := fix.New(fix.Tool{Name: "postern", Version: "1"}, fix.Cloud{Name: "public", Endpoint: "https://management.azure.com", Tenant: "t"}, keep, servers, now)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// steps is a plan's steps in short.
func steps(list []fix.Step) []string {
	var out []string
	for _, s := range list {
		out = append(out, fmt.Sprintf("%s %s %s-%s", s.Act, s.Rule.Name, s.Rule.Start, s.Rule.End))
	}
	return out
}

func fates(p fix.ServerPlan) map[string]fix.Fate {
	out := map[string]fix.Fate{}
	for _, c := range p.Clients {
		out[c.Address] = c.Fate
	}
	return out
}

func oneOf(list []string, words string) bool {
	for _, s := range list {
		if strings.Contains(s, words) {
			return true
		}
	}
	return false
}
