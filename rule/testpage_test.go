package rule

import (
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/resourcetype"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	flexible = "Microsoft.DBforPostgreSQL/flexibleServers"
	single   = "Microsoft.DBforPostgreSQL/servers"
	cluster  = "Microsoft.DBforPostgreSQL/serverGroupsv2"
)

// goodPage is a small page with every key, which tests change in places.
const goodPage = `---
aliases:
  - abc-def
  - /rules/default/old-name
id: abc-def
integration_id: azure.dbforpostgresql
kind: documentation
rule_category: [Posture]
source: azure.dbforpostgresql
title: A test
type: security_rules
severity:
  level: high
  likelihood: probable
  impact: high
  reasoning: It is reachable.
lifecycle: stable
frameworks:
  - {framework: cis-azure, version: 1.3.0, requirement: "4.3.8", mapped_by: benchmark, source: the benchmark}
policy:
  - for: [Microsoft.DBforPostgreSQL/flexibleServers]
    skip:
      - when: resource.properties.state == "Dropping"
        say: the server {{ resource.name }} is being dropped
    pass: |
      !exposure.azure.open &&
        !exposure.internet.open
    evidence: exposure.azure.rules
    reasons:
      fail:
        - when: exposure.azure.open
          say: every customer, by {{ names("firewall rule", exposure.azure.rules) }}
        - say: the internet
      pass:
        - when: exposure.azure.state == "latent"
          say: latent, {{ exposure.why }}
        - when: exposure.range.open
          say: only {{ count(exposure.range.addresses, "address", "addresses") }}
        - say: >-
            nothing
            is open
  - for: [Microsoft.DBforPostgreSQL/servers]
    pass: exposure.public_access == "off"
    reasons:
      fail: [say: on]
      pass: [say: off]
---

## Description

What it is.

## Rationale

Why.

## Impact

What stops.

## Remediation

` + "```bash for=flexibleServers title=\"Azure CLI\"\naz resource delete --ids <ruleId>\n```" + `

## References

1. https://example.com

## CIS Controls

9.4
`

const testFile = "rules/x/abc-def/rule.md"

// edit replaces some of a text, in pairs.
func edit(t testing.TB, source string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(source, pairs[i]) {
			t.Fatalf("the page does not hold %q", pairs[i])
		}
		source = strings.Replace(source, pairs[i], pairs[i+1], 1)
	}
	return source
}

// mustParse parses goodPage with some of its text replaced, in pairs.
func mustParse(t testing.TB, pairs ...string) *Page {
	t.Helper()
	p, err := Parse(testFile, []byte(edit(t, goodPage, pairs...)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const serverID = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.DBforPostgreSQL/flexibleServers/db"

// flexibleServer is a server with the given network settings in its body and
// the given rules, as pairs of name and range ("0.0.0.0-0.0.0.0").
func flexibleServer(body string, rules ...string) *asset.Asset {
	items := asset.Children{}
	for i := 0; i+1 < len(rules); i += 2 {
		start, end, _ := strings.Cut(rules[i+1], "-")
		items.Items = append(items.Items, []byte(`{"id":"`+serverID+`/firewallRules/`+rules[i]+`","name":"`+rules[i]+
			`","properties":{"startIpAddress":"`+start+`","endIpAddress":"`+end+`"}}`))
	}
	return &asset.Asset{
		ID: serverID, Type: flexible, Name: "db", ResourceGroup: "rg", Location: "eastus",
		SubscriptionID: "00000000-0000-0000-0000-000000000001",
		Body:           []byte(body), Children: map[string]asset.Children{"firewallRules": items},
	}
}

const (
	publicBody  = `{"properties":{"state":"Ready","network":{"publicNetworkAccess":"Enabled"}}}`
	privateBody = `{"properties":{"state":"Ready","network":{"publicNetworkAccess":"Disabled"}}}`
)

// input reads the asset's network and computes its exposure.
func input(t testing.TB, a *asset.Asset) Input {
	t.Helper()
	rt, ok := resourcetype.Lookup(a.Type)
	if !ok {
		t.Fatalf("no type %s", a.Type)
	}
	n, err := rt.Network(a)
	if err != nil {
		t.Fatal(err)
	}
	return Prepare(a, exposure.Of(n))
}
