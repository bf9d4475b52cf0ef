package rule

import (
	"path"
	"slices"
	"strings"
)

// Page is one rule. Nothing changes it once it is loaded.
type Page struct {
	// ID is the rule's name, the same as its folder's.
	ID    string `json:"id"`
	Title string `json:"title"`
	// Aliases are other names of the rule, paths among them.
	Aliases []string `json:"aliases,omitempty"`
	// DisableEdit, IntegrationID, Kind, RuleCategory, Source and Type are kept
	// for readers of Datadog's rule pages, whose keys they are.
	DisableEdit   bool     `json:"disable_edit,omitempty"`
	IntegrationID string   `json:"integration_id"`
	Kind          string   `json:"kind"`
	RuleCategory  []string `json:"rule_category"`
	Source        string   `json:"source"`
	Type          string   `json:"type"`

	Severity   Severity  `json:"severity"`
	Lifecycle  Lifecycle `json:"lifecycle"`
	Frameworks []Mapping `json:"frameworks,omitempty"`
	// ResourceTypes are the ARM types that the policy judges, in the order in
	// which the page names them.
	ResourceTypes []string `json:"resource_types"`
	// Sections are the parts of the Markdown, in order.
	Sections []Section `json:"-"`
	// File is the page's path in the tree it was loaded from.
	File string `json:"-"`

	// policies holds what decides, by resource type in lower case.
	policies map[string]*policy
	commands []commandBlock
}

// Lifecycle says how far a rule can be relied on.
type Lifecycle string

// The lifecycles.
const (
	Stable     Lifecycle = "stable"
	Preview    Lifecycle = "preview"
	Deprecated Lifecycle = "deprecated"
)

// Mapping ties the rule to one requirement of a framework.
type Mapping struct {
	// Framework and Version name the edition: cis-azure, 1.3.0.
	Framework   string `json:"framework"`
	Version     string `json:"version"`
	Requirement string `json:"requirement"`
	// Note narrows the mapping: "flexible servers only".
	Note string `json:"note,omitempty"`
	// MappedBy says who made the mapping.
	MappedBy Mapper `json:"mapped_by"`
	// Source is where the mapping can be looked up.
	Source string `json:"source"`
}

// Mapper is who says that a rule meets a requirement.
type Mapper string

// The mappers.
const (
	ByBenchmark Mapper = "benchmark" // the framework's own text
	ByMicrosoft Mapper = "microsoft"
	ByPeer      Mapper = "peer" // another tool, for the same check
	ByPostern   Mapper = "postern"
)

// Section is one part of a page's Markdown.
type Section struct {
	Title string
	// Text is the Markdown below the heading, without blank lines around it.
	Text string
	// Line is where the heading stands in the file.
	Line int
}

// Section returns the section of that title, without regard to case. The
// Controls section is found by either of its names.
func (p *Page) Section(title string) (Section, bool) {
	i := slices.IndexFunc(p.Sections, func(s Section) bool { return sectionKey(s.Title) == sectionKey(title) })
	if i < 0 {
		return Section{}, false
	}
	return p.Sections[i], true
}

// Applies reports whether the rule judges resources of that ARM type.
func (p *Page) Applies(resourceType string) bool {
	return p.policies[strings.ToLower(resourceType)] != nil
}

// Verdicts returns the verdicts that the rule can give, the worst first.
func (p *Page) Verdicts() []Verdict {
	skips := slices.ContainsFunc(p.ResourceTypes, func(t string) bool {
		return len(p.policies[strings.ToLower(t)].skip) > 0
	})
	return slices.DeleteFunc(slices.Clone(Verdicts), func(v Verdict) bool { return v == Skip && !skips })
}

// Reads returns the paths that the policy refers to when it judges a resource
// of the given type, such as "exposure.azure.open", sorted. A path stands for
// everything below it. What must be collected for the rule follows from them.
func (p *Page) Reads(resourceType string) []string {
	pol := p.policies[strings.ToLower(resourceType)]
	if pol == nil {
		return nil
	}
	return slices.Clone(pol.reads)
}

// names are all names that find the page: its id, its aliases, and the last
// element of each.
func (p *Page) names() []string {
	var names []string
	for _, name := range append([]string{p.ID}, p.Aliases...) {
		for _, n := range []string{foldName(name), foldName(path.Base(name))} {
			if !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	return names
}

func foldName(name string) string { return strings.ToLower(strings.Trim(name, "/")) }
