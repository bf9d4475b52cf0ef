package fix

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/internal/jsonkeys"
)

// rulesList is the child list that a plan is about, on all three types.
const rulesList = "firewallRules"

// Firewall returns the firewall rules of a server as a plan holds them: each with
// its own document, compacted, in the order of their ids. It fails where the
// list is not whole or a rule is not one of this server's, because a plan that
// guesses is none.
func Firewall(a *asset.Asset) ([]Rule, error) {
	list, asked := a.Children[rulesList]
	switch {
	case !asked:
		return nil, fmt.Errorf("read the firewall rules of %s: the source did not read this list", a.ID)
	case list.Gap != nil:
		return nil, fmt.Errorf("read the firewall rules of %s: %s", a.ID, list.Gap)
	}
	var rules []Rule
	for _, item := range list.Items {
		r, err := readRule(a.ID, item)
		if err != nil {
			return nil, fmt.Errorf("read the firewall rules of %s: %w", a.ID, err)
		}
		if i := indexOf(rules, r.ID); i >= 0 {
			if !sameRule(rules[i], r) {
				return nil, fmt.Errorf("read the firewall rules of %s: the list names %q twice, and differently; read it again", a.ID, r.Name)
			}
			continue
		}
		rules = append(rules, r)
	}
	sortRules(rules)
	return rules, nil
}

func readRule(serverID string, item json.RawMessage) (Rule, error) {
	var doc struct {
		ID         string          `json:"id"`
		Name       string          `json:"name"`
		Properties json.RawMessage `json:"properties"`
	}
	if err := json.Unmarshal(item, &doc); err != nil {
		return Rule{}, fmt.Errorf("a rule is no document: %w", err)
	}
	if key := jsonkeys.Twice(item, 0); key != "" {
		return Rule{}, fmt.Errorf("the rule %q says %q twice", doc.Name, key)
	}
	var compact bytes.Buffer
	// The item is valid, so what it holds is.
	_ = json.Compact(&compact, doc.Properties)
	r := Rule{ID: doc.ID, Name: doc.Name, Properties: compact.Bytes()}
	p, err := r.settings()
	if err != nil {
		return Rule{}, err
	}
	r.Start, r.End = p.Start, p.End
	return r, checkPlace(serverID, r)
}

// settings is what a rule's own document says of addresses.
type settings struct {
	Start    string   `json:"startIpAddress"`
	End      string   `json:"endIpAddress"`
	Prefixes []string `json:"sourceAddressPrefixes"`
}

func (r Rule) settings() (settings, error) {
	if r.Properties == nil {
		return settings{Start: r.Start, End: r.End}, nil
	}
	var s settings
	if !bytes.HasPrefix(r.Properties, []byte("{")) {
		return s, fmt.Errorf("the rule %q has no properties", r.Name)
	}
	if err := json.Unmarshal(r.Properties, &s); err != nil {
		return s, fmt.Errorf("the rule %q has properties that cannot be read: %w", r.Name, err)
	}
	return s, nil
}

// checkPlace makes sure that a rule lies directly below its server under its own
// name: its id is an address that changes are sent to.
func checkPlace(serverID string, r Rule) error {
	parent := serverID + "/" + rulesList + "/"
	if len(r.ID) <= len(parent) || !strings.EqualFold(r.ID[:len(parent)], parent) || !strings.EqualFold(r.ID[len(parent):], r.Name) {
		return fmt.Errorf("the rule %q has the id %q, which is not below the server", r.Name, r.ID)
	}
	if err := checkSegment(r.Name); err != nil {
		return fmt.Errorf("the rule %q %w", r.Name, err)
	}
	return nil
}

// maxName is the longest name of a firewall rule that any version of the API
// allowed, in bytes.
const maxName = 128

// checkSegment makes sure that a name of something that exists is one segment of
// an id and nothing else. Old rules have names that no version takes today.
func checkSegment(name string) error {
	switch {
	case name == "" || name == "." || name == ".." || len(name) > maxName:
		return errors.New("has no name of 1 to 128 bytes")
	case strings.ContainsAny(name, `/\?#%`) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }):
		return errors.New("has a name that cannot be part of an address")
	}
	return nil
}

// Apply returns the firewall that steps lead to. It asks nothing of the steps: a
// put replaces a rule of the same id, a delete of a rule that is not there does
// nothing, as in Azure.
func Apply(rules []Rule, steps []Step) []Rule {
	byID := make(map[string]Rule, len(rules)+len(steps))
	for _, r := range rules {
		byID[strings.ToLower(r.ID)] = r
	}
	for _, s := range steps {
		switch s.Act {
		case Put:
			byID[strings.ToLower(s.Rule.ID)] = s.Rule
		case Delete:
			delete(byID, strings.ToLower(s.Rule.ID))
		}
	}
	out := make([]Rule, 0, len(byID))
	for _, r := range byID {
		out = append(out, r)
	}
	sortRules(out)
	return out
}

// SameFirewall reports whether two firewalls are the same byte for byte, both in
// the order of their rules' ids.
func SameFirewall(a, b []Rule) bool { return slices.EqualFunc(a, b, sameRule) }

func sameRule(a, b Rule) bool {
	return a.ID == b.ID && a.Name == b.Name && a.Start == b.Start && a.End == b.End && bytes.Equal(a.Properties, b.Properties)
}

func sortRules(rules []Rule) {
	slices.SortStableFunc(rules, compareRules)
}

func compareRules(a, b Rule) int { return cmp.Compare(strings.ToLower(a.ID), strings.ToLower(b.ID)) }

func indexOf(rules []Rule, id string) int {
	return slices.IndexFunc(rules, func(r Rule) bool { return asset.SameID(r.ID, id) })
}

// networkOf is a firewall as exposure reads it, on a server that is otherwise
// like the given one.
func networkOf(like asset.Network, rules []Rule) (asset.Network, error) {
	like.FirewallRules = nil
	for _, r := range rules {
		s, err := r.settings()
		if err != nil {
			return asset.Network{}, err
		}
		like.FirewallRules = append(like.FirewallRules, asset.FirewallRule{
			ID: r.ID, Name: r.Name, Start: s.Start, End: s.End, SourcePrefixes: s.Prefixes,
		})
	}
	return like, nil
}
