package expr

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

type plainDocument struct {
	A *bool   `json:"a"`
	B *bool   `json:"b"`
	C *bool   `json:"c"`
	N *int    `json:"n"`
	S *string `json:"s"`
}

// domains are the values a field of a plainDocument may have; nil is absent.
var domains = map[string][]any{
	"a": {true, false, nil}, "b": {true, false, nil}, "c": {true, false, nil},
	"n": {int64(0), int64(1), nil}, "s": {"x", "z", nil},
}

// expression draws an expression that is true or false.
func expression(t *rapid.T, depth int) string {
	atoms := []string{
		`d.a`, `d.b`, `d.c`, `d.n < 1`, `d.n == 1`, `d.s == "x"`, `d.s != "x"`, `has(d.a)`, `has(d.s)`, `d.a == d.b`,
		`[d.a, d.b].exists(x, x)`, `[d.a, d.c].all(x, x)`, `[1, 0].exists(x, x == d.n)`, `d.s in ["x", "y"]`,
		`{"k": d.c}["k"]`, `size([d.a]) == 1`, `d == d`, `true`, `false`,
	}
	if depth == 0 {
		return rapid.SampledFrom(atoms).Draw(t, "atom")
	}
	sub := func() string { return expression(t, depth-1) }
	switch rapid.IntRange(0, 4).Draw(t, "form") {
	case 0:
		return "!(" + sub() + ")"
	case 1:
		return "(" + sub() + ") && (" + sub() + ")"
	case 2:
		return "(" + sub() + ") || (" + sub() + ")"
	case 3:
		return "(" + sub() + ") ? (" + sub() + ") : (" + sub() + ")"
	default:
		return "[true, false].exists(y, y == (" + sub() + "))"
	}
}

func plainVars(values map[string]any, unread []string) *Vars {
	d := map[string]any{}
	for name, v := range values {
		if v != nil && !slices.Contains(unread, name) {
			d[name] = v
		}
	}
	var list []Unread
	for _, name := range unread {
		list = append(list, Unread{Path: []string{"d", name}, Reason: name + " was not read"})
	}
	return NewVars(map[string]any{"d": d}, list)
}

// completions calls f with the values under every choice for the unread fields.
func completions(values map[string]any, unread []string, f func(map[string]any)) {
	if len(unread) == 0 {
		f(values)
		return
	}
	for _, v := range domains[unread[0]] {
		next := maps.Clone(values)
		next[unread[0]] = v
		completions(next, unread[1:], f)
	}
}

// An answer given while fields are unread is the answer whatever they hold, and
// whether or not they are there. An answer never rests on fields that the
// expression is not said to read.
func TestSoundness(t *testing.T) {
	env, err := NewEnv(map[string]*Object{"d": declare(t, "d", plainDocument{})})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		source := expression(t, 3)
		p, faults := env.Bool(source)
		if len(faults) > 0 {
			t.Fatalf("%s: %v", source, faults)
		}
		values := map[string]any{}
		var unread []string
		for _, name := range slices.Sorted(maps.Keys(domains)) {
			values[name] = rapid.SampledFrom(domains[name]).Draw(t, name)
			if rapid.Bool().Draw(t, name+" unread") {
				unread = append(unread, name)
			}
		}
		got, err := p.Truth(t.Context(), plainVars(values, unread))
		if err == nil {
			completions(values, unread, func(whole map[string]any) {
				full, err := p.Truth(t.Context(), plainVars(whole, nil))
				if err != nil || full != got {
					t.Fatalf("%s is %v without %v, and %v (%v) with %v", source, got, unread, full, err, whole)
				}
			})
		}

		needed := map[string]any{}
		for _, path := range p.Reads() {
			if path == "d" {
				needed = values
				break
			}
			name := strings.TrimPrefix(path, "d.")
			needed[name] = values[name]
		}
		all, errAll := p.Truth(t.Context(), plainVars(values, nil))
		few, errFew := p.Truth(t.Context(), plainVars(needed, nil))
		if all != few || fmt.Sprint(errAll) != fmt.Sprint(errFew) {
			t.Fatalf("%s, said to read %v, is %v (%v) on everything and %v (%v) on that", source, p.Reads(), all, errAll, few, errFew)
		}
	})
}
