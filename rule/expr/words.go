package expr

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"

	"github.com/posternhq/postern/internal/suggest"
)

// words is a CEL type as a person says it.
func (e *Env) words(t *cel.Type) string {
	switch t.Kind() {
	case cel.BoolKind:
		return "true or false"
	case cel.IntKind, cel.UintKind:
		return "whole number"
	case cel.DoubleKind:
		return "number"
	case cel.StringKind:
		return "text"
	case cel.ListKind:
		return "list of " + e.words(t.Parameters()[0])
	case cel.MapKind:
		return "map from " + e.words(t.Parameters()[0]) + " to " + e.words(t.Parameters()[1])
	case cel.StructKind:
		return strings.TrimPrefix(t.TypeName(), objectPrefix)
	case cel.DynKind, cel.TypeParamKind:
		return "anything"
	default:
		return t.String()
	}
}

// described is a type with its article, for "this is …".
func (e *Env) described(t *cel.Type) string {
	switch t.Kind() {
	case cel.IntKind, cel.UintKind, cel.DoubleKind, cel.ListKind, cel.MapKind:
		return "a " + e.words(t)
	default:
		return e.words(t)
	}
}

// typeFaults rewords what the type checker found. The checker is run once more
// to learn which object it looked at when a field was missing.
func (e *Env) typeFaults(source string, text common.Source, issues *cel.Issues) []Fault {
	recording, misses := e.provider.recording()
	if again, err := e.cel.Extend(cel.CustomTypeProvider(recording)); err == nil {
		if parsed, found := again.ParseSource(text); found.Err() == nil {
			_, found = again.Check(parsed)
			issues = found
		}
	}
	parsed, _ := e.cel.ParseSource(text)
	faults := make([]Fault, 0, len(issues.Errors()))
	for _, err := range issues.Errors() {
		node := nodeByID(parsed.NativeRep().Expr(), err.ExprID)
		at := place(text, err)
		if message, ok := e.missingField(err.Message, node, misses); ok {
			faults = append(faults, Fault{fieldOffset(source, at), message})
		} else {
			faults = append(faults, Fault{at, e.reword(err.Message, node)})
		}
	}
	return inOrder(faults)
}

var (
	undefinedField = regexp.MustCompile(`^undefined field '(.*)'$`)
	undeclared     = regexp.MustCompile(`^undeclared reference to '([^']*)'`)
	noOverload     = regexp.MustCompile(`^found no matching overload for '([^']*)' applied to '(.*)'$`)
	noSelection    = regexp.MustCompile(`^type '(.*)' does not support field selection$`)
	notARange      = regexp.MustCompile(`^expression of type '(.*)' cannot be range of a comprehension`)
)

func (e *Env) missingField(message string, node ast.Expr, misses *[]miss) (string, bool) {
	found := undefinedField.FindStringSubmatch(message)
	if found == nil {
		return "", false
	}
	i := slices.IndexFunc(*misses, func(m miss) bool { return m.field == found[1] })
	if i < 0 {
		return fmt.Sprintf("no field %q here", found[1]), true
	}
	m := (*misses)[i]
	*misses = slices.Delete(*misses, i, i+1)
	return fmt.Sprintf("no field %q in %s%s", m.field, e.owner(node, m.object), suggest.Allowed(m.field, m.object.Fields())), true
}

// owner is what the field was looked for in: the path as it was written, or the
// object's name.
func (e *Env) owner(node ast.Expr, o *Object) string {
	if node != nil && node.Kind() == ast.SelectKind {
		if path, ok := e.path(node.AsSelect().Operand()); ok {
			return path
		}
	}
	return o.Name
}

func (e *Env) reword(message string, node ast.Expr) string {
	if found := undeclared.FindStringSubmatch(message); found != nil {
		if node != nil && node.Kind() == ast.CallKind {
			return fmt.Sprintf("no function %q%s", found[1], suggest.Allowed(found[1], slices.Concat(Functions, Macros)))
		}
		return fmt.Sprintf("no name %q%s", found[1], suggest.Allowed(found[1], e.Variables()))
	}
	if found := noOverload.FindStringSubmatch(message); found != nil {
		return e.rewordOverload(found[1], plain(found[2]))
	}
	if found := noSelection.FindStringSubmatch(message); found != nil {
		return fmt.Sprintf("a %s has no fields", plain(found[1]))
	}
	if found := notARange.FindStringSubmatch(message); found != nil {
		return fmt.Sprintf("a loop needs a list, and this is a %s", plain(found[1]))
	}
	return plain(message)
}

