package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/finding"
	"github.com/posternhq/postern/rule"
	"github.com/posternhq/postern/scan"
)

// fewPasses is how many passing resources are listed by name without being
// asked to.
const fewPasses = 20

// Text writes a scan for a person, at its end: what must be closed first, what
// is not known next, and the rest in a line.
type Text struct {
	p        printer
	verbose  bool
	rules    []*rule.Page
	source   string
	findings []finding.Finding
	gaps     []asset.Gap
}

// NewText returns a handler that writes to out, wrapped to width columns (0: not
// at all). Verbose lists every finding.
func NewText(out io.Writer, width int, verbose bool) *Text {
	return &Text{p: printer{out: out, width: width}, verbose: verbose}
}

// Start implements [scan.Handler].
func (t *Text) Start(h scan.Header) error {
	t.rules, t.source = h.Rules, h.Source
	return nil
}

// Finding implements [scan.Handler].
func (t *Text) Finding(f finding.Finding) error {
	t.findings = append(t.findings, f)
	return nil
}

// Gap implements [scan.Handler].
func (t *Text) Gap(g asset.Gap) error {
	t.gaps = append(t.gaps, g)
	return nil
}

// End implements [scan.Handler].
func (t *Text) End(s scan.Summary) error {
	sortFindings(t.findings)
	sortGaps(t.gaps)
	for _, page := range t.rules {
		t.rule(page)
	}
	t.unread()
	t.summary(s)
	if t.p.err != nil {
		return fmt.Errorf("write the report: %w", t.p.err)
	}
	return nil
}

func (t *Text) rule(page *rule.Page) {
	of := map[rule.Verdict][]finding.Finding{}
	for _, f := range t.findings {
		if f.Rule.ID == page.ID {
			of[f.Verdict] = append(of[f.Verdict], f)
		}
	}
	t.p.line("%s  %s", styleStrong.Render(page.Title), styleQuiet.Render(page.ID+" · "+string(page.Severity.Level)))
	t.p.line("")
	for _, f := range of[rule.Fail] {
		t.full(f)
	}
	for _, f := range of[rule.Unknown] {
		t.full(f)
	}
	t.brief(of[rule.Pass])
	t.brief(of[rule.Skip])
}

// Columns of a finding: the verdict, then everything else.
const (
	indent      = 2
	labelColumn = 9
)

func (t *Text) full(f finding.Finding) {
	t.p.line("%s%s%s  %s", strings.Repeat(" ", indent),
		verdictStyle(f.Verdict).Render(pad(strings.ToUpper(string(f.Verdict)), labelColumn)),
		styleStrong.Render(Plain(f.Resource.Name)), styleQuiet.Render(whereabouts(f.Resource)))
	t.p.block(indent+labelColumn, Plain(f.Reason))
	for _, command := range shortestWay(f.Remediation) {
		t.p.command(indent+labelColumn, "$ "+strings.TrimSpace(command))
	}
	t.p.line("")
}

// brief lists passing and skipped resources. A latent door is always named: the
// server passes today and would not tomorrow.
func (t *Text) brief(findings []finding.Finding) {
	if len(findings) == 0 {
		return
	}
	listed := findings
	if !t.verbose && len(findings) > fewPasses {
		listed = slices.DeleteFunc(slices.Clone(findings), func(f finding.Finding) bool { return !latent(f) })
	}
	widest := 0
	for _, f := range listed {
		widest = max(widest, len([]rune(Plain(f.Resource.Name))))
	}
	for _, f := range listed {
		style, label := verdictStyle(f.Verdict), strings.ToUpper(string(f.Verdict))
		if latent(f) {
			style = styleLatent
		}
		t.p.line("%s%s%s  %s", strings.Repeat(" ", indent), style.Render(pad(label, labelColumn)),
			pad(Plain(f.Resource.Name), widest), styleQuiet.Render(Plain(f.Reason)))
	}
	if more := len(findings) - len(listed); more > 0 {
		t.p.line("%s%s%s more (list them with --verbose)", strings.Repeat(" ", indent),
			verdictStyle(findings[0].Verdict).Render(pad(strings.ToUpper(string(findings[0].Verdict)), labelColumn)),
			Thousands(uint64(more)))
	}
	t.p.line("")
}

func latent(f finding.Finding) bool {
	return f.Exposure.Door(exposure.Azure).State == exposure.Latent || f.Exposure.Door(exposure.Internet).State == exposure.Latent
}

func whereabouts(r finding.Resource) string {
	parts := []string{typeLabel(r.Type), Plain(r.ResourceGroup), Plain(r.Location), Plain(cmp.Or(r.SubscriptionName, r.SubscriptionID))}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " · ")
}

// shortestWay picks the commands of the first way out that the rule gives for a
// shell: one for each guilty rule.
func shortestWay(commands []rule.Command) []string {
	var title string
	var out []string
	for _, c := range commands {
		if c.Shell != "bash" || title != "" && c.Title != title {
			continue
		}
		title = c.Title
		out = append(out, c.Text)
	}
	return out
}

// unread lists gaps by the permission that would close them.
func (t *Text) unread() {
	if len(t.gaps) == 0 {
		return
	}
	t.p.line("%s", styleUnknown.Render("Could not be read"))
	t.p.line("")
	const few = 10
	for i, g := range t.gaps {
		if i == few && !t.verbose {
			t.p.line("  and %s (list them with --verbose)", plural(len(t.gaps)-few, "more gap"))
			break
		}
		t.p.block(indent, Plain(g.String()))
	}
	t.p.line("")
	var permissions []string
	for _, g := range t.gaps {
		if g.Status == 403 && g.Permission != "" && !slices.Contains(permissions, g.Permission) {
			permissions = append(permissions, g.Permission)
		}
	}
	if len(permissions) > 0 {
		t.p.block(indent, "To close these gaps grant Reader, or: "+strings.Join(permissions, ", "))
		t.p.line("")
	}
}

func (t *Text) summary(s scan.Summary) {
	if s.Stats.Partial {
		t.p.line("%s", styleUnknown.Render("The scan was interrupted: this is what was known by then, and not all there is."))
	}
	counts := []string{
		verdictStyle(rule.Fail).Render(fmt.Sprintf("%d fail", s.Fail)),
		verdictStyle(rule.Unknown).Render(fmt.Sprintf("%d unknown", s.Unknown)),
		verdictStyle(rule.Pass).Render(fmt.Sprintf("%d pass", s.Pass)),
	}
	if s.Skip > 0 {
		counts = append(counts, fmt.Sprintf("%d skip", s.Skip))
	}
	if s.Gaps > 0 {
		counts = append(counts, styleUnknown.Render(plural(s.Gaps, "gap")))
	}
	t.p.line("%s in %s: %s", plural(s.Resources, "server"), plural(s.Stats.Subscriptions, "subscription"), strings.Join(counts, ", "))
	cost := fmt.Sprintf("%s, %s", Plain(t.source), plural(s.Stats.Calls, "call"))
	if s.Stats.Throttled > 0 {
		cost += fmt.Sprintf(" (%d throttled)", s.Stats.Throttled)
	}
	if s.Stats.Vanished > 0 {
		cost += fmt.Sprintf(", %d gone while scanning", s.Stats.Vanished)
	}
	t.p.line("%s", styleQuiet.Render(fmt.Sprintf("%s, %s", cost, s.FinishedAt.Sub(s.StartedAt).Round(10*time.Millisecond))))
}
