package expr

import (
	"context"
	"testing"
	"time"
)

// Whatever is written, compiling and running it ends soon, and a program that
// compiles has either a value or a reason.
func FuzzExpression(f *testing.F) {
	for _, s := range []string{
		`house.front.open && !house.back.open`, `house.front.rules.all(r, r.name.startsWith("a"))`,
		`[["a"]].map(a, a + a).size() == 1`, `server.tags["env"] in ["prod"] || has(server.properties.network)`,
		`server.name.matches("(a+)+$")`, `"a".replace("a", "aa") == dyn(1)`, `Evidence{name: "x"} == Evidence{}`,
		`[1].map(x, [2].map(y, x + y)).size() > 0`, `{{{{`, "house . front\n. opne", `!!!!!!!!`, `r'''a''' + b"\xff"`,
		`true ? {"a": [1]}["a"].size() == 1 : false`, `names("x", house.front.rules) == count(5, "", "")`, `1/0 == 1 || -9223372036854775808 / -1 > 0`,
	} {
		f.Add(s)
	}
	env, evidence := newTestEnv(f)
	vars := sample()
	f.Fuzz(func(t *testing.T, source string) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		p, faults := env.Bool(source)
		if (p == nil) == (len(faults) == 0) {
			t.Fatalf("program %v with faults %v", p, faults)
		}
		for _, fault := range faults {
			if fault.Offset < 0 || fault.Offset > len(source) || fault.Message == "" {
				t.Errorf("fault %+v of a source of %d bytes", fault, len(source))
			}
		}
		if p != nil {
			if _, err := p.Truth(ctx, vars); err != nil && err.Error() == "" {
				t.Error("undecided without a reason")
			}
		}
		if p, _ := env.Objects(source, evidence); p != nil {
			_, _ = p.Items(ctx, vars, "name")
		}
		if tpl, _ := env.Template(source); tpl != nil {
			_, _ = tpl.Text(ctx, vars)
		}
		if ctx.Err() != nil {
			t.Errorf("it took longer than anybody waits: %q", source)
		}
	})
}
