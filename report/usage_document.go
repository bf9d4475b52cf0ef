package report

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/scan"
	"github.com/posternhq/postern/usage"
	"github.com/posternhq/postern/usage/pglog"
)

// UsageVersion names the JSON document of `postern usage`. Within v1 fields are
// added and never removed, renamed or given another meaning.
const UsageVersion = "postern.usage/v1"

// UsageDocument is who uses a server as one JSON document; docs/usage.md
// describes its fields.
type UsageDocument struct {
	Version   string         `json:"version"`
	Tool      scan.Tool      `json:"tool"`
	Source    string         `json:"source"`
	CreatedAt time.Time      `json:"created_at"`
	Server    UsageServer    `json:"server"`
	Door      exposure.Door  `json:"azure_door"`
	Window    UsageWindow    `json:"window"`
	Log       UsageLog       `json:"log"`
	Sources   []UsageSource  `json:"sources"`
	Clients   []usage.Judged `json:"clients"`
	Blind     []string       `json:"blind"`
	Outcome   usage.Outcome  `json:"outcome"`
	CutsOff   int            `json:"cuts_off"`
	// OnlyInternet is how many clients come by the internet door alone.
	OnlyInternet int `json:"only_internet"`
	// RefusedYours is how many clients that are or may be yours were refused the
	// last time they came.
	RefusedYours int      `json:"refused_yours"`
	Missing      []string `json:"missing"`
	Why          string   `json:"why"`
}

// UsageServer names the server.
type UsageServer struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"`
}

// UsageWindow is the time that evidence covers. Seconds is from the first entry or
// look to the last, CoveredSeconds without stretches of more than two hours in which
// a log tells of nobody let in. Unbroken is the longest stretch that is covered
// without a break and reaches far enough towards now: the outcome rests on it.
type UsageWindow struct {
	First          *time.Time    `json:"first"`
	Last           *time.Time    `json:"last"`
	Seconds        int64         `json:"seconds"`
	CoveredSeconds int64         `json:"covered_seconds"`
	Unbroken       *UsageStretch `json:"unbroken,omitempty"`
}

// UsageStretch is a piece of time.
type UsageStretch struct {
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Seconds int64     `json:"seconds"`
}

// UsageSource is one thing that the answer rests on, with its own window. Log is
// there for a log, Sample for samples of who is connected.
type UsageSource struct {
	Name    string           `json:"name"`
	Kind    usage.SourceKind `json:"kind"`
	Window  UsageWindow      `json:"window"`
	Log     *UsageLog        `json:"log,omitempty"`
	Sample  *UsageSample     `json:"sample,omitempty"`
	Missing []string         `json:"missing"`
}

// UsageSample counts the looks at a running server.
type UsageSample struct {
	Samples         int      `json:"samples"`
	IntervalSeconds float64  `json:"interval_seconds"`
	Limits          []string `json:"limits"`
}

// UsageLog counts what was read of the log.
type UsageLog struct {
	Files      int                  `json:"files"`
	Bytes      int64                `json:"bytes"`
	Entries    int64                `json:"entries"`
	Earlier    int64                `json:"earlier"`
	Unreadable int64                `json:"unreadable_lines"`
	Truncated  int                  `json:"truncated_lines"`
	Foreign    int64                `json:"foreign_records"`
	Unjoined   int64                `json:"connections_without_address"`
	Doubts     UsageDoubts          `json:"doubts"`
	Events     map[pglog.Kind]int64 `json:"events"`
}

// UsageDoubts counts what may be otherwise than a log reads. Each keeps an answer
// from being safe.
type UsageDoubts struct {
	Torn          int64            `json:"unreadable_about_connections"`
	OtherLanguage int64            `json:"other_language"`
	Untimed       int64            `json:"without_time"`
	Implausible   int64            `json:"implausible_time"`
	Contested     int64            `json:"sessions_of_two_addresses"`
	Embedded      int64            `json:"within_other_messages"`
	Unended       int64            `json:"sessions_without_end"`
	Unnamed       int64            `json:"records_without_server"`
	Namesakes     map[string]int64 `json:"records_of_other_ids,omitempty"`
	UnreadFiles   int              `json:"unread_files"`
	Unread        []string         `json:"unread,omitempty"`
	Forgeable     string           `json:"forgeable_log_line_prefix,omitempty"`
}

