package pglog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Options says how to read logs, and whose.
type Options struct {
	// Format defaults to [Auto].
	Format Format
	// Prefix is the server's log_line_prefix, for stderr and Azure's records.
	// Empty tries Azure's and the usual ones.
	Prefix string
	// Server is the ARM id of the server asked about. Azure's records name
	// theirs, and those of others are left out. Empty takes all.
	Server string
	// Since leaves out what happened before; zero takes all. A session that began
	// before and went on after is told all the same.
	Since time.Time
	// Now is what times are held against; zero is the clock's. Entries that lie
	// more than a day after it, or ten years before, have no plausible time.
	Now time.Time
}

// Reader reads logs, one after the other, into one stream of events. Sessions
// may go on from one log to the next. It is not safe for concurrent use.
type Reader struct {
	options  Options
	prefixes []*prefix
	clock    clock
	join     *joiner
	stats    Stats
	// earliest and latest bound the times that are plausible.
	earliest, latest time.Time
}

// New returns a reader that gives each event to emit. The error is about the
// format or the prefix.
func New(o Options, emit func(Event)) (*Reader, error) {
	r := &Reader{options: o, stats: Stats{Events: map[Kind]int64{}, Hours: map[int64]Hour{}, Namesakes: map[string]int64{}}}
	now := o.Now
	if now.IsZero() {
		now = time.Now()
	}
	r.earliest, r.latest = now.Add(-maxAge), now.Add(maxAhead)
	switch o.Format {
	case "":
		r.options.Format = Auto
	case Auto, Stderr, CSV, JSON, Azure:
	default:
		return nil, fmt.Errorf("there is no log format %q", o.Format)
	}
	texts := knownPrefixes
	if o.Prefix != "" {
		texts = []string{o.Prefix}
	}
	for _, text := range texts {
		p, err := parsePrefix(text)
		if err != nil {
			return nil, err
		}
		r.prefixes = append(r.prefixes, p)
	}
	r.join = newJoiner(o.Since, func(ev Event) {
		r.stats.Events[ev.Kind]++
		emit(ev)
	})
	return r, nil
}

// Finish tells the events that still waited for another, and returns what was
// read. The reader must not be used afterwards.
func (r *Reader) Finish() Stats {
	r.join.finish()
	r.stats.Unjoined, r.stats.Contested, r.stats.Unended = r.join.unjoined, r.join.contested, r.join.unended
	r.stats.AssumedZone = r.clock.assumed
	return r.stats
}

// Read reads one log, plain or compressed with gzip. The name is for messages.
// The error is a [FormatError] for a file in another format.
func (r *Reader) Read(ctx context.Context, name string, in io.Reader) error {
	r.stats.Files++
	r.join.file++
	plain, err := unpacked(in)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	sample, err := plain.Peek(sampleSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return readError(name, err)
	}
	sample = bytes.Clone(sample)
	if len(bytes.TrimSpace(sample)) == 0 && len(sample) < sampleSize {
		return nil
	}
	format := r.options.Format
	if format == Auto {
		found, ok := detect(sample, r.prefixes)
		if !ok {
			return &FormatError{Name: name, Expected: r.expected(Auto), First: firstLine(sample)}
		}
		format = found
	}
	counted := &lines{in: plain}
	document := &bytesIn{in: plain}
	err = r.decode(ctx, r.decoder(format, sample, counted, document))
	r.stats.Bytes += counted.bytes + document.bytes
	if errors.Is(err, errOtherFormat) {
		return &FormatError{Name: name, Expected: r.expected(format), First: firstLine(sample)}
	}
	return readError(name, err)
}

func readError(name string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("read %s: the compressed file is cut short", name)
	default:
		return fmt.Errorf("read %s: %w", name, err)
	}
}

func (r *Reader) decoder(format Format, sample []byte, l *lines, document *bytesIn) decoder {
	switch format {
	case CSV:
		return &csvDecoder{lines: l, clock: &r.clock}
	case JSON:
		return &jsonDecoder{lines: l, clock: &r.clock}
	case Azure:
		d := &azureDecoder{clock: &r.clock, server: r.options.Server, records: azureLines(l)}
		for _, p := range r.prefixes {
			d.matchers = append(d.matchers, &matcher{prefix: p, clock: &r.clock})
		}
		if isDocument(sample) {
			d.records = azureDocument(document)
		}
		return d
	default:
		best, _ := bestPrefix(sample, r.prefixes)
		return &stderrDecoder{lines: l, match: matcher{prefix: best, clock: &r.clock}}
	}
}

// errOtherFormat is a file in which nothing can be read.
var errOtherFormat = errors.New("it is in another format")

// patience is how many unreadable lines a file may begin with.
const patience = 1000

