package expr

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Unread is a field of a document whose value is not known. An expression that
// depends on it has no value.
type Unread struct {
	// Path leads to the field, the variable first: ["exposure", "azure", "open"].
	Path []string
	// Reason says what was missing, as part of a sentence.
	Reason string
}

// Read takes the declared fields out of a JSON document. Fields that are null
// or not there are left out. A field whose value is not of its declared type is
// left out and listed as unread, under the given path: a value that cannot be
// trusted must not be taken for one that is not there.
//
// Names are matched as encoding/json matches them, exactly or else without
// regard to case.
func (o *Object) Read(body []byte, path ...string) (map[string]any, []Unread, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var document map[string]any
	if err := decoder.Decode(&document); err != nil {
		return nil, nil, fmt.Errorf("read the document: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, errors.New("read the document: something follows its end")
	}
	if document == nil {
		return nil, nil, errors.New("read the document: it is null")
	}
	r := reader{path: path}
	return r.object(o, document), r.unread, nil
}

// reader walks a document along its declaration.
type reader struct {
	// path leads to the value at hand.
	path   []string
	unread []Unread
}

func (r *reader) object(o *Object, in map[string]any) map[string]any {
	out := make(map[string]any, len(in))
	for _, name := range o.names {
		value, ok := field(in, name)
		if !ok || value == nil {
			continue
		}
		r.path = append(r.path, name)
		if v, ok := r.value(o.fields[name], value); ok {
			out[name] = v
		}
		r.path = r.path[:len(r.path)-1]
	}
	return out
}

// value converts one value to its declared type.
func (r *reader) value(t Type, in any) (any, bool) {
	switch v := in.(type) {
	case bool:
		if t.kind == boolean {
			return v, true
		}
	case string:
		if t.kind == text {
			return v, true
		}
	case json.Number:
		if n, ok := numeric(t, v); ok {
			return n, true
		}
	case []any:
		if t.kind == list {
			return r.list(t, v)
		}
	case map[string]any:
		switch t.kind {
		case object:
			return r.object(t.object, v), true
		case texts:
			return r.texts(v)
		}
	}
	r.miss(fmt.Sprintf("is %s where %s is declared", describe(in), t))
	return nil, false
}

// list converts a list. One with a bad element is unread as a whole: what the
// element says is part of what the list says.
func (r *reader) list(t Type, in []any) (any, bool) {
	out := make([]any, 0, len(in))
	inner := reader{path: slices.Clone(r.path)}
	for _, e := range in {
		if v, ok := inner.value(*t.elem, e); ok {
			out = append(out, v)
		}
	}
	if len(inner.unread) > 0 {
		r.miss("cannot be read: " + inner.unread[0].Reason)
		return nil, false
	}
	return out, true
}

func (r *reader) texts(in map[string]any) (any, bool) {
	out := make(map[string]string, len(in))
	for k, v := range in {
		s, ok := v.(string)
		if !ok {
			r.miss(fmt.Sprintf("holds %s under %q where text is declared", describe(v), k))
			return nil, false
		}
		out[k] = s
	}
	return out, true
}

func (r *reader) miss(what string) {
	r.unread = append(r.unread, Unread{Path: slices.Clone(r.path), Reason: join(r.path) + " " + what})
}

func join(path []string) string { return strings.Join(path, ".") }

func field(in map[string]any, name string) (any, bool) {
	if v, ok := in[name]; ok {
		return v, true
	}
	var folded []string
	for k := range in {
		if strings.EqualFold(k, name) {
			folded = append(folded, k)
		}
	}
	if len(folded) == 0 {
		return nil, false
	}
	return in[slices.Min(folded)], true
}

// numeric converts to the declared kind of number, without losing any of it.
func numeric(t Type, n json.Number) (any, bool) {
	switch t.kind {
	case integer:
		if i, err := strconv.ParseInt(n.String(), 10, 64); err == nil {
			return i, true
		}
		f, err := n.Float64()
		if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
			return nil, false
		}
		return int64(f), true
	case number:
		f, err := n.Float64()
		return f, err == nil
	default:
		return nil, false
	}
}

func describe(v any) string {
	switch v.(type) {
	case bool:
		return "true or false"
	case string:
		return "text"
	case json.Number:
		return "a number"
	case []any:
		return "a list"
	case nil:
		return "null"
	default:
		return "an object"
	}
}