// UsageJSON writes the document.
func UsageJSON(out io.Writer, u Usage) error {
	a := u.Answer
	doc := UsageDocument{
		Version: UsageVersion, Tool: u.Tool, Source: u.Source, CreatedAt: u.Now,
		Server: UsageServer{ID: u.Server.ID, Name: u.Server.Name, Type: u.Server.Type},
		Door:   a.Door, Window: usageSpan(a.Window), Log: UsageLog{Events: map[pglog.Kind]int64{}}, Sources: []UsageSource{},
		Clients: append([]usage.Judged{}, a.Clients...), Blind: append([]string{}, a.Blind...),
		Outcome: a.Outcome, CutsOff: a.CutsOff, OnlyInternet: a.OnlyInternet, RefusedYours: a.RefusedYours, Missing: append([]string{}, a.Missing...), Why: a.Why,
	}
	if r := a.Rests; r.Length() > 0 {
		doc.Window.Unbroken = &UsageStretch{From: r.From, To: r.To, Seconds: int64(r.Length().Seconds())}
	}
	for _, s := range a.Sources {
		of := UsageSource{Name: s.Name, Kind: s.Kind, Window: usageSpan(s.Window()), Missing: append([]string{}, s.Missing...)}
		if s.Log != nil {
			of.Log = usageLog(s.Log)
			doc.Log.add(of.Log)
		}
		if s.Sample != nil {
			of.Sample = &UsageSample{Samples: s.Sample.Samples, IntervalSeconds: s.Sample.Interval.Seconds(), Limits: append([]string{}, s.Sample.Limits...)}
		}
		doc.Sources = append(doc.Sources, of)
	}
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return fmt.Errorf("write the JSON document: %w", err)
	}
	return nil
}

func usageSpan(w usage.Window) UsageWindow {
	if w.First.IsZero() {
		return UsageWindow{}
	}
	return UsageWindow{
		First: &w.First, Last: &w.Last,
		Seconds: int64(w.Last.Sub(w.First).Seconds()), CoveredSeconds: int64(w.Covered().Seconds()),
	}
}

func usageLog(s *pglog.Stats) *UsageLog {
	return &UsageLog{
		Files: s.Files, Bytes: s.Bytes, Entries: s.Entries, Earlier: s.Earlier, Unreadable: s.Unreadable,
		Truncated: s.Truncated, Foreign: s.Foreign, Unjoined: s.Unjoined, Events: s.Events,
		Doubts: UsageDoubts{
			Torn: s.Torn, OtherLanguage: s.OtherLanguage, Untimed: s.Untimed, Implausible: s.Implausible,
			Contested: s.Contested, Embedded: s.Embedded, Unended: s.Unended, Unnamed: s.Unnamed,
			Namesakes: s.Namesakes, UnreadFiles: s.UnreadFiles, Unread: s.Unread, Forgeable: s.ForgeablePrefix,
		},
	}
}

// add adds the counts of another log. What is listed by name is left to the
// sources.
func (l *UsageLog) add(o *UsageLog) {
	l.Files += o.Files
	l.Bytes += o.Bytes
	l.Entries += o.Entries
	l.Earlier += o.Earlier
	l.Unreadable += o.Unreadable
	l.Truncated += o.Truncated
	l.Foreign += o.Foreign
	l.Unjoined += o.Unjoined
	for kind, n := range o.Events {
		l.Events[kind] += n
	}
	d, of := &l.Doubts, o.Doubts
	d.Torn += of.Torn
	d.OtherLanguage += of.OtherLanguage
	d.Untimed += of.Untimed
	d.Implausible += of.Implausible
	d.Contested += of.Contested
	d.Embedded += of.Embedded
	d.Unended += of.Unended
	d.Unnamed += of.Unnamed
	d.UnreadFiles += of.UnreadFiles
}
