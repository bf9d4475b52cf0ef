package shell

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/posternhq/postern/internal/suggest"
)

// Shell is the language a command is written in.
type Shell string

// The shells whose quoting is known.
const (
	Bash       Shell = "bash"
	PowerShell Shell = "powershell"
)

// Shells are all shells, by the names that mark a block of code.
var Shells = []string{string(Bash), string(PowerShell)}

// Template is a command with placeholders such as <ruleName>.
type Template struct {
	shell Shell
	parts []part
}

// part is a piece of plain text, or else a placeholder.
type part struct {
	text        string
	placeholder string
	// quoted is set for a placeholder between single quotes.
	quoted bool
}

// Fault is something wrong with a command.
type Fault struct {
	// Offset is the place, counted in characters from the start of the text.
	Offset  int
	Message string
}

var placeholder = regexp.MustCompile(`^<([A-Za-z]+)>`)

// Parse reads a command. A placeholder may stand alone as a word, or anywhere
// between single quotes; elsewhere no quoting would make it safe. Forms that
// change what quotes mean (backquotes, here-documents, block comments) cannot be
// used.
func Parse(shell Shell, text string, placeholders []string) (*Template, []Fault) {
	p := parser{scanner: newScanner(shell), template: &Template{shell: shell}, allowed: placeholders}
	for p.at < len(text) {
		p.step(text)
	}
	p.flush()
	if len(p.faults) > 0 {
		return nil, p.faults
	}
	return p.template, nil
}

type parser struct {
	scanner
	template *Template
	allowed  []string
	plain    strings.Builder
	faults   []Fault
	at       int
}

func (p *parser) step(text string) {
	rest := text[p.at:]
	found := placeholder.FindStringSubmatch(rest)
	if found == nil {
		if what := p.forbidden(rest); what != "" {
			p.fault(text, "%s is not allowed in a command that is filled in", what)
		}
		r, n := utf8.DecodeRuneInString(rest)
		p.scan(r)
		p.plain.WriteString(rest[:n])
		p.at += n
		return
	}
	after := rest[len(found[0]):]
	switch {
	case !slices.Contains(p.allowed, found[1]):
		p.fault(text, "no placeholder %s%s", found[0], suggest.Allowed(found[1], p.allowed))
	case p.state == single:
	case p.state != plain:
		p.fault(text, "%s stands in %s; allowed: alone, or between single quotes", found[0], p.state)
	case !p.wordStart || !endsWord(after):
		p.fault(text, "%s stands inside a word; put the word between single quotes", found[0])
	}
	p.flush()
	p.template.parts = append(p.template.parts, part{placeholder: found[1], quoted: p.state == single})
	p.at += len(found[0])
	p.wordStart = false
}

func (p *parser) fault(text, format string, args ...any) {
	p.faults = append(p.faults, Fault{utf8.RuneCountInString(text[:p.at]), fmt.Sprintf(format, args...)})
}

func (p *parser) flush() {
	if p.plain.Len() > 0 {
		p.template.parts = append(p.template.parts, part{text: p.plain.String()})
		p.plain.Reset()
	}
}

// endsWord reports whether a word ends where the text goes on like this.
func endsWord(rest string) bool {
	return rest == "" || strings.ContainsRune(" \t\n;|)", rune(rest[0]))
}

// Placeholders returns the names of the placeholders, in order of appearance.
func (t *Template) Placeholders() []string {
	var names []string
	for _, p := range t.parts {
		if p.placeholder != "" && !slices.Contains(names, p.placeholder) {
			names = append(names, p.placeholder)
		}
	}
	return names
}

// Fill puts the values in. A placeholder without a value stays as it is written.
func (t *Template) Fill(values map[string]string) string {
	var b strings.Builder
	for _, p := range t.parts {
		value, ok := values[p.placeholder]
		switch {
		case p.placeholder == "":
			b.WriteString(p.text)
		case !ok || value == "":
			b.WriteString("<" + p.placeholder + ">")
		case p.quoted:
			b.WriteString(t.shell.escape(harmless(t.shell, value)))
		default:
			b.WriteString(t.shell.Quote(value))
		}
	}
	return b.String()
}
