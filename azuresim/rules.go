package azuresim

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

func firewallRules(s *instance, _ string) []map[string]any {
	items := make([]map[string]any, len(s.spec.FirewallRules))
	for i, r := range s.spec.FirewallRules {
		items[i] = s.ruleBody(r, "Succeeded")
	}
	return items
}

func (s *instance) ruleBody(r Rule, provisioning string) map[string]any {
	properties := map[string]any{"startIpAddress": r.Start, "endIpAddress": r.End}
	if len(r.SourceAddressPrefixes) > 0 {
		properties["sourceAddressPrefixes"] = r.SourceAddressPrefixes
	}
	body := map[string]any{
		"id": s.id() + "/firewallRules/" + r.Name, "name": r.Name, "type": s.armType() + "/firewallRules",
		"properties": properties,
	}
	if s.typ.kind == Citus {
		properties["provisioningState"] = provisioning
		body["systemData"] = s.systemData()
	}
	return body
}

// Rule names. Flexible servers and Citus document the first form; single
// servers, older, the second.
var (
	ruleName      = regexp.MustCompile(`^[a-zA-Z0-9]([-_a-zA-Z0-9]{0,78}[_a-zA-Z0-9])?$`)
	olderRuleName = regexp.MustCompile(`^[-\w.]{1,128}$`)
)

func (s *instance) checkRuleName(name string) *fail {
	form := ruleName
	if s.typ.kind == Single {
		form = olderRuleName
	}
	if !form.MatchString(name) {
		return badParameter("firewallRuleName")
	}
	return nil
}

// putRule checks a rule as Azure does: its name and that both addresses are
// IPv4. Whether Azure refuses an end before the start is not documented, so
// here it passes.
func putRule(s *instance, name string, content []byte) (change, *fail) {
	if f := s.refusesRules(); f != nil {
		return change{}, f
	}
	if f := s.checkRuleName(name); f != nil {
		return change{}, f
	}
	var body struct {
		Properties struct {
			Start string `json:"startIpAddress"`
			End   string `json:"endIpAddress"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(content, &body); err != nil {
		return change{}, badContent(err)
	}
	switch {
	case !isIPv4(body.Properties.Start):
		return change{}, badParameter("startIpAddress")
	case !isIPv4(body.Properties.End):
		return change{}, badParameter("endIpAddress")
	}
	rule := Rule{Name: name, Start: body.Properties.Start, End: body.Properties.End}
	at := s.ruleIndex(name)
	if at >= 0 {
		rule.Name = s.spec.FirewallRules[at].Name // a rule keeps the spelling it was born with
	}
	ch := change{
		name: map[Kind]string{Single: "UpsertElasticServerFirewallRules", Flexible: "UpsertServerFirewallRulesManagementOperation"}[s.typ.kind],
		apply: func(to *DBServer) {
			to.FirewallRules = upsert(to.FirewallRules, rule, func(r Rule) string { return r.Name })
		},
	}
	if s.typ.kind == Citus {
		// Citus answers with the rule at once, and the end in the operation.
		ch.accepted = s.ruleBody(rule, "InProgress")
		ch.created = at < 0
	}
	return s.enforced(ch), nil
}

func isIPv4(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is4()
}

func removeRule(s *instance, name string, _ []byte) (change, *fail) {
	if f := s.refusesRules(); f != nil {
		return change{}, f
	}
	if s.ruleIndex(name) < 0 {
		return change{absent: true}, nil
	}
	return s.enforced(change{
		name: map[Kind]string{Single: "DropElasticServerFirewallRule", Flexible: "DropServerFirewallRulesManagementOperation"}[s.typ.kind],
		apply: func(to *DBServer) {
			to.FirewallRules = slices.DeleteFunc(to.FirewallRules, func(r Rule) bool { return strings.EqualFold(r.Name, name) })
		},
	}), nil
}

// refusesRules says why the server takes no changes of its rules. That single
// servers without public access and flexible servers in a subnet refuse is
// documented; the codes and words are not.
func (s *instance) refusesRules() *fail {
	switch {
	case s.spec.Subnet != "":
		return &fail{status: http.StatusBadRequest, code: "FirewallRuleNotSupported",
			message: "Firewall rule operations cannot be requested for a private access enabled server."}
	case s.typ.kind == Single && !s.public():
		return &fail{status: http.StatusBadRequest, code: "DenyPublicEndpointEnabled",
			message: "Firewall rules cannot be created or changed while public network access to the server is disabled."}
	}
	return nil
}

// enforced makes a change of rules come to nothing on a flexible server whose
// public access is off: such changes are accepted and discarded, says the
// documentation.
func (s *instance) enforced(ch change) change {
	if s.typ.kind == Flexible && !s.public() {
		ch.apply = func(*DBServer) {}
	}
	return ch
}

func (s *instance) ruleIndex(name string) int {
	return slices.IndexFunc(s.spec.FirewallRules, func(r Rule) bool { return strings.EqualFold(r.Name, name) })
}

// upsert replaces the element that has the same name without case, or adds a
// new one at the end.
func upsert[T any](list []T, v T, name func(T) string) []T {
	for i, old := range list {
		if strings.EqualFold(name(old), name(v)) {
			list[i] = v
			return list
		}
	}
	return append(list, v)
}
