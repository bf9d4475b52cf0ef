package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/finding"
	"github.com/posternhq/postern/scan"
	"github.com/posternhq/postern/usage"
)

// Usage is who uses a server, with what that was found from.
type Usage struct {
	Tool scan.Tool
	// Source is where the server's settings were read.
	Source string
	Now    time.Time
	Server *asset.Asset
	Answer usage.Answer
}

// fewClients is how many clients of a class are listed, where closing the azure
// door does not touch them.
const fewClients = 20

// UsageText shows a person who comes through which door, what the evidence
// cannot show, and in the last line whether the azure door can be closed.
func UsageText(out io.Writer, width int, u Usage) error {
	p := printer{out: out, width: width}
	p.line("%s  %s", styleStrong.Render(Plain(u.Server.Name)), styleQuiet.Render(whereabouts(finding.NewResource(u.Server))))
	p.line("")
	usageWindow(&p, u)
	p.line("")
	for _, class := range usage.Classes {
		usageClass(&p, class, u.Answer)
	}
	p.line("%s", styleStrong.Render("What this cannot show"))
	for _, b := range u.Answer.Blind {
		p.block(indent, Plain(b))
	}
	p.line("")
	p.line("%s", styleQuiet.Render(Plain(u.Server.ID)))
	p.line("")
	p.block(0, outcomeStyle(u.Answer.Outcome).Render(Plain(u.Answer.Line())))
	if p.err != nil {
		return fmt.Errorf("write who uses the server: %w", p.err)
	}
	return nil
}

func outcomeStyle(o usage.Outcome) lipgloss.Style {
	switch o {
	case usage.CutsOff:
		return styleOpen
	case usage.NotEnough:
		return styleUnknown
	default:
		return stylePass
	}
}

// usageWindow says what the answer rests on: the door, and each source with its
// window.
func usageWindow(p *printer, u Usage) {
	door := "The azure door is " + string(u.Answer.Door.State)
	if by := doorMakers(u.Answer.Door); by != "" {
		door += ": " + by
	}
	p.block(0, door+".")
	for _, s := range u.Answer.Sources {
		text := Plain(s.Name) + ": " + sourceRead(s)
		if w := s.Window(); !w.First.IsZero() {
			text += fmt.Sprintf(", from %s to %s (%s)", instant(w.First), instant(w.Last), usage.Span(w.Last.Sub(w.First)))
		}
		p.block(0, styleQuiet.Render(text+"."))
	}
	if r := u.Answer.Rests; r.Length() > 0 {
		p.block(0, styleQuiet.Render(fmt.Sprintf("Vouched for by connections, without a break: from %s to %s (%s).", instant(r.From), instant(r.To), usage.Span(r.Length()))))
	}
	p.block(0, styleQuiet.Render("Settings from "+Plain(u.Source)+"."))
}

// sourceRead says how much was read of a source.
func sourceRead(s usage.Source) string {
	switch {
	case s.Log != nil && s.Log.Files == 0: // read from a service
		return entryCount(s.Log.Entries)
	case s.Log != nil:
		return fmt.Sprintf("%s in %s", entryCount(s.Log.Entries), plural(s.Log.Files, "file"))
	case s.Sample != nil:
		return plural(s.Sample.Samples, "sample") + " of who is connected"
	default:
		return "nothing was read"
	}
}

func entryCount(n int64) string {
	if n == 1 {
		return "1 entry"
	}
	return Thousands(uint64(max(0, n))) + " entries"
}

// instant writes a time of a log, whose resolution is a second at the coarsest.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

var classMeanings = map[usage.Class]string{
	usage.AzureDoor:    "no other rule admits them",
	usage.Unknown:      "how they come in could not be decided",
	usage.InternetDoor: "only rules that admit the whole internet admit them",
	usage.Covered:      "other firewall rules admit them",
	usage.Private:      "they come by a private network",
	usage.AzureItself:  "the service's own",
	usage.ShutOut:      "never let in, or admitted by no rule of today",
}

