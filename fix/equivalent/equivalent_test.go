package equivalent_test

import (
	"os/exec"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/fix/equivalent"
)

const (
	flexible = "Microsoft.DBforPostgreSQL/flexibleServers"
	single   = "Microsoft.DBforPostgreSQL/servers"
	citus    = "Microsoft.DBforPostgreSQL/serverGroupsv2"
)

var cloud = fix.Cloud{Name: "usgov", Endpoint: "https://management.usgovcloudapi.net/"}

// change adds one rule and deletes one of the given name.
func change(kind, deleted string) fix.ServerPlan {
	id := "/subscriptions/s1/resourceGroups/shop/providers/" + kind + "/orders-db"
	rule := func(name, start, end string) fix.Rule {
		return fix.Rule{ID: id + "/firewallRules/" + name, Name: name, Start: start, End: end}
	}
	return fix.ServerPlan{
		Server: fix.Server{ID: id, Name: "orders-db", Type: kind, SubscriptionID: "s1", ResourceGroup: "shop", APIVersion: "2025-08-01"},
		Steps: []fix.Step{
			{Act: fix.Put, Rule: rule("postern-keep-nat", "20.50.1.1", "20.50.1.2")},
			{Act: fix.Delete, Rule: rule(deleted, "0.0.0.0", "0.0.0.0")},
		},
	}
}

func find(t *testing.T, p fix.ServerPlan, language, label string) string {
	t.Helper()
	for _, e := range equivalent.For(cloud, p) {
		if e.Language == language && strings.Contains(e.Label, label) {
			return e.Text
		}
	}
	t.Fatalf("no %s for %q", language, label)
	return ""
}

// spoken runs a script in bash with an az that says what it was given, one
// argument a line.
func spoken(t *testing.T, script string) []string {
	t.Helper()
	out, err := exec.Command("bash", "-euc", "az() { printf '%s\\n' \"$@\"; }\n"+script).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s\n%s", err, out, script)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

func TestCommandsOfEachVersion(t *testing.T) {
	const where = "--subscription s1 --resource-group shop "
	tests := []struct{ kind, label, want string }{
		{flexible, "2.87", "postgres flexible-server firewall-rule create " + where + "--server-name orders-db --name postern-keep-nat --start-ip-address 20.50.1.1 --end-ip-address 20.50.1.2 " +
			"postgres flexible-server firewall-rule delete --yes " + where + "--server-name orders-db --name door"},
		{flexible, "2.86", "postgres flexible-server firewall-rule create " + where + "--name orders-db --rule-name postern-keep-nat --start-ip-address 20.50.1.1 --end-ip-address 20.50.1.2 " +
			"postgres flexible-server firewall-rule delete --yes " + where + "--name orders-db --rule-name door"},
		{single, "2025", "postgres server firewall-rule create " + where + "--server-name orders-db --name postern-keep-nat --start-ip-address 20.50.1.1 --end-ip-address 20.50.1.2 " +
			"postgres server firewall-rule delete --yes " + where + "--server-name orders-db --name door"},
		{citus, "cosmosdb", "cosmosdb postgres firewall-rule create " + where + "--cluster-name orders-db --name postern-keep-nat --start-ip-address 20.50.1.1 --end-ip-address 20.50.1.2 " +
			"cosmosdb postgres firewall-rule delete --yes " + where + "--cluster-name orders-db --name door"},
		{citus, "any version", "rest --method put --url https://management.usgovcloudapi.net/subscriptions/s1/resourceGroups/shop/providers/" + citus + "/orders-db/firewallRules/postern-keep-nat?api-version=2025-08-01 " +
			`--body {"properties":{"startIpAddress":"20.50.1.1","endIpAddress":"20.50.1.2"}} ` +
			"rest --method delete --url https://management.usgovcloudapi.net/subscriptions/s1/resourceGroups/shop/providers/" + citus + "/orders-db/firewallRules/door?api-version=2025-08-01"},
	}
	for _, tt := range tests {
		got := strings.Join(spoken(t, find(t, change(tt.kind, "door"), "bash", tt.label)), " ")
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", tt.kind, tt.label, diff)
		}
	}
}

