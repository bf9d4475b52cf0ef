package pglog

import (
	"fmt"
	"strings"
)

// DefaultPrefix is the log_line_prefix of Azure's servers.
const DefaultPrefix = "%t-%c-"

// knownPrefixes are tried when none is given. Where two fit a line, the one that
// takes more stands first: Debian's takes the lines of PostgreSQL's default too.
var knownPrefixes = []string{
	DefaultPrefix,
	"%m [%p] %q%u@%d ",    // Debian's packages
	"%m [%p] %q%u@%d/%a ", // PostgreSQL's sample for packagers
	"%m [%p] ",            // PostgreSQL's default since version 10
	"%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ", // pgBadger's documentation
	"%t:%r:%u@%d:[%p]:", // Amazon RDS, met in migrations
}

// prefix is a log_line_prefix taken apart.
type prefix struct {
	text  string
	parts []part
}

// part is a literal text or an escape of a log_line_prefix.
type part struct {
	// literal is the text, empty for an escape.
	literal string
	// escape is the letter after the percent sign, 0 for a literal.
	escape byte
	// width pads the value: to the left side of so many columns when negative.
	width int
}

// The escapes of log_line_prefix, from PostgreSQL's documentation of
// error reporting and logging (%L since version 18).
const (
	timeEscapes = "tms"
	textEscapes = "audrhbiL"
	otherEscape = "pPnecvxlq"
	// chosenEscapes are those of textEscapes whose value a client chooses.
	chosenEscapes = "aud"
)

// maxWidth bounds the padding: PostgreSQL gives no bound, and no line is wider.
const maxWidth = 4096

// parsePrefix takes a log_line_prefix apart. Two escapes of free text must have
// something between them, or nobody could tell where one ends.
func parsePrefix(text string) (*prefix, error) {
	p := &prefix{text: text}
	literal := func(s string) {
		if n := len(p.parts); n > 0 && p.parts[n-1].escape == 0 {
			p.parts[n-1].literal += s
			return
		}
		p.parts = append(p.parts, part{literal: s})
	}
	for rest := text; rest != ""; {
		if rest[0] != '%' {
			i := strings.IndexByte(rest, '%')
			if i < 0 {
				i = len(rest)
			}
			literal(rest[:i])
			rest = rest[i:]
			continue
		}
		width, after := paddingOf(rest[1:])
		if after == "" {
			return nil, fmt.Errorf("log_line_prefix %q ends in the middle of an escape", text)
		}
		escape := after[0]
		rest = after[1:]
		switch {
		case escape == '%':
			literal("%")
			continue
		case !strings.ContainsRune(timeEscapes+textEscapes+otherEscape, rune(escape)):
			return nil, fmt.Errorf("log_line_prefix %q has the escape %%%c, which PostgreSQL does not know", text, escape)
		case width > maxWidth || width < -maxWidth:
			return nil, fmt.Errorf("log_line_prefix %q pads to %d columns; the most is %d", text, max(width, -width), maxWidth)
		}
		if n := len(p.parts); n > 0 && isText(p.parts[n-1].escape) && isText(escape) {
			return nil, fmt.Errorf("log_line_prefix %q has %%%c and %%%c with nothing between them: where one ends cannot be told", text, p.parts[n-1].escape, escape)
		}
		p.parts = append(p.parts, part{escape: escape, width: width})
	}
	return p, nil
}

func isText(escape byte) bool { return escape != 0 && strings.IndexByte(textEscapes, escape) >= 0 }

// paddingOf reads the width of an escape ("-10" of "-10u").
func paddingOf(s string) (width int, rest string) {
	rest = s
	left := strings.HasPrefix(rest, "-")
	if left {
		rest = rest[1:]
	}
	for rest != "" && rest[0] >= '0' && rest[0] <= '9' {
		width = min(width*10+int(rest[0]-'0'), maxWidth+1)
		rest = rest[1:]
	}
	if left {
		width = -width
	}
	return width, rest
}