func usageClass(p *printer, class usage.Class, a usage.Answer) {
	var clients []usage.Judged
	for _, c := range a.Clients {
		if c.Class == class {
			clients = append(clients, c)
		}
	}
	if len(clients) == 0 {
		return
	}
	p.line("%s  %s", classStyle(class).Render(string(class)),
		styleQuiet.Render(fmt.Sprintf("%s, %s", plural(len(clients), "client"), classMeanings[class])))
	listed := clients
	if class != usage.AzureDoor && len(listed) > fewClients {
		listed = listed[:fewClients]
	}
	rows, widths := usageRows(listed)
	for i, row := range rows {
		var b strings.Builder
		for column, text := range row {
			b.WriteString("  " + pad(text, widths[column]))
		}
		p.line("%s", strings.TrimRight(b.String(), " "))
		for _, note := range clientNotes(listed[i]) {
			p.block(2*indent, styleQuiet.Render(note))
		}
	}
	if more := len(clients) - len(listed); more > 0 {
		p.line("  and %d more (--format json lists them)", more)
	}
	p.line("")
}

func classStyle(class usage.Class) lipgloss.Style {
	switch class {
	case usage.AzureDoor, usage.InternetDoor:
		return styleOpen
	case usage.Unknown:
		return styleUnknown
	case usage.Covered, usage.Private, usage.AzureItself:
		return stylePass
	default:
		return styleQuiet
	}
}

// usageRows lays clients out: address, who to where, application, how often, when.
func usageRows(clients []usage.Judged) (rows [][5]string, widths [5]int) {
	for _, c := range clients {
		who := ""
		if c.User != "" || c.Database != "" {
			who = "user " + c.User
			if c.Database != "" {
				who += ", database " + c.Database
			}
		}
		application := ""
		if c.Application != "" {
			application = "application " + c.Application
		}
		when := instant(c.First)
		if !c.First.Equal(c.Last) {
			when += " to " + instant(c.Last)
		}
		row := [5]string{Plain(cmp.Or(c.Address, "(no address)")), Plain(who), Plain(application), howOften(c), when}
		rows = append(rows, row)
		for i, text := range row {
			widths[i] = max(widths[i], lipgloss.Width(text))
		}
	}
	return rows, widths
}

func howOften(c usage.Judged) string {
	var parts []string
	add := func(n int64, noun string) {
		if n > 0 {
			parts = append(parts, plural(uint64(n), noun))
		}
	}
	add(c.Connections, "connection")
	if c.Refused > 0 {
		parts = append(parts, Thousands(uint64(c.Refused))+" refused")
	}
	if c.Knocks > 0 {
		parts = append(parts, plural(uint64(c.Knocks), "attempt")+" that came to nothing")
	}
	if c.StillRefused && c.Connections > 0 {
		parts = append(parts, "refused the last time")
	}
	if c.Connections > 0 && c.Unencrypted == c.Connections {
		parts = append(parts, "no TLS")
	}
	return strings.Join(parts, ", ")
}

// clientNotes says what lies behind a class: the rules, whose address it is, and
// who may hide there.
func clientNotes(c usage.Judged) []string {
	var notes []string
	switch c.Class {
	case usage.Covered, usage.InternetDoor:
		notes = append(notes, "by "+Plain(strings.Join(c.Rules, ", ")))
	case usage.Unknown, usage.ShutOut:
		notes = append(notes, Plain(c.Why))
	case usage.AzureDoor, usage.Private, usage.AzureItself:
	}
	o := c.Origin
	whose := []string{}
	switch {
	case o.Owner == usage.Yours && o.Certainty == usage.Candidate:
		whose = append(whose, "perhaps yours: "+Plain(o.Name))
	case o.Owner == usage.Yours:
		whose = append(whose, "yours: "+Plain(o.Name))
	}
	if o.Tag != "" {
		whose = append(whose, Plain(o.Tag))
	}
	// Whose an address is matters where it comes by a door that admits anybody.
	if o.Note != "" && slices.Contains([]usage.Class{usage.AzureDoor, usage.InternetDoor, usage.Unknown}, c.Class) {
		whose = append(whose, Plain(o.Note))
	}
	if len(whose) > 0 {
		notes = append(notes, strings.Join(whose, "; "))
	}
	if c.Hidden != "" {
		notes = append(notes, Plain(c.Hidden))
	}
	return notes
}
