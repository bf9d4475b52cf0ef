package azuresim

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// kql is a query that could be read: a table and what is done with its rows.
type kql struct {
	table  string
	stages []stage
}

// stage is one step between two bars.
type stage interface {
	// apply makes the next relation of one.
	apply(relation) (relation, *kqlError)
}

type parser struct {
	tokens []token
	now    time.Time
}

// parseKQL reads a query; now is what now() and ago() count from.
func parseKQL(text string, now time.Time) (kql, *kqlError) {
	tokens, err := lex(text)
	if err != nil {
		return kql{}, err
	}
	p := &parser{tokens: tokens, now: now}
	var q kql
	if q.table, err = p.name(); err != nil {
		return kql{}, err
	}
	for p.sign("|") {
		s, err := p.stage()
		if err != nil {
			return kql{}, err
		}
		q.stages = append(q.stages, s)
	}
	if p.peek().kind != tokEnd {
		return kql{}, unreadable(p.peek())
	}
	return q, nil
}

func (p *parser) peek() token { return p.tokens[0] }

func (p *parser) take() token {
	t := p.tokens[0]
	if t.kind != tokEnd {
		p.tokens = p.tokens[1:]
	}
	return t
}

func (p *parser) sign(s string) bool {
	if t := p.peek(); t.kind == tokSign && t.text == s {
		p.take()
		return true
	}
	return false
}

// word takes one of some words of the language, which have one case only.
func (p *parser) word(words ...string) bool {
	for _, w := range words {
		if t := p.peek(); t.kind == tokName && t.text == w {
			p.take()
			return true
		}
	}
	return false
}

func (p *parser) name() (string, *kqlError) {
	t := p.peek()
	if t.kind != tokName {
		return "", unreadable(t)
	}
	return p.take().text, nil
}

func (p *parser) expect(s string) *kqlError {
	if !p.sign(s) {
		return unreadable(p.peek())
	}
	return nil
}

func (p *parser) stage() (stage, *kqlError) {
	start := p.peek()
	switch {
	case p.word("where", "filter"):
		c, err := p.condition()
		return where{c}, err
	case p.word("project"):
		cols, err := p.columns()
		return project{cols}, err
	case p.word("order", "sort"):
		return p.order()
	case p.word("take", "limit"):
		t := p.take()
		n, err := strconv.Atoi(t.text)
		if t.kind != tokNumber || err != nil {
			return nil, unreadable(t)
		}
		return take{n}, nil
	case p.word("count"):
		return summarize{outputs: []output{{name: "Count", function: "count"}}}, nil
	case p.word("summarize"):
		return p.summarize()
	}
	return nil, unreadable(start)
}

// columns reads the list of a project: paths, with a new name or without.
func (p *parser) columns() ([]named, *kqlError) {
	var all []named
	for {
		first := p.peek()
		e, err := p.expression()
		if err != nil {
			return nil, err
		}
		item := named{name: e.defaultName(), expression: e}
		if p.sign("=") {
			if first.kind != tokName || len(e.path) > 0 || e.function != "" {
				return nil, unreadable(first)
			}
			item.name = e.column
			if item.expression, err = p.expression(); err != nil {
				return nil, err
			}
		}
		all = append(all, item)
		if !p.sign(",") {
			return all, nil
		}
	}
}

func (p *parser) order() (stage, *kqlError) {
	if !p.word("by") {
		return nil, unreadable(p.peek())
	}
	var o order
	for {
		e, err := p.expression()
		if err != nil {
			return nil, err
		}
		by := orderBy{expression: e, descending: true} // Kusto's default
		switch {
		case p.word("asc"):
			by.descending = false
		case p.word("desc"):
		}
		o.by = append(o.by, by)
		if !p.sign(",") {
			return o, nil
		}
	}
}

