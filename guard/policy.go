package guard

import (
	"fmt"
	"strings"
)

// The names in Azure, a contract as those of the definitions are.
const (
	initiativeName = "postern-closed-doors"
	// assignmentName has at most 24 characters, which is what a management group takes.
	assignmentName = "postern-closed-doors"
)

// The shape of a policy definition, as the ARM type
// Microsoft.Authorization/policyDefinitions, API version 2023-04-01, has it.
type definition struct {
	Properties definitionProperties `json:"properties"`
}

type definitionProperties struct {
	DisplayName string    `json:"displayName"`
	PolicyType  string    `json:"policyType"`
	Mode        string    `json:"mode"`
	Description string    `json:"description"`
	Metadata    metadata  `json:"metadata"`
	Parameters  parameter `json:"parameters"`
	PolicyRule  rule      `json:"policyRule"`
}

type metadata struct {
	Category string `json:"category"`
	Version  string `json:"version"`
}

// parameter holds the parameters a definition or an initiative takes; which of
// the two limits it has depends on what is judged.
type parameter struct {
	Effect           *parameterSchema `json:"effect,omitempty"`
	MaximumAddresses *parameterSchema `json:"maximumAddresses,omitempty"`
	ShortestPrefix   *parameterSchema `json:"shortestPrefix,omitempty"`
}

type parameterSchema struct {
	Type          string           `json:"type"`
	Metadata      parameterMeaning `json:"metadata"`
	AllowedValues []string         `json:"allowedValues,omitempty"`
	DefaultValue  any              `json:"defaultValue"`
}

type parameterMeaning struct {
	DisplayName string `json:"displayName"`
	Description string `json:"description"`
}

type rule struct {
	If   condition `json:"if"`
	Then then      `json:"then"`
}

type then struct {
	Effect string `json:"effect"`
}

// condition is the part of the policy language that the definitions use.
type condition struct {
	AllOf           []condition `json:"allOf,omitempty"`
	AnyOf           []condition `json:"anyOf,omitempty"`
	Count           *count      `json:"count,omitempty"`
	Field           string      `json:"field,omitempty"`
	Value           string      `json:"value,omitempty"`
	Equals          any         `json:"equals,omitempty"`
	In              []string    `json:"in,omitempty"`
	Greater         any         `json:"greater,omitempty"`
	GreaterOrEquals any         `json:"greaterOrEquals,omitempty"`
	Less            any         `json:"less,omitempty"`
}

type count struct {
	Field string    `json:"field"`
	Where condition `json:"where"`
}

// The parameters, in the words of the language.
const (
	effectParameter           = "[parameters('effect')]"
	maximumAddressesParameter = "[parameters('maximumAddresses')]"
	shortestPrefixParameter   = "[parameters('shortestPrefix')]"
)

// elsewhere stands in for an address that is not there: it makes a range of one
// address that is neither the pair nor wide. A template function that fails is an
// implicit deny in Azure Policy, whatever the effect, and nothing promises that
// allOf stops at the type, so every expression must have a value for resources of
// every type.
const elsewhere = "1.1.1.1"

// define writes the definition for one kind of resource.
func (r Request) define(t target) definition {
	parameters := parameter{Effect: effectSchema()}
	judge := []condition{{Field: "type", Equals: t.resource()}}
	said := "a firewall rule that admits more than one service or network can need"
	switch t.test {
	case byRange:
		parameters.MaximumAddresses = r.addressesSchema()
		judge = append(judge, condition{AnyOf: rangeConditions(t.alias("startIpAddress"), t.alias("endIpAddress"))})
		said = "the firewall rule 0.0.0.0-0.0.0.0, by which every Azure customer's machines get in, under any name, " +
			"and rules that admit more addresses than a limit, up to the whole internet"
	case byList:
		parameters.ShortestPrefix = r.prefixSchema()
		judge = append(judge, condition{AnyOf: listConditions(t.alias("ipRules[*]"), t.alias("ipRangeFilter"))})
		said = "the firewall entry 0.0.0.0, by which every Azure customer's machines get in, and entries with a " +
			"shorter prefix than a limit, up to the whole internet"
	case byPresence:
		said = "any firewall rule at all, because Azure Policy cannot read its addresses"
	}
	return definition{definitionProperties{
		DisplayName: t.label + " must not let in all of Azure or the internet" + map[bool]string{true: " (any firewall rule)"}[t.test == byPresence],
		PolicyType:  "Custom",
		// Firewall rules have neither tags nor a location, and mode Indexed skips
		// what has none.
		Mode:        "All",
		Description: "Finds " + said + ". Each resource is judged by itself: rules that add up to the internet are not seen, which postern scan sees.",
		Metadata:    metadata{Category: "SQL", Version: "1.0.0"},
		Parameters:  parameters,
		PolicyRule:  rule{If: condition{AllOf: judge}, Then: then{Effect: effectParameter}},
	}}
}

