package rules_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/resourcetype"
	"github.com/posternhq/postern/rule"
)

// server is one case: what is known of a server's network.
type server struct {
	publicOff bool
	location  string
	// rules are pairs of a name and a range.
	rules []string
	// gap is the HTTP status that ended the reading of the rules, 0 for none.
	gap int
	// parametersDenied is set when the parameters could not be read.
	parametersDenied bool
}

// generations says how each generation of the service spells a server.
var generations = []struct {
	typ      string
	on, off  string
	children []string
}{
	{"Microsoft.DBforPostgreSQL/flexibleServers", `{"network":{"publicNetworkAccess":"Enabled"}}`, `{"network":{"publicNetworkAccess":"Disabled"}}`, nil},
	{"Microsoft.DBforPostgreSQL/servers", `{"publicNetworkAccess":"Enabled"}`, `{"publicNetworkAccess":"Disabled"}`, []string{"virtualNetworkRules"}},
	{"Microsoft.DBforPostgreSQL/serverGroupsv2", `{"coordinatorEnablePublicIpAccess":true,"nodeEnablePublicIpAccess":false}`, `{"coordinatorEnablePublicIpAccess":false,"nodeEnablePublicIpAccess":false}`, nil},
}

// The servers that other tools judge wrongly, each on every generation. What
// those tools answer was read from their code or seen by running them on
// 2026-11-23: Prowler 3e000fa, CloudSploit 4b5bbd8 and cnspec 62835b1.
func TestCasesOtherToolsGetWrong(t *testing.T) {
	for _, tc := range []struct {
		name   string
		server server
		want   rule.Verdict
		reason string
	}{
		{
			"portal-named rule 0.0.0.0–0.0.0.0", // all agree
			server{rules: []string{"AllowAllAzureServicesAndResourcesWithinAzureIps_2024-5-23_18-8-9", "0.0.0.0-0.0.0.0"}},
			rule.Fail, "every Azure customer can reach this server",
		},
		{
			"the same under another name", // CloudSploit: pass
			server{rules: []string{"office", "0.0.0.0-0.0.0.0"}},
			rule.Fail, "every Azure customer can reach this server",
		},
		{
			"0.0.0.0–255.255.255.255", // Prowler, CloudSploit: pass
			server{rules: []string{"all", "0.0.0.0-255.255.255.255"}},
			rule.Fail, "the whole internet, and every Azure customer with it, can reach this server",
		},
		{
			"0.0.0.0 pair, public access disabled", // Prowler, CloudSploit, cnspec: fail
			server{publicOff: true, rules: []string{"AllowAllAzureIps", "0.0.0.0-0.0.0.0"}},
			rule.Pass, `the day they are, every Azure customer can reach this server by firewall rule "AllowAllAzureIps"`,
		},
		{
			"rules cannot be read (403)", // Prowler: no finding
			server{gap: 403},
			rule.Unknown, "/firewallRules/read denied at /subscriptions/",
		},
		{
			"rules cannot be read (429 to the end)", // Prowler: no finding
			server{gap: 429},
			rule.Unknown, "/db: HTTP 429",
		},
		{
			"Azure-sounding name on one narrow address", // CloudSploit: fail
			server{rules: []string{"AllowAllWindowsAzureIps", "198.51.100.7-198.51.100.7"}},
			rule.Pass, "the firewall lets in no more than 1 address",
		},
		{
			"0.0.0.1–127.255.255.255 and 128.0.0.0–255.255.255.255", // Prowler, CloudSploit, cnspec: pass
			server{rules: []string{"low", "0.0.0.1-127.255.255.255", "high", "128.0.0.0-255.255.255.255"}},
			rule.Fail, "the whole internet, and every Azure customer with it, can reach this server",
		},
		{
			"0.0.0.0 pair in a region the tool does not list", // CloudSploit: no finding
			server{location: "mexicocentral", rules: []string{"AllowAllAzureIps", "0.0.0.0-0.0.0.0"}},
			rule.Fail, "every Azure customer can reach this server",
		},
		{
			"0.0.0.0–10.0.0.1", // cnspec: fail
			server{rules: []string{"corp", "0.0.0.0-10.0.0.1"}},
			rule.Pass, "all of Azure does not get through, nor the whole internet, but the opening is wide: 167,772,162 addresses",
		},
		{
			"0.0.0.0 pair where parameters cannot be read (403)", // Prowler: no finding
			server{parametersDenied: true, rules: []string{"AllowAllAzureIps", "0.0.0.0-0.0.0.0"}},
			rule.Fail, "every Azure customer can reach this server",
		},
		{
			"0.0.0.0 pair on the second page of rules", // all agree
			server{rules: append(pageOfNarrowRules(), "AllowAllAzureIps", "0.0.0.0-0.0.0.0")},
			rule.Fail, "every Azure customer can reach this server",
		},
		{
			"0.0.0.0 pair on the first page, the second denied",
			server{rules: []string{"AllowAllAzureIps", "0.0.0.0-0.0.0.0"}, gap: 403},
			rule.Fail, "every Azure customer can reach this server",
		},
	} {
		for _, g := range generations {
			rt, ok := resourcetype.Lookup(g.typ)
			if !ok {
				t.Fatalf("no type %s", g.typ)
			}
			t.Run(tc.name+"/"+rt.Label, func(t *testing.T) {
				body := g.on
				if tc.server.publicOff {
					body = g.off
				}
				a := tc.server.asset(g.typ, body, g.children)
				network, err := rt.Network(a)
				if err != nil {
					t.Fatal(err)
				}
				page, _ := catalogue(t).Find("mhu-w8j-px0")
				got := page.Evaluate(t.Context(), rule.Prepare(a, exposure.Of(network)))
				if got.Verdict != tc.want || !strings.Contains(got.Reason, tc.reason) {
					t.Errorf("got %s: %s\nwant %s: … %s …", got.Verdict, got.Reason, tc.want, tc.reason)
				}
				if (got.Verdict == rule.Fail) != (len(got.Evidence) > 0) {
					t.Errorf("the verdict is %s with the evidence %v", got.Verdict, got.Evidence)
				}
			})
		}
	}
}

