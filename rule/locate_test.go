package rule

import (
	"testing"
	"unicode"

	"go.yaml.in/yaml/v4"
)

// Every visible character of a value is found where it stands, in every way of
// writing the value.
func TestInScalar(t *testing.T) {
	for name, source := range map[string]string{
		"plain":                  "k: a.b == \"é\" && c\n",
		"plain on several lines": "k: a.b ==\n  \"é\" &&\n\n   c\n",
		"single quotes":          "k: 'it''s == ''é'' && c'\n",
		"single on lines":        "k: 'it''s ==\n\n   ''é''\n  && c'\n",
		"double quotes":          "k: \"a.b == \\\"\\u00e9\\\" \\x26\\U00000026\\n c\\\\d\\/e\"\n",
		"double on lines":        "k: \"a.b \\\n   == \\\"é\\\"\n\n  && \\t c\"\n",
		"literal":                "k: |\n   a.b ==\n     é\n\n   && c\n",
		"literal with indicator": "k: |2- # a comment\n     a.b ==\n   é\n",
		"folded":                 "k: >\n  a.b ==\n  é\n\n  && c\n     more\n  end\n",
		"folded, stripped":       "x: 1\nk: >-\n    a.b\n    == é\n",
		"in a list":              "k: [x, 'a b', \"c\\td\"]\n",
		"no end of line":         "k: abc",
	} {
		t.Run(name, func(t *testing.T) {
			checkPlaces(t, source)
		})
	}
}

func checkPlaces(t *testing.T, source string) {
	t.Helper()
	var document yaml.Node
	if err := yaml.Load([]byte(source), &document); err != nil {
		t.Fatal(err)
	}
	l := newLocator(source)
	var visit func(*yaml.Node)
	visit = func(n *yaml.Node) {
		for _, c := range n.Content {
			visit(c)
		}
		if n.Kind != yaml.ScalarNode {
			return
		}
		for i, r := range []rune(n.Value) {
			at := l.index(l.inScalar(n, i))
			if unicode.IsSpace(r) {
				continue
			}
			if found := l.source[at]; found != r && found != '\\' {
				t.Errorf("character %d of %q (%q) is placed at %q", i, n.Value, r, found)
			}
		}
		l.inScalar(n, len([]rune(n.Value))+5)
	}
	visit(&document)
}
