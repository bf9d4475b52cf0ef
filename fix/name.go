package fix

import (
	"fmt"
	"regexp"
	"strings"

	"go4.org/netipx"
)

// NamePrefix begins the name of every rule that Postern adds. Firewall rules
// carry no tags, so the name is the mark.
const NamePrefix = "postern-keep-"

// ruleName is what ARM takes as the name of a new firewall rule today
// (firewallRuleName in API 2025-08-01): letters, digits, - and _, at most 80.
var ruleName = regexp.MustCompile(`^[a-zA-Z0-9]([-_a-zA-Z0-9]{0,78}[_a-zA-Z0-9])?$`)

// maxSlug bounds what of a person's name for an address goes into a rule's name.
// With the prefix, two addresses and a counter it stays below 80.
const maxSlug = 24

// nameFor makes a name, in lower case, from a range and what people call it, one
// that taken does not hold; and adds it there.
func nameFor(r netipx.IPRange, label string, taken map[string]bool) string {
	name := NamePrefix
	if s := slug(label); s != "" {
		name += s + "-"
	}
	name += strings.ReplaceAll(r.From().String(), ".", "-")
	if r.From() != r.To() {
		name += "-to-" + strings.ReplaceAll(r.To().String(), ".", "-")
	}
	unique := name
	for n := 2; taken[unique]; n++ {
		unique = fmt.Sprintf("%s-%d", name, n)
	}
	taken[unique] = true
	return unique
}

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

func slug(label string) string {
	s := strings.Trim(notInNames.ReplaceAllString(strings.ToLower(label), "-"), "-")
	return strings.Trim(s[:min(len(s), maxSlug)], "-")
}
