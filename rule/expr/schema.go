package expr

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
)

// Object is a declared object type: a name to show and the fields it has.
type Object struct {
	// Name is what messages call the object: "exposure", "door",
	// "resource.properties".
	Name   string
	fields map[string]Type
	// names are the fields' names, sorted.
	names []string
}

// Fields returns the names of the object's fields, sorted.
func (o *Object) Fields() []string { return slices.Clone(o.names) }

// Field returns the declared type of a field.
func (o *Object) Field(name string) (Type, bool) {
	t, ok := o.fields[name]
	return t, ok
}

// Type is the declared type of a value.
type Type struct {
	kind kind
	// elem is the type of a list's elements.
	elem *Type
	// object is set for objects.
	object *Object
}

type kind int

const (
	boolean kind = iota
	integer
	number
	text
	texts // a map from text to text, such as tags
	list
	object
)

// String is the type as a person says it: "text", "list of door".
func (t Type) String() string {
	switch t.kind {
	case boolean:
		return "true or false"
	case integer:
		return "whole number"
	case number:
		return "number"
	case text:
		return "text"
	case texts:
		return "map of texts"
	case list:
		return "list of " + t.elem.String()
	default:
		return t.object.Name
	}
}

// Elem returns the type of a list's elements.
func (t Type) Elem() (Type, bool) {
	if t.kind != list {
		return Type{}, false
	}
	return *t.elem, true
}

// Object returns the object type of an object.
func (t Type) Object() (*Object, bool) { return t.object, t.kind == object }

// cel is the type as the checker knows it.
func (t Type) cel() *cel.Type {
	switch t.kind {
	case boolean:
		return cel.BoolType
	case integer:
		return cel.IntType
	case number:
		return cel.DoubleType
	case text:
		return cel.StringType
	case texts:
		return cel.MapType(cel.StringType, cel.StringType)
	case list:
		return cel.ListType(t.elem.cel())
	default:
		return cel.ObjectType(t.object.celName())
	}
}

// objectPrefix keeps object names apart from everything that can be written in
// an expression: no identifier holds a space, so `resource.properties` can only
// mean the field and never the type of that name.
const objectPrefix = "object "

func (o *Object) celName() string { return objectPrefix + o.Name }

// Declare derives an object type from the json tags of structs. Where two
// structs have a field of the same name the earlier one counts. Embedded
// structs are flattened as encoding/json does, pointers are followed, and a
// named struct type gives its name to the object, without a trailing
// "Document"; a nameless one is called by the path to it.
//
// Field types that a policy could not be checked against (interfaces, maps
// other than map[string]string) are an error.
func Declare(name string, structs ...any) (*Object, error) {
	d := declarer{known: map[reflect.Type]*Object{}}
	o := &Object{Name: name, fields: map[string]Type{}}
	for _, s := range structs {
		if err := d.fill(o, reflect.TypeOf(s), name); err != nil {
			return nil, fmt.Errorf("declare %s: %w", name, err)
		}
	}
	return o, nil
}

// declarer remembers the object types it has made, so that one Go type is one
// object type: two lists of the same struct can then be joined or compared.
type declarer struct {
	known map[reflect.Type]*Object
}

func (d declarer) fill(o *Object, t reflect.Type, path string) error {
	for f := range t.Fields() {
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && tag == "" && f.Type.Kind() == reflect.Struct:
			if err := d.fill(o, f.Type, path); err != nil {
				return err
			}
			continue
		case tag == "" || tag == "-":
			continue
		}
		if _, taken := o.fields[tag]; taken {
			continue
		}
		ft, err := d.typeOf(f.Type, path+"."+tag)
		if err != nil {
			return err
		}
		o.fields[tag] = ft
	}
	o.names = slices.Sorted(maps.Keys(o.fields))
	return nil
}

func (d declarer) typeOf(t reflect.Type, path string) (Type, error) {
	switch t.Kind() {
	case reflect.Pointer:
		return d.typeOf(t.Elem(), path)
	case reflect.Bool:
		return Type{kind: boolean}, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return Type{kind: integer}, nil
	case reflect.Float32, reflect.Float64:
		return Type{kind: number}, nil
	case reflect.String:
		return Type{kind: text}, nil
	case reflect.Slice:
		elem, err := d.typeOf(t.Elem(), path+"[]")
		return Type{kind: list, elem: &elem}, err
	case reflect.Map:
		if t == reflect.TypeFor[map[string]string]() {
			return Type{kind: texts}, nil
		}
	case reflect.Struct:
		return d.objectOf(t, path)
	}
	return Type{}, fmt.Errorf("%s has the Go type %s, which no expression can be checked against", path, t)
}

func (d declarer) objectOf(t reflect.Type, path string) (Type, error) {
	if o, ok := d.known[t]; ok {
		return Type{kind: object, object: o}, nil
	}
	name := path
	if t.Name() != "" {
		name = strings.TrimSuffix(t.Name(), "Document")
		name = strings.ToLower(name[:1]) + name[1:]
	}
	o := &Object{Name: name, fields: map[string]Type{}}
	d.known[t] = o
	return Type{kind: object, object: o}, d.fill(o, t, path)
}
