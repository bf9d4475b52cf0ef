package report

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"

	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/finding"
	"github.com/posternhq/postern/usage"
)

var (
	//go:embed usage.html.tmpl
	usageTemplate string
	//go:embed usage.css
	usageStyle string
)

// usagePageTemplate is the page. Its policy for content names the one style sheet
// by its hash, so that a browser refuses every script, every request and every
// style but that one, whatever a name on the page may have smuggled in.
var usagePageTemplate = sync.OnceValue(func() *template.Template {
	hash := sha256.Sum256([]byte(usageStyle))
	text := strings.NewReplacer("@style@", usageStyle, "@hash@", base64.StdEncoding.EncodeToString(hash[:])).Replace(usageTemplate)
	return template.Must(template.New("usage").Parse(text))
})

// UsageHTML writes who uses a server as one page that needs nothing else: no
// network, no script, no second file. It says what [UsageText] says, lists every
// client, and draws when they were seen. The page is written as it is made, so
// that memory does not grow with the rows.
func UsageHTML(out io.Writer, u Usage) error {
	w := bufio.NewWriterSize(out, 1<<16)
	if err := usagePageTemplate().Execute(w, newUsagePage(u)); err != nil {
		return fmt.Errorf("write who uses the server: %w", err)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write who uses the server: %w", err)
	}
	return nil
}

// tone is one of the four meanings of colour, or none. The style sheet has a
// class of each name. Nothing is told by tone alone.
type tone string

const (
	toneOpen    tone = "open"
	toneLatent  tone = "latent"
	tonePass    tone = "pass"
	toneUnknown tone = "unknown"
	toneQuiet   tone = "quiet"
)

// usagePage is what the template is filled with. Every text from outside has gone
// through [Plain]; the template escapes it for its place.
type usagePage struct {
	// Before and After stand around Name, the server's, in the headline.
	Before, Name, After string
	Tone                tone
	Outcome, Why, Line  string
	Missing, Blind      []string
	Place, ID, Source   string
	Made, By            string
	Door                doorPart
	Strangers           strangersPart
	Knocking            string
	Groups              []clientGroup
	Capped              string
	Axis                axisPart
	Sources             []sourcePart
}

type doorPart struct {
	State, Reason string
	Tone          tone
	Rules         []string
}

func newUsagePage(u Usage) usagePage {
	a := u.Answer
	axis := newAxis(a)
	p := usagePage{
		Name: cmp.Or(Plain(u.Server.Name), "(no name)"), Place: whereabouts(finding.NewResource(u.Server)),
		ID: Plain(u.Server.ID), Source: cmp.Or(Plain(u.Source), "an unnamed source"),
		Outcome: cmp.Or(string(a.Outcome), "no answer"), Why: plainSentence(shortWhy(a)), Line: Plain(a.Line()),
		Missing: plainAll(a.Missing), Blind: plainAll(a.Blind),
		Made: instant(u.Now), By: Plain(strings.TrimSpace(u.Tool.Name + " " + u.Tool.Version)),
		Door: newDoorPart(a.Door), Strangers: newStrangers(a), Knocking: knocking(a),
		Groups: newGroups(a, axis), Axis: newAxisPart(a, axis), Sources: newSources(a, axis),
	}
	p.headline(a)
	for _, g := range p.Groups {
		if len(g.Parts) > 1 {
			p.Capped = fmt.Sprintf("When a client was seen is drawn for the first %d of each way. All are listed, %s in each part that opens, with their times.", drawnClients, Thousands(foldedClients))
		}
	}
	return p
}

// headline says the outcome as a sentence about the server.
func (p *usagePage) headline(a usage.Answer) {
	switch {
	case a.Outcome == usage.SafeToClose:
		p.Tone, p.Before = tonePass, "It is safe to close the azure door of "
	case a.Outcome == usage.CutsOff:
		p.Tone, p.Before, p.After = toneOpen, "Closing the azure door of ", " cuts off "+plural(a.CutsOff, "client")
	case a.Outcome == usage.NotEnough:
		p.Tone, p.Before = toneUnknown, "Not enough evidence to close the azure door of "
	case a.Outcome == usage.NotOpen && a.Door.State == exposure.Latent:
		p.Tone, p.Before, p.After = toneLatent, "Nothing is cut off: the azure door of ", " is latent"
	case a.Outcome == usage.NotOpen:
		p.Tone, p.Before, p.After = tonePass, "Nothing to close: the azure door of ", " is not open"
	default:
		p.Tone, p.Before = toneUnknown, "No answer about the azure door of "
	}
}

// shortWhy is the reason without what is missing, which the page lists.
func shortWhy(a usage.Answer) string {
	if len(a.Missing) == 0 {
		return a.Why
	}
	return strings.TrimSuffix(strings.TrimSuffix(a.Why, strings.Join(a.Missing, "; ")), ": ")
}

func newDoorPart(d exposure.Door) doorPart {
	part := doorPart{State: cmp.Or(string(d.State), string(exposure.Unknown)), Reason: plainSentence(d.Reason)}
	switch d.State {
	case exposure.Open:
		part.Tone = toneOpen
	case exposure.Latent:
		part.Tone = toneLatent
	case exposure.Closed:
		part.Tone = tonePass
	default:
		part.Tone = toneUnknown
	}
	for i, r := range d.Rules {
		if i == fewClients {
			part.Rules = append(part.Rules, fmt.Sprintf("and %d more", len(d.Rules)-i))
			break
		}
		part.Rules = append(part.Rules, Plain(fmt.Sprintf("%s (%s–%s)", r.Name, r.Start, r.End)))
	}
	return part
}

// plainSentence makes a sentence of a reason from outside, and nothing of nothing.
func plainSentence(s string) string {
	if s == "" {
		return ""
	}
	return sentence(strings.TrimSuffix(Plain(s), "."))
}

func plainAll(in []string) []string {
	var out []string
	for _, s := range in {
		out = append(out, Plain(s))
	}
	return out
}
