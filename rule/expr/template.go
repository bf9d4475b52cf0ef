package expr

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// MaxText is the longest text that a template makes, in characters; what is
// beyond it is cut.
const MaxText = 2000

// maxPlaces is how many expressions one template may hold.
const maxPlaces = 20

// Template is a sentence with expressions between {{ and }}.
type Template struct {
	parts []part
}

// part is a piece of plain text, or else a program.
type part struct {
	text    string
	program *Program
}

// Template compiles a text. The value of each expression may be a text, a
// number, or a list of texts, which is shown with commas.
func (e *Env) Template(source string) (*Template, []Fault) {
	if n := utf8.RuneCountInString(source); n > MaxSource {
		return nil, []Fault{{0, "the text has " + strconv.Itoa(n) + " characters; allowed: at most " + strconv.Itoa(MaxSource)}}
	}
	var t Template
	var faults []Fault
	for at := 0; source != ""; {
		plain, rest, more := strings.Cut(source, "{{")
		if plain != "" {
			t.parts = append(t.parts, part{text: plain})
		}
		if !more {
			break
		}
		at += utf8.RuneCountInString(plain) + len("{{")
		if len(t.parts) > 2*maxPlaces {
			return nil, append(faults, Fault{at - len("{{"), "more than " + strconv.Itoa(maxPlaces) + " expressions in one text"})
		}
		inside, after, closed := cutExpression(rest)
		if !closed {
			return nil, append(faults, Fault{at - len("{{"), "this {{ is never closed with }}"})
		}
		program, found := e.compile(inside, "text, a number, or a list of texts", isText)
		for _, f := range found {
			faults = append(faults, Fault{at + f.Offset, f.Message})
		}
		t.parts = append(t.parts, part{program: program})
		at += utf8.RuneCountInString(inside) + len("}}")
		source = after
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return &t, nil
}

// cutExpression cuts at the first }} that is not inside quotes.
func cutExpression(s string) (inside, after string, closed bool) {
	var quote byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote == 0 && strings.HasPrefix(s[i:], "}}"):
			return s[:i], s[i+len("}}"):], true
		}
	}
	return "", "", false
}

func isText(t *cel.Type) bool {
	switch t.Kind() {
	case cel.StringKind, cel.IntKind, cel.DoubleKind:
		return true
	case cel.ListKind:
		return t.Parameters()[0].Kind() == cel.StringKind
	default:
		return false
	}
}

// Text fills the template. What the documents put into it cannot break the
// line, hide or turn text around: characters that do not print are escaped.
// Its error is [*Undecided].
func (t *Template) Text(ctx context.Context, vars *Vars) (string, error) {
	var b strings.Builder
	var missing []string
	for _, p := range t.parts {
		if p.program == nil {
			b.WriteString(p.text)
			continue
		}
		v, err := p.program.eval(ctx, vars)
		if err != nil {
			var u *Undecided
			if errors.As(err, &u) {
				missing = append(missing, u.Reasons...)
			}
			continue
		}
		b.WriteString(printable(show(v)))
	}
	if len(missing) > 0 {
		return "", &Undecided{unique(missing)}
	}
	return shorten(b.String(), MaxText), nil
}

// Reads returns the paths that the template's expressions refer to.
func (t *Template) Reads() []string {
	var paths []string
	for _, p := range t.parts {
		if p.program != nil {
			paths = append(paths, p.program.reads...)
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// show writes a value of one of the types of isText.
func show(v ref.Val) string {
	switch v := v.(type) {
	case types.String:
		return string(v)
	case types.Int:
		return strconv.FormatInt(int64(v), 10)
	case types.Double:
		return strconv.FormatFloat(float64(v), 'f', -1, 64)
	case traits.Lister:
		var b strings.Builder
		for i := types.Int(0); i < v.Size().(types.Int) && b.Len() < MaxText*utf8.UTFMax; i++ {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(show(v.Get(i)))
		}
		return b.String()
	default:
		return ""
	}
}

func printable(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
		}
	}
	return b.String()
}

// shorten cuts a text to so many characters, looking at no more of it than that.
func shorten(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	n := 0
	for at := range s {
		if n == limit {
			return s[:at] + "…"
		}
		n++
	}
	return s
}
