// Package finding is the verdict of one rule on one resource, with its evidence
// and a fingerprint that stays the same from scan to scan. It knows neither how
// findings are shown nor where they are kept.
package finding

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/rule"
)

// Finding is what one rule says of one resource.
type Finding struct {
	// Fingerprint is the same for the same rule and resource in every scan.
	Fingerprint string `json:"fingerprint"`
	Rule        Rule   `json:"rule"`
	// Verdict is pass, fail, skip or unknown.
	Verdict rule.Verdict `json:"verdict"`
	// Reason says in one sentence why.
	Reason   string   `json:"reason"`
	Resource Resource `json:"resource"`
	// Evidence holds the guilty values of a failure.
	Evidence []rule.Evidence `json:"evidence"`
	// Exposure is who can reach the resource and by which door.
	Exposure exposure.Exposure `json:"exposure"`
	// Remediation holds the rule's commands, filled in with the names found.
	Remediation []rule.Command `json:"remediation,omitempty"`
}

// Rule names the rule of a finding.
type Rule struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	// Severity is low, medium, high or critical.
	Severity string `json:"severity"`
}

// Resource names the resource of a finding.
type Resource struct {
	ID               string            `json:"id"`
	Name             string            `json:"name"`
	Type             string            `json:"type"`
	SubscriptionID   string            `json:"subscription_id"`
	SubscriptionName string            `json:"subscription_name,omitempty"`
	ResourceGroup    string            `json:"resource_group"`
	Location         string            `json:"location"`
	Tags             map[string]string `json:"tags"`
}

// New puts a finding together from a rule's result.
func New(page *rule.Page, in rule.Input, result rule.Result) Finding {
	a := in.Asset
	f := Finding{
		Fingerprint: Fingerprint(page.ID, a.ID),
		Rule:        Rule{ID: page.ID, Title: page.Title, Severity: string(page.Severity.Level)},
		Verdict:     result.Verdict,
		Reason:      result.Reason,
		Resource:    NewResource(a),
		Evidence:    result.Evidence,
		Exposure:    in.Exposure,
	}
	if f.Evidence == nil {
		f.Evidence = []rule.Evidence{}
	}
	if result.Verdict == rule.Fail {
		f.Remediation = page.Commands(in, result)
	}
	return f
}

// NewResource names an asset.
func NewResource(a *asset.Asset) Resource {
	tags := a.Tags
	if tags == nil {
		tags = map[string]string{}
	}
	return Resource{
		ID: a.ID, Name: a.Name, Type: a.Type, SubscriptionID: a.SubscriptionID, SubscriptionName: a.SubscriptionName,
		ResourceGroup: a.ResourceGroup, Location: a.Location, Tags: tags,
	}
}

// Fingerprint names the pair of a rule and a resource in 32 hexadecimal digits.
// Ids are folded first, because Azure changes their case from call to call.
func Fingerprint(ruleID, resourceID string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(ruleID) + "\x00" + strings.ToLower(resourceID)))
	return hex.EncodeToString(sum[:16])
}
