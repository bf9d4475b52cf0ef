package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/posternhq/postern/rule"
)

// Rules lists rules for a person, one a line.
func Rules(out io.Writer, pages []*rule.Page) error {
	p := printer{out: out}
	id, severity := 0, 0
	for _, page := range pages {
		id, severity = max(id, len(page.ID)), max(severity, len(page.Severity.Level))
	}
	for _, page := range pages {
		p.line("%s  %s  %s", styleStrong.Render(pad(page.ID, id)), pad(string(page.Severity.Level), severity), page.Title)
	}
	if p.err != nil {
		return fmt.Errorf("write the list of rules: %w", p.err)
	}
	return nil
}

// Page shows a rule to a person: what it is, how severe and why, where it stands
// in benchmarks, and then the page as it was written.
func Page(out io.Writer, width int, page *rule.Page) error {
	p := printer{out: out, width: width}
	p.line("%s", styleStrong.Render(page.Title))
	p.line("")
	field := func(name, value string) { p.line("%s %s", styleQuiet.Render(pad(name, 11)), value) }
	field("id", page.ID)
	for _, alias := range page.Aliases {
		if alias != page.ID {
			field("alias", alias)
		}
	}
	field("severity", fmt.Sprintf("%s (likelihood %s, impact %s)", page.Severity.Level, page.Severity.Likelihood, page.Severity.Impact))
	field("lifecycle", string(page.Lifecycle))
	for _, t := range page.ResourceTypes {
		field("judges", fmt.Sprintf("%s (%s)", typeLabel(t), t))
	}
	for _, m := range page.Frameworks {
		note := ""
		if m.Note != "" {
			note = ", " + m.Note
		}
		field("meets", fmt.Sprintf("%s %s: %s (mapped by %s%s)", m.Framework, m.Version, m.Requirement, m.MappedBy, note))
	}
	p.line("")
	p.block(0, page.Severity.Reasoning)
	for _, s := range page.Sections {
		p.line("")
		p.line("%s", styleStrong.Render("## "+s.Title))
		p.line("")
		for line := range strings.SplitSeq(s.Text, "\n") {
			p.line("%s", line)
		}
	}
	if p.err != nil {
		return fmt.Errorf("write the rule: %w", p.err)
	}
	return nil
}
