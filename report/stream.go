package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/finding"
	"github.com/posternhq/postern/scan"
)

// Line is one line of the JSON stream: the version first, then findings and
// gaps as they come, and the summary last. A stream without a summary broke off.
type Line struct {
	// Version, Tool, Source and StartedAt are set on the first line only.
	Version   string     `json:"version,omitempty" jsonschema:"enum=postern.scan/v1"`
	Tool      *scan.Tool `json:"tool,omitempty"`
	Source    string     `json:"source,omitempty"`
	StartedAt *time.Time `json:"started_at,omitempty"`

	Finding *finding.Finding `json:"finding,omitempty"`
	Gap     *asset.Gap       `json:"gap,omitempty"`

	// Summary, CollectedAt, FinishedAt and Partial are set on the last line only.
	Summary     *Summary   `json:"summary,omitempty"`
	CollectedAt *time.Time `json:"collected_at,omitempty"`
	FinishedAt  *time.Time `json:"finished_at,omitempty"`
	Partial     bool       `json:"partial,omitempty"`
}

// JSONL writes a scan as a stream of [Line]. It keeps nothing, so its memory
// does not grow with the estate.
type JSONL struct {
	out *bufio.Writer
	enc *json.Encoder
	// eager flushes every line, for a reader who waits for them.
	eager bool
}

// NewJSONL returns a handler that writes to out. With eager set every line is
// written at once; otherwise lines are gathered into larger writes.
func NewJSONL(out io.Writer, eager bool) *JSONL {
	buffered := bufio.NewWriterSize(out, 1<<16)
	enc := json.NewEncoder(buffered)
	enc.SetEscapeHTML(false)
	return &JSONL{out: buffered, enc: enc, eager: eager}
}

// Start implements [scan.Handler].
func (j *JSONL) Start(h scan.Header) error {
	if err := j.write(Line{Version: Version, Tool: &h.Tool, Source: h.Source, StartedAt: &h.StartedAt}); err != nil {
		return err
	}
	// The version is there from the first moment, whatever becomes of the rest.
	return j.flush()
}

// Finding implements [scan.Handler].
func (j *JSONL) Finding(f finding.Finding) error { return j.write(Line{Finding: &f}) }

// Gap implements [scan.Handler].
func (j *JSONL) Gap(g asset.Gap) error { return j.write(Line{Gap: &g}) }

// End implements [scan.Handler].
func (j *JSONL) End(s scan.Summary) error {
	summary := newSummary(s)
	if err := j.write(Line{Summary: &summary, CollectedAt: &s.Stats.CollectedAt, FinishedAt: &s.FinishedAt, Partial: s.Stats.Partial}); err != nil {
		return err
	}
	return j.flush()
}

func (j *JSONL) write(l Line) error {
	if err := j.enc.Encode(l); err != nil {
		return fmt.Errorf("write the JSON stream: %w", err)
	}
	if j.eager {
		return j.flush()
	}
	return nil
}

func (j *JSONL) flush() error {
	if err := j.out.Flush(); err != nil {
		return fmt.Errorf("write the JSON stream: %w", err)
	}
	return nil
}
