package usage

import (
	"time"

	"github.com/posternhq/postern/usage/pglog"
)

// SourceKind says what a source of evidence is.
type SourceKind string

// The kinds of source.
const (
	// LogSource is a server's log, from files or from Azure.
	LogSource SourceKind = "log"
	// SampleSource is looking, now and then, at who is connected.
	SampleSource SourceKind = "sample"
)

// Source is one thing that an answer rests on. Log is set for a log, Sample for
// samples.
type Source struct {
	// Name tells people where it came from: a path, a workspace, a server.
	Name   string
	Kind   SourceKind
	Log    *pglog.Stats
	Sample *Sample
	// Missing says what the source lacks beyond what its numbers show, one
	// sentence each: a query that gave a part of its result, say. Each keeps the
	// answer from being safe.
	Missing []string
	// Limits says what the source cannot show by its nature, one sentence each.
	Limits []string
}

// Sample is what was seen of a running server (pg_stat_activity). It adds
// clients, and never makes an answer safe: who came and went between two looks
// was not seen.
type Sample struct {
	// First and Last are the times of the first and the last look.
	First, Last time.Time
	// Samples is how often was looked, Interval how long from look to look.
	Samples  int
	Interval time.Duration
	// Limits says what even a look does not show, one sentence each.
	Limits []string
}

// Window is the time that a source covers, as far as it can be trusted.
func (s Source) Window() Window {
	switch {
	case s.Log != nil:
		return newWindow(s.Log.First, s.Log.Last, stretches(s.Log))
	case s.Sample != nil:
		return Window{First: s.Sample.First, Last: s.Sample.Last}
	}
	return Window{}
}
