package shell

import "strings"

// state is where in a command the scanner is, as far as quoting goes.
type state string

const (
	plain   state = "plain text"
	single  state = "single quotes"
	double  state = "double quotes"
	comment state = "a comment"
)

// scanner follows the quotes of a command, rune by rune.
type scanner struct {
	shell Shell
	state state
	// escape is the character that takes the meaning of the next one.
	escapes rune
	escaped bool
	// wordStart is set before the first character of a word.
	wordStart bool
}

func newScanner(s Shell) scanner {
	escapes := '\\'
	if s == PowerShell {
		escapes = '`'
	}
	return scanner{shell: s, state: plain, escapes: escapes, wordStart: true}
}

// PowerShell takes the typographic quotes for the plain ones.
const (
	psSingles = "'‘’‚‛"
	psDoubles = "\"“”„"
)

func (s *scanner) isSingle(r rune) bool {
	return r == '\'' || s.shell == PowerShell && strings.ContainsRune(psSingles, r)
}

func (s *scanner) isDouble(r rune) bool {
	return r == '"' || s.shell == PowerShell && strings.ContainsRune(psDoubles, r)
}

// scan takes one more character of the command.
func (s *scanner) scan(r rune) {
	start := s.wordStart
	s.wordStart = false
	switch {
	case s.escaped:
		s.escaped = false
	case s.state == single:
		if s.isSingle(r) {
			s.state = plain
		}
	case s.state == comment:
		if r == '\n' {
			s.state, s.wordStart = plain, true
		}
	case r == s.escapes:
		s.escaped = true
	case s.state == double:
		if s.isDouble(r) {
			s.state = plain
		}
	case s.isSingle(r):
		s.state = single
	case s.isDouble(r):
		s.state = double
	case r == '#' && start:
		s.state = comment
	case strings.ContainsRune(" \t\n;|&(", r):
		s.wordStart = true
	}
}

// forbidden names the form that begins here and that the scanner cannot follow.
func (s *scanner) forbidden(rest string) string {
	if s.state == single || s.state == comment || s.escaped {
		return ""
	}
	forms := map[string]string{"`": "a backquote", "<<": "a here-document", "$'": "$'…'"}
	if s.shell == PowerShell {
		forms = map[string]string{"<#": "a block comment", "@'": "a here-string", "@\"": "a here-string"}
	}
	for form, name := range forms {
		if strings.HasPrefix(rest, form) {
			return name
		}
	}
	return ""
}
