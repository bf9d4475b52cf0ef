package rule

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	md "github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// blocks reads what a page is made of and nothing finer: nobody here asks for
// emphasis or quotations, and reading those takes time that grows with the
// square of a hostile page.
var blocks = md.NewParser(md.WithBlockParsers(
	util.Prioritized(md.NewSetextHeadingParser(), 100),
	util.Prioritized(md.NewThematicBreakParser(), 200),
	util.Prioritized(md.NewListParser(), 300),
	util.Prioritized(md.NewListItemParser(), 400),
	util.Prioritized(md.NewCodeBlockParser(), 500),
	util.Prioritized(md.NewATXHeadingParser(), 600),
	util.Prioritized(md.NewFencedCodeBlockParser(), 700),
	util.Prioritized(md.NewHTMLBlockParser(), 900),
	util.Prioritized(md.NewParagraphParser(), 1000),
))

// requiredSections must stand on every page and say something.
var requiredSections = []string{"Description", "Rationale", "Impact", "Remediation", "References", controls}

// The section that ties the rule to controls has two names: the second is what
// it is called on the pages of Datadog.
const (
	controls    = "Controls"
	cisControls = "CIS Controls"
	remediation = "Remediation"
)

func sectionKey(title string) string {
	key := strings.ToLower(strings.TrimSpace(title))
	if key == strings.ToLower(cisControls) {
		return strings.ToLower(controls)
	}
	return key
}

// maxSections and maxCommands bound what a page may hold.
const (
	maxSections = 50
	maxCommands = 100
)

// body is the Markdown of a page, with its place in the file.
type body struct {
	source []byte
	// line is the file's line on which the Markdown begins.
	line int
}

// position turns an offset in the Markdown into a place in the file.
func (b body) position(offset int) (line, column int) {
	before := b.source[:min(offset, len(b.source))]
	start := bytes.LastIndexByte(before, '\n') + 1
	return b.line + bytes.Count(before, []byte("\n")), utf8.RuneCount(before[start:]) + 1
}

// lineStart is the offset at which the line around an offset begins.
func (b body) lineStart(offset int) int {
	return bytes.LastIndexByte(b.source[:offset], '\n') + 1
}

// nextLine is the offset at which the next line begins.
func (b body) nextLine(offset int) int {
	if i := bytes.IndexByte(b.source[offset:], '\n'); i >= 0 {
		return offset + i + 1
	}
	return len(b.source)
}

// markdown reads the sections, which are what stands below headings of the
// second level, and the commands in the remediation.
func (p *parser) markdown(source string, line int) {
	b := body{source: []byte(source), line: line}
	document := blocks.Parse(text.NewReader(b.source))
	ends := -1 // where the text of the section before begins
	for node := document.FirstChild(); node != nil; node = node.NextSibling() {
		if h, ok := node.(*ast.Heading); ok && h.Level <= 2 {
			if ends >= 0 {
				p.closeSection(b.source[ends:b.lineStart(h.Pos())])
			}
			if ends = p.openSection(b, h); len(p.page.Sections) > maxSections {
				p.problem(p.page.Sections[maxSections].Line, 1, "the page has more than %d sections", maxSections)
				return
			}
			continue
		}
		if len(p.page.Sections) == 0 {
			line, column := b.position(max(node.Pos(), 0))
			p.problem(line, column, "text before the first section; a section begins with ## and its title")
			return
		}
		p.findCommands(b, node)
	}
	if ends >= 0 {
		p.closeSection(b.source[ends:])
	}
	p.checkSections(b)
}

// openSection starts a section at a heading and returns where its text begins.
func (p *parser) openSection(b body, h *ast.Heading) int {
	at := b.lineStart(h.Pos())
	line, column := b.position(at)
	title := strings.TrimSpace(string(h.Lines().Value(b.source)))
	begin := b.nextLine(at)
	if !bytes.HasPrefix(bytes.TrimLeft(b.source[at:], " "), []byte("#")) {
		// The heading is underlined, and may itself run over several lines.
		begin = b.nextLine(b.nextLine(h.Lines().At(h.Lines().Len() - 1).Start))
	}
	switch _, twice := p.page.Section(title); {
	case h.Level == 1:
		p.problem(line, column, "a heading of the first level; the title stands in the front matter, and sections begin with ##")
	case title == "":
		p.problem(line, column, "a section without a title")
	case twice:
		p.problem(line, column, "the section %q stands on the page twice", title)
	}
	p.page.Sections = append(p.page.Sections, Section{Title: title, Line: line})
	return begin
}

func (p *parser) closeSection(source []byte) {
	p.page.Sections[len(p.page.Sections)-1].Text = strings.TrimSpace(string(source))
}

func (p *parser) checkSections(b body) {
	var missing []string
	for _, title := range requiredSections {
		switch s, ok := p.page.Section(title); {
		case !ok:
			missing = append(missing, title)
		case s.Text == "":
			p.problem(s.Line, 1, "the section %q is empty", s.Title)
		}
	}
	if len(missing) > 0 {
		line, column := b.position(len(bytes.TrimRight(b.source, "\n")))
		p.problem(line, column, "sections are missing: %s; a page has %s", strings.Join(missing, ", "), strings.Join(requiredSections, ", "))
	}
}

// findCommands looks for fenced blocks at or below a node.
func (p *parser) findCommands(b body, node ast.Node) {
	section := p.page.Sections[len(p.page.Sections)-1].Title
	// The walker never fails: this visitor returns no error.
	_ = ast.Walk(node, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if block, ok := n.(*ast.FencedCodeBlock); ok && entering && block.Info != nil {
			p.command(b, block, section)
		}
		return ast.WalkContinue, nil
	})
}

// blockText is the text of a fenced block, with the offset in the Markdown of
// each of its lines.
func blockText(b body, block *ast.FencedCodeBlock) (string, []int) {
	var text strings.Builder
	starts := make([]int, 0, block.Lines().Len())
	for i := range block.Lines().Len() {
		segment := block.Lines().At(i)
		starts = append(starts, segment.Start)
		text.Write(segment.Value(b.source))
	}
	return strings.TrimRight(text.String(), "\n"), starts
}

// inBlock is the place in the file of a character of a block's text.
func inBlock(b body, text string, starts []int, offset int) (line, column int) {
	before := []rune(text)[:offset]
	row := 0
	last := -1
	for i, r := range before {
		if r == '\n' {
			row, last = row+1, i
		}
	}
	if row >= len(starts) {
		row = len(starts) - 1
	}
	line, column = b.position(starts[row])
	return line, column + len(before) - last - 1
}

func contains(list []string, s string) bool {
	return slices.ContainsFunc(list, func(l string) bool { return strings.EqualFold(l, s) })
}
