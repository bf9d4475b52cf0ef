package guard

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// knownAliases are the aliases of Microsoft's list (Azure/azure-policy-linter,
// src/PolicyLinter.Core/ResourceTypesAndAliases, 2026), in its spelling. Those of
// Azure SQL are from Microsoft's answer in Azure/azure-policy#77.
var knownAliases = []string{
	"Microsoft.DBForPostgreSql/flexibleServers/firewallRules/startIpAddress",
	"Microsoft.DBForPostgreSql/flexibleServers/firewallRules/endIpAddress",
	"Microsoft.DBforPostgreSQL/servers/firewallRules/startIpAddress",
	"Microsoft.DBforPostgreSQL/servers/firewallRules/endIpAddress",
	"Microsoft.Sql/servers/firewallRules/startIpAddress",
	"Microsoft.Sql/servers/firewallRules/endIpAddress",
	"Microsoft.DBForMySql/flexibleServers/firewallRules/startIpAddress",
	"Microsoft.DBForMySql/flexibleServers/firewallRules/endIpAddress",
	"Microsoft.DBforMySQL/servers/firewallRules/startIpAddress",
	"Microsoft.DBforMySQL/servers/firewallRules/endIpAddress",
	"Microsoft.DBforMariaDB/servers/firewallRules/startIpAddress",
	"Microsoft.DBforMariaDB/servers/firewallRules/endIpAddress",
	"Microsoft.Synapse/workspaces/firewallRules/startIpAddress",
	"Microsoft.Synapse/workspaces/firewallRules/endIpAddress",
	"Microsoft.DocumentDB/mongoClusters/firewallRules/startIpAddress",
	"Microsoft.DocumentDB/mongoClusters/firewallRules/endIpAddress",
	"Microsoft.DocumentDB/databaseAccounts/ipRules",
	"Microsoft.DocumentDB/databaseAccounts/ipRules[*]",
	"Microsoft.DocumentDB/databaseAccounts/ipRules[*].ipAddressOrRange",
	"Microsoft.DocumentDB/databaseAccounts/ipRangeFilter",
}

// unconfirmedAliases are what the definition that stands apart would need.
var unconfirmedAliases = []string{
	"Microsoft.DBforPostgreSQL/serverGroupsv2/firewallRules/startIpAddress",
	"Microsoft.DBforPostgreSQL/serverGroupsv2/firewallRules/endIpAddress",
}

var everything = Request{Services: Services, Effect: Deny, Prefix: DefaultPrefix}

// firewallRule is a rule as a request to write it carries it: no tags, no location.
func firewallRule(t target, name, start, end string) resource {
	return resource{"type": t.resource(), "name": name, "properties": map[string]any{"startIpAddress": start, "endIpAddress": end}}
}

// denied runs a definition as the initiative's assignment would.
func denied(t *testing.T, r Request, at target, judged resource) bool {
	t.Helper()
	assigned := map[string]any{"effect": r.effect()}
	switch at.test {
	case byRange:
		assigned["maximumAddresses"] = float64(r.addresses())
	case byList:
		assigned["shortestPrefix"] = float64(r.Prefix)
	}
	got, err := effect(t, read(t, document(definitionType, policyVersion, at.name, r.define(at)).JSON), assigned, judged)
	if err != nil {
		t.Fatalf("%s: an error, which Azure takes for deny: %v", at.name, err)
	}
	return got == "Deny"
}

