package expr

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// provider answers the checker's questions about declared objects. Their values
// are plain maps, so fields are read as map entries and one that is not there
// is an error.
type provider struct {
	objects map[string]*Object
	// writable are the objects that an expression may write out, by the name it
	// writes.
	writable map[string]*Object
	// misses records fields that were asked for and do not exist, on providers
	// made by recording.
	misses *[]miss
}

type miss struct {
	object *Object
	field  string
}

func newProvider(roots, writable []*Object) (*provider, error) {
	p := &provider{objects: map[string]*Object{}, writable: map[string]*Object{}}
	for _, o := range slices.Concat(roots, writable) {
		if err := p.add(o); err != nil {
			return nil, err
		}
	}
	for _, o := range writable {
		p.writable[o.Name] = o
	}
	return p, nil
}

func (p *provider) add(o *Object) error {
	switch known := p.objects[o.celName()]; {
	case known == o:
		return nil
	case known != nil:
		return fmt.Errorf("declare %s: two objects have that name", o.Name)
	}
	p.objects[o.celName()] = o
	for _, name := range o.Fields() {
		t := o.fields[name]
		for t.kind == list {
			t = *t.elem
		}
		if t.kind == object {
			if err := p.add(t.object); err != nil {
				return err
			}
		}
	}
	return nil
}

// recording returns a provider that notes the fields it is asked for in vain.
func (p *provider) recording() (*provider, *[]miss) {
	misses := &[]miss{}
	return &provider{objects: p.objects, writable: p.writable, misses: misses}, misses
}

func (p *provider) find(name string) (*Object, bool) {
	if o, ok := p.writable[name]; ok {
		return o, true
	}
	o, ok := p.objects[name]
	return o, ok
}

// EnumValue implements [types.Provider]; there are no enumerations.
func (p *provider) EnumValue(name string) ref.Val {
	return types.NewErr("no such enumeration value: %s", name)
}

// FindIdent implements [types.Provider]; there are no constants.
func (p *provider) FindIdent(string) (ref.Val, bool) { return nil, false }

// FindStructType implements [types.Provider].
func (p *provider) FindStructType(name string) (*types.Type, bool) {
	o, ok := p.find(name)
	if !ok {
		return nil, false
	}
	return types.NewTypeTypeWithParam(cel.ObjectType(o.celName())), true
}

// FindStructFieldNames implements [types.Provider].
func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	o, ok := p.find(name)
	if !ok {
		return nil, false
	}
	return o.Fields(), true
}

// FindStructFieldType implements [types.Provider].
func (p *provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	o, ok := p.find(name)
	if !ok {
		return nil, false
	}
	t, ok := o.fields[field]
	if !ok {
		if p.misses != nil {
			*p.misses = append(*p.misses, miss{o, field})
		}
		return nil, false
	}
	return &types.FieldType{Type: t.cel()}, true
}

// NewValue implements [types.Provider]: an object written out in an expression
// becomes a map. Texts that were left out are empty.
func (p *provider) NewValue(name string, fields map[string]ref.Val) ref.Val {
	o, ok := p.writable[strings.TrimPrefix(name, objectPrefix)]
	if !ok {
		return types.NewErr("%s cannot be written out", name)
	}
	out := make(map[string]any, len(o.fields))
	for field, t := range o.fields {
		if v, ok := fields[field]; ok {
			out[field] = v
		} else if t.kind == text {
			out[field] = ""
		}
	}
	return types.DefaultTypeAdapter.NativeToValue(out)
}
