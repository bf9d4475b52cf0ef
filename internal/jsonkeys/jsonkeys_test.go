package jsonkeys_test

import (
	"encoding/json"
	"testing"

	"github.com/posternhq/postern/internal/jsonkeys"
)

func TestTwice(t *testing.T) {
	tests := []struct {
		doc   string
		depth int
		want  string
	}{
		{`{}`, 0, ""},
		{`{"a":1,"b":{"a":2}}`, 0, ""},
		{`[{"a":1},{"a":1}]`, 0, ""},
		{`{"a":1,"a":2}`, 0, "a"},
		{`{"a":1,"b":2,"A":3}`, 0, "A"},
		{`{"k":1,"\u212a":2}`, 0, "\u212a"},
		{`{"p":{"x":[{"n":1,"N":2}]}}`, 0, "N"},
		{`{"p":{"x":[{"n":1,"N":2}]},"q":1}`, 1, ""},
		{`{"value":[],"nextLink":"x","VALUE":[]}`, 1, "VALUE"},
		{`{"tags":{"env":"a","Env":"b"},"x":1}`, 0, ""},
		{`{"tags":{"env":"a","Env":"b"},"x":1,"X":2}`, 0, "X"},
		{`5`, 0, ""},
		{`"s"`, 0, ""},
		{``, 0, ""},
		{`{"a":`, 0, ""},
	}
	for _, tt := range tests {
		if got := jsonkeys.Twice([]byte(tt.doc), tt.depth); got != tt.want {
			t.Errorf("%s to depth %d: %q, want %q", tt.doc, tt.depth, got, tt.want)
		}
	}
}

// It ends, whatever it is given, and finds a key that is put in twice.
func FuzzTwice(f *testing.F) {
	f.Add([]byte(`{"network":{"publicNetworkAccess":"Enabled"}}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		_ = jsonkeys.Twice(doc, 0)
		if json.Valid(doc) {
			doubled := []byte(`{"a":` + string(doc) + `,"A":1}`)
			if jsonkeys.Twice(doc, 0) == "" && jsonkeys.Twice(doubled, 0) != "A" {
				t.Errorf("a second key was not found in %s", doubled)
			}
		}
	})
}
