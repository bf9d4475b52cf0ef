package rule

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const block = "```bash for=flexibleServers title=\"Azure CLI\"\naz resource delete --ids <ruleId>\n```\n"

func TestCommands(t *testing.T) {
	p := mustParse(t, block, strings.Join([]string{
		block,
		"1. In a list:\n\n   ```powershell for=flexibleServers,servers title=PowerShell\n   Remove-It -Group <resourceGroupName> -Server <serverName> `\n     -Name <ruleName>\n   ```\n",
		"```bash for=servers title=\"Single\"\naz x <ruleId>\n```\n",
		"```bash for=flexibleServers title=\"Close\"\naz update --subscription <subscriptionId> --ids <serverId>\n```\n",
		"```bash\naz <whatever>\n```\n",
	}, "\n"))
	in := input(t, flexibleServer(publicBody, "x", "0.0.0.0-0.0.0.0", "a'b c", "0.0.0.0-0.0.0.0"))
	want := []Command{
		{"Azure CLI", "bash", "az resource delete --ids '" + serverID + `/firewallRules/a'\''b c'`, "a'b c"},
		{"Azure CLI", "bash", "az resource delete --ids " + serverID + "/firewallRules/x", "x"},
		{"PowerShell", "powershell", "Remove-It -Group rg -Server db `\n  -Name 'a''b c'", "a'b c"},
		{"PowerShell", "powershell", "Remove-It -Group rg -Server db `\n  -Name x", "x"},
		{"Close", "bash", "az update --subscription '00000000-0000-0000-0000-000000000001' --ids " + serverID, ""},
	}
	result := p.Evaluate(t.Context(), in)
	if diff := cmp.Diff(want, p.Commands(in, result)); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
	result.Verdict = Unknown
	if got := p.Commands(in, result); got != nil {
		t.Errorf("a verdict of unknown has commands: %v", got)
	}
}

// Commands point at firewall rules of the server and at nothing else, whatever
// the evidence says.
func TestCommandsOnlyForItsOwnRules(t *testing.T) {
	p := mustParse(t)
	in := input(t, flexibleServer(publicBody))
	for id, want := range map[string]bool{
		serverID + "/firewallRules/x":                  true,
		strings.ToUpper(serverID) + "/FIREWALLRULES/x": true,
		"":                                false,
		serverID:                          false,
		serverID + "/databases/x":         false,
		serverID + "/firewallRules/":      false,
		serverID + "/firewallRules/..":    false,
		serverID + "/firewallRules/x/y":   false,
		serverID + "/firewallRules/x?y=1": false,
		serverID + "2/firewallRules/x":    false,
		"/subscriptions/other/resourceGroups/production":      false,
		strings.Replace(serverID, "/rg/", "/../", 1) + "/a/b": false,
	} {
		got := p.Commands(in, Result{Verdict: Fail, Evidence: []Evidence{{Kind: firewallRule, ID: id, Name: "x"}}})
		if (len(got) == 1) != want {
			t.Errorf("evidence %q makes the commands %v", id, got)
		}
	}
	twice := Evidence{Kind: firewallRule, ID: serverID + "/firewallRules/x"}
	if got := p.Commands(in, Result{Verdict: Fail, Evidence: []Evidence{twice, twice}}); len(got) != 1 {
		t.Errorf("the same rule twice makes %d commands", len(got))
	}
	if got := p.Commands(in, Result{Verdict: Fail, Evidence: []Evidence{{Kind: "setting", ID: serverID + "/firewallRules/x"}}}); got != nil {
		t.Errorf("a setting makes the commands %v", got)
	}
}

// What somebody called a rule stays one argument, and does nothing else.
func TestCommandsWithHostileNames(t *testing.T) {
	p := mustParse(t, block, block+"\n```powershell for=flexibleServers title=\"PowerShell\"\nRemove-It -Name <ruleName>\n```\n")
	in := input(t, flexibleServer(publicBody))
	for name, want := range map[string]struct{ bash, powershell string }{
		"$(reboot)":        {"$(reboot)", "$(reboot)"},
		"a'; reboot; '":    {`a'\''; reboot; '\''`, `a''; reboot; ''`},
		"a’; reboot; ’":    {"a’; reboot; ’", "a’’; reboot; ’’"},
		"a\nreboot\n":      {"a\ufffdreboot\ufffd", "a\ufffdreboot\ufffd"},
		"\x1b]0;owned\x07": {"\ufffd]0;owned\ufffd", "\ufffd]0;owned\ufffd"},
		"a\u202eb":         {"a\ufffdb", "a\ufffdb"},
		"--ids":            {"--ids", "\ufffd-ids"},
		"@passwd":          {"@passwd", "\ufffdpasswd"},
	} {
		got := p.Commands(in, Result{Verdict: Fail, Evidence: []Evidence{{Kind: firewallRule, ID: serverID + "/firewallRules/" + name, Name: "another"}}})
		texts := make([]string, 0, len(got))
		for _, c := range got {
			texts = append(texts, strings.ReplaceAll(c.Text, "'"+serverID+"/firewallRules/", serverID+"/firewallRules/'"))
		}
		wanted := []string{"az resource delete --ids " + serverID + "/firewallRules/'" + want.bash + "'", "Remove-It -Name '" + want.powershell + "'"}
		if name == "--ids" {
			wanted[0] = strings.ReplaceAll(wanted[0], "'", "")
		}
		if diff := cmp.Diff(wanted, texts); diff != "" {
			t.Errorf("%q (-want +got):\n%s", name, diff)
		}
	}
}
