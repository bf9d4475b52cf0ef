package rule

import (
	"path"
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"

	"github.com/posternhq/postern/internal/suggest"
	"github.com/posternhq/postern/rule/shell"
)

// Command is one thing a person can run against a failure, with the names that
// were found.
type Command struct {
	// Title says what it is: "Azure CLI, any version".
	Title string `json:"title"`
	// Shell is the language of the text: bash or powershell.
	Shell string `json:"shell"`
	Text  string `json:"text"`
	// For is the name of the piece of evidence that the command is about, empty
	// for a command about the whole resource.
	For string `json:"for,omitempty"`
}

// firewallRule is the kind of evidence that <ruleId> and <ruleName> stand for.
const firewallRule = "firewall rule"

// The placeholders of a command. The last two repeat the command for each
// firewall rule in the evidence.
var placeholders = []string{"subscriptionId", "resourceGroupName", "serverId", "serverName", "ruleId", "ruleName"}

// commandBlock is a fenced block of the remediation that is marked for resource
// types: ```bash for=flexibleServers title="Azure CLI".
type commandBlock struct {
	title    string
	types    []string
	shell    shell.Shell
	template *shell.Template
}

var attribute = regexp.MustCompile(`^\s*([a-z_]+)=(?:"([^"]*)"|(\S+))`)

// command reads a fenced block whose info string says more than a language.
func (p *parser) command(b body, block *ast.FencedCodeBlock, section string) {
	info := block.Info.Segment
	language, rest, marked := strings.Cut(strings.TrimSpace(string(info.Value(b.source))), " ")
	if !marked {
		return
	}
	if p.blocks++; p.blocks > maxCommands {
		return
	}
	line, column := b.position(info.Start)
	if p.blocks == maxCommands {
		p.problem(line, column, "the page has %d marked commands or more; allowed: fewer", maxCommands)
	}
	c := commandBlock{shell: shell.Shell(language)}
	ok := p.commandAttributes(&c, rest, line, column)
	switch {
	case !contains(shell.Shells, language):
		p.problem(line, column, "a command for %q%s", language, suggest.Allowed(language, shell.Shells))
		return
	case sectionKey(section) != sectionKey(remediation):
		p.problem(line, column, "a marked command in the section %q; allowed: in %s", section, remediation)
		return
	case !ok:
		return
	}
	text, starts := blockText(b, block)
	template, faults := shell.Parse(c.shell, text, placeholders)
	for _, f := range faults {
		line, column := inBlock(b, text, starts, f.Offset)
		p.problem(line, column, "%s", f.Message)
	}
	if c.template = template; template != nil {
		p.page.commands = append(p.page.commands, c)
	}
}

// commandAttributes reads for= and title=.
func (p *parser) commandAttributes(c *commandBlock, rest string, line, column int) bool {
	before := len(p.problems)
	for strings.TrimSpace(rest) != "" {
		found := attribute.FindStringSubmatch(rest)
		if found == nil {
			p.problem(line, column, "a marked command has the form ```bash for=TYPE title=\"TITLE\"; this is not: %s", strings.TrimSpace(rest))
			return false
		}
		rest = rest[len(found[0]):]
		switch name, value := found[1], found[2]+found[3]; name {
		case "title":
			c.title = value
		case "for":
			c.types = p.commandTypes(value, line, column)
		default:
			p.problem(line, column, "no attribute %q%s", name, suggest.Allowed(name, []string{"for", "title"}))
		}
	}
	if c.title == "" || len(c.types) == 0 {
		p.problem(line, column, "a marked command needs both for= and title=")
	}
	return len(p.problems) == before
}

// commandTypes reads the last parts of the page's resource types.
func (p *parser) commandTypes(value string, line, column int) []string {
	var types, allowed []string
	for _, t := range p.page.ResourceTypes {
		allowed = append(allowed, path.Base(t))
	}
	for name := range strings.SplitSeq(value, ",") {
		if !contains(allowed, name) {
			p.problem(line, column, "the page is not for %q%s", name, suggest.Allowed(name, allowed))
			continue
		}
		for _, t := range p.page.ResourceTypes {
			if strings.EqualFold(path.Base(t), name) {
				types = append(types, t)
			}
		}
	}
	return types
}

// Commands returns what a person can run against a failure: the commands of the
// remediation that are for the resource's type, with the names in place, in the
// page's order. A command about a firewall rule is repeated for each one in the
// evidence. Any other verdict has none.
func (p *Page) Commands(in Input, r Result) []Command {
	if r.Verdict != Fail {
		return nil
	}
	a := in.Asset
	values := map[string]string{
		"subscriptionId": a.SubscriptionID, "resourceGroupName": a.ResourceGroup,
		"serverId": a.ID, "serverName": a.Name,
	}
	var out []Command
	for _, c := range p.commands {
		if !contains(c.types, a.Type) {
			continue
		}
		if !usesRule(c.template) {
			out = append(out, Command{Title: c.title, Shell: string(c.shell), Text: c.template.Fill(values)})
			continue
		}
		seen := map[string]bool{}
		for _, e := range r.Evidence {
			name, ok := childName(a.ID, e)
			if !ok || seen[strings.ToLower(e.ID)] {
				continue
			}
			seen[strings.ToLower(e.ID)] = true
			values["ruleId"], values["ruleName"] = e.ID, name
			out = append(out, Command{Title: c.title, Shell: string(c.shell), Text: c.template.Fill(values), For: name})
		}
		delete(values, "ruleId")
		delete(values, "ruleName")
	}
	return out
}

func usesRule(t *shell.Template) bool {
	names := t.Placeholders()
	return contains(names, "ruleId") || contains(names, "ruleName")
}

// childName is the name of a firewall rule by its id, which is what Azure goes
// by. Only what lies directly below the server counts: a command must never
// point at something else because a document said so.
func childName(serverID string, e Evidence) (string, bool) {
	if e.Kind != firewallRule || len(e.ID) <= len(serverID) || !strings.EqualFold(e.ID[:len(serverID)], serverID) {
		return "", false
	}
	parts := strings.Split(e.ID[len(serverID):], "/")
	if len(parts) != 3 || parts[0] != "" || !strings.EqualFold(parts[1], "firewallRules") ||
		parts[2] == "" || parts[2] == "." || parts[2] == ".." || strings.ContainsAny(e.ID, "?#%\\") {
		return "", false
	}
	return parts[2], true
}