func TestFirewallRules(t *testing.T) {
	cases := []struct {
		name, start, end string
		want             bool
	}{
		{"AllowAllAzureIps", "0.0.0.0", "0.0.0.0", true},
		{"AllowAllWindowsAzureIps", "0.0.0.0", "0.0.0.0", true},
		{"AllowAllAzureServicesAndResourcesWithinAzureIps_2026-11-4", "0.0.0.0", "0.0.0.0", true},
		{"office", "0.0.0.0", "0.0.0.0", true},
		{"leading zeros", "000.000.000.000", "000.0.0.0", true},
		{"white space", " 0.0.0.0", "0.0.0.0 ", true},
		{"internet", "0.0.0.0", "255.255.255.255", true},
		{"internet but an address", "0.0.0.1", "255.255.255.255", true},
		{"first half", "0.0.0.0", "127.255.255.255", true},
		{"second half", "128.0.0.0", "255.255.255.255", true},
		{"starts at zero", "0.0.0.0", "10.0.0.1", true},
		{"a /8 and an address", "10.0.0.0", "11.0.0.0", true},
		{"a /8", "10.0.0.0", "10.255.255.255", false},
		{"a /8 across a border", "10.128.0.0", "11.127.255.255", false},
		{"narrow, from zero", "0.0.0.0", "0.0.0.1", false},
		{"one address", "20.61.7.9", "20.61.7.9", false},
		{"two across a border", "9.255.255.255", "10.0.0.0", false},
		{"reversed", "10.0.0.9", "10.0.0.1", false},
		{"the last address", "255.255.255.255", "255.255.255.255", false},
	}
	for _, at := range targets {
		if at.test != byRange {
			continue
		}
		for _, c := range cases {
			if got := denied(t, everything, at, firewallRule(at, c.name, c.start, c.end)); got != c.want {
				t.Errorf("%s: %s %s-%s: denied %t, want %t", at.name, c.name, c.start, c.end, got, c.want)
			}
		}
		// Whoever reviews the definition must find the pair in plain words.
		if plain := document(definitionType, policyVersion, at.name, everything.define(at)).JSON; strings.Count(string(plain), `"equals": "0.0.0.0"`) != 2 {
			t.Errorf("%s does not say 0.0.0.0 of both ends", at.name)
		}
		if denied(t, everything, at, resource{"type": at.resource(), "properties": map[string]any{}}) {
			t.Errorf("%s: a rule without addresses is denied", at.name)
		}
	}
}

func TestTheWidthIsExact(t *testing.T) {
	at := targets[0]
	rapid.Check(t, func(rt *rapid.T) {
		r := everything
		r.Prefix = rapid.IntRange(DefaultPrefix, 32).Draw(rt, "prefix")
		start, end := rapid.Uint32().Draw(rt, "start"), rapid.Uint32().Draw(rt, "end")
		if rapid.Bool().Draw(rt, "near the limit") {
			end = start + uint32(r.addresses()) + uint32(rapid.IntRange(-2, 1).Draw(rt, "off"))
		}
		want := end == 0 && start == 0 || int64(end)-int64(start)+1 > int64(r.addresses()) || end == 0
		if got := denied(t, r, at, firewallRule(at, "any", dotted(start), dotted(end))); got != want {
			rt.Fatalf("%s-%s at /%d: denied %t, want %t", dotted(start), dotted(end), r.Prefix, got, want)
		}
	})
}

func dotted(a uint32) string {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], a)
	return netip.AddrFrom4(b).String()
}

func TestCosmosAccounts(t *testing.T) {
	var at target
	for _, candidate := range targets {
		if candidate.test == byList {
			at = candidate
		}
	}
	entries := func(addresses ...string) map[string]any {
		list := []any{}
		for _, a := range addresses {
			list = append(list, map[string]any{"ipAddressOrRange": a})
		}
		return map[string]any{"ipRules": list}
	}
	cases := map[string]struct {
		properties map[string]any
		want       bool
	}{
		"the door among others":  {entries("20.61.7.9", "0.0.0.0", "10.0.0.0/24"), true},
		"the door as a prefix":   {entries("0.0.0.0/32"), true},
		"the internet":           {entries("0.0.0.0/0"), true},
		"the internet in halves": {entries("0.0.0.0/1", "128.0.0.0/1"), true},
		"wider than a /8":        {entries("20.0.0.0/7"), true},
		"a /8":                   {entries("20.0.0.0/8"), false},
		"narrow":                 {entries("20.61.7.9", "20.61.0.0/16"), false},
		"an empty list":          {entries(), false},
		"no list":                {map[string]any{}, false},
		"an element of no kind":  {map[string]any{"ipRules": []any{map[string]any{}}}, false},
		"the door in a text":     {map[string]any{"ipRangeFilter": "20.61.7.9, 0.0.0.0,10.0.0.0/24"}, true},
		"the internet in a text": {map[string]any{"ipRangeFilter": "0.0.0.0/0"}, true},
		"narrow in a text":       {map[string]any{"ipRangeFilter": "20.61.7.9,10.0.0.0/24"}, false},
		"an empty text":          {map[string]any{"ipRangeFilter": ""}, false},
	}
	for name, c := range cases {
		account := resource{"type": at.resource(), "location": "westeurope", "properties": c.properties}
		if got := denied(t, everything, at, account); got != c.want {
			t.Errorf("%s: denied %t, want %t", name, got, c.want)
		}
	}
}

