package azuresim

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The simulator reads a small part of Kusto's query language, KQL: what a
// program asks that looks for addresses and connections. Everything else is
// refused as the services refuse what they cannot read.

// kqlError is why a query is refused.
type kqlError struct {
	// semantic is a query that can be read and makes no sense here.
	semantic bool
	message  string
	token    string
	line, at int // from 1
}

func (e *kqlError) Error() string { return e.message }

type tokenKind int

const (
	tokEnd      tokenKind = iota
	tokName               // a column, a table, a word of the language
	tokText               // a string literal
	tokNumber             // 10
	tokSpan               // 30d
	tokDatetime           // datetime(…)
	tokSign               // | , ( ) . == and their like
)

type token struct {
	kind     tokenKind
	text     string // a name or sign as written, a literal without its quotes
	span     time.Duration
	line, at int
}

// identifier is the form of a column's or table's name.
var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

var (
	nameStart   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*`)
	numberStart = regexp.MustCompile(`^\d+(\.\d+)?`)
	spanUnit    = regexp.MustCompile(`^(d|h|m|s|ms)\b`)
	dateStart   = regexp.MustCompile(`^datetime\s*\(\s*["']?([^"')]*)["']?\s*\)`)
	blanks      = regexp.MustCompile(`^(\s+|//[^\n]*)+`)
)

var signs = []string{"..", "==", "!=", "=~", "!~", "<=", ">=", "|", ",", "(", ")", ".", "=", "<", ">", "!", "~", "[", "]"}

// lex cuts a query into tokens, the last of which is tokEnd.
func lex(query string) ([]token, *kqlError) {
	var tokens []token
	rest := query
	for {
		rest = rest[len(blanks.FindString(rest)):]
		done := query[:len(query)-len(rest)]
		t := token{line: 1 + strings.Count(done, "\n"), at: len(done) - strings.LastIndex(done, "\n")}
		if rest == "" {
			return append(tokens, t), nil
		}
		n, ok := t.read(rest)
		if !ok {
			t.text = rest[:1]
			return nil, unreadable(t)
		}
		tokens = append(tokens, t)
		rest = rest[n:]
	}
}

// read takes the token at the beginning of a text and returns its length.
func (t *token) read(text string) (int, bool) {
	if m := dateStart.FindStringSubmatch(text); m != nil {
		t.kind, t.text = tokDatetime, strings.TrimSpace(m[1])
		return len(m[0]), true
	}
	if name := nameStart.FindString(text); name != "" {
		t.kind, t.text = tokName, name
		return len(name), true
	}
	if number := numberStart.FindString(text); number != "" {
		t.kind, t.text = tokNumber, number
		unit := spanUnit.FindString(text[len(number):])
		if unit != "" {
			t.kind, t.text = tokSpan, number+unit
			t.span = spanOf(number, unit)
		}
		return len(t.text), true
	}
	switch text[0] {
	case '\'', '"', '@':
		return t.readString(text)
	}
	for _, s := range signs {
		if strings.HasPrefix(text, s) {
			t.kind, t.text = tokSign, s
			return len(s), true
		}
	}
	return 0, false
}

// readString reads 'text' and "text", in which a backslash escapes, and @'text',
// in which the quote is doubled.
func (t *token) readString(text string) (int, bool) {
	verbatim := text[0] == '@'
	i := 0
	if verbatim {
		i = 1
	}
	if i >= len(text) || text[i] != '\'' && text[i] != '"' {
		return 0, false
	}
	quote := text[i]
	var b strings.Builder
	for i++; i < len(text); i++ {
		switch ch := text[i]; {
		case ch == quote && verbatim && i+1 < len(text) && text[i+1] == quote:
			b.WriteByte(ch)
			i++
		case ch == quote:
			t.kind, t.text = tokText, b.String()
			return i + 1, true
		case ch == '\n':
			return 0, false
		case ch == '\\' && !verbatim && i+1 < len(text):
			i++
			b.WriteByte(unescaped(text[i]))
		default:
			b.WriteByte(ch)
		}
	}
	return 0, false
}

func unescaped(ch byte) byte {
	switch ch {
	case 'n':
		return '\n'
	case 't':
		return '\t'
	case 'r':
		return '\r'
	}
	return ch
}

func spanOf(number, unit string) time.Duration {
	one := map[string]time.Duration{
		"d": 24 * time.Hour, "h": time.Hour, "m": time.Minute, "s": time.Second, "ms": time.Millisecond,
	}[unit]
	n, _ := strconv.ParseFloat(number, 64) // which numberStart has seen
	return time.Duration(n * float64(one))
}

func unreadable(t token) *kqlError {
	return &kqlError{message: fmt.Sprintf("Query could not be parsed at '%s' on line [%d,%d]", t.text, t.line, t.at),
		token: t.text, line: t.line, at: t.at}
}