func TestCodeAndCmdlets(t *testing.T) {
	tests := []struct {
		kind, language string
		want           []string
	}{
		{flexible, "terraform", []string{`resource "azurerm_postgresql_flexible_server_firewall_rule" "postern_keep_nat" {`, "server_id           = \"/subscriptions/s1", `start_ip_address    = "20.50.1.1"`, "import {", "#   /subscriptions/s1/resourceGroups/shop/providers/" + flexible + "/orders-db/firewallRules/door (0.0.0.0 to 0.0.0.0)"}},
		{single, "terraform", []string{`"azurerm_postgresql_firewall_rule"`, `server_name         = "orders-db"`, `resource_group_name = "shop"`}},
		{citus, "terraform", []string{`"azurerm_cosmosdb_postgresql_firewall_rule"`, "cluster_id "}},
		{flexible, "bicep", []string{"resource server 'Microsoft.DBforPostgreSQL/flexibleServers@2025-08-01' existing", "resource postern_keep_nat 'Microsoft.DBforPostgreSQL/flexibleServers/firewallRules@2025-08-01'", "parent: server", "startIpAddress: '20.50.1.1'", "deletes nothing", "/firewallRules/door (0.0.0.0"}},
		{flexible, "powershell", []string{"New-AzPostgreSqlFlexibleServerFirewallRule `", "-StartIPAddress '20.50.1.1' -EndIPAddress '20.50.1.2'", "Remove-AzPostgreSqlFlexibleServerFirewallRule"}},
		{single, "powershell", []string{"New-AzPostgreSqlFirewallRule", "Remove-AzPostgreSqlFirewallRule"}},
		{citus, "powershell", []string{"@{startIpAddress = '20.50.1.1'; endIpAddress = '20.50.1.2'}", "Invoke-AzRestMethod -Method PUT -Payload $body `\n  -Path '/subscriptions/s1", "Invoke-AzRestMethod -Method DELETE"}},
	}
	for _, tt := range tests {
		got := find(t, change(tt.kind, "door"), tt.language, "")
		for _, want := range tt.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s %s lacks %q:\n%s", tt.kind, tt.language, want, got)
			}
		}
	}
}

// Names that try to leave the place they stand in.
var hostile = []string{
	`$(touch /tmp/x)`, "`id`", `'; rm -rf ~; '`, `"; exit 9; "`, "a\nexit 9\n", "-o", "@/etc/passwd", `${x}`, `$${x}`, `%{ if true }`, `a\`, `’; exit 9`, "\u202edb", "a b%2f",
}

func TestHostileNamesStayNames(t *testing.T) {
	for _, name := range hostile {
		for _, kind := range []string{flexible, single, citus} {
			p := change(kind, name)
			p.Server.ResourceGroup = name
			for _, e := range equivalent.For(cloud, p) {
				if i := strings.IndexFunc(e.Text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
					t.Errorf("%s: %q is in the text for %q", e.Title, e.Text[i:i+1], name)
				}
				switch e.Language {
				case "bash":
					plain := "bash " + strings.Join(spoken(t, find(t, change(kind, "door"), "bash", e.Label)), "\n")
					got := "bash " + strings.Join(spoken(t, e.Text), "\n")
					if a, b := strings.Count(plain, "\n"), strings.Count(got, "\n"); a != b {
						t.Errorf("%s: %q makes %d arguments of %d:\n%s", e.Label, name, b, a, e.Text)
					}
				case "terraform":
					if strings.Contains(beforeComments(e.Text, "#"), "${") || strings.Contains(beforeComments(e.Text, "#"), "%{") {
						t.Errorf("%q begins an expression:\n%s", name, e.Text)
					}
				case "bicep":
					if strings.Contains(strings.ReplaceAll(beforeComments(e.Text, "//"), `\${`, ""), "${") {
						t.Errorf("%q begins an expression:\n%s", name, e.Text)
					}
				}
			}
		}
	}
}

// beforeComments leaves out the lines that are comments.
func beforeComments(text, mark string) string {
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		if !strings.HasPrefix(line, mark) {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

func TestNamesInCodeAreEscaped(t *testing.T) {
	p := change(single, "door")
	p.Server.Name, p.Server.ResourceGroup = `a'b"c\${d}`, `%{e}`
	if got := find(t, p, "terraform", ""); !strings.Contains(got, `server_name         = "a'b\"c\\\u0024{d}"`) || !strings.Contains(got, `"\u0025{e}"`) {
		t.Errorf("terraform:\n%s", got)
	}
	if got := find(t, p, "bicep", ""); !strings.Contains(got, `name: 'a\'b"c\\\${d}'`) {
		t.Errorf("bicep:\n%s", got)
	}
}

func TestNothingToAdd(t *testing.T) {
	p := change(flexible, "door")
	p.Steps = p.Steps[1:]
	for _, e := range equivalent.For(cloud, p) {
		for _, words := range []string{"import {", "existing", "create", "New-", "--method put", "az deployment"} {
			if strings.Contains(e.Text, words) {
				t.Errorf("%s says %q:\n%s", e.Title, words, e.Text)
			}
		}
	}
}
