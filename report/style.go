package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/posternhq/postern/resourcetype"
	"github.com/posternhq/postern/rule"
)

// The four meanings of colour, and two weights of text. Nothing is told by
// colour alone: whoever writes without it says the same.
var (
	styleOpen    = lipgloss.NewStyle().Foreground(lipgloss.Red).Bold(true)
	styleLatent  = lipgloss.NewStyle().Foreground(lipgloss.Yellow)
	stylePass    = lipgloss.NewStyle().Foreground(lipgloss.Green)
	styleUnknown = lipgloss.NewStyle().Foreground(lipgloss.Magenta).Bold(true)
	styleStrong  = lipgloss.NewStyle().Bold(true)
	styleQuiet   = lipgloss.NewStyle().Faint(true)
)

func verdictStyle(v rule.Verdict) lipgloss.Style {
	switch v {
	case rule.Fail:
		return styleOpen
	case rule.Pass:
		return stylePass
	case rule.Unknown:
		return styleUnknown
	default:
		return styleQuiet
	}
}

// printer writes lines and remembers the first error, so that the code that
// lays out a page is not about errors.
type printer struct {
	out io.Writer
	// width wraps text, in columns; 0 leaves it whole.
	width int
	err   error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, format+"\n", args...)
	}
}

// block writes text wrapped and indented. Off a terminal it stays one line,
// which is what grep wants.
func (p *printer) block(indent int, text string) {
	pad := strings.Repeat(" ", indent)
	if p.width > indent+20 {
		text = lipgloss.Wrap(text, p.width-indent, " ")
	}
	for line := range strings.SplitSeq(text, "\n") {
		p.line("%s%s", pad, line)
	}
}

// command writes something to copy: never wrapped.
func (p *printer) command(indent int, text string) {
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		p.line("%s%s", strings.Repeat(" ", indent), Plain(line))
	}
}

func typeLabel(name string) string {
	if t, ok := resourcetype.Lookup(name); ok {
		return t.Label
	}
	return Plain(name)
}

// pad fills a text up to a width as it shows on a terminal.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-lipgloss.Width(s)))
}

// plural writes a number, from 0, with its noun.
func plural[N int | uint64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	ending := "s"
	if strings.HasSuffix(noun, "s") {
		ending = "es"
	}
	return fmt.Sprintf("%s %s%s", Thousands(uint64(n)), noun, ending)
}

// Thousands writes a number in groups of three.
func Thousands(n uint64) string {
	digits := strconv.FormatUint(n, 10)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}
