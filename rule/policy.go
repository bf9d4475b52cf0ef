package rule

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/posternhq/postern/internal/suggest"
	"github.com/posternhq/postern/resourcetype"
	"github.com/posternhq/postern/rule/expr"
)

// policy decides for the resources of one type.
type policy struct {
	skip []clause
	pass *expr.Program
	// reasons are tried in order; the last of each verdict has no condition.
	reasons  map[Verdict][]clause
	evidence *expr.Program
	reads    []string
	// readsBody is set when the policy refers to the resource's own document.
	readsBody bool
}

// clause is a sentence and when it holds; a nil when always does.
type clause struct {
	when *expr.Program
	say  *expr.Template
}

// policies reads the cases and checks each for every type it is for.
func (p *parser) policies(front fields) {
	p.page.policies = map[string]*policy{}
	for _, node := range front.items("policy") {
		f := p.mapping(node, "a case of the policy", "for", "skip?", "pass", "reasons", "evidence?")
		types := p.caseTypes(f)
		c := p.readCase(f)
		if c == nil {
			continue
		}
		if n := c.size(); n > maxExpressions {
			p.fault(node, "this case has %d expressions and sentences; allowed: at most %d", n, maxExpressions)
			continue
		}
		shared := &compiler{
			parser: p, programs: map[*yaml.Node]*expr.Program{}, templates: map[*yaml.Node]*expr.Template{},
		}
		for _, t := range types {
			p.page.policies[strings.ToLower(t.Name)] = shared.forType(t, c)
		}
		shared.report(len(types))
	}
}

// caseTypes are the resource types that a case is for.
func (p *parser) caseTypes(f fields) []resourcetype.Type {
	var types []resourcetype.Type
	for _, node := range f.items("for") {
		name := p.text(node, "a resource type")
		t, ok := resourcetype.Lookup(name)
		switch {
		case name == "":
		case !ok:
			p.fault(node, "no resource type %q%s", name, suggest.Allowed(name, typeNames()))
		case slices.Contains(p.page.ResourceTypes, t.Name):
			p.fault(node, "%s stands in the policy twice", t.Name)
		default:
			types = append(types, t)
			p.page.ResourceTypes = append(p.page.ResourceTypes, t.Name)
		}
	}
	return types
}

func typeNames() []string {
	var names []string
	for _, t := range resourcetype.All() {
		names = append(names, t.Name)
	}
	return names
}

// caseNodes is a case as it is written.
type caseNodes struct {
	pass, evidence *yaml.Node
	skip           []clauseNodes
	reasons        map[Verdict][]clauseNodes
}

// size counts the expressions and sentences.
func (c *caseNodes) size() int {
	return 2 + 2*(len(c.skip)+len(c.reasons[Pass])+len(c.reasons[Fail]))
}

type clauseNodes struct {
	item, when, say *yaml.Node
}

// readCase reads the shape of a case, or returns nil when it has none.
func (p *parser) readCase(f fields) *caseNodes {
	if f.keys["pass"] == nil || f.keys["reasons"] == nil {
		return nil
	}
	c := &caseNodes{pass: f.scalar("pass"), evidence: f.scalar("evidence"), reasons: map[Verdict][]clauseNodes{}}
	if f.keys["skip"] != nil {
		c.skip = p.clauses(f, "skip", "when", "say")
	}
	reasons := p.mapping(f.keys["reasons"], "reasons", string(Fail), string(Pass))
	for _, v := range []Verdict{Fail, Pass} {
		c.reasons[v] = p.clauses(reasons, string(v), "when?", "say")
		p.checkOrder(c.reasons[v], v)
	}
	return c
}

func (p *parser) clauses(f fields, key string, keys ...string) []clauseNodes {
	var out []clauseNodes
	for _, node := range f.items(key) {
		c := p.mapping(node, "an item of "+key, keys...)
		out = append(out, clauseNodes{item: node, when: c.scalar("when"), say: c.scalar("say")})
	}
	return out
}

