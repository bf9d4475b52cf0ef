package azuresim

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const smallEstate = `version: postern.estate/v1
tenant: 7e57ab1e-0000-4000-8000-0000000000aa
subscriptions:
  - id: 5b000001-0000-4000-8000-000000000001
    name: shop
    servers:
      - kind: flexible
        name: orders-db
        resource_group: shop
        location: East US 2
        tags: {team: checkout}
        public_access: disabled
        firewall_rules:
          - {name: AllowAllAzureIps, start: 0.0.0.0, end: 0.0.0.0, source_address_prefixes: [AzureCloud]}
          - {name: broken, start: not-an-address, end: "::1"}
        denied: [configurations/read]
        extra:
          version: "17"
          backup: {backupRetentionDays: 35, since: 2024-01-02}
          cluster: null
      - {kind: citus, name: metrics-db, resource_group: shop, nodes: 2, node_public_access: enabled}
`

func TestLoadEstate(t *testing.T) {
	got, err := LoadEstate(strings.NewReader(smallEstate))
	if err != nil {
		t.Fatal(err)
	}
	want := Estate{Tenant: "7e57ab1e-0000-4000-8000-0000000000aa", Subscriptions: []Subscription{{
		ID: "5b000001-0000-4000-8000-000000000001", Name: "shop",
		Servers: []DBServer{
			{
				Kind: Flexible, Name: "orders-db", ResourceGroup: "shop", Location: "East US 2",
				Tags: map[string]string{"team": "checkout"}, PublicAccess: Disabled,
				FirewallRules: []Rule{
					{"AllowAllAzureIps", "0.0.0.0", "0.0.0.0", []string{"AzureCloud"}}, {"broken", "not-an-address", "::1", nil},
				},
				Denied: []string{"configurations/read"},
				Extra: map[string]any{
					"version": "17", "cluster": nil,
					"backup": map[string]any{"backupRetentionDays": 35.0, "since": "2024-01-02T00:00:00Z"},
				},
			},
			{Kind: Citus, Name: "metrics-db", ResourceGroup: "shop", Nodes: 2, NodePublicAccess: Enabled},
		},
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("estate (-want +got):\n%s", diff)
	}
	if _, err := New(got, Options{}); err != nil {
		t.Errorf("what was loaded cannot be simulated: %v", err)
	}
}

func TestLoadEstateSaysWhatIsWrong(t *testing.T) {
	const sub = "version: postern.estate/v1\nsubscriptions:\n- id: 5b000001-0000-4000-8000-000000000001\n  name: shop\n  servers:\n"
	const srv = sub + "  - {kind: flexible, name: a, resource_group: g"
	for name, c := range map[string]struct{ text, want string }{
		"empty":                     {" \n", "the file is empty"},
		"no version":                {"subscriptions: []", `no version (start the file with "version: postern.estate/v1")`},
		"newer version":             {"version: postern.estate/v2", `version "postern.estate/v2" is not known here`},
		"not YAML":                  {"version: [", "parse estate"},
		"a list":                    {"- a", "parse estate"},
		"unknown key":               {strings.Replace(smallEstate, "kind: flexible\n", "kind: flexible\n        colour: red\n", 1), "line 8"},
		"a key twice":               {strings.Replace(smallEstate, "kind: flexible\n", "kind: flexible\n        kind: single\n", 1), "line 8"},
		"two documents":             {smallEstate + "---\nversion: postern.estate/v1\n", "document"},
		"tenant":                    {"version: postern.estate/v1\ntenant: contoso", `tenant "contoso" is no GUID`},
		"subscription id":           {"version: postern.estate/v1\nsubscriptions: [{id: shop}]", `subscriptions[0]: id "shop" is no GUID`},
		"subscription twice":        {sub + "- id: 5B000001-0000-4000-8000-000000000001", "is there twice"},
		"subscription state":        {sub + "  state: Sleeping", `unknown state "Sleeping"`},
		"kind":                      {sub + "  - {kind: mysql, name: a, resource_group: g}", `servers[0] (a): unknown kind "mysql"`},
		"name":                      {sub + "  - {kind: single, name: a/b, resource_group: g}", `name "a/b" cannot stand in an address`},
		"no group":                  {sub + "  - {kind: single, name: a}", `resource_group "" cannot stand`},
		"server twice":              {srv + "}\n  - {kind: flexible, name: A, resource_group: G}", "another flexible server in resource group G has that name"},
		"public access":             {srv + ", public_access: Enabled}", `unknown public access "Enabled" (want enabled or disabled)`},
		"nodes":                     {srv + ", nodes: 2}", "for citus only"},
		"too many nodes":            {sub + "  - {kind: citus, name: a, resource_group: g, nodes: -1}", "out of range"},
		"subnet":                    {sub + "  - {kind: single, name: a, resource_group: g, subnet: n/s}", "subnet is for flexible only"},
		"public in a subnet":        {srv + ", subnet: n/s, public_access: enabled}", "no public access to enable"},
		"vnet rules":                {srv + ", vnet_rules: [{name: r, subnet: n/s}]}", "vnet_rules are for single only"},
		"vnet rule with no subnet":  {sub + "  - {kind: single, name: a, resource_group: g, vnet_rules: [{name: r}]}", "vnet rule r has no subnet"},
		"denied":                    {srv + ", denied: [firewallrule/read]}", `denied operation "firewallrule/read" does not exist here (want one of read, locks/read, permissions/read, firewallrules/read,`},
		"rule name":                 {srv + ", firewall_rules: [{start: 0.0.0.0}]}", `firewall rule name ""`},
		"rule twice":                {srv + ", firewall_rules: [{name: r}, {name: R}]}", "firewall rule R is there twice"},
		"private endpoint's status": {srv + ", private_endpoints: [{name: p, status: Perhaps}]}", `unknown status "Perhaps"`},
		"lock level":                {srv + ", locks: [{name: l, level: Perhaps}]}", `lock l: unknown level "Perhaps"`},
		"lock name":                 {srv + ", locks: [{name: a/b, level: ReadOnly}]}", `lock name "a/b"`},
		"lock twice":                {srv + ", locks: [{name: l, level: ReadOnly}, {name: L, level: ReadOnly}]}", "lock L is there twice"},
		"lock of no group":          {srv + "}\n  group_locks: {h: [{name: l, level: ReadOnly}]}", `there is nothing in resource group "h"`},
		"lock of a subscription":    {srv + "}\n  locks: [{name: l}]", `unknown level ""`},
		"denied in subscription":    {srv + "}\n  denied: [read]", `denied operation "read" does not exist here (want locks/read,`},
		"resource without a type":   {srv + "}\n  resources: [{name: a, resource_group: g}]", `resources[0]: type "", name "a" and resource_group "g" make no id`},
		"resource of two names":     {srv + "}\n  resources: [{type: A/b, name: a/c, resource_group: g}]", "make no id"},
		"resource elsewhere":        {srv + "}\n  resources: [{id: /subscriptions/5b000002-0000-4000-8000-000000000001/resourceGroups/g/providers/A/b/c}]", "is in another subscription"},
		"resource that is a list":   {srv + "}\n  resources: [{id: /subscriptions/5b000001-0000-4000-8000-000000000001/resourceGroups/g/providers/A/b}]", "is no ARM id"},
		"resource with both":        {srv + "}\n  resources: [{id: /subscriptions/5b000001-0000-4000-8000-000000000001/resourceGroups/g/providers/A/b/c, name: c}]", "beside it"},
		"resource no JSON":          {srv + "}\n  resources: [{type: A/b, name: c, resource_group: g, properties: {a: .nan}}]", "properties are no JSON"},
		"log to nowhere":            {srv + ", logs: {workspace: 5b0000aa-0000-4000-8000-000000000001}}", "which is not in the estate"},
		"log to a strange table":    {srv + ", logs: {workspace: w, table: Syslog}}", `unknown table "Syslog"`},
		"log of a single server":    {strings.Replace(srv, "flexible", "single", 1) + ", logs: {workspace: w, table: PGSQLServerLogs}}", "only flexible servers write"},
		"tag without a name":        {srv + "}\nservice_tags: [{prefixes: [1.2.3.0/24]}]", "a service tag has no name"},
		"tag of no range":           {srv + "}\nservice_tags: [{name: t, prefixes: [1.2.3.4]}]", `prefix "1.2.3.4" is no CIDR range`},
		"workspace id":              {srv + "}\nworkspaces: [{id: w}]", `id "w" is no GUID`},
		"workspace twice":           {srv + "}\nworkspaces: [{id: 5b0000aa-0000-4000-8000-000000000001}, {id: 5B0000AA-0000-4000-8000-000000000001}]", "is there twice"},
		"workspace denied":          {srv + "}\nworkspaces: [{id: 5b0000aa-0000-4000-8000-000000000001, denied: [read]}]", `denied operation "read"`},
		"table name":                {srv + "}\nworkspaces: [{id: 5b0000aa-0000-4000-8000-000000000001, tables: {a b: []}}]", `table name "a b"`},
		"row without a time":        {srv + "}\nworkspaces: [{id: 5b0000aa-0000-4000-8000-000000000001, tables: {T: [{Message: m}]}}]", `TimeGenerated "" is no time`},
		"row that is no JSON":       {srv + "}\nworkspaces: [{id: 5b0000aa-0000-4000-8000-000000000001, tables: {T: [{a: .nan}]}}]", "row 0 is no JSON"},
		"extra that is no JSON":     {srv + ", extra: {a: .nan}}", "extra is no JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := LoadEstate(strings.NewReader(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	if _, err := New(Estate{Tenant: "x"}, Options{}); !errors.Is(err, ErrEstate) {
		t.Errorf("New: %v", err)
	}
}

func TestEstatesSurviveWriting(t *testing.T) {
	for name, e := range map[string]Estate{
		"demo": Demo(), "everything": everything(), "generated": Generate(50, Shape{Kind: Citus, Subscriptions: 3, Rules: 4}),
	} {
		var b bytes.Buffer
		if err := WriteEstate(&b, e); err != nil {
			t.Fatal(err)
		}
		got, err := LoadEstate(&b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(e, got); diff != "" {
			t.Errorf("%s (-written +read):\n%s", name, diff)
		}
	}
}

func FuzzLoadEstate(f *testing.F) {
	f.Add(smallEstate)
	f.Add("version: postern.estate/v1\nsubscriptions: []")
	f.Add("version: postern.estate/v1\nsubscriptions: [{id: 5b000001-0000-4000-8000-000000000001, servers: [{kind: single, name: a, resource_group: g, extra: {a: &x [1, *x]}}]}]")
	f.Fuzz(func(t *testing.T, text string) {
		e, err := LoadEstate(strings.NewReader(text))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := WriteEstate(&b, e); err != nil {
			t.Fatalf("%q cannot be written: %v", text, err)
		}
		written := b.String()
		again, err := LoadEstate(&b)
		if err != nil {
			t.Fatalf("%q written as\n%s\ncannot be read: %v", text, written, err)
		}
		if diff := cmp.Diff(e, again, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%q written as\n%s\n(-written +read):\n%s", text, written, diff)
		}
		if _, err := New(e, Options{}); err != nil {
			t.Errorf("%q is loaded and cannot be simulated: %v", text, err)
		}
	})
}

func TestGenerate(t *testing.T) {
	e := Generate(25, Shape{Subscriptions: 2, Rules: 3})
	if err := e.check(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(e, Generate(25, Shape{Subscriptions: 2, Rules: 3})); diff != "" {
		t.Errorf("the same arguments made another estate:\n%s", diff)
	}
	open, servers := 0, 0
	for _, sub := range e.Subscriptions {
		for _, s := range sub.Servers {
			servers++
			if len(s.FirewallRules) != 3 {
				t.Errorf("%s has %d rules", s.Name, len(s.FirewallRules))
			}
			if s.FirewallRules[0].Start == "0.0.0.0" {
				open++
			}
		}
	}
	if servers != 25 || open != 3 {
		t.Errorf("%d servers, %d open; want 25 and 3", servers, open)
	}
	if e := Generate(1, Shape{Rules: -1}); len(e.Subscriptions[0].Servers[0].FirewallRules) != 0 {
		t.Error("a shape without rules made some")
	}
}

func BenchmarkGenerateAndStart(b *testing.B) {
	for b.Loop() {
		if _, err := New(Generate(100_000, Shape{Subscriptions: 10, Rules: 5}), Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
