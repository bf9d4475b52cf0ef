package rule

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// Whatever a page holds, reading it ends soon with a page or with problems that
// lie inside it, and judging by it ends soon too.
func FuzzParse(f *testing.F) {
	f.Add(goodPage)
	f.Add("---\n---\n")
	f.Add(strings.Replace(goodPage, "!exposure.azure.open &&", "[[1]].map(a, a + a).size() == 0 ||", 1))
	f.Add(strings.Replace(goodPage, "pass: |", "pass: >-\n\n\n", 1))
	f.Add(strings.Replace(goodPage, "say: the internet", "say: \"\\u007b{{{ exposure.why }}}\"", 1))
	f.Add("---\nid: &a [*a]\n" + strings.Repeat("[", 500))
	f.Add("---\npolicy:\n  - for: [x]\n    pass: !x y\n---\n#\n##\n## a\n===\n```bash for=\n")
	in := input(f, flexibleServer(publicBody, "x", "0.0.0.0-0.0.0.0"))
	f.Fuzz(func(t *testing.T, source string) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		p, err := Parse(testFile, []byte(source))
		if (p == nil) == (err == nil) {
			t.Fatalf("page %v with error %v", p, err)
		}
		var problems Problems
		if err != nil && !errors.As(err, &problems) {
			t.Fatalf("the error is no list of problems: %v", err)
		}
		lines := strings.Count(source, "\n") + 2
		for _, pr := range problems {
			if pr.Line < 0 || pr.Line > lines || pr.Line > 0 && pr.Column < 1 || pr.Message == "" {
				t.Errorf("%+v on a page of %d lines", pr, lines)
			}
		}
		if p != nil {
			p.Commands(in, p.Evaluate(ctx, in))
		}
		if ctx.Err() != nil {
			t.Error("it took longer than anybody waits")
		}
	})
}
