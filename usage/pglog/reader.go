package pglog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
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
	// Since leaves out what happened before; zero takes all.
	Since time.Time
}

// Reader reads logs, one after the other, into one stream of events. Sessions
// may go on from one log to the next. It is not safe for concurrent use.
type Reader struct {
	options  Options
	prefixes []*prefix
	clock    clock
	join     *joiner
	stats    Stats
	// hour is the one that was noted last.
	hour int64
}

// New returns a reader that gives each event to emit. The error is about the
// format or the prefix.
func New(o Options, emit func(Event)) (*Reader, error) {
	r := &Reader{options: o, stats: Stats{Events: map[Kind]int64{}, Hours: map[int64]struct{}{}}}
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
	r.join = newJoiner(func(ev Event) {
		// Events before Since were read all the same: a session that began
		// before may have been let in after.
		if ev.Time.Before(o.Since) {
			return
		}
		r.stats.Events[ev.Kind]++
		emit(ev)
	})
	return r, nil
}

// Finish tells the events that still waited for another, and returns what was
// read. The reader must not be used afterwards.
func (r *Reader) Finish() Stats {
	r.join.finish()
	r.stats.Unjoined = r.join.unjoined
	r.stats.AssumedZone = r.clock.assumed
	return r.stats
}

// Read reads one log, plain or compressed with gzip. The name is for messages.
// The error is a [FormatError] for a file in another format.
func (r *Reader) Read(ctx context.Context, name string, in io.Reader) error {
	r.stats.Files++
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
			d.matchers = append(d.matchers, matcher{prefix: p, clock: &r.clock})
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
		case isForeign:
			readable++
			r.stats.Foreign++
		case isTruncated:
			r.stats.Truncated++
		case isUnreadable:
			unreadable += taken
			r.stats.Unreadable += taken
			if readable == 0 && unreadable >= patience {
				return errOtherFormat
			}
		}
	}
}

// entry counts an entry, and passes on what it says of a connection.
func (r *Reader) entry(e *entry) {
	if e.time.IsZero() {
		r.stats.Untimed++
	}
	if e.time.Before(r.options.Since) {
		r.stats.Earlier++
	} else {
		r.stats.Entries++
		r.seen(e.time)
	}
	ev, ok := parseMessage(e.severity, e.message)
	if !ok {
		return
	}
	ev.Time = e.time
	if ev.Kind != Authenticated { // who that turned out to be is told by Authorized
		fill(&ev.User, e.user, e.quoted)
		fill(&ev.Database, e.database, e.quoted)
		fill(&ev.Application, e.app, false)
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

// seen widens the window of the log.
func (r *Reader) seen(t time.Time) {
	if t.IsZero() {
		return
	}
	if r.stats.First.IsZero() || t.Before(r.stats.First) {
		r.stats.First = t
	}
	if t.After(r.stats.Last) {
		r.stats.Last = t
	}
	if hour := t.Unix() / 3600; hour != r.hour && len(r.stats.Hours) < MaxHours {
		r.hour = hour
		r.stats.Hours[hour] = struct{}{}
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