// summarize reads count(), min(column) and max(column), each with a name or
// without, and what to group by.
func (p *parser) summarize() (stage, *kqlError) {
	var s summarize
	for {
		name := ""
		if len(p.tokens) > 1 && p.tokens[1].text == "=" && p.peek().kind == tokName {
			name = p.take().text
			p.take()
		}
		start := p.peek()
		if !p.word("count", "min", "max") {
			return nil, unreadable(start)
		}
		out := output{function: start.text}
		err := p.expect("(")
		if err == nil && out.function != "count" {
			out.of, err = p.expression()
		}
		if err == nil {
			err = p.expect(")")
		}
		if err != nil {
			return nil, err
		}
		out.name = name
		if name == "" {
			out.name = out.function + "_" + out.of.defaultName()
		}
		s.outputs = append(s.outputs, out)
		if !p.sign(",") {
			break
		}
	}
	var err *kqlError
	if p.word("by") {
		s.by, err = p.columns()
	}
	return s, err
}

// expression reads a column, a path into one, or tostring() or tolower() of it.
func (p *parser) expression() (expression, *kqlError) {
	t := p.peek()
	name, err := p.name()
	if err != nil {
		return expression{}, err
	}
	if p.sign("(") {
		if name != "tostring" && name != "tolower" {
			return expression{}, unreadable(t)
		}
		e, err := p.expression()
		if err != nil {
			return expression{}, err
		}
		e.function = name
		return e, p.expect(")")
	}
	e := expression{column: name}
	for {
		switch {
		case p.sign("."):
			part, err := p.name()
			if err != nil {
				return expression{}, err
			}
			e.path = append(e.path, part)
		case p.sign("["):
			t := p.take()
			if t.kind != tokText && t.kind != tokNumber {
				return expression{}, unreadable(t)
			}
			e.path = append(e.path, t.text)
			if err := p.expect("]"); err != nil {
				return expression{}, err
			}
		default:
			return e, nil
		}
	}
}

// literal reads a text, a number, true, false, a time or a count back from now.
func (p *parser) literal() (any, *kqlError) {
	t := p.peek()
	switch {
	case t.kind == tokText:
		return p.take().text, nil
	case t.kind == tokNumber:
		f, err := strconv.ParseFloat(p.take().text, 64)
		if err != nil {
			return nil, unreadable(t)
		}
		return f, nil
	case t.kind == tokDatetime:
		at, ok := readTime(p.take().text)
		if !ok {
			return nil, unreadable(t)
		}
		return at, nil
	case p.word("true"):
		return true, nil
	case p.word("false"):
		return false, nil
	case p.word("now"):
		if err := p.expect("("); err != nil {
			return nil, err
		}
		return p.now, p.expect(")")
	case p.word("ago"):
		if err := p.expect("("); err != nil {
			return nil, err
		}
		span := p.take()
		if span.kind != tokSpan {
			return nil, unreadable(span)
		}
		return p.now.Add(-span.span), p.expect(")")
	}
	return nil, unreadable(t)
}

// readTime reads the forms of a time that KQL has in common with ISO 8601, in
// UTC where they name no zone.
func readTime(s string) (time.Time, bool) {
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04Z", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02"} {
		if at, err := time.Parse(form, s); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// The operators that compare a column with one literal, and with a list.
var (
	compareOperators = regexp.MustCompile(`^(==|!=|=~|!~|<|<=|>|>=|!?contains(_cs)?|!?has(_cs)?|!?startswith(_cs)?)$`)
	listOperators    = regexp.MustCompile(`^(!?in~?|has_any|has_all)$`)
)

// operator takes what stands between a column and a literal: a sign, or a word
// that may have ! before and ~ after it.
func (p *parser) operator() string {
	var b strings.Builder
	if p.sign("!") {
		b.WriteString("!")
	}
	b.WriteString(p.take().text)
	if b.String() == "in" || b.String() == "!in" {
		if p.sign("~") {
			b.WriteString("~")
		}
	}
	return b.String()
}