// rewordOverload says what a function or an operator was given and what it takes.
func (e *Env) rewordOverload(function, given string) string {
	name := function
	if symbol, ok := operators.FindReverse(function); ok && symbol != "" {
		name = symbol
	}
	message := fmt.Sprintf("%s does not take %s", name, given)
	if name == "==" || name == "!=" || name == "in" {
		return message + "; both sides must be of one type"
	}
	declaration, ok := e.cel.Functions()[function]
	if !ok {
		return message
	}
	var takes []string
	for _, o := range declaration.OverloadDecls() {
		args := make([]string, 0, len(o.ArgTypes()))
		for _, a := range o.ArgTypes() {
			args = append(args, e.words(a))
		}
		if o.IsMemberFunction() {
			takes = append(takes, "("+args[0]+")."+function+"("+strings.Join(args[1:], ", ")+")")
		} else {
			takes = append(takes, "("+strings.Join(args, ", ")+")")
		}
	}
	const few = 4
	if len(takes) > few {
		return message
	}
	return message + "; allowed: " + strings.Join(takes, ", ")
}

var (
	typeName  = regexp.MustCompile(`\b(?:bool|string|uint|int|double|dyn|list|map)\b`)
	typeWords = map[string]string{
		"bool": "true or false", "string": "text", "uint": "whole number", "int": "whole number",
		"double": "number", "dyn": "anything", "list": "list of ", "map": "map of ",
	}
)

// plain puts the type names in one of the checker's messages into words.
func plain(message string) string {
	message = strings.ReplaceAll(message, objectPrefix, "")
	return typeName.ReplaceAllStringFunc(message, func(name string) string { return typeWords[name] })
}

var unexpected = regexp.MustCompile(`^Syntax error: (?:mismatched input|extraneous input|no viable alternative at input|token recognition error at:) '(.*?)'(?: expecting .*)?$`)

// syntaxFault rewords the first thing the parser found: after a syntax error it
// guesses.
func syntaxFault(source string, text common.Source, issues *cel.Issues) Fault {
	err := issues.Errors()[0]
	at := place(text, err)
	message := strings.TrimPrefix(err.Message, "Syntax error: ")
	if found := unexpected.FindStringSubmatch(err.Message); found != nil {
		message = fmt.Sprintf("unexpected %q", strings.TrimSpace(found[1]))
		if found[1] == "<EOF>" {
			message = "it ends too early"
		}
	}
	return Fault{at, "not a CEL expression: " + message + syntaxHint(source, at)}
}

// syntaxHint knows the slips of people who write other languages.
func syntaxHint(source string, at int) string {
	rest := string([]rune(source)[at:])
	for _, slip := range []struct{ found, hint string }{
		{"=", "; to compare, write =="},
		{"and", "; write && for and"},
		{"&", "; write && for and"},
		{"or", "; write || for or"},
		{"|", "; write || for or"},
	} {
		if strings.HasPrefix(rest, slip.found) {
			return slip.hint
		}
	}
	return ""
}

// place is where the error lies, within the source.
func place(text common.Source, err *cel.Error) int {
	at, ok := text.LocationOffset(err.Location)
	if !ok {
		return 0
	}
	return max(0, min(int(at), utf8.RuneCountInString(text.Content())))
}

// fieldOffset moves from the dot, which is where the checker places a field, to
// the field's name.
func fieldOffset(source string, at int) int {
	runes := []rune(source)
	for at < len(runes) && strings.ContainsRune(". \t\n", runes[at]) {
		at++
	}
	return at
}

func nodeByID(root ast.Expr, id int64) ast.Expr {
	var found ast.Expr
	ast.PostOrderVisit(root, ast.NewExprVisitor(func(x ast.Expr) {
		if x.ID() == id {
			found = x
		}
	}))
	return found
}

func inOrder(faults []Fault) []Fault {
	slices.SortStableFunc(faults, func(a, b Fault) int { return cmp.Compare(a.Offset, b.Offset) })
	return faults
}
