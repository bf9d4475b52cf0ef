package rules_test

import (
	"os"
	"slices"
	"testing"

	"github.com/posternhq/postern/rule"
	"github.com/posternhq/postern/rule/fixture"
)

// BenchmarkEvaluate judges one server: with its documents built before, as when
// several rules look at it, and with building them.
func BenchmarkEvaluate(b *testing.B) {
	page, _ := catalogue(b).Find("mhu-w8j-px0")
	fixtures, err := fixture.Load(os.DirFS("."), page)
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"flexible-portal-rule", "flexible-narrow-azure-name", "flexible-disabled", "flexible-denied"} {
		i := slices.IndexFunc(fixtures, func(f fixture.Fixture) bool { return f.Name == name })
		in, err := fixtures[i].Input()
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				page.Evaluate(b.Context(), in)
			}
		})
		b.Run(name+", building", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				page.Evaluate(b.Context(), rule.Input{Asset: in.Asset, Exposure: in.Exposure})
			}
		})
	}
}

// BenchmarkLoad reads the pages that come with Postern.
func BenchmarkLoad(b *testing.B) {
	fsys := os.DirFS(".")
	for b.Loop() {
		if _, err := rule.Load(fsys); err != nil {
			b.Fatal(err)
		}
	}
}
