package rule

import (
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// locator finds places of a page: where a character of a YAML value stands in
// the file, however the value was written.
type locator struct {
	source []rune
	// lines are the indexes of the first character of each line.
	lines []int
}

func newLocator(source string) *locator {
	l := &locator{source: []rune(source), lines: []int{0}}
	for i, r := range l.source {
		if r == '\n' {
			l.lines = append(l.lines, i+1)
		}
	}
	return l
}

// index is the place of a line and a column, both counted from 1.
func (l *locator) index(line, column int) int {
	if line < 1 || line > len(l.lines) {
		return len(l.source)
	}
	return min(l.lines[line-1]+column-1, len(l.source))
}

// position is the line and column of an index, both counted from 1.
func (l *locator) position(index int) (line, column int) {
	line = len(l.lines)
	for line > 1 && l.lines[line-1] > index {
		line--
	}
	return line, index - l.lines[line-1] + 1
}

// inScalar is where the character at the given offset of a scalar's value
// stands. Folding and indentation only add and remove white space, so the other
// characters of the value stand in the source in the same order; quoted scalars
// add escapes, which are followed one by one.
func (l *locator) inScalar(node *yaml.Node, offset int) (line, column int) {
	at := l.index(node.Line, node.Column)
	switch {
	case node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		for at < len(l.source) && l.source[at] != '\n' {
			at++
		}
	case node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		at++
	}
	begin := at
	n := 0
	for _, r := range node.Value {
		if !unicode.IsSpace(r) {
			start, end := l.next(node.Style, at, r)
			if start < 0 {
				return l.position(begin) // the source does not spell the value
			}
			if n == offset {
				return l.position(start)
			}
			at = end
		}
		n++
		if n > offset {
			break
		}
	}
	return l.position(min(at, len(l.source)))
}

// next finds the character in the source from at on, and where its spelling ends.
func (l *locator) next(style yaml.Style, at int, r rune) (start, end int) {
	for at < len(l.source) {
		c := l.source[at]
		switch {
		case style&yaml.DoubleQuotedStyle != 0 && c == '\\':
			spelt, width := l.escape(at)
			if spelt == r {
				return at, at + width
			}
			at += width
		case style&yaml.SingleQuotedStyle != 0 && c == '\'' && r == '\'':
			return at, at + len("''")
		case c == r:
			return at, at + 1
		case !unicode.IsSpace(c):
			return -1, -1
		default:
			at++
		}
	}
	return -1, -1
}

// escape reads one escape of a double-quoted scalar: the character it stands
// for, or 0 for white space and line ends, and how long it is.
func (l *locator) escape(at int) (rune, int) {
	if at+1 >= len(l.source) {
		return 0, 1
	}
	digits := map[rune]int{'x': 2, 'u': 4, 'U': 8}[l.source[at+1]]
	if digits == 0 {
		switch c := l.source[at+1]; c {
		case '"', '\\', '/':
			return c, 2
		default:
			return 0, 2
		}
	}
	var value rune
	for i := at + 2; i < min(at+2+digits, len(l.source)); i++ {
		value = value<<4 | hex(l.source[i])
	}
	return value, 2 + digits
}

func hex(r rune) rune {
	switch {
	case r >= '0' && r <= '9':
		return r - '0'
	case r >= 'a' && r <= 'f':
		return r - 'a' + 10
	case r >= 'A' && r <= 'F':
		return r - 'A' + 10
	default:
		return utf8.RuneError
	}
}
