package expr

import "testing"

func BenchmarkTruth(b *testing.B) {
	env, _ := newTestEnv(b)
	read := sample().Seen()
	read.values["house"].(map[string]any)["back"].(map[string]any)["open"] = false
	for _, bc := range []struct {
		name, source string
		vars         *Vars
	}{
		{"two fields", `!house.front.open && !house.back.open`, read},
		{"two fields, one unread", `house.front.open && house.back.open`, sample()},
		{"loop", `house.front.rules.all(r, r.name != "x")`, read},
	} {
		p, faults := env.Bool(bc.source)
		if len(faults) > 0 {
			b.Fatal(faults)
		}
		b.Run(bc.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = p.Truth(b.Context(), bc.vars)
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	env, _ := newTestEnv(b)
	for b.Loop() {
		if _, faults := env.Bool(`!house.front.open && !house.back.open`); len(faults) > 0 {
			b.Fatal(faults)
		}
	}
}

func BenchmarkNewEnv(b *testing.B) {
	for b.Loop() {
		newTestEnv(b)
	}
}
