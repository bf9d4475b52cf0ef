package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/finding"
)

// Explain shows one server to a person: who can reach it in one sentence, then
// door by door, then each firewall rule with its size and meaning, and last what
// could not be seen.
func Explain(out io.Writer, width int, a *asset.Asset, e exposure.Exposure) error {
	p := printer{out: out, width: width}
	p.line("%s  %s", styleStrong.Render(Plain(a.Name)), styleQuiet.Render(whereabouts(finding.NewResource(a))))
	p.line("")
	headline(&p, e)
	p.line("")
	doors(&p, e)
	rules(&p, e)
	p.line("%s", styleStrong.Render("What Postern could not see"))
	if len(e.Blind) == 0 {
		p.line("  Nothing: the server and all its rules were read.")
	}
	for _, b := range e.Blind {
		p.block(indent, Plain(b))
	}
	p.line("")
	p.line("%s", styleQuiet.Render(Plain(a.ID)))
	if p.err != nil {
		return fmt.Errorf("write the explanation: %w", p.err)
	}
	return nil
}

// headline is the sentence to remember.
func headline(p *printer, e exposure.Exposure) {
	azure, internet := e.Door(exposure.Azure), e.Door(exposure.Internet)
	switch {
	case internet.State == exposure.Open:
		p.block(0, styleOpen.Render("Anyone on the internet can reach this server."))
	case azure.State == exposure.Open:
		p.block(0, styleOpen.Render("Every Azure customer can reach this server."))
	case azure.Open == exposure.Maybe || internet.Open == exposure.Maybe:
		p.block(0, styleUnknown.Render("Who can reach this server is not known."))
	case azure.State == exposure.Latent || internet.State == exposure.Latent:
		p.block(0, styleLatent.Render("No stranger can reach this server today, and one setting away from it many could."))
	default:
		p.block(0, stylePass.Render(narrowHeadline(e)))
	}
	why := Plain(e.Why)
	if e.Enforced == exposure.Yes {
		why = "Firewall rules are in force: " + why
	}
	p.block(0, styleQuiet.Render(sentence(why)))
}

// narrowHeadline names who gets in when neither all of Azure nor the internet does.
func narrowHeadline(e exposure.Exposure) string {
	var who []string
	if d := e.Door(exposure.Range); d.State == exposure.Open {
		who = append(who, plural(d.Addresses, "address"))
	}
	if d := e.Door(exposure.Subnet); d.State == exposure.Open {
		who = append(who, plural(len(d.Members), "subnet"))
	}
	if d := e.Door(exposure.Private); d.State == exposure.Open {
		who = append(who, plural(len(d.Members), "private network"))
	}
	if len(who) == 0 {
		return noDoor(e)
	}
	last := len(who) - 1
	if last > 0 {
		who = []string{strings.Join(who[:last], ", ") + " and " + who[last]}
	}
	if mayBeOpen(e) {
		return who[0] + " can reach this server; not all was read, and more may."
	}
	return who[0] + " can reach this server, and nobody else."
}

func noDoor(e exposure.Exposure) string {
	if mayBeOpen(e) {
		return "No open door was found; not all was read, and there may be one."
	}
	return "No open door leads to this server."
}

// mayBeOpen reports whether a door could be open that is not known to be. Rules
// that were not read but are not in force hide none.
func mayBeOpen(e exposure.Exposure) bool {
	return slices.ContainsFunc(e.Doors, func(d exposure.Door) bool {
		return d.Open == exposure.Maybe || d.Open == exposure.Yes && d.Missing != ""
	})
}

// doorColumn is where the text of a door begins.
const doorColumn = 21

// sentence makes a sentence of a reason. One that begins with a field's name
// keeps its first letter.
func sentence(s string) string {
	first, rest, _ := strings.Cut(s, " ")
	if !strings.Contains(first, ".") {
		first = strings.ToUpper(first[:min(1, len(first))]) + first[min(1, len(first)):]
	}
	return strings.TrimSpace(first+" "+rest) + "."
}

var whoComesIn = map[exposure.Kind]string{
	exposure.Azure:    "every machine inside Azure, other customers' included",
	exposure.Internet: "everybody",
	exposure.Range:    "certain addresses",
	exposure.Subnet:   "subnets, by virtual network rule",
	exposure.Private:  "private endpoints and the server's own network",
}

func doors(p *printer, e exposure.Exposure) {
	p.line("%s", styleStrong.Render("Doors"))
	for _, d := range e.Doors {
		who := whoComesIn[d.Kind]
		if d.Addresses > 0 {
			who += " (" + plural(d.Addresses, "address") + ")"
		}
		by := doorMakers(d)
		if by != "" {
			who += ": " + by
		}
		if d.State == exposure.Closed {
			p.line("  %s %s", pad(string(d.Kind), 9), styleQuiet.Render(string(d.State)))
			continue
		}
		p.line("  %s %s %s", pad(string(d.Kind), 9), doorState(d.State), who)
		// Other reasons stand in the headline or among what could not be seen.
		if d.State == exposure.Latent && d.Reason != e.Why {
			p.block(doorColumn, styleQuiet.Render(Plain(d.Reason)))
		}
	}
	p.line("")
}

func doorMakers(d exposure.Door) string {
	var names []string
	for _, r := range d.Rules {
		names = append(names, Plain(r.Name))
	}
	for _, m := range d.Members {
		names = append(names, Plain(m[strings.LastIndex(m, "/")+1:]))
	}
	const few = 5
	if len(names) > few {
		names = append(names[:few], fmt.Sprintf("and %d more", len(names)-few))
	}
	return strings.Join(names, ", ")
}

func doorState(s exposure.State) string {
	const width = 8
	switch text := pad(string(s), width); s {
	case exposure.Open:
		return styleOpen.Render(text)
	case exposure.Latent:
		return styleLatent.Render(text)
	case exposure.Unknown:
		return styleUnknown.Render(text)
	default:
		return styleQuiet.Render(text)
	}
}

func rules(p *printer, e exposure.Exposure) {
	p.line("%s", styleStrong.Render("Firewall rules"))
	switch {
	case len(e.Rules) > 0:
	case e.Door(exposure.Azure).Open == exposure.Maybe || e.Door(exposure.Azure).Latent == exposure.Maybe:
		p.line("  None was read.")
	default:
		p.line("  There is none.")
	}
	name, value := 0, 0
	for _, r := range e.Rules {
		name, value = max(name, len([]rune(Plain(r.Rule.Name)))), max(value, len([]rune(Plain(r.Value()))))
	}
	for _, r := range e.Rules {
		p.line("  %s  %s  %s", pad(Plain(r.Rule.Name), name), pad(Plain(r.Value()), value), Plain(Meaning(r)))
	}
	p.line("")
}

// Meaning says what one firewall rule does, by itself.
func Meaning(r exposure.RuleMeaning) string {
	var parts []string
	if r.Azure {
		parts = append(parts, "all of Azure, every customer's machines")
	}
	switch {
	case r.Addresses == 1<<32:
		parts = append(parts, "the whole internet")
	case r.Addresses > 0:
		parts = append(parts, plural(r.Addresses, "address"))
	}
	if r.Fault != "" {
		parts = append(parts, "not understood: "+r.Fault)
	}
	return strings.Join(parts, "; ")
}
