package pgactivity

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// Options say which server to watch, and for how long.
type Options struct {
	// DSN is a connection string as libpq takes it: a URL or settings. What it
	// leaves out comes from the PG… variables, a service file and a pgpass file.
	// A password belongs in PGPASSWORD or a pgpass file: a command line is open
	// to everybody on the machine.
	DSN string
	// Watch is how long to sample; 0 takes one sample.
	Watch time.Duration
	// Interval is the time between two samples: [DefaultInterval] where it is 0,
	// and otherwise at least [MinInterval].
	Interval time.Duration
	// Now is the clock that sightings are stamped with, time.Now where it is nil.
	Now func() time.Time
	// Progress, where it is not nil, is called after each sample with how many
	// there were.
	Progress func(samples int)
}

// Result is what a watch saw.
type Result struct {
	// Server is the host and port, or the path of the socket.
	Server string
	// Version is the server's: "15.18", "9.6.24".
	Version string
	// Sightings are the clients that were seen, ordered by address and names.
	// The watch's own session is not among them.
	Sightings []Sighting
	// First and Last are the times of the first and the last sample.
	First, Last time.Time
	// Samples were taken, and Missed should have been and could not.
	Samples, Missed int
	// Interval is the time between two samples, 0 for a single one.
	Interval time.Duration
	// Hidden counts sessions whose address the server hides from the user that
	// samples. They are among the sightings, without an address.
	Hidden int64
	// Dropped counts, at each sample, the sessions past [MaxSightings].
	Dropped int64
	// Interrupted is set where the context ended the watch before its time.
	Interrupted bool
	// Limits are what this watch could not see, each a sentence without a verb:
	// "Attempts that were refused: …".
	Limits []string
}

// Watch samples who is connected to a server until the time is over or the
// context ends, which is no error once there is a sample. That the server cannot
// be reached, lets nobody in or does not answer is an error at the first sample;
// later ones count as missed, and the connection is made anew.
//
// It may take up to ten seconds longer than the options say, or connect_timeout,
// where the server is silent in the end.
func Watch(ctx context.Context, o Options) (Result, error) {
	if err := o.complete(); err != nil {
		return Result{}, err
	}
	t, err := parse(o.DSN)
	if err != nil {
		return Result{}, err
	}
	w := &watch{Options: o, target: t, register: newRegister(), own: map[backend]bool{}}
	defer w.disconnect()
	begin := time.Now()
	if err := w.attempt(ctx); err != nil {
		if ctx.Err() != nil {
			return Result{}, fmt.Errorf("sample %s: %w", t.server, ctx.Err())
		}
		return Result{}, fmt.Errorf("sample %s: %w", t.server, reason(err))
	}
	interrupted := w.rest(ctx, begin)
	return w.result(time.Since(begin), interrupted), nil
}

// complete fills in the defaults and refuses what makes no sense.
func (o *Options) complete() error {
	switch {
	case o.Watch < 0:
		return fmt.Errorf("watch for %s: the time is negative", o.Watch)
	case o.Interval == 0:
		o.Interval = DefaultInterval
	case o.Interval < MinInterval:
		return fmt.Errorf("sample every %s: the interval must be at least %s", o.Interval, MinInterval)
	}
	if o.Watch > 0 {
		o.Interval = min(o.Interval, max(o.Watch, MinInterval))
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return nil
}

// watch is a watch that goes on.
type watch struct {
	Options
	target  target
	session *session
	// last is the latest session, which may have ended; its facts stay true.
	last     *session
	register *register
	// own are the sessions that the watch has had. One whose line broke may be
	// connected, for the server, for a long time yet.
	own map[backend]bool

	samples, missed, losses int
	dropped                 int64
	first, latest           time.Time
	lastReason              error
}

// rest takes the samples after the first one, each at its own time, so that they
// neither drift nor pile up behind a slow server. It reports whether the context
// ended it.
func (w *watch) rest(ctx context.Context, begin time.Time) (interrupted bool) {
	planned := int(w.Watch / w.Interval)
	backoff := w.Interval
	var notBefore time.Time
	for n := 1; n <= planned; n++ {
		if !sleepUntil(ctx, begin.Add(time.Duration(n)*w.Interval)) {
			return true
		}
		if late := int(time.Since(begin) / w.Interval); late > n {
			skipped := min(late, planned) - n
			w.missed += skipped
			n += skipped
		}
		if time.Now().Before(notBefore) {
			w.missed++
			continue
		}
		err := w.attempt(ctx)
		switch {
		case err == nil:
			backoff = w.Interval
		case ctx.Err() != nil:
			return true
		default:
			w.missed++
			w.lastReason = reason(err)
			if w.session == nil {
				notBefore = time.Now().Add(backoff)
				backoff = min(2*backoff, maxBackoff)
			}
		}
	}
	return false
}

// sleepUntil reports whether the time came before the context's end.
func sleepUntil(ctx context.Context, at time.Time) bool {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}

// attempt takes one sample, over a new connection where there is none.
func (w *watch) attempt(ctx context.Context) error {
	if w.session == nil {
		s, err := w.target.open(ctx)
		if err != nil {
			return err
		}
		w.session, w.last = s, s
		w.own[s.self] = true
	}
	rows, dropped, err := w.session.sample(ctx)
	if err != nil {
		// An error that leaves the connection whole, such as a lock that was
		// waited for in vain, is no reason to connect again.
		if w.session.conn.IsClosed() {
			w.disconnect()
			w.losses++
		}
		return err
	}
	w.count(rows, dropped)
	return nil
}

func (w *watch) disconnect() {
	if w.session != nil {
		w.session.close()
		w.session = nil
	}
}

func (w *watch) count(rows []row, dropped int64) {
	others := rows[:0]
	for _, r := range rows {
		if !w.own[r.backend] {
			others = append(others, r)
		}
	}
	w.latest = w.Now()
	if w.samples == 0 {
		w.first = w.latest
	}
	w.samples++
	w.dropped += dropped
	w.register.add(w.latest, others)
	if w.Progress != nil {
		w.Progress(w.samples)
	}
}

// result is what was seen after the watch has gone on for some time.
func (w *watch) result(elapsed time.Duration, interrupted bool) Result {
	r := Result{
		Server: w.target.server, Version: version(w.last.version), Sightings: w.register.sorted(),
		First: w.first, Last: w.latest, Samples: w.samples, Missed: w.missed, Interval: w.Interval,
		Dropped: w.dropped + w.register.dropped, Interrupted: interrupted,
	}
	if w.Watch < w.Interval {
		r.Interval = 0
	}
	for _, s := range r.Sightings {
		if s.Address == "" {
			r.Hidden += s.Sessions
		}
	}
	r.Limits = w.limits(r, elapsed)
	return r
}

// version spells server_version_num as people do; two numbers from 10 on.
func version(num int) string {
	if num >= 100000 {
		return strconv.Itoa(num/10000) + "." + strconv.Itoa(num%10000)
	}
	return fmt.Sprintf("%d.%d.%d", num/10000, num/100%100, num%100)
}
