package rule

import (
	"strings"
	"testing"
	"time"
)

// Pages made to be slow to read are read, or refused, soon.
func TestHostilePages(t *testing.T) {
	fill := func(s string) string { return strings.Repeat(s, MaxPage/4/len(s)) }
	pages := map[string]string{}
	for name, s := range map[string]string{
		"quotations": "> ", "lists": "- ", "emphasis": "*a_", "links": "[a](", "definitions": "[a]: b\n", "code": "`a``",
		"markup": "<a ", "headings": "## a\n", "underlined": "a\n=\n", "commands": "```bash for=x\n```\n", "items": "  - a\n",
	} {
		pages["Markdown of "+name] = edit(t, goodPage, "What stops.", fill(s))
	}
	for name, s := range map[string]string{
		"brackets": "[", "braces": "{a: ", "keys": "a: b\n", "anchors": "&a ", "questions": "? ", "indents": " a:\n ",
	} {
		pages["YAML of "+name] = "---\n" + fill(s) + "\n---\n"
	}
	pages["aliases"] = "---\nx: &a [1]\n" + fill("y: *a\n") + "---\n"
	pages["reasons"] = edit(t, goodPage, "        - say: the internet\n", fill("        - {when: 'true', say: '{{resource.name}}'}\n")+"        - say: the internet\n")
	pages["expressions in a reason"] = edit(t, goodPage, "say: the internet", "say: x"+strings.Repeat("{{ resource.name }}", 200))
	for name, source := range pages {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			_, err := Parse(testFile, []byte(source))
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("it took %v", took)
			}
			if err != nil && len(strings.Split(err.Error(), "\n")) > maxProblems+1 {
				t.Error("it tells every problem there is")
			}
		})
	}
}
