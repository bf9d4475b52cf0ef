package azuresim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

func vnetRules(s *instance, _ string) []map[string]any {
	items := make([]map[string]any, len(s.spec.VNetRules))
	for i, r := range s.spec.VNetRules {
		items[i] = map[string]any{
			"id": s.id() + "/virtualNetworkRules/" + r.Name, "name": r.Name,
			"type": s.armType() + "/virtualNetworkRules",
			"properties": map[string]any{
				"virtualNetworkSubnetId":           s.subnetID(r.Subnet),
				"ignoreMissingVnetServiceEndpoint": r.IgnoreMissingEndpoint,
				"state":                            "Ready",
			},
		}
	}
	return items
}

func putVNetRule(s *instance, name string, content []byte) (change, *fail) {
	if !s.public() {
		// Reported by users whose server denied public access.
		return change{}, &fail{status: http.StatusMethodNotAllowed, code: "FeatureSwitchNotEnabled",
			message: "Requested feature is not enabled"}
	}
	if !olderRuleName.MatchString(name) {
		return change{}, badParameter("virtualNetworkRuleName")
	}
	var body struct {
		Properties struct {
			Subnet string `json:"virtualNetworkSubnetId"`
			Ignore bool   `json:"ignoreMissingVnetServiceEndpoint"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(content, &body); err != nil {
		return change{}, badContent(err)
	}
	if !strings.Contains(lower(body.Properties.Subnet), "/subnets/") {
		return change{}, badParameter("virtualNetworkSubnetId")
	}
	rule := VNetRule{Name: name, Subnet: body.Properties.Subnet, IgnoreMissingEndpoint: body.Properties.Ignore}
	if i := s.vnetRuleIndex(name); i >= 0 {
		rule.Name = s.spec.VNetRules[i].Name
	}
	return change{
		name:    "UpsertElasticServerVnetFirewallRule",
		grouped: true,
		apply: func(to *DBServer) {
			to.VNetRules = upsert(to.VNetRules, rule, func(r VNetRule) string { return r.Name })
		},
	}, nil
}

func removeVNetRule(s *instance, name string, _ []byte) (change, *fail) {
	if s.vnetRuleIndex(name) < 0 {
		return change{absent: true}, nil
	}
	return change{
		name: "DropElasticServerVnetFirewallRule",
		apply: func(to *DBServer) {
			to.VNetRules = slices.DeleteFunc(to.VNetRules, func(r VNetRule) bool { return strings.EqualFold(r.Name, name) })
		},
	}, nil
}

func (s *instance) vnetRuleIndex(name string) int {
	return slices.IndexFunc(s.spec.VNetRules, func(r VNetRule) bool { return strings.EqualFold(r.Name, name) })
}
