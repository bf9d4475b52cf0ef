package rule

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

const fence = "---"

// maxProblems is how many problems of one page are told.
const maxProblems = 100

// Parse reads one page. The file names it in errors, and its folder's name is
// what the page's id must be. The error is [Problems], with all that is wrong.
func Parse(file string, source []byte) (*Page, error) {
	p := &parser{file: file, page: &Page{File: file}}
	if text, ok := p.decode(source); ok {
		front, body, bodyLine, ok := p.split(text)
		if ok && p.frontMatter(front) {
			p.markdown(body, bodyLine)
		}
	}
	if len(p.problems) == 0 {
		return p.page, nil
	}
	problems := p.problems.sorted()
	if more := len(problems) - maxProblems; more > 0 {
		problems = append(problems[:maxProblems], Problem{File: file, Message: fmt.Sprintf("and %d more problems", more)})
	}
	return nil, problems
}

// parser collects what a page says and what is wrong with it.
type parser struct {
	file     string
	page     *Page
	problems Problems
	locator  *locator
	// blocks counts the marked blocks of code.
	blocks int
}

func (p *parser) problem(line, column int, format string, args ...any) {
	p.problems = append(p.problems, Problem{p.file, line, column, fmt.Sprintf(format, args...)})
}

// fault is a problem with a value of the front matter.
func (p *parser) fault(node *yaml.Node, format string, args ...any) {
	p.problem(node.Line, node.Column, format, args...)
}

// decode checks the size and the characters, and evens out line ends.
func (p *parser) decode(source []byte) (string, bool) {
	if len(source) > MaxPage {
		p.problem(0, 0, "the page is larger than %d bytes", MaxPage)
		return "", false
	}
	text := strings.ReplaceAll(strings.TrimPrefix(string(source), "\ufeff"), "\r\n", "\n")
	line, column := 1, 1
	for at, r := range text {
		switch {
		case r == '\n':
			line, column = line+1, 0
		case r == utf8.RuneError && strings.HasPrefix(text[at:], "\ufffd"):
		case r == utf8.RuneError:
			p.problem(line, column, "this is not UTF-8")
			return "", false
		case r != '\t' && r != nonJoiner && r != joiner && !unicode.IsGraphic(r):
			p.problem(line, column, "the character %U is not allowed on a page", r)
			return "", false
		}
		column++
	}
	return text, true
}

// The only invisible characters that a page may hold: some scripts need them.
// Others end a line for some readers and not for others, or turn text around.
const (
	nonJoiner = '\u200c'
	joiner    = '\u200d'
)

// split parts the front matter from the Markdown. The front matter keeps a line
// in place of its opening fence, so that its lines have the file's numbers.
func (p *parser) split(text string) (front, body string, bodyLine int, ok bool) {
	lines := strings.Split(text, "\n")
	if strings.TrimRight(lines[0], " ") != fence {
		p.problem(1, 1, "a page begins with front matter between two lines of %s", fence)
		return "", "", 0, false
	}
	for i, l := range lines[1:] {
		if strings.TrimRight(l, " ") == fence {
			return "\n" + strings.Join(lines[1:i+1], "\n") + "\n", strings.Join(lines[i+2:], "\n"), i + 3, true
		}
	}
	p.problem(1, 1, "the front matter has no end: a second line of %s is missing", fence)
	return "", "", 0, false
}

// frontMatter reads the YAML, and reports whether it is YAML at all.
func (p *parser) frontMatter(front string) bool {
	p.locator = newLocator(front)
	var document yaml.Node
	if err := yaml.Load([]byte(front), &document); err != nil {
		p.yamlProblem(front, err)
		return false
	}
	if len(document.Content) == 0 {
		p.problem(1, 1, "the front matter is empty")
		return false
	}
	f := p.mapping(document.Content[0], "the front matter",
		"aliases?", "disable_edit?", "integration_id", "kind", "rule_category", "source", "title", "type",
		"id", "severity", "lifecycle", "frameworks?", "policy")
	pg := p.page
	pg.Aliases = f.texts("aliases")
	pg.DisableEdit = f.flag("disable_edit")
	pg.IntegrationID = f.text("integration_id")
	pg.Kind = f.text("kind")
	pg.RuleCategory = f.texts("rule_category")
	pg.Source = f.text("source")
	pg.Title = f.text("title")
	pg.Type = f.text("type")
	pg.ID = f.text("id")
	if folder := path.Base(path.Dir(p.file)); pg.ID != "" && pg.ID != folder {
		p.fault(f.keys["id"], "id is %q; allowed: the folder's name, %q", pg.ID, folder)
	}
	pg.Lifecycle = oneOf(f, "lifecycle", []Lifecycle{Stable, Preview, Deprecated})
	pg.Severity = p.severity(f)
	pg.Frameworks = p.frameworks(f)
	p.policies(f)
	return true
}

// yamlProblem places an error of the YAML parser.
func (p *parser) yamlProblem(front string, err error) {
	line, column, message := 2, 1, err.Error()
	var broken *yaml.LoadError
	if errors.As(err, &broken) && broken.Mark.Line > 0 {
		line, column, message = broken.Mark.Line, broken.Mark.Column, broken.Message
	}
	hint := ""
	if lines := strings.Split(front, "\n"); line <= len(lines) {
		switch at := lines[line-1]; {
		case strings.Contains(at, ": !"):
			hint = "; a value that starts with ! must be in quotes, or on the line after a |"
		case strings.Count(at, ": ") > 1:
			hint = "; a value that holds a colon and a space must be in quotes, or on the line after a |"
		}
	}
	p.problem(line, column, "not YAML: %s%s", message, hint)
}

func (p *parser) severity(front fields) Severity {
	node := front.keys["severity"]
	if node == nil {
		return Severity{}
	}
	f := p.mapping(node, "severity", "level", "likelihood", "impact", "reasoning")
	s := Severity{
		Level:      oneOf(f, "level", Levels),
		Likelihood: oneOf(f, "likelihood", Likelihoods),
		Impact:     oneOf(f, "impact", Levels),
		Reasoning:  f.text("reasoning"),
	}
	want, err := SeverityOf(s.Likelihood, s.Impact)
	if err == nil && s.Level != "" && s.Level != want {
		p.fault(f.keys["level"], "level is %q; %s with an impact of %s is %q", s.Level, s.Likelihood, s.Impact, want)
	}
	return s
}

func (p *parser) frameworks(front fields) []Mapping {
	var mappings []Mapping
	for _, node := range front.items("frameworks") {
		f := p.mapping(node, "a framework", "framework", "version", "requirement", "note?", "mapped_by", "source")
		mappings = append(mappings, Mapping{
			Framework:   f.text("framework"),
			Version:     f.text("version"),
			Requirement: f.text("requirement"),
			Note:        f.text("note"),
			MappedBy:    oneOf(f, "mapped_by", []Mapper{ByBenchmark, ByMicrosoft, ByPeer, ByPostern}),
			Source:      f.text("source"),
		})
	}
	return mappings
}
