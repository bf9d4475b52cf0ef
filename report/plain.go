package report

import (
	"strings"
	"unicode"
)

// Plain makes a text from outside safe to show on a terminal: names, tags and
// error messages are other people's input, and an escape sequence in one could
// rewrite what the reader sees. Control characters and those that turn the
// direction of text around are shown as U+FFFD.
func Plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029':
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