// pageOfNarrowRules is as many rules as fill a page, one address each.
func pageOfNarrowRules() []string {
	var rules []string
	for i := range 100 {
		rules = append(rules, fmt.Sprintf("branch-%d", i), fmt.Sprintf("198.51.100.%d-198.51.100.%d", i, i))
	}
	return rules
}

func (s server) asset(typ, properties string, empty []string) *asset.Asset {
	const sub = "11111111-1111-1111-1111-111111111111"
	id := "/subscriptions/" + sub + "/resourceGroups/rg/providers/" + typ + "/db"
	list := asset.Children{Items: []json.RawMessage{}}
	for i := 0; i+1 < len(s.rules); i += 2 {
		start, end, _ := strings.Cut(s.rules[i+1], "-")
		list.Items = append(list.Items, json.RawMessage(fmt.Sprintf(
			`{"id":"%s/firewallRules/%s","name":"%s","properties":{"startIpAddress":"%s","endIpAddress":"%s"}}`, id, s.rules[i], s.rules[i], start, end)))
	}
	denied := func(child string, status int) *asset.Gap {
		return &asset.Gap{Scope: id, Operation: "list firewall rules", Permission: typ + "/" + child + "/read", Status: status, Message: "no"}
	}
	if s.gap != 0 {
		list.Gap = denied("firewallRules", s.gap)
	}
	children := map[string]asset.Children{"firewallRules": list}
	if s.parametersDenied {
		children["configurations"] = asset.Children{Gap: denied("configurations", 403)}
	}
	for _, name := range empty {
		children[name] = asset.Children{}
	}
	return &asset.Asset{
		ID: id, Type: typ, Name: "db", SubscriptionID: sub, ResourceGroup: "rg", Location: s.location,
		Body: json.RawMessage(`{"properties":` + properties + `}`), Children: children,
	}
}
