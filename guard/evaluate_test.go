package guard

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// resource is what a policy judges.
type resource map[string]any

// evaluator runs the part of the policy language that the definitions use, as
// Microsoft's evaluator does (Azure/azure-policy-linter): a function that is given
// what it does not take is an error, and so is everything this does not know.
// Unlike it may be in Azure, nothing stops early: allOf and anyOf evaluate all.
type evaluator struct {
	resource   resource
	parameters map[string]any
	// element is the alias and the value of the list element in a count.
	alias   string
	element any
}

// effect is what a definition does about a resource, or "" for nothing.
func effect(t *testing.T, definition map[string]any, assigned map[string]any, r resource) (string, error) {
	t.Helper()
	properties := definition["properties"].(map[string]any)
	if properties["mode"] == "Indexed" && r["location"] == nil {
		return "", nil
	}
	parameters := map[string]any{}
	for name, schema := range properties["parameters"].(map[string]any) {
		parameters[name] = schema.(map[string]any)["defaultValue"]
	}
	for name, v := range assigned {
		if _, ok := parameters[name]; !ok {
			t.Fatalf("the definition takes no parameter %q", name)
		}
		parameters[name] = v
	}
	e := evaluator{resource: r, parameters: parameters}
	policy := properties["policyRule"].(map[string]any)
	hit, err := e.condition(policy["if"].(map[string]any))
	if err != nil || !hit {
		return "", err
	}
	chosen, err := e.value(policy["then"].(map[string]any)["effect"])
	return fmt.Sprint(chosen), err
}

func (e evaluator) condition(c map[string]any) (bool, error) {
	for _, quantifier := range []string{"allOf", "anyOf"} {
		list, ok := c[quantifier].([]any)
		if !ok {
			continue
		}
		if len(c) != 1 || len(list) == 0 {
			return false, fmt.Errorf("%s stands with something else, or holds nothing", quantifier)
		}
		hits := 0
		for _, item := range list {
			hit, err := e.condition(item.(map[string]any))
			if err != nil {
				return false, err
			}
			if hit {
				hits++
			}
		}
		return hits == len(list) || quantifier == "anyOf" && hits > 0, nil
	}
	if len(c) != 2 {
		return false, fmt.Errorf("a condition has %d keys, not a source and an operator: %v", len(c), c)
	}
	left, err := e.left(c)
	if err != nil {
		return false, err
	}
	for operator, operand := range c {
		if operator == "field" || operator == "value" || operator == "count" {
			continue
		}
		return e.compare(left, operator, operand)
	}
	return false, fmt.Errorf("no operator in %v", c)
}

func (e evaluator) left(c map[string]any) (any, error) {
	if name, ok := c["field"].(string); ok {
		return e.field(name)
	}
	if v, ok := c["value"]; ok {
		return e.value(v)
	}
	counted, ok := c["count"].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("no source in %v", c)
	}
	alias := counted["field"].(string)
	elements, err := e.field(strings.TrimSuffix(alias, "[*]"))
	if err != nil {
		return nil, err
	}
	list, _ := elements.([]any)
	n := 0.0
	for _, element := range list {
		inner := e
		inner.alias, inner.element = alias, element
		hit, err := inner.condition(counted["where"].(map[string]any))
		if err != nil {
			return nil, err
		}
		if hit {
			n++
		}
	}
	return n, nil
}

func (e evaluator) compare(left any, operator string, operand any) (bool, error) {
	right, err := e.value(operand)
	if err != nil {
		return false, err
	}
	switch operator {
	case "equals":
		// Texts compare without case, and a number equals its text.
		return left != nil && strings.EqualFold(fmt.Sprint(left), fmt.Sprint(right)), nil
	case "in":
		return slices.ContainsFunc(right.([]any), func(v any) bool { return left != nil && strings.EqualFold(fmt.Sprint(left), fmt.Sprint(v)) }), nil
	}
	a, okA := left.(float64)
	b, okB := right.(float64)
	if !okA || !okB {
		return false, fmt.Errorf("%s compares %T with %T", operator, left, right)
	}
	switch operator {
	case "greater":
		return a > b, nil
	case "greaterOrEquals":
		return a >= b, nil
	case "less":
		return a < b, nil
	}
	return false, fmt.Errorf("no operator %q", operator)
}

// field reads a property through its alias: nil where the resource is of another
// type or has no such property.
func (e evaluator) field(name string) (any, error) {
	if name == "type" {
		return e.resource["type"], nil
	}
	if e.alias != "" && strings.HasPrefix(name, e.alias) {
		element, _ := e.element.(map[string]any)
		return element[strings.TrimPrefix(name, e.alias+".")], nil
	}
	if !slices.Contains(knownAliases, name) && !slices.Contains(unconfirmedAliases, name) {
		return nil, fmt.Errorf("Azure knows no alias %q", name)
	}
	at := strings.LastIndex(name, "/")
	if !strings.EqualFold(name[:at], fmt.Sprint(e.resource["type"])) {
		return nil, nil
	}
	properties, _ := e.resource["properties"].(map[string]any)
	return properties[name[at+1:]], nil
}

