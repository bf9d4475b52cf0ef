package equivalent

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/posternhq/postern/fix"
)

// resources are the Terraform resource types of rules.
var resources = map[string]string{
	flexible: "azurerm_postgresql_flexible_server_firewall_rule",
	single:   "azurerm_postgresql_firewall_rule",
	citus:    "azurerm_cosmosdb_postgresql_firewall_rule",
}

// terraform is the plan as code: what to add, and what to take out, whose name in
// the reader's own files Postern cannot know.
func terraform(p fix.ServerPlan) Equivalent {
	resource := resources[p.Server.Type]
	added, deleted := byAct(p.Steps)
	var b strings.Builder
	for _, r := range added {
		fmt.Fprintf(&b, "resource %q %q {\n", resource, symbol(r.Name))
		for _, field := range append(parent(p.Server), [2]string{"name", r.Name}, [2]string{"start_ip_address", r.Start}, [2]string{"end_ip_address", r.End}) {
			fmt.Fprintf(&b, "  %-19s = %s\n", field[0], hcl(field[1]))
		}
		b.WriteString("}\n\n")
	}
	if len(added) > 0 {
		b.WriteString("# Only if these rules are there already, because Postern added them: adopt them\n# (Terraform 1.5 and later).\n")
		for _, r := range added {
			fmt.Fprintf(&b, "import {\n  to = %s.%s\n  id = %s\n}\n", resource, symbol(r.Name), hcl(r.ID))
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "# Take the %s blocks of these rules out of your files, in an\n# apply of its own after the one that adds: `terraform apply` then deletes them, and\n# does not bring them back. Find them with `terraform state list` and `terraform state show`.\n", resource)
	for _, r := range deleted {
		fmt.Fprintf(&b, "#   %s (%s to %s)\n", comment(r.ID), comment(r.Start), comment(r.End))
	}
	label := "provider azurerm"
	if p.Server.Type == single {
		label = "provider azurerm up to 4, which was the last with Single Server"
	}
	return Equivalent{Title: "Terraform", Language: "terraform", Label: label, Text: b.String()}
}

// parent names a rule's server as its resource type wants it.
func parent(s fix.Server) [][2]string {
	switch s.Type {
	case single:
		return [][2]string{{"resource_group_name", s.ResourceGroup}, {"server_name", s.Name}}
	case citus:
		return [][2]string{{"cluster_id", s.ID}}
	default:
		return [][2]string{{"server_id", s.ID}}
	}
}

// bicep is the plan as code. A deployment adds and never deletes.
func bicep(p fix.ServerPlan) Equivalent {
	added, deleted := byAct(p.Steps)
	version := p.Server.APIVersion
	var b strings.Builder
	if len(added) > 0 {
		fmt.Fprintf(&b, "resource server %s existing = {\n  name: %s\n}\n\n", bicepText(p.Server.Type+"@"+version), bicepText(p.Server.Name))
	}
	previous := ""
	for _, r := range added {
		fmt.Fprintf(&b, "resource %s %s = {\n  parent: server\n  name: %s\n  properties: {\n    startIpAddress: %s\n    endIpAddress: %s\n  }\n",
			symbol(r.Name), bicepText(p.Server.Type+"/firewallRules@"+version), bicepText(r.Name), bicepText(r.Start), bicepText(r.End))
		if previous != "" {
			// A server takes one change at a time.
			fmt.Fprintf(&b, "  dependsOn: [\n    %s\n  ]\n", previous)
		}
		b.WriteString("}\n\n")
		previous = symbol(r.Name)
	}
	b.WriteString("// Take these rules out of your files. A deployment in incremental mode, which is\n// the usual one, deletes nothing: delete them by one of the commands too.\n")
	for _, r := range deleted {
		fmt.Fprintf(&b, "//   %s (%s to %s)\n", comment(r.ID), comment(r.Start), comment(r.End))
	}
	if len(added) > 0 {
		fmt.Fprintf(&b, "// Deploy: az deployment group create --subscription %s --resource-group %s --template-file FILE\n",
			comment(p.Server.SubscriptionID), comment(p.Server.ResourceGroup))
	}
	return Equivalent{Title: "Bicep", Language: "bicep", Label: "API version " + version, Text: b.String()}
}

var notInSymbols = regexp.MustCompile(`[^a-zA-Z0-9]+`)

// symbol is a rule's name as both languages name things.
func symbol(name string) string {
	s := strings.Trim(notInSymbols.ReplaceAllString(name, "_"), "_")
	if s == "" || s[0] >= '0' && s[0] <= '9' {
		return "rule_" + s
	}
	return s
}

// hcl is a text in Terraform's language (HCL native syntax, quoted templates):
// ${ and %{ would begin an expression. They are not doubled, as is usual, because
// what "$$${" means then depends on who reads it.
func hcl(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteRune('\\')
			b.WriteRune(r)
		case (r == '$' || r == '%') && strings.HasPrefix(s[i+1:], "{"):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(printable(r))
		}
	}
	b.WriteByte('"')
	return b.String()
}

// bicepText is a text in Bicep: ${ would begin an expression.
func bicepText(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for i, r := range s {
		if r == '\'' || r == '\\' || r == '$' && strings.HasPrefix(s[i+1:], "{") {
			b.WriteByte('\\')
		}
		b.WriteRune(printable(r))
	}
	b.WriteByte('\'')
	return b.String()
}

// comment is a text that cannot leave its line.
func comment(s string) string { return strings.Map(printable, s) }

// printable replaces what a terminal or a reader's eye would act on. No name in
// Azure may hold such a character.
func printable(r rune) rune {
	if !unicode.IsPrint(r) {
		return unicode.ReplacementChar
	}
	return r
}
