package change

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/fix"
)

// firewall is the rules of a server by their ids, in lower case.
type firewall map[string]fix.Rule

func key(id string) string { return strings.ToLower(id) }

// readFirewall takes the rules out of what was read. A list that is not whole is
// an error: a server of which half is known is not changed.
func readFirewall(a *asset.Asset) (firewall, error) {
	list, err := fix.Firewall(a)
	if err != nil {
		return nil, err
	}
	rules := make(firewall, len(list))
	for _, r := range list {
		rules[key(r.ID)] = r
	}
	return rules, nil
}

// Properties that are the service's to say and nobody's to set.
const (
	// provisioningState is how far a change of the rule has got (Citus, API
	// version 2022-11-08). It is no part of what the rule is.
	provisioningState = "provisioningState"
	// sourceAddressPrefixes is how the service itself reads the addresses, seen
	// from API version 2026-04-01-preview on and in no published schema.
	sourceAddressPrefixes = "sourceAddressPrefixes"
)

// properties decodes a rule's own document. What cannot be decoded is no object
// and has no properties; such a rule is compared by its text.
func properties(r fix.Rule) map[string]any {
	var doc map[string]any
	dec := json.NewDecoder(bytes.NewReader(r.Properties))
	dec.UseNumber()
	if dec.Decode(&doc) != nil || doc == nil {
		doc = map[string]any{}
		if len(r.Properties) > 0 {
			doc["?"] = string(r.Properties)
		} else {
			doc["startIpAddress"], doc["endIpAddress"] = r.Start, r.End
		}
	}
	delete(doc, provisioningState)
	return doc
}

// writable is what is sent to make a rule: all that was read of it but what the
// service works out by itself.
func writable(r fix.Rule) (json.RawMessage, error) {
	doc := properties(r)
	if r.Start != "" && r.End != "" {
		delete(doc, sourceAddressPrefixes)
	}
	return json.Marshal(doc)
}

// provisioning reports whether the service is still at work on a rule.
func provisioning(r fix.Rule) bool {
	var doc struct {
		State string `json:"provisioningState"`
	}
	return json.Unmarshal(r.Properties, &doc) == nil && doc.State != "" && !strings.EqualFold(doc.State, "Succeeded")
}

// wanted is what a rule is held to. One that is exact must be the same down to
// properties that no schema names; otherwise what the service adds is its own
// affair.
type wanted struct {
	rule  fix.Rule
	exact bool
}

// unlike says how a rule differs from what is wanted, in words; empty when it
// does not.
func (w wanted) unlike(got fix.Rule) string {
	name := fmt.Sprintf("rule %q", w.rule.Name)
	switch {
	case w.rule.Name != got.Name:
		return fmt.Sprintf("%s is now called %q", name, got.Name)
	case w.rule.Start != got.Start || w.rule.End != got.End:
		return fmt.Sprintf("%s is now %s, and was %s", name, span(got), span(w.rule))
	}
	want, have := properties(w.rule), properties(got)
	var other []string
	for _, field := range slices.Sorted(maps.Keys(union(want, have))) {
		_, known := want[field]
		if !w.exact && (!known || field == sourceAddressPrefixes) {
			continue
		}
		a, b := text(want, field), text(have, field)
		if a != b {
			other = append(other, fmt.Sprintf("%q is %s and was %s", field, b, a))
		}
	}
	if len(other) > 0 {
		return name + " has changed: " + strings.Join(other, ", ")
	}
	return ""
}

func union(a, b map[string]any) map[string]any {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

func text(doc map[string]any, field string) string {
	v, there := doc[field]
	if !there {
		return "absent"
	}
	// It was decoded from JSON, so it can be encoded.
	b, _ := json.Marshal(v)
	return string(b)
}

// span is a rule's addresses, quoted for they are anybody's text.
func span(r fix.Rule) string { return fmt.Sprintf("%q to %q", r.Start, r.End) }

// picture is a firewall as it should be.
type picture map[string]wanted

// unlike lists how a firewall differs from the picture, a sentence each. With
// only given, it looks at those ids and no others.
func (p picture) unlike(got firewall, only map[string]bool) []string {
	ids := map[string]bool{}
	for id := range p {
		ids[id] = true
	}
	for id := range got {
		ids[id] = true
	}
	var out []string
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		if only != nil && !only[id] {
			continue
		}
		want, known := p[id]
		have, there := got[id]
		switch {
		case !there:
			out = append(out, fmt.Sprintf("rule %q (%s) is gone", want.rule.Name, span(want.rule)))
		case !known:
			out = append(out, fmt.Sprintf("rule %q (%s) is there and was not", have.Name, span(have)))
		default:
			if words := want.unlike(have); words != "" {
				out = append(out, words)
			}
		}
	}
	return out
}