// A function that fails is a deny in Azure, and nothing promises that the type is
// looked at first. So every definition must have an answer for every resource.
func TestNoDefinitionTouchesOtherResources(t *testing.T) {
	var others []resource
	for _, at := range targets {
		others = append(others, firewallRule(at, "door", "0.0.0.0", "0.0.0.0"))
	}
	others = append(others,
		resource{"type": "Microsoft.Compute/virtualMachines", "location": "westeurope", "properties": map[string]any{"startIpAddress": "0.0.0.0"}},
		resource{"type": "Microsoft.DBforPostgreSQL/flexibleServers", "location": "westeurope", "properties": map[string]any{"network": map[string]any{"publicNetworkAccess": "Disabled"}}},
		resource{"type": "Microsoft.Cache/redis/firewallRules", "properties": map[string]any{"startIP": "0.0.0.0", "endIP": "0.0.0.0"}},
		resource{"type": "Microsoft.Resources/subscriptions/resourceGroups"},
	)
	for _, at := range targets {
		for _, other := range others {
			if !strings.EqualFold(fmt.Sprint(other["type"]), at.resource()) && denied(t, everything, at, other) {
				t.Errorf("%s denies a %s", at.name, other["type"])
			}
		}
	}
}

// What cannot be read is not let through: the fallback denies narrow rules too.
func TestTheFallbackDeniesAnyRule(t *testing.T) {
	for _, at := range targets {
		if at.test == byPresence && !denied(t, everything, at, firewallRule(at, "office", "20.61.7.9", "20.61.7.9")) {
			t.Errorf("%s lets a rule through", at.name)
		}
	}
}

func TestAuditReportsAndDefaultsToAudit(t *testing.T) {
	at := targets[0]
	r := everything
	r.Effect = Audit
	d := read(t, document(definitionType, policyVersion, at.name, r.define(at)).JSON)
	door := firewallRule(at, "door", "0.0.0.0", "0.0.0.0")
	for name, assigned := range map[string]map[string]any{"assigned": {"effect": r.effect()}, "by default": {}} {
		if got, err := effect(t, d, assigned, door); got != "Audit" || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestTheInitiativeHoldsWhatAzureKnows(t *testing.T) {
	p := everything.Policy()
	var inside, apart []string
	for _, d := range p.Definitions {
		inside = append(inside, d.Name)
		for _, alias := range unconfirmedAliases {
			if strings.Contains(string(d.JSON), alias) {
				t.Errorf("%s needs %s, which Azure may not know", d.Name, alias)
			}
		}
	}
	for _, d := range p.Apart {
		apart = append(apart, d.Name)
	}
	if diff := cmp.Diff([]string{"postern-postgresql-citus", "postern-postgresql-citus-any-rule"}, apart); diff != "" {
		t.Errorf("apart (-want +got)\n%s", diff)
	}
	set := read(t, p.Initiative.JSON)["properties"].(map[string]any)
	declared := set["parameters"].(map[string]any)
	var referred []string
	for i, d := range set["policyDefinitions"].([]any) {
		d := d.(map[string]any)
		referred = append(referred, d["policyDefinitionReferenceId"].(string))
		if want := p.Definitions[i].reference(); d["policyDefinitionId"] != want {
			t.Errorf("it names %v, want %s", d["policyDefinitionId"], want)
		}
		takes := read(t, p.Definitions[i].JSON)["properties"].(map[string]any)["parameters"].(map[string]any)
		passed := d["parameters"].(map[string]any)
		if len(takes) != len(passed) {
			t.Errorf("%s takes %d parameters and gets %d", p.Definitions[i].Name, len(takes), len(passed))
		}
		for name, v := range passed {
			if want := "[parameters('" + name + "')]"; v.(map[string]any)["value"] != want || takes[name] == nil || declared[name] == nil {
				t.Errorf("%s: parameter %s is %v", p.Definitions[i].Name, name, v)
			}
		}
	}
	if diff := cmp.Diff(inside, referred); diff != "" {
		t.Errorf("the initiative (-definitions +references)\n%s", diff)
	}
	assigned := read(t, p.Assignment.JSON)["properties"].(map[string]any)
	want := map[string]any{"effect": map[string]any{"value": "Deny"}, "maximumAddresses": map[string]any{"value": 16777216.0}, "shortestPrefix": map[string]any{"value": 8.0}}
	if diff := cmp.Diff(want, assigned["parameters"]); diff != "" {
		t.Errorf("the assignment (-want +got)\n%s", diff)
	}
	if assigned["policyDefinitionId"] != p.Initiative.reference() || assigned["enforcementMode"] != "DoNotEnforce" {
		t.Errorf("the assignment is of %v, %v", assigned["policyDefinitionId"], assigned["enforcementMode"])
	}
	if len(assignmentName) > 24 {
		t.Error("a management group takes names of at most 24 characters")
	}
}