func (r *Reader) decode(ctx context.Context, d decoder) error {
	var e entry
	var readable, unreadable int64
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		e.embedded = false
		what, taken, err := d.next(&e)
		switch {
		case errors.Is(err, io.EOF):
			if readable == 0 && unreadable > 0 {
				return errOtherFormat
			}
			return nil
		case err != nil:
			return err
		}
		switch what {
		case isEntry:
			readable++
			r.entry(&e)
		case isMore:
			if e.embedded {
				r.stats.Embedded++
			}
		case isForeign:
			readable++
			r.stats.Foreign++
			if e.namesake != "" {
				r.stats.namesake(name([]byte(e.namesake)))
			}
		case isTruncated:
			r.stats.Truncated++
		case isUnreadable:
			unreadable += taken
			r.unreadable(&e, taken)
			if readable == 0 && unreadable >= patience {
				return errOtherFormat
			}
		}
	}
}

// traces are what a line about a connection still holds when a part of it is lost.
var traces = [][]byte{[]byte("onnection"), []byte("authorized"), []byte("user="), []byte("host="), []byte("port="), []byte("base="), []byte("name="),
	[]byte("SSL enabled"), []byte("protocol="), []byte("bits=")}

// unreadable counts lines that are part of no entry. A few of them are some other
// program's; those that bear a trace of a connection, or show that the log is not
// in English throughout, are counted apart.
func (r *Reader) unreadable(e *entry, lines int64) {
	r.stats.Unreadable += lines
	if e.strange {
		r.stats.OtherLanguage += lines
		return
	}
	traced := func(t []byte) bool { return bytes.Contains(e.message, t) }
	if e.torn || beginsWithDay(e.message) || slices.ContainsFunc(traces, traced) {
		r.stats.Torn += lines
	}
}

// beginsWithDay reports whether a line begins as entries do, so that it is one of
// which the rest was lost: with a date, a piece of one, or several run together.
func beginsWithDay(b []byte) bool {
	b = b[:min(len(b), len("2026-11-01"))]
	return len(b) > 0 && b[0] != '-' && span(b, "0123456789-") == len(b)
}

// entry counts an entry, and passes on what it says of a connection.
func (r *Reader) entry(e *entry) {
	switch {
	case e.time.IsZero():
		r.stats.Untimed++
	case e.time.Before(r.earliest) || e.time.After(r.latest):
		r.stats.Implausible++
		e.time = time.Time{}
	}
	earlier := r.join.before(e.time)
	if earlier {
		r.stats.Earlier++
	} else {
		r.stats.Entries++
		r.stats.entry(e.time)
	}
	if e.unnamed {
		r.stats.Unnamed++
	}
	if e.chosen != "" {
		r.stats.ForgeablePrefix = e.chosen
	}
	said := parseMessage(e.severity, e.message, e.quoted)
	if said.cut {
		r.stats.Torn++
	}
	if said.foreign {
		r.stats.OtherLanguage++
	}
	if said.within || e.embedded && said.about {
		r.stats.Embedded++
	}
	if !said.about {
		return
	}
	ev := said.event
	ev.Time = e.time
	if ev.Kind == Authorized && !earlier && !e.time.IsZero() {
		r.stats.proof(e.time)
	}
	if ev.Kind != Authenticated { // who that turned out to be is told by Authorized
		fill(&ev.User, e.user, e.quoted)
		fill(&ev.Database, e.database, e.quoted)
		fill(&ev.Application, e.app, false)
		if len(e.user) > 0 && e.quoted {
			ev.Ambiguous = false
		}
	}
	if ev.Host == "" && len(e.host) > 0 {
		ev.Host, ev.Port = name(e.host), name(e.port)
	}
	key, exact := "", false
	switch {
	case len(e.session) > 0:
		key, exact = name(e.session), true
		ev.Session = key
	case len(e.pid) > 0:
		key, exact = name(e.pid), len(e.start) > 0
		ev.Session = key
		key += " " + name(e.start)
	}
	r.join.event(key, exact, ev)
}

// fill sets a name that the message does not tell, or that is known better.
func fill(to *string, from []byte, better bool) {
	if (*to == "" || better) && len(from) > 0 {
		*to = name(from)
	}
}

// expected says in words what a file should have been.
func (r *Reader) expected(format Format) string {
	var prefixes []string
	for _, p := range r.prefixes {
		prefixes = append(prefixes, fmt.Sprintf("%q", p.text))
	}
	stderr := "PostgreSQL's stderr log with log_line_prefix " + strings.Join(prefixes, " or ")
	switch format {
	case Stderr:
		return stderr
	case CSV:
		return "PostgreSQL's csvlog"
	case JSON:
		return "PostgreSQL's jsonlog"
	case Azure:
		return "an Azure diagnostic export of " + azureCategory
	default:
		return stderr + ", nor csvlog, nor jsonlog, nor an Azure diagnostic export"
	}
}
