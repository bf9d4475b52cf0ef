package expr

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
)

// Fault is something wrong with an expression.
type Fault struct {
	// Offset is the place, counted in characters from the start of the source.
	Offset int
	// Message says what was found and what is allowed there.
	Message string
}

// Program is an expression that has passed every check. It is safe for
// concurrent use.
type Program struct {
	source  string
	ast     *ast.AST
	program cel.Program
	reads   []string
	// loops is set when the expression has a loop, and so needs to look at the
	// context while it runs.
	loops bool
}

// Bool compiles an expression that is true or false.
func (e *Env) Bool(source string) (*Program, []Fault) {
	return e.compile(source, "true or false", func(t *cel.Type) bool { return t.IsExactType(cel.BoolType) })
}

// Objects compiles an expression whose value is a list of objects that have at
// least the fields of the given one, with the same types.
func (e *Env) Objects(source string, like *Object) (*Program, []Fault) {
	want := "a list of objects with the fields " + strings.Join(like.Fields(), ", ")
	return e.compile(source, want, func(t *cel.Type) bool {
		if t.Kind() != cel.ListKind {
			return false
		}
		elem := t.Parameters()[0]
		if elem.Kind() == cel.TypeParamKind || elem.Kind() == cel.DynKind {
			return true // the empty list
		}
		o, ok := e.provider.find(elem.TypeName())
		return elem.Kind() == cel.StructKind && ok && o.covers(like)
	})
}

func (o *Object) covers(like *Object) bool {
	for name, t := range like.fields {
		if own, ok := o.fields[name]; !ok || !own.cel().IsExactType(t.cel()) {
			return false
		}
	}
	return true
}

// compile parses, checks and plans. What it says of the expression's type comes
// with the place 0: it is about the whole.
func (e *Env) compile(source, want string, fits func(*cel.Type) bool) (*Program, []Fault) {
	if n := utf8.RuneCountInString(source); n > MaxSource {
		return nil, []Fault{{0, fmt.Sprintf("the expression has %d characters; allowed: at most %d", n, MaxSource)}}
	}
	text := common.NewTextSource(source)
	parsed, issues := e.cel.ParseSource(text)
	if issues.Err() != nil {
		return nil, []Fault{syntaxFault(source, text, issues)}
	}
	checked, issues := e.cel.Check(parsed)
	if issues.Err() != nil {
		return nil, e.typeFaults(source, text, issues)
	}
	tree := checked.NativeRep()
	if faults := e.restrict(tree); len(faults) > 0 {
		return nil, faults
	}
	if t := checked.OutputType(); !fits(t) {
		return nil, []Fault{{0, fmt.Sprintf("this is %s; allowed here: %s", e.described(t), want)}}
	}
	options := []cel.ProgramOption{cel.EvalOptions(cel.OptPartialEval, cel.OptOptimize), cel.InterruptCheckFrequency(interruptEvery)}
	if e.canRunAway(checked) {
		options = append(options, cel.CostLimit(costLimit))
	}
	program, err := e.cel.Program(checked, options...)
	if err != nil {
		return nil, []Fault{{0, err.Error()}}
	}
	return &Program{
		source: source, ast: tree, program: program,
		reads: e.readsOf(tree.Expr()), loops: hasLoop(tree),
	}, nil
}

// canRunAway reports whether the checker cannot prove that one evaluation stays
// far below the limit. Only such expressions are metered while they run:
// metering takes longer than most expressions do.
func (e *Env) canRunAway(checked *cel.Ast) bool {
	estimate, err := e.cel.EstimateCost(checked, unbounded{})
	return err != nil || estimate.Max > costLimit/100
}

// unbounded is an estimator that promises nothing of the size of documents.
type unbounded struct{}

func (unbounded) EstimateSize(cost.AstNode) *cost.SizeEstimate { return nil }

func (unbounded) EstimateCallCost(_, _ string, _ *cost.AstNode, _ []cost.AstNode) *cost.CallEstimate {
	return nil
}

func hasLoop(tree *ast.AST) bool {
	found := false
	ast.PostOrderVisit(tree.Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		found = found || x.Kind() == ast.ComprehensionKind
	}))
	return found
}

// Reads returns the paths of the document that the expression refers to, such
// as "exposure.azure.open", sorted and without repetition. A path stands for
// everything below it.
func (p *Program) Reads() []string { return slices.Clone(p.reads) }

// Source returns the expression as it was written.
func (p *Program) Source() string { return p.source }
