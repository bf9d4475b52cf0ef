package azuresim

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// bicep is Microsoft's generated types of one API version: bodies only, and
// for the newest version all there is.
type bicep struct{ types []bicepType }

type bicepType struct {
	Kind       string                   `json:"$type"`
	Name       string                   `json:"name"`
	Body       bicepRef                 `json:"body"`
	Properties map[string]bicepProperty `json:"properties"`
	Additional *bicepRef                `json:"additionalProperties"`
	Item       bicepRef                 `json:"itemType"`
	Elements   []bicepRef               `json:"elements"`
	Value      string                   `json:"value"`
	Pattern    string                   `json:"pattern"`
}

type bicepRef struct {
	Ref string `json:"$ref"`
}

type bicepProperty struct {
	Type  bicepRef `json:"type"`
	Flags int      `json:"flags"`
}

// Flags of a property.
const (
	bicepRequired  = 1
	bicepWriteOnly = 4
)

var loadBicep = sync.OnceValue(func() *bicep {
	dir, found := findShared()
	if !found {
		return nil
	}
	raw, err := os.ReadFile(filepath.Join(dir, "openapi", "bicep-types", "postgresql", "microsoft.dbforpostgresql", "2025-08-01", "types.json"))
	if err != nil {
		panic(err)
	}
	var b bicep
	if err := json.Unmarshal(raw, &b.types); err != nil {
		panic(err)
	}
	return &b
})

func (b *bicep) at(r bicepRef) bicepType {
	i, err := strconv.Atoi(strings.TrimPrefix(r.Ref, "#/"))
	if err != nil {
		panic(fmt.Errorf("reference %q: %w", r.Ref, err))
	}
	return b.types[i]
}

// resource is the type of a resource, named as Microsoft.X/a/b@version.
func (b *bicep) resource(name string) (bicepRef, bool) {
	i := slices.IndexFunc(b.types, func(t bicepType) bool {
		return t.Kind == "ResourceType" && strings.EqualFold(t.Name, name)
	})
	if i < 0 {
		return bicepRef{}, false
	}
	return b.types[i].Body, true
}

// problems are where a value is not of a type: a property that it does not
// have, one that is missing or never answered, or a wrong kind of value.
func (b *bicep) problems(r bicepRef, v any, path string) []string {
	t := b.at(r)
	bad := func(is bool) []string {
		if is {
			return nil
		}
		return []string{fmt.Sprintf("%s: %v is no %s %s", path, v, t.Kind, t.Value)}
	}
	switch t.Kind {
	case "ObjectType":
		return b.objectProblems(t, v, path)
	case "ArrayType":
		list, is := v.([]any)
		found := bad(is)
		for _, e := range list {
			found = append(found, b.problems(t.Item, e, path+"[]")...)
		}
		return found
	case "UnionType":
		for _, e := range t.Elements {
			if len(b.problems(e, v, path)) == 0 {
				return nil
			}
		}
		return bad(false)
	case "StringType":
		_, is := v.(string)
		return bad(is)
	case "StringLiteralType":
		return bad(v == t.Value)
	case "BooleanType":
		_, is := v.(bool)
		return bad(is)
	case "IntegerType":
		n, is := v.(float64)
		return bad(is && n == float64(int64(n)))
	case "AnyType":
		return nil
	}
	return []string{fmt.Sprintf("%s: the comparison does not know %s", path, t.Kind)}
}

func (b *bicep) objectProblems(t bicepType, v any, path string) []string {
	object, is := v.(map[string]any)
	if !is {
		return []string{fmt.Sprintf("%s: %v is no object", path, v)}
	}
	var found []string
	for _, k := range slices.Sorted(maps.Keys(object)) {
		p, known := t.Properties[k]
		switch {
		case known && p.Flags&bicepWriteOnly != 0:
			found = append(found, join(path, k)+": is never answered")
		case known:
			found = append(found, b.problems(p.Type, object[k], join(path, k))...)
		case t.Additional != nil:
			found = append(found, b.problems(*t.Additional, object[k], join(path, k))...)
		default:
			found = append(found, join(path, k)+": unknown property")
		}
	}
	for k, p := range t.Properties {
		if _, there := object[k]; !there && p.Flags&bicepRequired != 0 {
			found = append(found, join(path, k)+": missing")
		}
	}
	return found
}

func TestBicepFindsProblems(t *testing.T) {
	sharedDir(t)
	b := loadBicep()
	ref, found := b.resource(namespace + "/flexibleServers/firewallRules@2025-08-01")
	if !found {
		t.Fatal("there is no type for firewall rules")
	}
	got := b.problems(ref, map[string]any{
		"id": "x", "name": "r", "type": "Microsoft.DBforPostgreSQL/flexibleServers/firewallRules", "colour": "red",
		"properties": map[string]any{"startIpAddress": 1},
	}, "")
	want := "[colour: unknown property properties.startIpAddress: 1 is no StringType  properties.endIpAddress: missing]"
	if fmt.Sprint(got) != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
}