func (e evaluator) value(v any) (any, error) {
	s, ok := v.(string)
	if !ok || !strings.HasPrefix(s, "[") || !strings.HasSuffix(s, "]") {
		return v, nil
	}
	p := &expression{text: s[1 : len(s)-1], in: e}
	out, err := p.parse()
	if err == nil && p.at != len(p.text) {
		err = fmt.Errorf("expected the end at %q", p.text[p.at:])
	}
	return out, err
}

// expression parses and evaluates a template expression.
type expression struct {
	text string
	at   int
	in   evaluator
}

func (p *expression) skip() { // white space
	for p.at < len(p.text) && p.text[p.at] == ' ' {
		p.at++
	}
}

func (p *expression) parse() (any, error) {
	p.skip()
	rest := p.text[p.at:]
	switch {
	case strings.HasPrefix(rest, "'"):
		end := strings.Index(rest[1:], "'")
		if end < 0 {
			return nil, fmt.Errorf("no closing quote in %q", rest)
		}
		p.at += end + 2
		return rest[1 : end+1], nil
	case rest != "" && rest[0] >= '0' && rest[0] <= '9':
		end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
		if end < 0 {
			end = len(rest)
		}
		p.at += end
		return strconv.ParseFloat(rest[:end], 64)
	}
	open := strings.Index(rest, "(")
	if open < 1 || strings.ContainsAny(rest[:open], " ,)'") {
		return nil, fmt.Errorf("expected a function at %q", rest)
	}
	name := rest[:open]
	p.at += open + 1
	var args []any
	for {
		arg, err := p.parse()
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
		p.skip()
		if p.at >= len(p.text) {
			return nil, fmt.Errorf("%s( has no end", name)
		}
		p.at++
		if c := p.text[p.at-1]; c == ')' {
			break
		} else if c != ',' {
			return nil, fmt.Errorf("expected , or ) and found %q", c)
		}
	}
	out, err := p.in.call(name, args)
	for err == nil && p.at < len(p.text) && p.text[p.at] == '[' {
		end := strings.Index(p.text[p.at:], "]")
		i, bad := strconv.Atoi(p.text[p.at+1 : p.at+end])
		list, isList := out.([]any)
		if bad != nil || !isList || i >= len(list) {
			return nil, fmt.Errorf("no element %q of %v", p.text[p.at+1:p.at+end], out)
		}
		out = list[i]
		p.at += end + 1
	}
	return out, err
}

func (e evaluator) call(name string, args []any) (any, error) {
	texts, numbers := make([]string, len(args)), make([]float64, len(args))
	allTexts, allNumbers := true, true
	for i, a := range args {
		var ok bool
		texts[i], ok = a.(string)
		allTexts = allTexts && ok
		numbers[i], ok = a.(float64)
		allNumbers = allNumbers && ok
	}
	exact := func(f float64) (any, error) {
		if math.Abs(f) > 1<<53 {
			return nil, fmt.Errorf("%v is past what this evaluator counts exactly", f)
		}
		return f, nil
	}
	switch {
	case name == "parameters" && len(args) == 1 && allTexts:
		if v, ok := e.parameters[texts[0]]; ok {
			return v, nil
		}
	case name == "field" && len(args) == 1 && allTexts, name == "current" && len(args) == 1 && allTexts && e.alias != "":
		return e.field(texts[0])
	case name == "coalesce" && len(args) > 0:
		for _, a := range args {
			if a != nil {
				return a, nil
			}
		}
		return nil, nil
	case name == "split" && len(args) == 2 && allTexts:
		var out []any
		for _, part := range strings.Split(texts[0], texts[1]) {
			out = append(out, part)
		}
		return out, nil
	case name == "concat" && len(args) > 0 && allTexts:
		return strings.Join(texts, ""), nil
	case name == "replace" && len(args) == 3 && allTexts:
		return strings.ReplaceAll(texts[0], texts[1], texts[2]), nil
	case name == "int" && len(args) == 1 && allTexts:
		n, err := strconv.ParseInt(strings.TrimSpace(texts[0]), 10, 64)
		return float64(n), err
	case name == "add" && len(args) == 2 && allNumbers:
		return exact(numbers[0] + numbers[1])
	case name == "sub" && len(args) == 2 && allNumbers:
		return exact(numbers[0] - numbers[1])
	case name == "mul" && len(args) == 2 && allNumbers:
		return exact(numbers[0] * numbers[1])
	case name == "createArray" && len(args) > 0:
		return args, nil
	case name == "intersection" && len(args) == 2:
		a, okA := args[0].([]any)
		b, okB := args[1].([]any)
		if okA && okB {
			return slices.DeleteFunc(slices.Clone(a), func(v any) bool { return !slices.Contains(b, v) }), nil
		}
	case name == "length" && len(args) == 1:
		if list, ok := args[0].([]any); ok {
			return float64(len(list)), nil
		}
	}
	return nil, fmt.Errorf("%s does not take %v", name, args)
}

// read decodes a document as Azure would.
func read(t *testing.T, document []byte) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal(document, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
