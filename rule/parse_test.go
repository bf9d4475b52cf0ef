package rule

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestParse(t *testing.T) {
	want := &Page{
		ID: "abc-def", Title: "A test", Aliases: []string{"abc-def", "/rules/default/old-name"},
		IntegrationID: "azure.dbforpostgresql", Kind: "documentation", RuleCategory: []string{"Posture"},
		Source: "azure.dbforpostgresql", Type: "security_rules",
		Severity:      Severity{High, Probable, High, "It is reachable."},
		Lifecycle:     Stable,
		Frameworks:    []Mapping{{Framework: "cis-azure", Version: "1.3.0", Requirement: "4.3.8", MappedBy: ByBenchmark, Source: "the benchmark"}},
		ResourceTypes: []string{flexible, single},
		File:          "rules/x/abc-def/rule.md",
	}
	got := mustParse(t)
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Page{}), cmpopts.IgnoreFields(Page{}, "Sections")); diff != "" {
		t.Errorf("page (-want +got):\n%s", diff)
	}
	var titles []string
	for _, s := range got.Sections {
		titles = append(titles, s.Title)
	}
	if diff := cmp.Diff([]string{"Description", "Rationale", "Impact", "Remediation", "References", "CIS Controls"}, titles); diff != "" {
		t.Errorf("sections (-want +got):\n%s", diff)
	}
	if s, ok := got.Section("controls"); !ok || s.Text != "9.4" || s.Line != 71 {
		t.Errorf("the controls are %+v", s)
	}
	if diff := cmp.Diff([]string{
		"exposure.azure.open", "exposure.azure.rules", "exposure.azure.state", "exposure.internet.open",
		"exposure.range.addresses", "exposure.range.open", "exposure.why", "resource.name", "resource.properties.state",
	}, got.Reads(flexible)); diff != "" {
		t.Errorf("reads (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"exposure.public_access"}, got.Reads(strings.ToUpper(single))); diff != "" {
		t.Errorf("reads (-want +got):\n%s", diff)
	}
}

