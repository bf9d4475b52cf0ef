package rules_test

import (
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/posternhq/postern/resourcetype"
	"github.com/posternhq/postern/rule"
	"github.com/posternhq/postern/rule/fixture"
	"github.com/posternhq/postern/rules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func catalogue(t testing.TB) *rule.Catalogue {
	t.Helper()
	c, err := rules.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Every folder with a page is built in.
func TestNothingIsLeftOut(t *testing.T) {
	var files, built []string
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, _ fs.DirEntry, err error) error {
		if path.Base(name) == rule.PageName {
			files = append(files, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range catalogue(t).All() {
		built = append(built, p.File)
	}
	slices.Sort(built)
	if diff := cmp.Diff(files, built); diff != "" {
		t.Errorf("pages (-folders +catalogue):\n%s", diff)
	}
}

// Every page gives its fixtures the verdicts they ask for, and has a fixture for
// each verdict it can give.
func TestFixtures(t *testing.T) {
	for _, page := range catalogue(t).All() {
		t.Run(page.ID, func(t *testing.T) {
			fixtures, err := fixture.Load(os.DirFS("."), page)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range fixture.Missing(page, fixtures) {
				t.Errorf("no fixture gets the verdict %s", v)
			}
			for _, f := range fixtures {
				t.Run(f.Name, func(t *testing.T) {
					if _, err := f.Check(t.Context(), page); err != nil {
						t.Error(err)
					}
				})
			}
			for _, name := range page.ResourceTypes {
				if !slices.ContainsFunc(fixtures, func(f fixture.Fixture) bool { return f.Asset.Type == name }) {
					t.Errorf("no fixture is a %s", name)
				}
			}
		})
	}
}

// Every requirement in the front matter can be read about on the page, and the
// reverse holds for the benchmark's numbers, so that neither drifts.
func TestControlsAreOnThePage(t *testing.T) {
	for _, page := range catalogue(t).All() {
		controls, _ := page.Section("Controls")
		for _, m := range page.Frameworks {
			if !strings.Contains(controls.Text, m.Requirement) {
				t.Errorf("%s: the section %s does not name %s %s: %s", page.ID, controls.Title, m.Framework, m.Version, m.Requirement)
			}
			if m.Framework == "cis-azure" && !strings.Contains(controls.Text, m.Version) {
				t.Errorf("%s: the section %s does not name version %s", page.ID, controls.Title, m.Version)
			}
		}
	}
}

// The names by which the rule has been known find it.
func TestAliases(t *testing.T) {
	for _, name := range []string{
		"mhu-w8j-px0", "MHU-W8J-PX0", "cis-azure-1.3.0-4.3.8",
		"/security_monitoring/default_rules/mhu-w8j-px0", "/security_monitoring/default_rules/cis-azure-1.3.0-4.3.8",
	} {
		if p, ok := catalogue(t).Find(name); !ok || p.ID != "mhu-w8j-px0" {
			t.Errorf("%s finds %v", name, p)
		}
	}
}

// Whoever fails is told first how to find out who would be cut off, and then how to
// close the door, in a form that fits every version before the others, and the seed's own command is there for the generation that has it.
func TestCommands(t *testing.T) {
	page, _ := catalogue(t).Find("mhu-w8j-px0")
	fixtures, err := fixture.Load(os.DirFS("."), page)
	if err != nil {
		t.Fatal(err)
	}
	const rg = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/shop/providers/Microsoft.DBforPostgreSQL/"
	const sub = " \\\n  --subscription '11111111-1111-1111-1111-111111111111' --resource-group shop"
	for name, want := range map[string][]string{
		"flexible-any-name": {
			"postern usage shop-db --workspace WORKSPACE",
			"postern fix plan shop-db --workspace WORKSPACE -o plan.json",
			"az resource delete --ids " + rg + "flexibleServers/shop-db/firewallRules/office",
			"az rest --method delete --url '" + rg + "flexibleServers/shop-db/firewallRules/office?api-version=2025-08-01'",
			"az postgres flexible-server firewall-rule delete --yes" + sub + " \\\n  --server-name shop-db --name office",
			"az postgres flexible-server firewall-rule delete --yes" + sub + " \\\n  --name shop-db --rule-name office",
			"Remove-AzResource -ResourceId " + rg + "flexibleServers/shop-db/firewallRules/office -Force",
			"Remove-AzPostgreSqlFlexibleServerFirewallRule -SubscriptionId '11111111-1111-1111-1111-111111111111' `\n  -ResourceGroupName shop -ServerName shop-db -Name office",
		},
		"single-seed": {
			"postern usage legacy --workspace WORKSPACE",
			"postern fix plan legacy --workspace WORKSPACE -o plan.json",
			"az resource delete --ids " + rg + "servers/legacy/firewallRules/AllowAllAzureIps",
			"az rest --method delete --url '" + rg + "servers/legacy/firewallRules/AllowAllAzureIps?api-version=2017-12-01'",
			"az postgres server firewall-rule delete --yes" + sub + " \\\n  --server-name legacy --name AllowAllAzureIps",
			"Remove-AzResource -ResourceId " + rg + "servers/legacy/firewallRules/AllowAllAzureIps -Force",
			"Remove-AzPostgreSqlFirewallRule -SubscriptionId '11111111-1111-1111-1111-111111111111' `\n  -ResourceGroupName shop -ServerName legacy -Name AllowAllAzureIps",
		},
		"cluster-open-workers": {
			"postern usage events --workspace WORKSPACE",
			"postern fix plan events --workspace WORKSPACE -o plan.json",
			"az resource delete --ids " + rg + "serverGroupsv2/events/firewallRules/azure",
			"az rest --method delete --url '" + rg + "serverGroupsv2/events/firewallRules/azure?api-version=2022-11-08'",
			"az cosmosdb postgres firewall-rule delete --yes" + sub + " \\\n  --cluster-name events --name azure",
			"Remove-AzResource -ResourceId " + rg + "serverGroupsv2/events/firewallRules/azure -Force",
		},
	} {
		t.Run(name, func(t *testing.T) {
			i := slices.IndexFunc(fixtures, func(f fixture.Fixture) bool { return f.Name == name })
			in, err := fixtures[i].Input()
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range page.Commands(in, page.Evaluate(t.Context(), in)) {
				got = append(got, c.Text)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("commands (-want +got):\n%s", diff)
			}
		})
	}
}

// The rule costs one list of firewall rules a server, and nothing else.
func TestReads(t *testing.T) {
	page, _ := catalogue(t).Find("mhu-w8j-px0")
	for _, rt := range resourcetype.All() {
		for _, read := range page.Reads(rt.Name) {
			if !strings.HasPrefix(read, "exposure.") {
				t.Errorf("for %s it reads %s", rt.Label, read)
			}
		}
	}
}
