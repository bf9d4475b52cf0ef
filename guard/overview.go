package guard

import (
	"fmt"
	"io"
	"strings"
)

// PolicyOverview tells a person what the policy does and does not do, shows the
// documents, and how to put them in place.
func (r Request) PolicyOverview(w io.Writer) error {
	p := r.Policy()
	var b strings.Builder
	verb := "reports"
	if r.Effect == Deny {
		verb = "refuses"
	}
	fmt.Fprintf(&b, "An Azure Policy that %s, on the services below,\n"+
		"  - the firewall rule 0.0.0.0-0.0.0.0, which lets in every Azure customer, under any name;\n"+
		"  - every rule of more than %d addresses (a /%d), up to the whole internet.\n\n", verb, r.addresses(), r.Prefix)
	b.WriteString("In the initiative, each a definition of its own:\n")
	for _, t := range targetsOf(r.Services) {
		if t.apart == "" {
			fmt.Fprintf(&b, "  %-28s %s\n", t.name, t.label)
		}
	}
	if len(p.Apart) > 0 {
		b.WriteString("\nBeside it, because they may not work:\n")
		for _, d := range p.Apart {
			fmt.Fprintf(&b, "  %s: %s.\n", d.Name, d.Apart)
		}
	}
	b.WriteString(`
What it cannot do:
  - see rules that add up: each rule is judged by itself. postern scan sees the sum.
  - close what is open: a policy looks at changes, and reports what was there before.
  - see whether a rule is in force: it judges rules of servers without public access
    like any other. The built-in policies on publicNetworkAccess are its complement.
`)
	commands := r.PolicyCommands(JSON)
	b.WriteString("\n" + heading("How to assign it (bash)"))
	b.WriteString(commands.Bash)
	b.WriteString("\n" + heading("How to assign it (PowerShell)"))
	b.WriteString(commands.PowerShell)
	for _, d := range append(p.all(), p.Apart...) {
		b.WriteString("\n" + heading(d.file()))
		b.Write(r.at(d.JSON))
		b.WriteString("\n")
	}
	b.WriteString("\npostern guard -o DIR writes these files; --format bicep or terraform writes a template.\n" +
		"postern guard events tells of every change of a firewall rule.\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// EventsOverview tells a person what the event subscription is and how to make it.
func (r Request) EventsOverview(w io.Writer) error {
	var b strings.Builder
	b.WriteString(`An Event Grid subscription, for one Azure subscription, that calls a webhook whenever
a firewall rule is written or deleted, or a server is written:

`)
	documents := r.Events()
	for _, d := range documents {
		fmt.Fprintf(&b, "  %s\n", d.Name)
		for _, operation := range filtered(d) {
			fmt.Fprintf(&b, "    %s\n", operation)
		}
	}
	b.WriteString(`
What to know:
  - An event says that a rule changed and not what it says now: read the rules after it.
  - Event Grid first asks the webhook to prove itself (CloudEvents 1.0: an OPTIONS request
    with WebHook-Request-Origin). That is no authentication: have the webhook ask for a
    secret, in its address, or for an Entra token.
  - Events hold who made the change: personal data.
  - This version of Postern has no webhook of its own; let the receiver run postern scan.
`)
	commands := r.EventCommands(JSON)
	b.WriteString("\n" + heading("How to make it (bash)"))
	b.WriteString(commands.Bash)
	b.WriteString("\n" + heading("How to make it (PowerShell)"))
	b.WriteString(commands.PowerShell)
	for _, d := range documents {
		b.WriteString("\n" + heading(d.file()))
		b.Write(d.JSON)
		b.WriteString("\n")
	}
	b.WriteString("\npostern guard events -o DIR writes these files; --format bicep or terraform writes a template.\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func heading(s string) string { return "--- " + s + " ---\n" }
