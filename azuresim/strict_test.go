package azuresim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// A JSON Schema without additionalProperties lets every unknown property pass,
// and Swagger documents never have it where it matters. unknown is the strict
// half of the comparison: it walks a value beside its schema and reports every
// property that the schema does not name.
func (s *swagger) unknown(n node, value any, path string) []string {
	n = s.follow(n)
	switch value := value.(type) {
	case []any:
		items, isObject := n.json["items"].(map[string]any)
		if !isObject {
			return nil
		}
		var found []string
		for _, v := range value {
			found = append(found, s.unknown(node{n.file, items}, v, path)...)
		}
		return found
	case map[string]any:
		props, rest, open := s.properties(n)
		var found []string
		for _, k := range slices.Sorted(maps.Keys(value)) {
			below := join(path, k)
			switch p, known := props[k]; {
			case known:
				found = append(found, s.unknown(p, value[k], below)...)
			case rest.json != nil:
				found = append(found, s.unknown(rest, value[k], below)...)
			case !open:
				found = append(found, below)
			}
		}
		return found
	}
	return nil
}

// properties are what an object may have: its own and those of everything it
// is made of. rest is the schema of any other property, and open says that
// there is none and anything goes.
func (s *swagger) properties(n node) (props map[string]node, rest node, open bool) {
	n = s.follow(n)
	props = map[string]node{}
	own, _ := n.json["properties"].(map[string]any)
	for k, p := range own {
		props[k] = node{n.file, p.(map[string]any)}
	}
	all, _ := n.json["allOf"].([]any)
	for _, part := range all {
		more, moreRest, _ := s.properties(node{n.file, part.(map[string]any)})
		maps.Copy(props, more)
		if moreRest.json != nil {
			rest = moreRest
		}
	}
	switch additional := n.json["additionalProperties"].(type) {
	case map[string]any:
		rest = node{n.file, additional}
	case bool:
		open = additional
	}
	return props, rest, open || len(props) == 0 && rest.json == nil
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func TestUnknownPropertiesAreFound(t *testing.T) {
	sharedDir(t)
	s := loadSwagger()
	r, err := s.response(address{provider: namespace, types: []string{"flexibleServers"}},
		"/subscriptions/s/providers/Microsoft.DBforPostgreSQL/flexibleServers", "2024-08-01", "GET", 200)
	if err != nil {
		t.Fatal(err)
	}
	schema := node{r.file, r.json["schema"].(map[string]any)}
	got := s.unknown(schema, map[string]any{"value": []any{map[string]any{
		"id": "x", "colour": "red", "tags": map[string]any{"any": "thing"},
		"properties": map[string]any{"state": "Ready", "network": map[string]any{"open": true}},
	}}}, "")
	want := "[value.colour value.properties.network.open]"
	if fmt.Sprint(got) != want {
		t.Errorf("unknown properties: got %v, want %s", got, want)
	}
	if compiled, err := s.compiled(schema); err != nil {
		t.Error(err)
	} else if err := compiled.Validate(map[string]any{"value": "text"}); err == nil || !strings.Contains(err.Error(), "array") {
		t.Errorf("a list that is text was not refused: %v", err)
	}
}
