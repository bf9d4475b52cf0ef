package azuresim

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// condition is what a where asks of a row.
type condition interface {
	columns() []string
	holds(record) bool
}

type (
	allOf   []condition
	anyOf   []condition
	notThat struct{ condition }
	// comparison is a column beside literals.
	comparison struct {
		of       expression
		operator string
		literals []any
		pattern  *regexp.Regexp // of "matches regex"
	}
)

// condition reads comparisons joined by or, and, not and parentheses.
func (p *parser) condition() (condition, *kqlError) {
	var all anyOf
	for {
		c, err := p.conjunction()
		if err != nil {
			return nil, err
		}
		all = append(all, c)
		if !p.word("or") {
			return all, nil
		}
	}
}

func (p *parser) conjunction() (condition, *kqlError) {
	var all allOf
	for {
		c, err := p.predicate()
		if err != nil {
			return nil, err
		}
		all = append(all, c)
		if !p.word("and") {
			return all, nil
		}
	}
}

func (p *parser) predicate() (condition, *kqlError) {
	start := p.peek()
	switch {
	case p.word("not"):
		c, err := p.predicate()
		return notThat{c}, err
	case p.sign("("):
		c, err := p.condition()
		if err == nil {
			err = p.expect(")")
		}
		return c, err
	case p.word("isempty", "isnotempty", "isnull", "isnotnull"):
		if err := p.expect("("); err != nil {
			return nil, err
		}
		e, err := p.expression()
		if err == nil {
			err = p.expect(")")
		}
		return comparison{of: e, operator: start.text}, err
	}
	e, err := p.expression()
	if err != nil {
		return nil, err
	}
	return p.comparison(e)
}

func (p *parser) comparison(e expression) (condition, *kqlError) {
	start := p.peek()
	c := comparison{of: e, operator: p.operator()}
	switch {
	case c.operator == "matches":
		if !p.word("regex") || p.peek().kind != tokText {
			return nil, unreadable(p.peek())
		}
		t := p.take()
		var err error
		if c.pattern, err = regexp.Compile(t.text); err != nil {
			return nil, unreadable(t)
		}
		return c, nil
	case c.operator == "between":
		return p.between(c)
	case compareOperators.MatchString(c.operator):
		v, err := p.literal()
		c.literals = []any{v}
		return c, err
	case !listOperators.MatchString(c.operator):
		return nil, unreadable(start)
	}
	if err := p.expect("("); err != nil {
		return nil, err
	}
	for {
		v, err := p.literal()
		if err != nil {
			return nil, err
		}
		c.literals = append(c.literals, v)
		if !p.sign(",") {
			return c, p.expect(")")
		}
	}
}

// between reads (low .. high), both ends in it.
func (p *parser) between(c comparison) (condition, *kqlError) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	low, err := p.literal()
	if err == nil {
		err = p.expect("..")
	}
	if err != nil {
		return nil, err
	}
	high, err := p.literal()
	c.literals = []any{low, high}
	if err == nil {
		err = p.expect(")")
	}
	return c, err
}

func (a anyOf) columns() []string { return columnsOf(a) }
func (a allOf) columns() []string { return columnsOf(a) }

func columnsOf(all []condition) []string {
	var names []string
	for _, c := range all {
		names = append(names, c.columns()...)
	}
	return names
}

func (a anyOf) holds(r record) bool {
	return slices.ContainsFunc(a, func(c condition) bool { return c.holds(r) })
}

func (a allOf) holds(r record) bool {
	return !slices.ContainsFunc(a, func(c condition) bool { return !c.holds(r) })
}

func (n notThat) holds(r record) bool { return !n.condition.holds(r) }

func (c comparison) columns() []string { return []string{c.of.column} }

func (c comparison) holds(r record) bool {
	v := c.of.value(r)
	switch c.operator {
	case "isempty":
		return v == nil || v == ""
	case "isnotempty":
		return v != nil && v != ""
	case "isnull":
		return v == nil
	case "isnotnull":
		return v != nil
	case "matches":
		return c.pattern.MatchString(textOf(v))
	case "between":
		return compare(v, c.literals[0]) >= 0 && compare(v, c.literals[1]) <= 0 && v != nil
	case "<", "<=", ">", ">=":
		return v != nil && fitsOrder(c.operator, compare(v, c.literals[0]))
	case "==", "!=":
		if _, isText := c.literals[0].(string); !isText {
			return (v != nil && compare(v, c.literals[0]) == 0) == (c.operator == "==")
		}
	}
	return c.textHolds(textOf(v))
}

func fitsOrder(operator string, order int) bool {
	switch operator {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	default:
		return order >= 0
	}
}

// textHolds compares texts. ~ and the words without _cs disregard case.
func (c comparison) textHolds(v string) bool {
	operator, negated := strings.CutPrefix(c.operator, "!")
	test := map[string]func(v, with string) bool{
		"=": isSame, "==": isSame, "in": isSame, "=~": strings.EqualFold, "~": strings.EqualFold, "in~": strings.EqualFold,
		"contains": fold(strings.Contains), "contains_cs": strings.Contains,
		"startswith": fold(strings.HasPrefix), "startswith_cs": strings.HasPrefix,
		"has": fold(hasTerm), "has_cs": hasTerm, "has_any": fold(hasTerm), "has_all": fold(hasTerm),
	}[operator]
	fits := func(literal any) bool { return test(v, textOf(literal)) }
	if operator == "has_all" {
		return !slices.ContainsFunc(c.literals, func(l any) bool { return !fits(l) })
	}
	return slices.ContainsFunc(c.literals, fits) != negated
}

func isSame(a, b string) bool { return a == b }

func fold(test func(string, string) bool) func(string, string) bool {
	return func(v, with string) bool { return test(lower(v), lower(with)) }
}

// hasTerm says whether a text has a term in it, which is bounded by whatever is
// neither letter nor digit.
func hasTerm(v, term string) bool {
	for from := 0; ; {
		i := strings.Index(v[from:], term)
		if i < 0 {
			return false
		}
		start, end := from+i, from+i+len(term)
		if (start == 0 || !isTermByte(v[start-1])) && (end == len(v) || !isTermByte(v[end])) {
			return true
		}
		from = start + 1
		if from > len(v) {
			return false
		}
	}
}

func isTermByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b >= 0x80
}

// compare orders two values of a kind; what is not of a kind is compared as
// text, and nothing comes first.
func compare(a, b any) int {
	switch a := a.(type) {
	case nil:
		if b == nil {
			return 0
		}
		return -1
	case time.Time:
		if b, isTime := b.(time.Time); isTime {
			return a.Compare(b)
		}
	case float64:
		if b, isNumber := b.(float64); isNumber {
			switch {
			case a < b:
				return -1
			case a > b:
				return 1
			}
			return 0
		}
	}
	if b == nil {
		return 1
	}
	return strings.Compare(textOf(a), textOf(b))
}