func TestParseProblems(t *testing.T) {
	for _, tc := range []struct {
		name  string
		pairs []string
		want  []string
	}{
		{
			"unknown key", []string{"kind: doc", "kynd: doc"},
			[]string{
				`aliases:|the front matter lacks the key "kind"`,
				`kynd: docu|no key "kynd" in the front matter; did you mean "kind"? allowed: aliases, disable_edit, frameworks, id, integration_id, kind, lifecycle, policy, rule_category, severity, source, title, type`,
			},
		},
		{"key twice", []string{"kind: doc", "id: abc-def\nkind: doc"}, []string{`id: abc-de|the key "id" stands here twice in the front matter`}},
		{"wrong type", []string{"rule_category: [Posture]", "rule_category: Posture"}, []string{`Posture|rule_category is text; allowed: a list`}},
		{"number for text", []string{`requirement: "4.3.8"`, "requirement: 9.4"}, []string{`9.4, mappe|requirement is a number; allowed: text, in quotes: "9.4"`}},
		{"empty", []string{"title: A test", "title:"}, []string{`|title is nothing; allowed: text`}},
		{"another folder", []string{"id: abc-def", "id: abc-deg"}, []string{`abc-deg|id is "abc-deg"; allowed: the folder's name, "abc-def"`}},
		{"severity off the table", []string{"level: high", "level: medium"}, []string{`medium|level is "medium"; probable with an impact of high is "high"`}},
		{"unknown likelihood", []string{"likelihood: probable", "likelihood: probably"}, []string{`probably|likelihood is "probably"; did you mean "probable"? allowed: highly probable, improbable, possible, probable`}},
		{"unknown mapper", []string{"mapped_by: benchmark", "mapped_by: me"}, []string{`me, source|mapped_by is "me"; allowed: benchmark, microsoft, peer, postern`}},
		{"unknown type", []string{"[Microsoft.DBforPostgreSQL/servers]", "[Microsoft.DBforPostgreSQL/server]"}, []string{`Microsoft.|no resource type "Microsoft.DBforPostgreSQL/server"; did you mean "Microsoft.DBforPostgreSQL/servers"? allowed: Microsoft.DBforPostgreSQL/flexibleServers, Microsoft.DBforPostgreSQL/serverGroupsv2, Microsoft.DBforPostgreSQL/servers`}},
		{"type twice", []string{"[Microsoft.DBforPostgreSQL/servers]", "[Microsoft.DBforPostgreSQL/flexibleServers]"}, []string{`Microsoft.|Microsoft.DBforPostgreSQL/flexibleServers stands in the policy twice`}},
		{"misspelt field in a block", []string{"!exposure.internet.open\n", "!exposure.internet.opne\n"}, []string{`opne|no field "opne" in exposure.internet; did you mean "open"? allowed: addresses, latent, members, open, ranges, reason, rules, state`}},
		{"misspelt field in a sentence", []string{"{{ exposure.why }}", "{{ exposure.wyh }}"}, []string{`wyh }}|no field "wyh" in exposure; did you mean "why"? allowed: azure, internet, private, public_access, range, subnet, why`}},
		{"misspelt field in a folded sentence", []string{"            is open", "            is {{ exposure.wyh }}"}, []string{`wyh }}|no field "wyh" in exposure; did you mean "why"? allowed: azure, internet, private, public_access, range, subnet, why`}},
		{"misspelt field of the resource", []string{"resource.properties.state", "resource.properties.stat"}, []string{`stat == "D|no field "stat" in resource.properties; did you mean "state"? allowed: network, privateEndpointConnections, state, version`}},
		{"not true or false", []string{`exposure.public_access == "off"`, `exposure.public_access`}, []string{`exposure.p|this is text; allowed here: true or false`}},
		{"no evidence", []string{"evidence: exposure.azure.rules", "evidence: exposure.azure.ranges"}, []string{`exposure.a|this is a list of text; allowed here: a list of objects with the fields id, kind, name, value`}},
		{"a tag for an expression", []string{`pass: exposure.public_access == "off"`, `pass: !exposure.azure.open`}, []string{`!exposure.|in YAML a value that starts with ! is a tag; put an expression in quotes, or on the line after a |`}},
		{"a tag and more", []string{`pass: exposure.public_access == "off"`, `pass: !exposure.azure.open && true`}, []string{`!exposure.|in YAML a value that starts with ! is a tag; put an expression in quotes, or on the line after a |`}},
		{"a colon in a sentence", []string{`say: latent, `, `say: latent: `}, []string{`: {{ expos|not YAML: mapping values are not allowed in this context; a value that holds a colon and a space must be in quotes, or on the line after a |`}},
		{"an anchor", []string{"title: A test", "title: &a A test"}, []string{`&a A test|anchors and aliases (& and *) are not allowed; put a value that starts with one in quotes`}},
		{"a reason too many", []string{"        - say: the internet\n", "        - say: the internet\n        - say: both\n"}, []string{"say: the i|reason 2 of 3 to fail has no `when`, so no later one is ever given"}},
		{"no last reason", []string{"        - say: the internet\n", ""}, []string{`exposure.a|the last reason to fail has a condition; it must hold whenever no other does`}},
		{"no reasons to pass", []string{"      pass: [say: off]\n", ""}, []string{`fail: [say|reasons lacks the key "pass"`}},
		{"missing sections", []string{"## Impact\n\nWhat stops.\n", "", "## Rationale\n\nWhy.\n", ""}, []string{`|sections are missing: Rationale, Impact; a page has Description, Rationale, Impact, Remediation, References, Controls`}},
		{"a section in a code block is none", []string{"## Impact\n\nWhat stops.\n", "```\n## Impact\n```\n"}, []string{`|sections are missing: Impact; a page has Description, Rationale, Impact, Remediation, References, Controls`}},
		{"empty section", []string{"What stops.\n", ""}, []string{`## Impact|the section "Impact" is empty`}},
		{"section twice", []string{"## Impact\n", "## Rationale\n\nWhy.\n\n## Impact\n"}, []string{`## Rationa|the section "Rationale" stands on the page twice`}},
		{"text before sections", []string{"## Description\n", "Hello.\n\n## Description\n"}, []string{`Hello.|text before the first section; a section begins with ## and its title`}},
		{"a first-level heading", []string{"## Description\n", "# A test\n\nabc\n\n## Description\n"}, []string{`# A test|a heading of the first level; the title stands in the front matter, and sections begin with ##`}},
		{"unknown placeholder", []string{"<ruleId>", "<ruelId>"}, []string{`<ruelId>|no placeholder <ruelId>; did you mean "ruleId"? allowed: resourceGroupName, ruleId, ruleName, serverId, serverName, subscriptionId`}},
		{"command for another type", []string{"for=flexibleServers", "for=flexibleServer,servers,elastic"}, []string{
			`bash for=f|the page is not for "flexibleServer"; did you mean "flexibleServers"? allowed: flexibleServers, servers`,
			`bash for=f|the page is not for "elastic"; allowed: flexibleServers, servers`,
		}},
		{"command without a title", []string{` title="Azure CLI"`, ""}, []string{`bash for=f|a marked command needs both for= and title=`}},
		{"command for an unknown shell", []string{"```bash for", "```bsh for"}, []string{`bsh for=fl|a command for "bsh"; did you mean "bash"? allowed: bash, powershell`}},
		{"command in another section", []string{"What stops.\n", "```bash for=servers title=\"x\"\nx\n```\n"}, []string{`bash for=s|a marked command in the section "Impact"; allowed: in Remediation`}},
		{"no front matter", []string{"---\naliases:\n  - abc-def\n", "aliases:\n  - abc-def\n"}, []string{`aliases:|a page begins with front matter between two lines of ---`}},
		{"no end of front matter", []string{"      pass: [say: off]\n---\n", ""}, []string{`---|the front matter has no end: a second line of --- is missing`}},
		{"not UTF-8", []string{"Why.", "\xff"}, []string{"\xff|this is not UTF-8"}},
		{"a lone carriage return", []string{"Why.", "Wh\ry."}, []string{"\ry.|the character U+000D is not allowed on a page"}},
		{"text turned around", []string{"Why.", "Why\u202e."}, []string{"\u202e.|the character U+202E is not allowed on a page"}},
		{"a line separator", []string{"Why.", "é\u2028y."}, []string{"\u2028y.|the character U+2028 is not allowed on a page"}},
		{"too large", []string{"Why.", strings.Repeat("Why. ", MaxPage/5)}, []string{`|the page is larger than 262144 bytes`}},
		{
			"several at once", []string{"kind: documentation", "kind: 5", "exposure.why", "exposure.wyh", "What stops.\n", ""},
			[]string{
				`5|kind is a number; allowed: text, in quotes: "5"`,
				`wyh }}|no field "wyh" in exposure; did you mean "why"? allowed: azure, internet, private, public_access, range, subnet, why`,
				`## Impact|the section "Impact" is empty`,
			},
		},
		{
			"a field that one of the types lacks",
			[]string{"[Microsoft.DBforPostgreSQL/servers]", "[Microsoft.DBforPostgreSQL/servers, Microsoft.DBforPostgreSQL/serverGroupsv2]", `exposure.public_access == "off"`, `resource.properties.sslEnforcement == "Enabled" && exposure.x`},
			[]string{
				`sslEnforce|for Cosmos DB for PostgreSQL cluster: no field "sslEnforcement" in resource.properties; allowed: coordinatorEnablePublicIpAccess, nodeCount, nodeEnablePublicIpAccess, postgresqlVersion, privateEndpointConnections, state`,
				`x|no field "x" in exposure; allowed: azure, internet, private, public_access, range, subnet, why`,
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			source := edit(t, goodPage, tc.pairs...)
			_, err := Parse(testFile, []byte(source))
			var problems Problems
			if !errors.As(err, &problems) {
				t.Fatalf("the error is no list of problems: %v", err)
			}
			var got []string
			for _, p := range problems {
				got = append(got, textAt(t, source, p)+"|"+p.Message)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// textAt is what stands at the place of a problem, up to ten characters.
func textAt(t *testing.T, source string, p Problem) string {
	t.Helper()
	if p.File != testFile {
		t.Errorf("the file is %q", p.File)
	}
	lines := strings.Split(source, "\n")
	if p.Line == 0 {
		return ""
	}
	if p.Line > len(lines) || p.Column < 1 || p.Column > len([]rune(lines[p.Line-1]))+1 {
		t.Fatalf("%v lies outside the page", p)
	}
	// Skip characters one by one: one of them may be broken UTF-8.
	rest := lines[p.Line-1]
	for range p.Column - 1 {
		_, n := utf8.DecodeRuneInString(rest)
		rest = rest[n:]
	}
	return rest[:min(len(rest), 10)]
}

func TestParseOtherSpellings(t *testing.T) {
	for name, change := range map[string]func(string) string{
		"line ends of Windows": func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
		"byte order mark":      func(s string) string { return "\ufeff" + s },
		"underlined headings":  func(s string) string { return strings.Replace(s, "## Impact\n", "Impact\n------\n", 1) },
		"a heading on two lines": func(s string) string {
			return strings.Replace(s, "What stops.\n", "What stops.\n\nSome\nexceptions\n----------\n\nNone.\n", 1)
		},
		"more sections":  func(s string) string { return s + "\n## Exceptions\n\nNone.\n" },
		"headings below": func(s string) string { return strings.Replace(s, "What stops.", "### A\n\n#### B\n\nWhat stops.", 1) },
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Parse("abc-def/rule.md", []byte(change(goodPage)))
			if err != nil {
				t.Fatal(err)
			}
			if s, _ := p.Section("Impact"); !strings.HasSuffix(s.Text, "What stops.") {
				t.Errorf("the impact is %q", s.Text)
			}
		})
	}
}
