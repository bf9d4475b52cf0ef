package expr

import (
	"slices"

	"cel.dev/cel-go/common/ast"
)

// readsOf collects the paths from a variable that an expression refers to. A
// path ends where a loop, an index or a call begins, and then stands for all
// below it.
func (e *Env) readsOf(x ast.Expr) []string {
	var paths []string
	var visit func(ast.Expr)
	visit = func(x ast.Expr) {
		if path, ok := e.path(x); ok {
			paths = append(paths, path)
			return
		}
		for _, c := range children(x) {
			visit(c)
		}
	}
	visit(x)
	slices.Sort(paths)
	return slices.Compact(paths)
}

// path returns the dotted path that an expression spells, if it does nothing
// else and starts at a variable. A name that a loop took for its own is no
// variable, but taking it for one only adds to what is read.
func (e *Env) path(x ast.Expr) (string, bool) {
	switch x.Kind() {
	case ast.IdentKind:
		_, ok := e.variables[x.AsIdent()]
		return x.AsIdent(), ok
	case ast.SelectKind:
		s := x.AsSelect()
		operand, ok := e.path(s.Operand())
		return operand + "." + s.FieldName(), ok
	default:
		return "", false
	}
}

func children(x ast.Expr) []ast.Expr {
	switch x.Kind() {
	case ast.SelectKind:
		return []ast.Expr{x.AsSelect().Operand()}
	case ast.CallKind:
		c := x.AsCall()
		if c.IsMemberFunction() {
			return append([]ast.Expr{c.Target()}, c.Args()...)
		}
		return c.Args()
	case ast.ListKind:
		return x.AsList().Elements()
	case ast.MapKind:
		var out []ast.Expr
		for _, e := range x.AsMap().Entries() {
			out = append(out, e.AsMapEntry().Key(), e.AsMapEntry().Value())
		}
		return out
	case ast.StructKind:
		var out []ast.Expr
		for _, f := range x.AsStruct().Fields() {
			out = append(out, f.AsStructField().Value())
		}
		return out
	case ast.ComprehensionKind:
		c := x.AsComprehension()
		return []ast.Expr{c.IterRange(), c.AccuInit(), c.LoopCondition(), c.LoopStep(), c.Result()}
	default:
		return nil
	}
}
