package rule

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/posternhq/postern/internal/suggest"
)

// fields is a YAML mapping that is read strictly: every key must be one that is
// asked for, and every value of the kind that is asked for.
type fields struct {
	p *parser
	// node is the mapping itself, and where is what messages call it.
	node  *yaml.Node
	where string
	keys  map[string]*yaml.Node
}

// mapping opens a node as a mapping with the given keys. A key that ends in "?"
// may be left out.
func (p *parser) mapping(node *yaml.Node, where string, keys ...string) fields {
	f := fields{p: p, node: node, where: where, keys: map[string]*yaml.Node{}}
	if !p.isPlain(node) {
		return f
	}
	if node.Kind != yaml.MappingNode {
		p.fault(node, "%s is %s; allowed: a mapping with the keys %s", where, kindOf(node), listed(keys))
		return f
	}
	for i := 0; i+1 < len(node.Content) && len(p.problems) <= maxProblems; i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		switch _, twice := f.keys[key.Value]; {
		case key.Kind != yaml.ScalarNode:
			p.fault(key, "a key of %s is %s; allowed: a word", where, kindOf(key))
		case twice:
			p.fault(key, "the key %q stands here twice in %s", key.Value, where)
		case !slices.Contains(keys, key.Value) && !slices.Contains(keys, key.Value+"?"):
			p.fault(key, "no key %q in %s%s", key.Value, where, suggest.Allowed(key.Value, bare(keys)))
		default:
			f.keys[key.Value] = value
		}
	}
	for _, key := range keys {
		if f.keys[key] == nil && !strings.HasSuffix(key, "?") {
			p.fault(node, "%s lacks the key %q", where, key)
		}
	}
	return f
}

func bare(keys []string) []string {
	out := make([]string, 0, len(keys))
	for _, k := range keys {
		out = append(out, strings.TrimSuffix(k, "?"))
	}
	return out
}

func listed(keys []string) string { return strings.Join(bare(keys), ", ") }

// text reads a text that is not empty. A key that is not there gives an empty
// one: whether it must be there is for mapping to say.
func (f fields) text(key string) string {
	node := f.keys[key]
	if node == nil {
		return ""
	}
	return f.p.text(node, key)
}

func (p *parser) text(node *yaml.Node, what string) string {
	if !p.isPlain(node) {
		return ""
	}
	if node.Kind != yaml.ScalarNode || node.ShortTag() != "!!str" {
		p.fault(node, "%s is %s; allowed: text%s", what, kindOf(node), quoteHint(node))
		return ""
	}
	if strings.TrimSpace(node.Value) == "" {
		p.fault(node, "%s is empty", what)
	}
	return node.Value
}

func quoteHint(node *yaml.Node) string {
	if node.Kind == yaml.ScalarNode && node.Value != "" {
		return fmt.Sprintf(", in quotes: %q", node.Value)
	}
	return ""
}

// oneOf reads a text that must be one of the allowed ones.
func oneOf[T ~string](f fields, key string, allowed []T) T {
	value := f.text(key)
	words := make([]string, 0, len(allowed))
	for _, a := range allowed {
		words = append(words, string(a))
	}
	if value != "" && !slices.Contains(words, value) {
		f.p.fault(f.keys[key], "%s is %q%s", key, value, suggest.Allowed(value, words))
		return ""
	}
	return T(value)
}

func (f fields) flag(key string) bool {
	node := f.keys[key]
	if node == nil || !f.p.isPlain(node) {
		return false
	}
	if node.Kind != yaml.ScalarNode || node.ShortTag() != "!!bool" {
		f.p.fault(node, "%s is %s; allowed: true or false", key, kindOf(node))
		return false
	}
	return node.Value == "true"
}

// items reads a list that is not empty.
func (f fields) items(key string) []*yaml.Node {
	node := f.keys[key]
	if node == nil || !f.p.isPlain(node) {
		return nil
	}
	if node.Kind != yaml.SequenceNode {
		f.p.fault(node, "%s is %s; allowed: a list", key, kindOf(node))
		return nil
	}
	if len(node.Content) == 0 {
		f.p.fault(node, "%s is empty", key)
	}
	return node.Content
}

func (f fields) texts(key string) []string {
	items := f.items(key)
	out := make([]string, 0, len(items))
	for _, node := range items {
		out = append(out, f.p.text(node, "an item of "+key))
	}
	return out
}

// isPlain refuses what a page has no use for and what would hide where a value
// stands: anchors, aliases and tags.
func (p *parser) isPlain(node *yaml.Node) bool {
	switch {
	case node.Style&yaml.TaggedStyle != 0:
		p.fault(node, "in YAML a value that starts with ! is a tag; put an expression in quotes, or on the line after a |")
		return false
	case node.Kind == yaml.AliasNode || node.Anchor != "":
		p.fault(node, "anchors and aliases (& and *) are not allowed; put a value that starts with one in quotes")
		return false
	default:
		return true
	}
}

func kindOf(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	switch node.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!bool":
		return "true or false"
	case "!!int", "!!float":
		return "a number"
	case "!!timestamp":
		return "a date"
	default:
		return "text"
	}
}