// rangeConditions find the pair and every range that is too wide.
func rangeConditions(start, end string) []condition {
	first, last := number(start), number(end)
	return []condition{
		{AllOf: []condition{{Field: start, Equals: "0.0.0.0"}, {Field: end, Equals: "0.0.0.0"}}},
		// The pair in any other spelling, such as 000.0.0.0: a range that ends at
		// address 0 can hold nothing else.
		{Value: "[" + last + "]", Equals: 0},
		// A range from a to b admits b-a+1 addresses, so b-a reaches the limit when
		// it admits one too many.
		{Value: "[sub(" + last + ", " + first + ")]", GreaterOrEquals: maximumAddressesParameter},
	}
}

// number is an expression for an IPv4 address as an integer. Integers of the
// language have 64 bits.
func number(alias string) string {
	octet := func(i int) string {
		return fmt.Sprintf("int(split(coalesce(field('%s'), '%s'), '.')[%d])", alias, elsewhere, i)
	}
	return fmt.Sprintf("add(add(mul(%s, 16777216), mul(%s, 65536)), add(mul(%s, 256), %s))", octet(0), octet(1), octet(2), octet(3))
}

// listConditions find the same in the two ways in which Cosmos DB has written its
// list: objects with an address or a prefix, and before API version 2020-04-01 one
// text with commas. Of the text only the door and the whole internet are found.
func listConditions(entries, text string) []condition {
	entry := entries + ".ipAddressOrRange"
	// A text without a prefix length gets /32; one that has it keeps its own, which
	// stands before the one that is added.
	prefix := fmt.Sprintf("[int(split(concat(coalesce(current('%s'), '%s'), '/32'), '/')[1])]", entry, elsewhere)
	doors := []string{"0.0.0.0", "0.0.0.0/32", "0.0.0.0/0"}
	return []condition{
		{
			Count: &count{Field: entries, Where: condition{AnyOf: []condition{
				{Field: entry, In: doors},
				{Value: prefix, Less: shortestPrefixParameter},
			}}},
			Greater: 0,
		},
		{
			Value: fmt.Sprintf("[length(intersection(split(replace(coalesce(field('%s'), '%s'), ' ', ''), ','), createArray('%s')))]",
				text, elsewhere, strings.Join(doors, "', '")),
			Greater: 0,
		},
	}
}

func effectSchema() *parameterSchema {
	return &parameterSchema{
		Type:          "String",
		Metadata:      parameterMeaning{"Effect", "Audit reports, Deny refuses the change, Disabled does nothing."},
		AllowedValues: []string{"Audit", "Deny", "Disabled"},
		// Who assigns the definition says Deny; nobody gets it by forgetting to say.
		DefaultValue: "Audit",
	}
}

func (r Request) addressesSchema() *parameterSchema {
	return &parameterSchema{
		Type:         "Integer",
		Metadata:     parameterMeaning{"Most addresses in one rule", "A rule that admits more is found. 16777216 is a /8, 65536 a /16, 256 a /24."},
		DefaultValue: r.addresses(),
	}
}

func (r Request) prefixSchema() *parameterSchema {
	return &parameterSchema{
		Type:         "Integer",
		Metadata:     parameterMeaning{"Shortest prefix of one entry", "An entry with a shorter prefix is found: 8 allows a /8 and nothing wider."},
		DefaultValue: r.Prefix,
	}
}
