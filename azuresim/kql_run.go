package azuresim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// column is one of a relation's, with its type in KQL's words.
type column struct{ name, typ string }

// record is a row that is looked into by column.
type record interface {
	// value is nil, a string, a float64, a bool, a time.Time, or of
	// encoding/json's types.
	value(column string) any
}

type mapRecord map[string]any

func (m mapRecord) value(column string) any { return m[column] }

type relation struct {
	columns []column
	records []record
}

func (r relation) column(name string) (column, bool) {
	i := slices.IndexFunc(r.columns, func(c column) bool { return c.name == name })
	if i < 0 {
		return column{}, false
	}
	return r.columns[i], true
}

// need refuses a query that speaks of columns which are not there.
func (r relation) need(operator string, names ...string) *kqlError {
	for _, n := range names {
		if _, there := r.column(n); !there {
			return &kqlError{semantic: true, token: n,
				message: fmt.Sprintf("'%s' operator: Failed to resolve column or scalar expression named '%s'", operator, n)}
		}
	}
	return nil
}

// run takes a relation through the steps of a query.
func (q kql) run(r relation) (relation, *kqlError) {
	for _, s := range q.stages {
		var err *kqlError
		if r, err = s.apply(r); err != nil {
			return relation{}, err
		}
	}
	return r, nil
}

// expression is a column, or a place inside of one, perhaps as text.
type expression struct {
	column   string
	path     []string
	function string
}

func (e expression) defaultName() string {
	return strings.Join(append([]string{e.column}, e.path...), "_")
}

func (e expression) value(r record) any {
	v := r.value(e.column)
	for _, part := range e.path {
		switch in := v.(type) {
		case map[string]any:
			v = in[part]
		case []any:
			v = nil
			if n, err := strconv.Atoi(part); err == nil && n < len(in) {
				v = in[n]
			}
		default:
			v = nil
		}
	}
	switch e.function {
	case "tostring":
		return textOf(v)
	case "tolower":
		return lower(textOf(v))
	}
	return v
}

func (e expression) typ(r relation) string {
	c, _ := r.column(e.column)
	switch {
	case e.function != "":
		return "string"
	case len(e.path) > 0:
		return "dynamic"
	}
	return c.typ
}

// textOf is a value as tostring() makes it.
func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case time.Time:
		return v.UTC().Format("2006-01-02T15:04:05.0000000Z")
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	raw, _ := json.Marshal(v) // of encoding/json's own types
	return string(raw)
}

type where struct{ condition condition }

func (w where) apply(r relation) (relation, *kqlError) {
	if err := r.need("where", w.condition.columns()...); err != nil {
		return relation{}, err
	}
	var kept []record
	for _, rec := range r.records {
		if w.condition.holds(rec) {
			kept = append(kept, rec)
		}
	}
	return relation{r.columns, kept}, nil
}

type named struct {
	name string
	expression
}

type project struct{ columns []named }

func (p project) apply(r relation) (relation, *kqlError) {
	out := relation{records: make([]record, len(r.records))}
	for _, c := range p.columns {
		if err := r.need("project", c.column); err != nil {
			return relation{}, err
		}
		out.columns = append(out.columns, column{c.name, c.typ(r)})
	}
	for i, rec := range r.records {
		row := make(mapRecord, len(p.columns))
		for _, c := range p.columns {
			row[c.name] = c.value(rec)
		}
		out.records[i] = row
	}
	return out, nil
}

type orderBy struct {
	expression
	descending bool
}

type order struct{ by []orderBy }

func (o order) apply(r relation) (relation, *kqlError) {
	for _, by := range o.by {
		if err := r.need("order", by.column); err != nil {
			return relation{}, err
		}
	}
	sorted := slices.Clone(r.records)
	slices.SortStableFunc(sorted, func(a, b record) int {
		for _, by := range o.by {
			c := compare(by.value(a), by.value(b))
			if by.descending {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
	return relation{r.columns, sorted}, nil
}

type take struct{ n int }

func (t take) apply(r relation) (relation, *kqlError) {
	return relation{r.columns, r.records[:min(t.n, len(r.records))]}, nil
}

type output struct {
	name, function string
	of             expression
}

type summarize struct {
	outputs []output
	by      []named
}

// apply counts and compares, for each group or, without groups, over everything,
// be it nothing.
func (s summarize) apply(r relation) (relation, *kqlError) {
	var out relation
	for _, by := range s.by {
		if err := r.need("summarize", by.column); err != nil {
			return relation{}, err
		}
		out.columns = append(out.columns, column{by.name, by.typ(r)})
	}
	for _, o := range s.outputs {
		typ := "long"
		if o.function != "count" {
			if err := r.need("summarize", o.of.column); err != nil {
				return relation{}, err
			}
			typ = o.of.typ(r)
		}
		out.columns = append(out.columns, column{o.name, typ})
	}
	groups := map[string]mapRecord{}
	if len(s.by) == 0 {
		groups[""] = s.newGroup(nil)
		out.records = append(out.records, groups[""])
	}
	for _, rec := range r.records {
		var key strings.Builder
		for _, by := range s.by {
			key.WriteString(strconv.Quote(textOf(by.value(rec))))
		}
		g := groups[key.String()]
		if g == nil {
			g = s.newGroup(rec)
			groups[key.String()] = g
			out.records = append(out.records, g)
		}
		s.add(g, rec)
	}
	return out, nil
}

func (s summarize) newGroup(of record) mapRecord {
	g := mapRecord{}
	for _, by := range s.by {
		g[by.name] = by.value(of)
	}
	for _, o := range s.outputs {
		if o.function == "count" {
			g[o.name] = float64(0)
		}
	}
	return g
}

func (s summarize) add(g mapRecord, rec record) {
	for _, o := range s.outputs {
		if o.function == "count" {
			g[o.name] = g[o.name].(float64) + 1
			continue
		}
		v, sofar := o.of.value(rec), g[o.name]
		if v == nil {
			continue
		}
		if c := compare(v, sofar); sofar == nil || o.function == "min" && c < 0 || o.function == "max" && c > 0 {
			g[o.name] = v
		}
	}
}
