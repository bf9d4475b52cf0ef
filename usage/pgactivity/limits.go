package pgactivity

import (
	"fmt"
	"strings"
	"time"
)

// limits lists what a watch could not see: first what its server, its user and
// its luck kept from it, then what no watch sees.
func (w *watch) limits(r Result, elapsed time.Duration) []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	switch {
	case r.Hidden > 0 && w.last.privileged:
		say("Where %s come from: the server hides it, though the user that samples may read all statistics.", sessions(r.Hidden))
	case r.Hidden > 0:
		say("Where %s come from, and which of them are the server's own workers: the user that samples is no member of pg_read_all_stats (grant pg_read_all_stats to …; azure's admin role may).", sessions(r.Hidden))
	case !w.last.privileged:
		say("Where sessions of other users come from, had there been any: the user that samples is no member of pg_read_all_stats.")
	}
	if w.last.replica {
		say("Clients of the primary: this server is a read replica or a standby.")
	}
	if r.Missed > 0 {
		say("Who was connected at %d of %d times: %s.", r.Missed, r.Samples+r.Missed, w.misfortune())
	}
	if r.Dropped > 0 {
		say("%d sessions, counted at each sample, past the first %d clients.", r.Dropped, MaxSightings)
	}
	if r.Interrupted {
		say("The rest of the watch: it was interrupted after %s of %s.", span(elapsed), span(w.Watch))
	}
	if r.Interval == 0 {
		say("Whoever was not connected at that one moment.")
	} else {
		say("A connection that began and ended within the %s between two samples.", span(r.Interval))
		say("Whoever is not connected within %s: a job that runs hourly or daily.", span(r.Last.Sub(r.First)))
	}
	say("Attempts that were refused: the server's log tells of them.")
	say("Who stands behind a connection pool: the server has the pool's address.")
	return out
}

// misfortune says why samples are missing.
func (w *watch) misfortune() string {
	switch {
	case w.lastReason == nil:
		return "the server was slow to answer"
	case w.losses == 0:
		return w.lastReason.Error()
	case w.losses == 1:
		return "the connection was lost, and the last error was: " + w.lastReason.Error()
	default:
		return fmt.Sprintf("the connection was lost %d times, and the last error was: %s", w.losses, w.lastReason)
	}
}

func sessions(n int64) string {
	if n == 1 {
		return "1 session"
	}
	return fmt.Sprintf("%d sessions", n)
}

// span writes a time as 10m or 1h30m, without the zeroes of a Duration.
func span(d time.Duration) string {
	switch {
	case d >= time.Minute:
		d = d.Round(time.Second)
	default:
		d = d.Round(time.Millisecond)
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
