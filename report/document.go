// Package report shows findings: one file a format, each a handler of a scan's
// stream. It knows nothing of Azure and never decides a verdict.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/finding"
	"github.com/posternhq/postern/scan"
)

// Version names the JSON document and the JSON stream. Within v1 fields are
// added and never removed, renamed or given another meaning.
const Version = "postern.scan/v1"

// Document is a scan as one JSON document.
type Document struct {
	// Version is postern.scan/v1.
	Version string    `json:"version" jsonschema:"enum=postern.scan/v1"`
	Tool    scan.Tool `json:"tool"`
	// Source is where the assets were read.
	Source string `json:"source"`
	// CollectedAt is when the reading of Azure began: for a snapshot, long ago.
	CollectedAt time.Time `json:"collected_at"`
	// StartedAt and FinishedAt are about this judging of it.
	StartedAt  time.Time `json:"started_at"`
	FinishedAt time.Time `json:"finished_at"`
	// Partial is true when the scan was cut short: what is missing is not known.
	Partial bool `json:"partial"`
	// Findings are one for each rule and resource, ordered by resource and rule.
	Findings []finding.Finding `json:"findings"`
	// Gaps are what could not be read.
	Gaps    []asset.Gap `json:"gaps"`
	Summary Summary     `json:"summary"`
}

// Summary counts what a scan found and what it cost.
type Summary struct {
	// Resources is how many were judged.
	Resources int `json:"resources"`
	// Pass, Fail, Skip and Unknown count findings.
	Pass    int `json:"pass"`
	Fail    int `json:"fail"`
	Skip    int `json:"skip"`
	Unknown int `json:"unknown"`
	Gaps    int `json:"gaps"`
	// Subscriptions is how many were in scope.
	Subscriptions int `json:"subscriptions"`
	// Vanished counts resources that were listed and gone a moment later.
	Vanished int `json:"vanished"`
	// Calls counts requests to Azure, retries included; Throttled those that
	// were turned away with 429; WaitedSeconds how long calls stood still for
	// it, summed over all calls.
	Calls         int     `json:"calls"`
	Throttled     int     `json:"throttled"`
	WaitedSeconds float64 `json:"waited_seconds"`
}

func newSummary(s scan.Summary) Summary {
	return Summary{
		Resources: s.Resources, Pass: s.Pass, Fail: s.Fail, Skip: s.Skip, Unknown: s.Unknown, Gaps: s.Gaps,
		Subscriptions: s.Stats.Subscriptions, Vanished: s.Stats.Vanished,
		Calls: s.Stats.Calls, Throttled: s.Stats.Throttled, WaitedSeconds: s.Stats.Waited.Seconds(),
	}
}

// JSON writes a scan as one [Document], at its end.
type JSON struct {
	out io.Writer
	doc Document
}

// NewJSON returns a handler that writes to out.
func NewJSON(out io.Writer) *JSON {
	return &JSON{out: out, doc: Document{Version: Version, Findings: []finding.Finding{}, Gaps: []asset.Gap{}}}
}

// Start implements [scan.Handler].
func (j *JSON) Start(h scan.Header) error {
	j.doc.Tool, j.doc.Source, j.doc.StartedAt = h.Tool, h.Source, h.StartedAt
	return nil
}

// Finding implements [scan.Handler].
func (j *JSON) Finding(f finding.Finding) error {
	j.doc.Findings = append(j.doc.Findings, f)
	return nil
}

// Gap implements [scan.Handler].
func (j *JSON) Gap(g asset.Gap) error {
	j.doc.Gaps = append(j.doc.Gaps, g)
	return nil
}

// End implements [scan.Handler].
func (j *JSON) End(s scan.Summary) error {
	j.doc.CollectedAt, j.doc.FinishedAt = s.Stats.CollectedAt, s.FinishedAt
	j.doc.Partial, j.doc.Summary = s.Stats.Partial, newSummary(s)
	sortFindings(j.doc.Findings)
	sortGaps(j.doc.Gaps)
	enc := json.NewEncoder(j.out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(j.doc); err != nil {
		return fmt.Errorf("write the JSON document: %w", err)
	}
	return nil
}

// sortFindings brings findings into an order that does not depend on which
// answer of Azure came first.
func sortFindings(findings []finding.Finding) {
	slices.SortStableFunc(findings, func(a, b finding.Finding) int {
		if c := strings.Compare(strings.ToLower(a.Resource.ID), strings.ToLower(b.Resource.ID)); c != 0 {
			return c
		}
		return strings.Compare(a.Rule.ID, b.Rule.ID)
	})
}

func sortGaps(gaps []asset.Gap) {
	slices.SortStableFunc(gaps, func(a, b asset.Gap) int {
		if c := strings.Compare(strings.ToLower(a.Scope), strings.ToLower(b.Scope)); c != 0 {
			return c
		}
		return strings.Compare(a.Permission, b.Permission)
	})
}
