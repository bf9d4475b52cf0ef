package guard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// expressions say in a template what stands in a document as a mark: the id of
// another resource, or a parameter. It answers false for any other text.
type expressions func(text string) (string, bool)

// bicepKey is what needs no quotes as the name of a property.
var bicepKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// bicepPolicy writes the definitions, the initiative and its assignment as one
// template. What stands apart is made only when asked for.
func (r Request) bicepPolicy(p Policy) []byte {
	var b bytes.Buffer
	target := "subscription"
	if r.Scope.Group != "" {
		target = "managementGroup"
	}
	fmt.Fprintf(&b, "// Written by postern guard. What each part does: docs/keep-it-closed.md.\ntargetScope = '%s'\n", target)
	if len(p.Apart) > 0 {
		b.WriteString("\n@description('Also create the definitions that stand apart; each says why it does.')\nparam apart bool = false\n")
	}
	symbols := func(text string) (string, bool) {
		for _, d := range p.all() {
			if text == d.reference() {
				return d.symbol() + ".id", true
			}
		}
		return "", false
	}
	for _, d := range p.all() {
		writeBicep(&b, d, "", symbols)
	}
	for _, d := range p.Apart {
		writeBicep(&b, d, "if (apart) ", symbols)
	}
	return b.Bytes()
}

// bicepEvents writes the event subscriptions as one template.
func bicepEvents(documents []Document) []byte {
	var b bytes.Buffer
	b.WriteString("// Written by postern guard. What each part does: docs/keep-it-closed.md.\ntargetScope = 'subscription'\n\n" +
		"@secure()\n@description('The https address that takes the events, with the secret that it asks for.')\nparam webhookUrl string\n")
	parameter := func(text string) (string, bool) { return "webhookUrl", text == webhookMark }
	for _, d := range documents {
		writeBicep(&b, d, "", parameter)
	}
	return b.Bytes()
}

// writeBicep writes one resource. Bicep itself escapes texts that begin with a
// bracket, so the template functions of a policy reach Azure as they stand.
func writeBicep(b *bytes.Buffer, d Document, condition string, known expressions) {
	b.WriteString("\n")
	if d.Apart != "" {
		fmt.Fprintf(b, "// Apart: %s.\n", d.Apart)
	}
	fmt.Fprintf(b, "resource %s '%s@%s' = %s", d.symbol(), d.Type, d.Version, condition)
	properties := decode(d.JSON)
	properties.members = append([]member{{"name", text(d.Name)}}, properties.members...)
	properties.bicep(b, "", known)
	b.WriteString("\n")
}

// bicep writes a value.
func (v node) bicep(b *bytes.Buffer, indent string, known expressions) {
	switch {
	case v.object:
		b.WriteString("{\n")
		for _, m := range v.members {
			key := m.key
			if !bicepKey.MatchString(key) {
				key = bicepText(key)
			}
			fmt.Fprintf(b, "%s  %s: ", indent, key)
			m.value.bicep(b, indent+"  ", known)
			b.WriteString("\n")
		}
		b.WriteString(indent + "}")
	case v.list:
		b.WriteString("[\n")
		for _, m := range v.members {
			b.WriteString(indent + "  ")
			m.value.bicep(b, indent+"  ", known)
			b.WriteString("\n")
		}
		b.WriteString(indent + "]")
	default:
		if s, ok := v.scalar.(string); ok {
			if expression, ok := known(s); ok {
				b.WriteString(expression)
			} else {
				b.WriteString(bicepText(s))
			}
			return
		}
		fmt.Fprint(b, v.scalar)
	}
}

// bicepText quotes a text. The documents hold no control characters.
func bicepText(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, `${`, `\${`).Replace(s) + "'"
}

// node is a JSON value whose members keep their order.
type node struct {
	object, list bool
	members      []member
	scalar       any
}

type member struct {
	key   string
	value node
}

func text(s string) node { return node{scalar: s} }

// decode reads a document that this package wrote.
func decode(document []byte) node {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	var read func() node
	token := func() json.Token {
		t, err := decoder.Token()
		if err != nil {
			// The document was written by json.Encoder.
			panic(err)
		}
		return t
	}
	read = func() node {
		switch t := token(); t {
		case json.Delim('{'):
			n := node{object: true}
			for decoder.More() {
				key, _ := token().(string)
				n.members = append(n.members, member{key, read()})
			}
			token()
			return n
		case json.Delim('['):
			n := node{list: true}
			for decoder.More() {
				n.members = append(n.members, member{value: read()})
			}
			token()
			return n
		default:
			return node{scalar: t}
		}
	}
	return read()
}

// reference is how other documents name this one.
func (d Document) reference() string {
	return scopeMark + "/providers/" + d.Type + "/" + d.Name
}
