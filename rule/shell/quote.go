package shell

import (
	"regexp"
	"strings"
	"unicode"
)

// safe is what no shell takes for anything but text, wherever it stands.
var safe = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9_./-]*$`)

// Quote makes one argument of a value.
func (s Shell) Quote(value string) string {
	value = harmless(s, value)
	if safe.MatchString(value) {
		return value
	}
	return "'" + s.escape(value) + "'"
}

// escape makes a value fit between single quotes.
func (s Shell) escape(value string) string {
	if s != PowerShell {
		return strings.ReplaceAll(value, "'", `'\''`)
	}
	var b strings.Builder
	for _, r := range value {
		if strings.ContainsRune(psSingles, r) {
			b.WriteRune(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// harmless replaces what could act even inside quotes: characters that a
// terminal obeys or that hide or turn what a person reads; a first character
// that makes an option (-) or, for az, the name of a file to read (@) of a
// value; and in PowerShell the double quote, which older versions pass on to
// programs in a way that ends the argument. No name in Azure may hold any of
// these, so a command with a replacement names nothing, as it should.
func harmless(s Shell, value string) string {
	first := true
	return strings.Map(func(r rune) rune {
		was := first
		first = false
		switch {
		case !unicode.IsPrint(r), was && (r == '-' || r == '@'), s == PowerShell && r == '"':
			return unicode.ReplacementChar
		default:
			return r
		}
	}, value)
}
