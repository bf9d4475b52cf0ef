package rule

import (
	"testing"
	"testing/fstest"
)

func BenchmarkEvaluate(b *testing.B) {
	p := mustParse(b)
	quick := mustParse(b, "    skip:\n      - when: resource.properties.state == \"Dropping\"\n        say: the server {{ resource.name }} is being dropped\n", "")
	in := input(b, flexibleServer(publicBody, "a", "1.2.3.0-1.2.3.9"))
	open := input(b, flexibleServer(publicBody, "x", "0.0.0.0-0.0.0.0"))
	gap := input(b, withGap(flexibleServer(publicBody)))
	for _, bc := range []struct {
		name string
		page *Page
		in   Input
	}{
		{"exposure, prepared, pass", quick, in},
		{"exposure, prepared, fail", quick, open},
		{"exposure, prepared, unknown", quick, gap},
		{"exposure, unprepared, pass", quick, Input{Asset: in.Asset, Exposure: in.Exposure}},
		{"resource, prepared, pass", p, in},
		{"resource, unprepared, pass", p, Input{Asset: in.Asset, Exposure: in.Exposure}},
	} {
		b.Run(bc.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				bc.page.Evaluate(b.Context(), bc.in)
			}
		})
	}
}

func BenchmarkLoad30Pages(b *testing.B) {
	fsys := fstest.MapFS{}
	for i := range 30 {
		id := "p-" + string(rune('a'+i/26)) + string(rune('a'+i%26))
		fsys["x/"+id+"/rule.md"] = page(id, "/rules/default/old-name", "/rules/default/old-"+id)
	}
	for b.Loop() {
		if _, err := Load(fsys); err != nil {
			b.Fatal(err)
		}
	}
}
