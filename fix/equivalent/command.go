package equivalent

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/rule/shell"
)

// script collects commands and quotes their arguments for one shell.
type script struct {
	shell shell.Shell
	// next continues a command on the next line.
	next string
	out  strings.Builder
}

// run writes a command: its own words, then options in pairs of a name and a
// value, two pairs a line.
func (s *script) run(command string, options ...string) {
	s.out.WriteString(command)
	onLine := 0
	for pair := range slices.Chunk(options, 2) {
		separator := " "
		if onLine%2 == 0 {
			separator = s.next
		}
		s.out.WriteString(separator + pair[0] + " " + s.shell.Quote(pair[1]))
		onLine++
	}
	s.out.WriteString("\n")
}

const (
	bashNext       = " \\\n  "
	powershellNext = " `\n  "
)

// azRest is the plan as plain requests, which mean the same in every version of
// the command line. The whole address is written out: in another cloud than the
// plan's the command gets no token and does nothing.
func azRest(cloud fix.Cloud, p fix.ServerPlan) Equivalent {
	s := script{shell: shell.Bash, next: bashNext}
	for _, step := range p.Steps {
		address := address(cloud, p.Server, step.Rule)
		if step.Act == fix.Delete {
			s.run("az rest --method delete", "--url", address)
			continue
		}
		s.run("az rest --method put", "--url", address, "--body", body(step.Rule))
	}
	return Equivalent{Title: "Azure CLI, as plain requests", Language: "bash", Label: "azure-cli, any version", Text: s.out.String()}
}

// address is where a rule is put and deleted. A name may hold what an address
// may not.
func address(cloud fix.Cloud, s fix.Server, r fix.Rule) string {
	parent := r.ID[:strings.LastIndexByte(r.ID, '/')+1]
	return strings.TrimSuffix(cloud.Endpoint, "/") + parent + url.PathEscape(r.Name) + "?api-version=" + url.QueryEscape(s.APIVersion)
}

func body(r fix.Rule) string {
	type properties struct {
		Start string `json:"startIpAddress"`
		End   string `json:"endIpAddress"`
	}
	doc, _ := json.Marshal(map[string]properties{"properties": {r.Start, r.End}}) // two texts always marshal
	return string(doc)
}

// azCommand is the plan in the commands made for the service, with the options
// that name the server and the rule.
func azCommand(p fix.ServerPlan, label, command, server, rule string) Equivalent {
	s := script{shell: shell.Bash, next: bashNext}
	for _, step := range p.Steps {
		options := []string{
			"--subscription", p.Server.SubscriptionID, "--resource-group", p.Server.ResourceGroup,
			server, p.Server.Name, rule, step.Rule.Name,
		}
		if step.Act == fix.Delete {
			s.run(command+" delete --yes", options...)
			continue
		}
		s.run(command+" create", append(options, "--start-ip-address", step.Rule.Start, "--end-ip-address", step.Rule.End)...)
	}
	return Equivalent{Title: "Azure CLI, the service's own commands", Language: "bash", Label: label, Text: s.out.String()}
}

// powershell is the plan in the cmdlets of Az.PostgreSql for a noun.
func powershell(p fix.ServerPlan, noun string) Equivalent {
	s := script{shell: shell.PowerShell, next: powershellNext}
	for _, step := range p.Steps {
		options := []string{
			"-SubscriptionId", p.Server.SubscriptionID, "-ResourceGroupName", p.Server.ResourceGroup,
			"-ServerName", p.Server.Name, "-Name", step.Rule.Name,
		}
		if step.Act == fix.Delete {
			s.run("Remove-"+noun, options...)
			continue
		}
		s.run("New-"+noun, append(options, "-StartIPAddress", step.Rule.Start, "-EndIPAddress", step.Rule.End)...)
	}
	return Equivalent{Title: "PowerShell", Language: "powershell", Label: "module Az.PostgreSql", Text: s.out.String()}
}

// powershellRest is the plan as plain requests: clusters have no cmdlets for
// their rules. The body is built and not written out, because older versions of
// PowerShell lose double quotes.
func powershellRest(p fix.ServerPlan) Equivalent {
	s := script{shell: shell.PowerShell, next: powershellNext}
	for _, step := range p.Steps {
		path := address(fix.Cloud{}, p.Server, step.Rule)
		if step.Act == fix.Delete {
			s.run("Invoke-AzRestMethod -Method DELETE", "-Path", path)
			continue
		}
		s.run(fmt.Sprintf("$body = @{properties = @{startIpAddress = %s; endIpAddress = %s}} | ConvertTo-Json",
			powershellText(step.Rule.Start), powershellText(step.Rule.End)))
		s.run("Invoke-AzRestMethod -Method PUT -Payload $body", "-Path", path)
	}
	return Equivalent{Title: "PowerShell, as plain requests", Language: "powershell", Label: "module Az.Accounts", Text: s.out.String()}
}

// powershellText is a value as a text and never as a word: in an expression a
// word would be taken for a command.
func powershellText(value string) string {
	quoted := shell.PowerShell.Quote(value)
	if !strings.HasPrefix(quoted, "'") {
		return "'" + quoted + "'"
	}
	return quoted
}
