package expr

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type itemDocument struct {
	Kind  string `json:"kind"`
	ID    string `json:"id"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

type doorDocument struct {
	State     string         `json:"state"`
	Open      *bool          `json:"open"`
	Addresses int64          `json:"addresses"`
	Rules     []itemDocument `json:"rules"`
	Members   []string       `json:"members"`
}

type houseDocument struct {
	Front *doorDocument `json:"front"`
	Back  *doorDocument `json:"back"`
}

type serverDocument struct {
	Name       *string           `json:"name"`
	Tags       map[string]string `json:"tags"`
	Properties *struct {
		Version *string  `json:"version"`
		Days    *int     `json:"days"`
		Load    *float64 `json:"load"`
		Public  *bool    `json:"public"`
		Network *struct {
			Access *string `json:"access"`
		} `json:"network"`
		Peers []struct {
			Name   *string `json:"name"`
			Status *string `json:"status"`
		} `json:"peers"`
	} `json:"properties"`
}

func declare(t testing.TB, name string, v any) *Object {
	t.Helper()
	o, err := Declare(name, v)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func newTestEnv(t testing.TB) (*Env, *Object) {
	t.Helper()
	evidence := declare(t, "Evidence", itemDocument{})
	env, err := NewEnv(map[string]*Object{
		"house":  declare(t, "house", houseDocument{}),
		"server": declare(t, "server", serverDocument{}),
	}, evidence)
	if err != nil {
		t.Fatal(err)
	}
	return env, evidence
}

func rule(name string) map[string]any {
	return map[string]any{"kind": "rule", "id": "/" + name, "name": name, "value": "0.0.0.0"}
}

// sample has a front door that is open, a back door of which it is not known,
// and a server that says little.
func sample() *Vars {
	return NewVars(map[string]any{
		"house": map[string]any{
			"front": map[string]any{"state": "open", "open": true, "addresses": int64(1 << 24), "rules": []any{rule("a"), rule("b")}, "members": []string{"x", "y"}},
			"back":  map[string]any{"state": "unknown", "addresses": int64(0), "rules": []any{}, "members": []string{}},
		},
		"server": map[string]any{
			"name": "s", "tags": map[string]string{"env": "prod"},
			"properties": map[string]any{"version": "16", "days": int64(3), "peers": []any{map[string]any{"name": "p"}}},
		},
	}, []Unread{
		{Path: []string{"house", "back", "open"}, Reason: "the back yard is dark"},
		{Path: []string{"house", "back", "addresses"}, Reason: "nobody counted"},
		{Path: []string{"server", "properties", "load"}, Reason: "server.properties.load is text where number is declared"},
	})
}

func TestTruth(t *testing.T) {
	const dark, uncounted = "the back yard is dark", "nobody counted"
	env, _ := newTestEnv(t)
	for _, tc := range []struct {
		source string
		want   bool
		// reasons are set where there is no answer.
		reasons []string
	}{
		{source: `house.front.open`, want: true},
		{source: `!house.front.open`, want: false},
		{source: `"a" in house.front.members`, want: false},
		{source: `server.tags["env"] == "prod"`, want: true},
		{source: `"team" in server.tags`, want: false},
		{source: `server.properties.version in ["15", "16"]`, want: true},
		{source: `int(server.properties.version) >= 14`, want: true},
		{source: `house.front.rules.exists(r, r.name.startsWith("b"))`, want: true},
		{source: `server.properties.version.matches("^1[0-9]$")`, want: true},

		// What is unread decides nothing, in whatever form it is asked for.
		{source: `house.back.open`, reasons: []string{dark}},
		{source: `!house.back.open`, reasons: []string{dark}},
		{source: `house.back.open != true`, reasons: []string{dark}},
		{source: `house.back.open == house.back.open`, reasons: []string{dark}},
		{source: `house.back.open ? false : true`, reasons: []string{dark}},
		{source: `has(house.back.open)`, reasons: []string{dark}},
		{source: `!has(house.back.open)`, reasons: []string{dark}},
		{source: `[house.back.open].size() == 1`, reasons: []string{dark}},
		{source: `[house.front.open, house.back.open].all(o, o)`, reasons: []string{dark}},
		{source: `[house.front, house.back].all(d, !d.open)`, reasons: []string{dark, uncounted}},
		{source: `[house.front, house.back].all(d, !has(d.open))`, reasons: []string{dark, uncounted}},
		{source: `[house].all(h, !has(h.back.open))`, reasons: []string{dark, uncounted}},
		{source: `house == house`, reasons: []string{dark, uncounted}},
		{source: `house.front.rules.all(r, !house.back.open)`, reasons: []string{dark}},
		{source: `house.front.rules.filter(r, house.back.open).size() == 0`, reasons: []string{dark}},
		{source: `{"a": house.back.open}["a"] != true`, reasons: []string{dark}},
		{source: `string(house.back.addresses) != "1"`, reasons: []string{uncounted}},
		{source: `house.back.addresses < 5`, reasons: []string{uncounted}},
		{source: `house.back.addresses in [7]`, reasons: []string{uncounted}},
		{source: `house.back.addresses < 5 && !house.back.open`, reasons: []string{dark, uncounted}},
		{source: `house.front.open && !house.back.open`, reasons: []string{dark}},
		{source: `server.properties.load < 0.5`, reasons: []string{"server.properties.load is text where number is declared"}},
		{source: `!has(server.properties.load)`, reasons: []string{"server.properties.load is text where number is declared"}},

		// Where the answer is the same whatever the unread value is, it stands.
		{source: `house.front.open || house.back.open`, want: true},
		{source: `house.back.open || house.front.open`, want: true},
		{source: `!house.front.open && house.back.open`, want: false},
		{source: `house.back.open && !house.front.open`, want: false},
		{source: `house.front.rules.exists(r, r.name == "b" || house.back.open)`, want: true},
		{source: `house.back.state == "unknown"`, want: true},

		// A field that is not there is no zero value.
		{source: `server.properties.public`, reasons: []string{"server.properties.public is absent from the document"}},
		{source: `!server.properties.public`, reasons: []string{"server.properties.public is absent from the document"}},
		{source: `server.properties.public != true`, reasons: []string{"server.properties.public is absent from the document"}},
		{source: `server.properties.network.access != "Enabled"`, reasons: []string{"server.properties.network is absent from the document"}},
		{source: `server.properties.network.access == "x" ? false : true`, reasons: []string{"server.properties.network is absent from the document"}},
		{source: `!has(server.properties.network.access)`, reasons: []string{"server.properties.network is absent from the document"}},
		{source: `!server.properties.public || house.front.open`, want: true},
		{source: `!server.properties.public || house.back.open`, reasons: []string{dark}},
		{source: `has(server.properties.public)`, want: false},
		{source: `has(server.properties.public) && server.properties.public`, want: false},

		// Other runtime errors decide nothing either.
		{source: `server.tags["team"] != "x"`, reasons: []string{"the policy stopped at `server.tags[\"team\"] != \"x\"`: no such key: team"}},
		{source: `house.front.rules[2].name != "x"`, reasons: []string{"the policy stopped at `house.front.rules[2].name != \"x\"`: index out of bounds: 2"}},
		{source: `1 / (server.properties.days - 3) != 1`, reasons: []string{"the policy stopped at `1 / (server.properties.days - 3) != 1`: division by zero"}},
		{source: `server.properties.peers.all(p, p.status != "x")`, reasons: []string{"the policy stopped at `server.properties.peers.all(p, p.status != \"x\")`: no such key: status"}},
		{source: `int(server.name) != 1`, reasons: []string{"the policy stopped at `int(server.name) != 1`: type conversion error from 'string' to 'int'"}},
	} {
		t.Run(tc.source, func(t *testing.T) {
			p, faults := env.Bool(tc.source)
			if len(faults) > 0 {
				t.Fatalf("does not compile: %v", faults)
			}
			got, err := p.Truth(t.Context(), sample())
			var u *Undecided
			var reasons []string
			if errors.As(err, &u) {
				reasons = u.Reasons
			} else if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.reasons, reasons); diff != "" {
				t.Errorf("reasons (-want +got):\n%s", diff)
			}
			if got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestCompileFaults(t *testing.T) {
	env, _ := newTestEnv(t)
	for _, tc := range []struct {
		name, source, want string
		offset             int
	}{
		{"misspelt field", `house.front.opne`, `no field "opne" in house.front; did you mean "open"? allowed: addresses, members, open, rules, state`, 12},
		{"misspelt field on a new line", "true &&\n  !house.front .\n opne", `no field "opne" in house.front; did you mean "open"? allowed: addresses, members, open, rules, state`, 26},
		{"misspelt field in a loop", `house.front.rules.all(r, r.nmae == "x")`, `no field "nmae" in item; did you mean "name"? allowed: id, kind, name, value`, 27},
		{"misspelt variable", `hose.front.open`, `no name "hose"; did you mean "house"? allowed: house, server`, 0},
		{"unknown function", `foo(house)`, `no function "foo"; allowed: all, charAt, contains, count, double, endsWith, exists, exists_one, filter, has, indexOf, int, lastIndexOf, lowerAscii, map, matches, names, size, split, startsWith, string, substring, trim, upperAscii`, 3},
		{"unknown method", `server.name.beginsWith("x")`, `no function "beginsWith"; allowed: all, charAt, contains, count, double, endsWith, exists, exists_one, filter, has, indexOf, int, lastIndexOf, lowerAscii, map, matches, names, size, split, startsWith, string, substring, trim, upperAscii`, 22},
		{"types that do not compare", `server.name == 5`, `== does not take (text, whole number); both sides must be of one type`, 12},
		{"an object and a number", `house.front == 5`, `== does not take (door, whole number); both sides must be of one type`, 12},
		{"a list and a text", `server.properties.peers == "int"`, `== does not take (list of (server.properties.peers[]), text); both sides must be of one type`, 24},
		{"wrong argument", `server.name.startsWith(5)`, `startsWith does not take text.(whole number); allowed: (text).startsWith(text)`, 22},
		{"not of text", `!server.name`, `! does not take (text); allowed: (true or false)`, 0},
		{"field of a text", `server.name.length == 1`, `a text has no fields`, 11},
		{"loop over a text", `server.name.all(c, c == "a")`, `a loop needs a list, and this is a text`, 6},
		{"not true or false", `server.name`, `this is text; allowed here: true or false`, 0},
		{"one equals sign", `server.name = "x"`, `not a CEL expression: unexpected "="; to compare, write ==`, 12},
		{"and", `house.front.open and true`, `not a CEL expression: unexpected "and"; write && for and`, 17},
		{"nothing", ``, `not a CEL expression: it ends too early`, 0},
		{"too long", strings.Repeat(" ", MaxSource) + "true", `the expression has 4100 characters; allowed: at most 4096`, 0},
		{"too deep", strings.Repeat("(", 300) + "true" + strings.Repeat(")", 300), `not a CEL expression: expression recursion limit exceeded: 100`, 0},
		{"type tricks", `dyn(house).front.opne`, `no function "dyn"; allowed: all, charAt, contains, count, double, endsWith, exists, exists_one, filter, has, indexOf, int, lastIndexOf, lowerAscii, map, matches, names, size, split, startsWith, string, substring, trim, upperAscii`, 3},
		{"a value of no type", `[][0] == [][0]`, `the type of this cannot be told before it runs`, 2},
		{"a list in disguise", `[true ? [1] : [][0]].map(l, l).size() == 1`, `this is a list of list of whole number; a list holds texts, numbers, true or false, or objects`, 0},
		{"list of lists", `[[1]] == [[1]]`, `this is a list of list of whole number; a list holds texts, numbers, true or false, or objects`, 0},
		{"growing text", `server.name.replace("a", "aa") == ""`, `no function "replace" here; allowed: all, charAt, contains, count, double, endsWith, exists, exists_one, filter, has, indexOf, int, lastIndexOf, lowerAscii, map, matches, names, size, split, startsWith, string, substring, trim, upperAscii`, 19},
		{"pattern from a document", `server.name.matches(server.name)`, `the pattern of matches() must be written out in quotes`, 19},
		{"bad pattern", `server.name.matches("(")`, "invalid matches argument", 20},
		{"object that cannot be made", `door{state: "x"} == house.front`, `no name "door"; allowed: house, server`, 4},
		{"unknown field of an object", `Evidence{nmae: "x"} == Evidence{}`, `no field "nmae" in Evidence; did you mean "name"? allowed: id, kind, name, value`, 13},
		{"wrong field type", `Evidence{name: 1} == Evidence{}`, `expected type of field 'name' is 'text' but provided type is 'whole number'`, 13},
		{"mixed list", `[1, "a"].size() == 1`, `expected type 'whole number' but found 'text'`, 4},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, faults := env.Bool(tc.source)
			if len(faults) == 0 || p != nil {
				t.Fatal("it compiles")
			}
			if diff := cmp.Diff(Fault{tc.offset, tc.want}, faults[0]); diff != "" {
				t.Errorf("fault (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSeveralFaults(t *testing.T) {
	env, _ := newTestEnv(t)
	_, faults := env.Bool(`house.frnt.open && house.back.opne && house.back.stat == "x"`)
	var got []string
	for _, f := range faults {
		got = append(got, f.Message)
	}
	want := []string{
		`no field "frnt" in house; did you mean "front"? allowed: back, front`,
		`no field "opne" in house.back; did you mean "open"? allowed: addresses, members, open, rules, state`,
		`no field "stat" in house.back; did you mean "state"? allowed: addresses, members, open, rules, state`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
}

func TestItems(t *testing.T) {
	env, evidence := newTestEnv(t)
	for _, tc := range []struct {
		source string
		want   [][]string
	}{
		{`house.front.rules`, [][]string{{"a", "0.0.0.0"}, {"b", "0.0.0.0"}}},
		{`house.back.rules + house.front.rules`, [][]string{{"a", "0.0.0.0"}, {"b", "0.0.0.0"}}},
		{`[Evidence{name: "version", value: server.properties.version}, Evidence{}]`, [][]string{{"version", "16"}, {"", ""}}},
		{`house.front.rules.map(r, Evidence{name: r.id, value: r.name})`, [][]string{{"/a", "a"}, {"/b", "b"}}},
		{`[]`, [][]string{}},
	} {
		t.Run(tc.source, func(t *testing.T) {
			p, faults := env.Objects(tc.source, evidence)
			if len(faults) > 0 {
				t.Fatal(faults)
			}
			got, err := p.Items(t.Context(), sample(), "name", "value")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
		})
	}
	for _, source := range []string{`house.front`, `[1]`, `server.properties.peers`, `house.front.members`} {
		if _, faults := env.Objects(source, evidence); len(faults) == 0 {
			t.Errorf("%s is accepted as evidence", source)
		}
	}
}

func TestTemplate(t *testing.T) {
	env, _ := newTestEnv(t)
	for _, tc := range []struct{ name, source, want string }{
		{"plain", `nothing to see`, `nothing to see`},
		{"text and number", `{{ server.name }} keeps {{ server.properties.days }} days`, `s keeps 3 days`},
		{"list", `members {{ house.front.members }}.`, `members x, y.`},
		{"names", `by {{ names("rule", house.front.rules) }}`, `by rules "a" and "b"`},
		{"no names", `{{ names("rule", house.back.rules) }}`, `no rules`},
		{"count", `{{ count(house.front.addresses, "address", "addresses") }}`, `16,777,216 addresses`},
		{"count one", `{{ count(1, "address", "addresses") }}`, `1 address`},
		{"braces in quotes", `{{ "}}" + '{{' }}`, `}}{{`},
		{"hidden characters", `{{ "a\n\u202eb\u001b" }}`, `a\n\u202eb\x1b`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tpl, faults := env.Template(tc.source)
			if len(faults) > 0 {
				t.Fatal(faults)
			}
			got, err := tpl.Text(t.Context(), sample())
			if err != nil {
				t.Fatal(err)
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
	for _, tc := range []struct {
		name, source string
		want         Fault
	}{
		{"never closed", `a {{ server.name`, Fault{2, "this {{ is never closed with }}"}},
		{"second expression", `é {{ server.name }} {{ server.nmae }}`, Fault{30, `no field "nmae" in server; did you mean "name"? allowed: name, properties, tags`}},
		{"no text", `{{ house }}`, Fault{2, `this is house; allowed here: text, a number, or a list of texts`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, faults := env.Template(tc.source)
			if diff := cmp.Diff([]Fault{tc.want}, faults); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSeen(t *testing.T) {
	env, _ := newTestEnv(t)
	p, _ := env.Bool(`house.back.addresses == 0`)
	if _, err := p.Truth(t.Context(), sample()); err == nil {
		t.Error("an unread field has a value")
	}
	if got, err := p.Truth(t.Context(), sample().Seen()); !got || err != nil {
		t.Errorf("what was seen: %v, %v; want true", got, err)
	}
}

func TestReads(t *testing.T) {
	env, _ := newTestEnv(t)
	for source, want := range map[string][]string{
		`!house.front.open && house.back.state == "x"`:               {"house.back.state", "house.front.open"},
		`house.front.rules.exists(r, r.name == server.name)`:         {"house.front.rules", "server.name"},
		`has(server.properties.network) && house == house`:           {"house", "server.properties.network"},
		`server.tags["env"] == "x" || {"a": server.name}["a"] == ""`: {"server.name", "server.tags"},
		`true`: nil,
	} {
		p, faults := env.Bool(source)
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		if diff := cmp.Diff(want, p.Reads()); diff != "" {
			t.Errorf("%s reads (-want +got):\n%s", source, diff)
		}
	}
}

func TestCancel(t *testing.T) {
	many := make([]any, 10_000)
	for i := range many {
		many[i] = rule("r")
	}
	vars := NewVars(map[string]any{"house": map[string]any{"front": map[string]any{"rules": many}}}, nil)
	env, _ := newTestEnv(t)
	p, faults := env.Bool(`house.front.rules.all(r, r.name == "r")`)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Truth(ctx, vars); err == nil || !strings.Contains(err.Error(), "context canceled") {
		t.Errorf("cancelled, it ended with %v", err)
	}
}

// Expressions that try to run away end soon, with no value.
func TestRunaways(t *testing.T) {
	big := make([]any, 60_000)
	for i := range big {
		big[i] = rule("r")
	}
	vars := NewVars(map[string]any{
		"house":  map[string]any{"front": map[string]any{"rules": big, "members": []string{"a"}}},
		"server": map[string]any{"name": strings.Repeat("a", 1<<20)},
	}, nil)
	env, _ := newTestEnv(t)
	nested := `house.front.rules.all(a, house.front.rules.all(b, house.front.rules.all(c, a == b || b == c)))`
	doubling := `["a"]` + strings.Repeat(`.map(s, s+s)`, 60) + `.size() == 0`
	for name, source := range map[string]string{
		"nested loops":  nested,
		"doubling text": doubling,
		"long text":     `house.front.rules.all(r, server.name.contains(server.name))`,
		"split":         `house.front.rules.all(r, server.name.split("").size() > 0)`,
		"joined lists":  `(house.front.rules + house.front.rules).all(a, house.front.rules.all(b, b == a))`,
	} {
		t.Run(name, func(t *testing.T) {
			p, faults := env.Bool(source)
			if len(faults) > 0 {
				t.Fatal(faults)
			}
			began := time.Now()
			_, err := p.Truth(t.Context(), vars)
			if err == nil || !strings.HasPrefix(err.Error(), "the policy takes too many steps on this resource") {
				t.Errorf("it ended with %v", err)
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}
