package expr

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
)

// Undecided is why an expression has no value. It is no failure of the program:
// it is the answer when the documents do not say enough.
type Undecided struct {
	// Reasons say what was missing, one for each thing, without repetition.
	Reasons []string
}

// Error joins the reasons.
func (u *Undecided) Error() string { return strings.Join(u.Reasons, "; ") }

// Vars are the documents that expressions are evaluated against. They are safe
// for concurrent use: nothing changes them.
type Vars struct {
	values   map[string]any
	unread   []Unread
	bindings any
}

// NewVars binds documents to the variables of an [Env], with the fields that
// were not read. Those may have a value in the documents all the same: then the
// value is only part of the truth, and [Vars.Seen] is what shows it.
func NewVars(values map[string]any, unread []Unread) *Vars {
	v := &Vars{values: values, unread: unread, bindings: values}
	if len(unread) == 0 {
		return v
	}
	patterns := make([]*cel.AttributePatternType, 0, len(unread))
	for _, u := range unread {
		p := cel.AttributePattern(u.Path[0])
		for _, name := range u.Path[1:] {
			p.QualString(name)
		}
		patterns = append(patterns, p)
	}
	// The values are a map, which is the only thing this can object to.
	v.bindings, _ = cel.PartialVars(values, patterns...)
	return v
}

// Seen is the same documents with unread fields taken as far as they were read.
// It is for showing what was found, never for deciding that nothing was.
func (v *Vars) Seen() *Vars {
	return &Vars{values: v.values, bindings: v.values}
}

// Truth evaluates an expression made by [Env.Bool]. Its error is [*Undecided],
// and then the answer is neither true nor false.
func (p *Program) Truth(ctx context.Context, vars *Vars) (bool, error) {
	out, err := p.eval(ctx, vars)
	if err != nil {
		return false, err
	}
	return out == types.True, nil
}

// Items evaluates an expression made by [Env.Objects] and returns the named
// fields of each object, in order. Its error is [*Undecided].
func (p *Program) Items(ctx context.Context, vars *Vars, fields ...string) ([][]string, error) {
	out, err := p.eval(ctx, vars)
	if err != nil {
		return nil, err
	}
	l := out.(traits.Lister)
	size := int(l.Size().(types.Int))
	items := make([][]string, 0, size)
	for i := range size {
		m, ok := l.Get(types.Int(i)).(traits.Mapper)
		if !ok {
			return nil, &Undecided{[]string{fmt.Sprintf("item %d of `%s` is not an object", i+1, p.shown())}}
		}
		item := make([]string, len(fields))
		for j, f := range fields {
			if v, found := m.Find(types.String(f)); found {
				item[j], _ = v.Value().(string)
			}
		}
		items = append(items, item)
	}
	return items, nil
}

// eval runs the program. The value it returns is of the type that was checked.
func (p *Program) eval(ctx context.Context, vars *Vars) (ref.Val, error) {
	var out ref.Val
	var err error
	if p.loops {
		out, _, err = p.program.ContextEval(ctx, vars.bindings)
	} else {
		out, _, err = p.program.Eval(vars.bindings)
	}
	if unknown, ok := out.(*types.Unknown); ok {
		return nil, vars.undecided(unknown)
	}
	if err != nil {
		return nil, &Undecided{[]string{p.explain(err, vars)}}
	}
	return out, nil
}

// undecided collects the reasons of the unread fields at, below or above the
// paths that an unknown value depends on, in the order of the unread fields.
func (v *Vars) undecided(unknown *types.Unknown) *Undecided {
	var paths [][]string
	for _, id := range unknown.IDs() {
		trails, _ := unknown.GetAttributeTrails(id)
		for _, t := range trails {
			path := []string{t.Variable()}
			for _, q := range t.QualifierPath() {
				path = append(path, fmt.Sprint(q))
			}
			paths = append(paths, path)
		}
	}
	var reasons []string
	for _, u := range v.unread {
		if slices.ContainsFunc(paths, func(p []string) bool { return overlap(p, u.Path) }) {
			reasons = append(reasons, cmp.Or(u.Reason, join(u.Path)+" was not read"))
		}
	}
	return &Undecided{unique(reasons)}
}

// overlap reports whether one path leads to or through the other.
func overlap(a, b []string) bool {
	n := min(len(a), len(b))
	return slices.Equal(a[:n], b[:n])
}

func unique(in []string) []string {
	out := make([]string, 0, len(in))
	for _, s := range in {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// shown is the expression on one line, for a message.
func (p *Program) shown() string {
	const enough = 80
	return shorten(strings.Join(strings.Fields(p.source), " "), enough)
}

// explain words a runtime error, above all a field that is not there.
func (p *Program) explain(err error, vars *Vars) string {
	var stopped interpreter.EvalCancelledError
	if errors.As(err, &stopped) && stopped.Cause == interpreter.CostLimitExceeded {
		return fmt.Sprintf("the policy takes too many steps on this resource, at `%s`", p.shown())
	}
	var e *types.Err
	if errors.As(err, &e) {
		if path, ok := p.missing(e.NodeID(), vars); ok {
			return path + " is absent from the document"
		}
	}
	return fmt.Sprintf("the policy stopped at `%s`: %v", p.shown(), err)
}

// missing walks the path that was being read when the error arose, and names
// the first part of it that is not there.
func (p *Program) missing(id int64, vars *Vars) (string, bool) {
	var path []string
	ast.PreOrderVisit(p.ast.Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		if spelled, ok := spelling(x); ok && len(spelled) > len(path) && within(x, id) {
			path = spelled
		}
	}))
	if len(path) == 0 || vars.values[path[0]] == nil {
		return "", false // a name that a loop gave
	}
	var at any = vars.values
	for i, name := range path {
		m, ok := at.(map[string]any)
		if !ok {
			return "", false
		}
		if at, ok = m[name]; !ok {
			return join(path[:i+1]), true
		}
	}
	return "", false
}

// spelling is the path that a chain of names makes, whatever it starts at.
func spelling(x ast.Expr) ([]string, bool) {
	switch x.Kind() {
	case ast.IdentKind:
		return []string{x.AsIdent()}, true
	case ast.SelectKind:
		path, ok := spelling(x.AsSelect().Operand())
		return append(path, x.AsSelect().FieldName()), ok
	default:
		return nil, false
	}
}

func within(x ast.Expr, id int64) bool {
	return nodeByID(x, id) != nil
}
