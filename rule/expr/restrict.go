package expr

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"

	"github.com/posternhq/postern/internal/suggest"
)

// restrict checks what the type checker lets through and a stranger's
// expression must not have. Lists of lists, and values whose type nobody can
// tell and that may be such lists, are the way to values that double in size
// with every step, which no limit on steps catches in time; a pattern that is
// not written out cannot be checked before it runs; some functions of the
// strings extension make a large text of a small one.
func (e *Env) restrict(tree *ast.AST) []Fault {
	var faults []Fault
	fault := func(x ast.Expr, format string, args ...any) {
		faults = append(faults, Fault{offset(tree, x.ID()), fmt.Sprintf(format, args...)})
	}
	ast.PostOrderVisit(tree.Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		switch x.Kind() {
		case ast.CallKind:
			call := x.AsCall()
			if name := call.FunctionName(); !slices.Contains(symbols, name) && !slices.Contains(Functions, name) {
				fault(x, "no function %q here%s", name, suggest.Allowed(name, slices.Concat(Functions, Macros)))
			} else if name == "matches" && call.Args()[len(call.Args())-1].Kind() != ast.LiteralKind {
				fault(x, "the pattern of matches() must be written out in quotes")
			}
		case ast.StructKind:
			if name := x.AsStruct().TypeName(); e.provider.writable[strings.TrimPrefix(name, objectPrefix)] == nil {
				fault(x, "%s cannot be written out", e.words(tree.GetType(x.ID())))
			}
		}
		switch t := tree.GetType(x.ID()); {
		case isListOfLists(t):
			fault(x, "this is %s; a list holds texts, numbers, true or false, or objects", e.described(t))
		case isOpen(t) && !isEmptyLiteral(x):
			fault(x, "the type of this cannot be told before it runs")
		}
	}))
	return firstOfEach(faults)
}

func offset(tree *ast.AST, id int64) int {
	r, _ := tree.SourceInfo().GetOffsetRange(id)
	return int(r.Start)
}

func isListOfLists(t *cel.Type) bool {
	if t == nil || t.Kind() != cel.ListKind {
		return false
	}
	k := t.Parameters()[0].Kind()
	return k == cel.ListKind || k == cel.MapKind
}

// isOpen reports whether part of the type is not known.
func isOpen(t *cel.Type) bool {
	if t == nil {
		return false
	}
	return t.Kind() == cel.DynKind || t.Kind() == cel.TypeParamKind || slices.ContainsFunc(t.Parameters(), isOpen)
}

// isEmptyLiteral reports whether this is [] or {}: of no type, and no danger.
func isEmptyLiteral(x ast.Expr) bool {
	return x.Kind() == ast.ListKind && x.AsList().Size() == 0 ||
		x.Kind() == ast.MapKind && x.AsMap().Size() == 0
}

// firstOfEach keeps the first fault of each place: what is wrong with a part
// shows again in everything around it.
func firstOfEach(faults []Fault) []Fault {
	slices.SortStableFunc(faults, func(a, b Fault) int { return cmp.Compare(a.Offset, b.Offset) })
	return slices.CompactFunc(faults, func(a, b Fault) bool { return a.Offset == b.Offset })
}