// checkOrder demands that the last reason, and no other, holds always: then
// every verdict has a reason, and every reason can be reached.
func (p *parser) checkOrder(reasons []clauseNodes, v Verdict) {
	for i, r := range reasons {
		last := i == len(reasons)-1
		switch {
		case last && r.when != nil:
			p.fault(r.when, "the last reason to %s has a condition; it must hold whenever no other does", v)
		case !last && r.when == nil:
			p.fault(r.item, "reason %d of %d to %s has no `when`, so no later one is ever given", i+1, len(reasons), v)
		}
	}
}

// scalar reads a text and keeps its node, for its place.
func (f fields) scalar(key string) *yaml.Node {
	if f.keys[key] == nil || f.text(key) == "" {
		return nil
	}
	return f.keys[key]
}

// maxExpressions is how many expressions and sentences a page may have, for
// each resource type that it judges.
const maxExpressions = 200

// compiler checks the expressions of one case for one type after the other.
type compiler struct {
	parser *parser
	// env and label belong to the type at hand.
	env   *expr.Env
	label string
	// programs and templates hold what does not depend on the type.
	programs  map[*yaml.Node]*expr.Program
	templates map[*yaml.Node]*expr.Template
	found     []typedProblem
}

type typedProblem struct {
	Problem
	label string
}

func (c *compiler) forType(t resourcetype.Type, n *caseNodes) *policy {
	pol := &policy{reasons: map[Verdict][]clause{}}
	env, err := environment(t)
	if err != nil {
		c.parser.problem(0, 0, "prepare the policy for %s: %v", t.Name, err)
		return pol
	}
	c.env, c.label = env, t.Label
	pol.pass = c.program(n.pass, pol, env.Bool)
	pol.evidence = c.program(n.evidence, pol, func(s string) (*expr.Program, []expr.Fault) {
		return env.Objects(s, evidenceObject)
	})
	pol.skip = c.clauses(n.skip, pol)
	for v, list := range n.reasons {
		pol.reasons[v] = c.clauses(list, pol)
	}
	slices.Sort(pol.reads)
	pol.reads = slices.Compact(pol.reads)
	pol.readsBody = slices.ContainsFunc(pol.reads, isBody)
	return pol
}

func (c *compiler) clauses(list []clauseNodes, pol *policy) []clause {
	out := make([]clause, 0, len(list))
	for _, n := range list {
		out = append(out, clause{when: c.program(n.when, pol, c.env.Bool), say: c.template(n.say, pol)})
	}
	return out
}

// program compiles an expression, or takes the one compiled for another type if
// that does not read the resource.
func (c *compiler) program(node *yaml.Node, pol *policy, compile func(string) (*expr.Program, []expr.Fault)) *expr.Program {
	if node == nil {
		return nil
	}
	prog := c.programs[node]
	if prog == nil {
		var faults []expr.Fault
		if prog, faults = compile(node.Value); prog == nil {
			c.note(node, faults)
			return nil
		}
		if !slices.ContainsFunc(prog.Reads(), isResource) {
			c.programs[node] = prog
		}
	}
	pol.reads = append(pol.reads, prog.Reads()...)
	return prog
}

func (c *compiler) template(node *yaml.Node, pol *policy) *expr.Template {
	if node == nil {
		return nil
	}
	tpl := c.templates[node]
	if tpl == nil {
		var faults []expr.Fault
		if tpl, faults = c.env.Template(node.Value); tpl == nil {
			c.note(node, faults)
			return nil
		}
		if !slices.ContainsFunc(tpl.Reads(), isResource) {
			c.templates[node] = tpl
		}
	}
	pol.reads = append(pol.reads, tpl.Reads()...)
	return tpl
}

func (c *compiler) note(node *yaml.Node, faults []expr.Fault) {
	for _, f := range faults {
		line, column := c.parser.locator.inScalar(node, f.Offset)
		c.found = append(c.found, typedProblem{Problem{c.parser.file, line, column, f.Message}, c.label})
	}
}

// report adds the problems to the page's: those that all the types have once,
// and the others with the type they arise for.
func (c *compiler) report(types int) {
	times := map[Problem]int{}
	for _, f := range c.found {
		times[f.Problem]++
	}
	for _, f := range c.found {
		if times[f.Problem] < types {
			f.Message = fmt.Sprintf("for %s: %s", f.label, f.Message)
		}
		c.parser.problems = append(c.parser.problems, f.Problem)
	}
}
