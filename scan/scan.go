// Package scan is the library's front door: it takes assets from a collector,
// judges each by the rules, and hands findings to a handler as they come. It
// knows neither the command line nor any report format.
package scan

import (
	"context"
	"fmt"
	"time"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/collect"
	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/finding"
	"github.com/posternhq/postern/resourcetype"
	"github.com/posternhq/postern/rule"
)

// Options says what to scan, by which rules, and who is told.
type Options struct {
	Collector collect.Collector
	Rules     []*rule.Page
	Handler   Handler
	// Tool names the program in reports.
	Tool Tool
	// Types are the resource types that can be judged; [resourcetype.All] if nil.
	Types []resourcetype.Type
	// Now defaults to time.Now.
	Now func() time.Time
}

// Tool names the program that made a report.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Header is what is known before the first finding.
type Header struct {
	Tool      Tool
	Source    string
	StartedAt time.Time
	Rules     []*rule.Page
}

// Handler takes a scan as it unfolds: Start, then findings and gaps in any
// order, then End. Calls come one at a time. An error ends the scan.
type Handler interface {
	Start(Header) error
	Finding(finding.Finding) error
	Gap(asset.Gap) error
	End(Summary) error
}

// Summary counts what a scan found and what it cost.
type Summary struct {
	StartedAt  time.Time
	FinishedAt time.Time
	// Resources were judged; Pass to Unknown count their findings.
	Resources                 int
	Pass, Fail, Skip, Unknown int
	// Gaps counts what could not be read.
	Gaps int
	// BySeverity counts the failures of each severity.
	BySeverity map[rule.Level]int
	// Stats is what the collecting cost. Partial is set when it was cut short.
	Stats collect.Stats
}

// Complete reports whether everything in scope was read and judged.
func (s Summary) Complete() bool {
	return s.Unknown == 0 && s.Gaps == 0 && !s.Stats.Partial
}

// Run scans and returns the summary that the handler was given. When the
// context ends, what is known by then is reported and the summary says that it
// is partial. An error means that there is no trustworthy report: the source
// could not be read at all, or the handler failed.
func Run(ctx context.Context, o Options) (Summary, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Types == nil {
		o.Types = resourcetype.All()
	}
	started := o.Now()
	if err := o.Handler.Start(Header{Tool: o.Tool, Source: o.Collector.Source(), StartedAt: started, Rules: o.Rules}); err != nil {
		return Summary{}, fmt.Errorf("start the report: %w", err)
	}
	j := &judge{ctx: context.WithoutCancel(ctx), options: o, summary: Summary{StartedAt: started, BySeverity: map[rule.Level]int{}}}
	stats, err := o.Collector.Collect(ctx, j)
	j.summary.Stats, j.summary.FinishedAt = stats, o.Now()
	if err != nil {
		return j.summary, err
	}
	if err := o.Handler.End(j.summary); err != nil {
		return j.summary, fmt.Errorf("finish the report: %w", err)
	}
	return j.summary, nil
}

// patience is how long one resource may take to judge. A policy is limited in
// cost too; this is for documents that make each step slow.
const patience = 10 * time.Second

// judge is the sink of a scan. It evaluates without the scan's cancellation:
// what has been read is judged, so that an interrupted scan loses nothing.
type judge struct {
	ctx     context.Context //nolint:containedctx // a sink's methods take none
	options Options
	summary Summary
}

// Asset implements [collect.Sink].
func (j *judge) Asset(a *asset.Asset) error {
	j.summary.Resources++
	ctx, cancel := context.WithTimeout(j.ctx, patience)
	defer cancel()
	in := rule.Prepare(a, Exposure(a, j.options.Types))
	for _, page := range j.options.Rules {
		if !page.Applies(a.Type) {
			continue
		}
		result := page.Evaluate(ctx, in)
		j.count(page, result.Verdict)
		if err := j.options.Handler.Finding(finding.New(page, in, result)); err != nil {
			return fmt.Errorf("report a finding: %w", err)
		}
	}
	gaps := a.Gaps()
	if _, known := resourcetype.Find(j.options.Types, a.Type); !known {
		// No rule is for it, so that no finding would tell of it.
		gaps = append(gaps, asset.Gap{Scope: a.ID, Operation: "judge a resource", Message: resourcetype.UnknownTypeError{Type: a.Type}.Error()})
	}
	for _, gap := range gaps {
		if err := j.Gap(gap); err != nil {
			return err
		}
	}
	return nil
}

// Gap implements [collect.Sink].
func (j *judge) Gap(g asset.Gap) error {
	j.summary.Gaps++
	if err := j.options.Handler.Gap(g); err != nil {
		return fmt.Errorf("report a gap: %w", err)
	}
	return nil
}

func (j *judge) count(page *rule.Page, v rule.Verdict) {
	switch v {
	case rule.Pass:
		j.summary.Pass++
	case rule.Fail:
		j.summary.Fail++
		j.summary.BySeverity[page.Severity.Level]++
	case rule.Skip:
		j.summary.Skip++
	case rule.Unknown:
		j.summary.Unknown++
	}
}

// Exposure computes who can reach an asset. One of no known type, or whose
// document cannot be read, is exposed in ways that are not known.
func Exposure(a *asset.Asset, types []resourcetype.Type) exposure.Exposure {
	network, err := resourcetype.Network(types, a)
	if err != nil {
		return exposure.Unreadable(err.Error())
	}
	return exposure.Of(network)
}
