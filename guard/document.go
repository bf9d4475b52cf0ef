package guard

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// scopeMark stands in a document for the ARM id of the scope that it goes to.
const scopeMark = "{scope}"

// Document is one resource to create in Azure.
type Document struct {
	// Type and Version are the ARM type and its API version, Name the resource's name.
	Type, Version, Name string
	// Apart says why it stands beside the initiative, empty for what belongs to it.
	Apart string
	// JSON is the body, indented. It says {scope} where the id of the scope goes.
	JSON []byte
}

// Policy is every document that keeps the doors closed.
type Policy struct {
	// Definitions are in the initiative, and Apart are beside it, each with the reason.
	Definitions, Apart     []Document
	Initiative, Assignment Document
}

// Policy writes the documents.
func (r Request) Policy() Policy {
	var p Policy
	var combined []target
	for _, t := range targetsOf(r.Services) {
		d := document(definitionType, policyVersion, t.name, r.define(t))
		if d.Apart = t.apart; d.Apart != "" {
			p.Apart = append(p.Apart, d)
			continue
		}
		p.Definitions = append(p.Definitions, d)
		combined = append(combined, t)
	}
	set := r.combine(combined)
	p.Initiative = document(initiativeType, policyVersion, initiativeName, set)
	p.Assignment = document(assignmentType, policyVersion, assignmentName, r.assign(set))
	return p
}

// all are the documents in the order in which they must be created.
func (p Policy) all() []Document {
	return append(slices.Clone(p.Definitions), p.Initiative, p.Assignment)
}

// document indents the body of a resource.
func document(kind, version, name string, body any) Document {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(body); err != nil {
		// The bodies are structs of this package, without functions or cycles.
		panic(err)
	}
	return Document{Type: kind, Version: version, Name: name, JSON: bytes.TrimSuffix(b.Bytes(), []byte("\n"))}
}

// at fills in the scope where one was named.
func (r Request) at(text []byte) []byte {
	if r.Scope.ID == "" {
		return text
	}
	return bytes.ReplaceAll(text, []byte(scopeMark), []byte(r.Scope.ID))
}

// file is the name that a document has among the files.
func (d Document) file() string {
	switch {
	case d.Apart != "":
		return "apart/" + d.Name + ".json"
	case d.Type == initiativeType:
		return "initiative.json"
	case d.Type == assignmentType:
		return "assignment.json"
	case d.Type == eventsType:
		return d.Name + ".json"
	default:
		return "definitions/" + d.Name + ".json"
	}
}

// symbol is the name of a document in Bicep and Terraform, where the assignment
// and the initiative of one name must differ.
func (d Document) symbol() string {
	symbol := strings.ReplaceAll(d.Name, "-", "_")
	if d.Type == assignmentType {
		symbol += "_assignment"
	}
	return symbol
}
