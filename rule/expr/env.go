package expr

import (
	"fmt"
	"maps"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/ext"
)

// MaxSource is the longest expression that is compiled, in characters.
const MaxSource = 4096

// The other bounds of an expression from a stranger.
const (
	maxDepth = 100
	maxNodes = 5000
	// costLimit bounds one evaluation, in CEL's units: a simple step, or ten
	// characters of text. Looking at each of ten thousand firewall rules takes
	// about a third of it, and all of it is less than a tenth of a second.
	costLimit = 250_000
	// interruptEvery is how many steps of a loop pass between two looks at the
	// context.
	interruptEvery = 64
	maxRegexp      = 2000
)

// Functions are the functions that an expression may call. `names` and `count`
// are Postern's own; the others are CEL's, less those whose result can be many
// times the size of what they are given.
var Functions = []string{
	"charAt", "contains", "count", "double", "endsWith", "indexOf", "int", "lastIndexOf",
	"lowerAscii", "matches", "names", "size", "split", "startsWith", "string", "substring",
	"trim", "upperAscii",
}

// Macros are the other forms of call: tests for a field and loops over a list.
var Macros = []string{"all", "exists", "exists_one", "filter", "has", "map"}

var symbols = []string{
	operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot, operators.Conditional,
	operators.Equals, operators.NotEquals, operators.Less, operators.LessEquals,
	operators.Greater, operators.GreaterEquals, operators.Add, operators.Subtract,
	operators.Multiply, operators.Divide, operators.Modulo, operators.Negate,
	operators.Index, operators.In, operators.NotStrictlyFalse,
}

// Env is what expressions are compiled against: the variables they see and the
// objects they may make. It is safe for concurrent use.
type Env struct {
	cel       *cel.Env
	variables map[string]*Object
	provider  *provider
}

// NewEnv declares variables by name, and the objects that an expression may
// write out, as in `Evidence{name: "x"}`.
func NewEnv(variables map[string]*Object, writable ...*Object) (*Env, error) {
	p, err := newProvider(slices.Collect(maps.Values(variables)), writable)
	if err != nil {
		return nil, err
	}
	functions := make([]*env.Function, 0, len(symbols)+len(Functions))
	for _, name := range slices.Concat(symbols, Functions) {
		functions = append(functions, &env.Function{Name: name})
	}
	options := []cel.EnvOption{
		cel.StdLib(cel.StdLibSubset(&env.LibrarySubset{IncludeFunctions: functions})),
		ext.Strings(),
		cel.CustomTypeProvider(p),
		cel.CustomTypeAdapter(types.DefaultTypeAdapter),
		cel.CrossTypeNumericComparisons(true),
		cel.ParserExpressionSizeLimit(MaxSource),
		cel.ParserRecursionLimit(maxDepth),
		cel.ExpressionNodeLimit(maxNodes),
		cel.RegexProgramSizeLimit(maxRegexp),
		cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateHomogeneousAggregateLiterals()),
	}
	options = append(options, ownFunctions()...)
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		options = append(options, cel.Variable(name, cel.ObjectType(variables[name].celName())))
	}
	e, err := cel.NewCustomEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("prepare the expression language: %w", err)
	}
	return &Env{cel: e, variables: variables, provider: p}, nil
}

// Variables returns the names of the variables, sorted.
func (e *Env) Variables() []string { return slices.Sorted(maps.Keys(e.variables)) }
