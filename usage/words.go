package usage

import (
	"fmt"
	"strings"
	"time"

	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/usage/pglog"
)

// missing lists what keeps the evidence from being enough.
func missing(e Evidence, a Answer) []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for _, d := range e.Access.doubts {
		say("not all rules were read: %s", d)
	}
	if a.Door.State == exposure.Unknown && len(e.Access.doubts) == 0 {
		say("the azure door is unknown: %s", a.Door.Reason)
	}
	logMissing(e, a, say)
	if n := a.Count(Unknown); n > 0 {
		say("it is not known how %s %s in", count(n, "client"), verb(n, "comes", "come"))
	}
	hidden := 0
	for _, c := range a.Clients {
		if c.Hidden != "" {
			hidden++
		}
	}
	if hidden > 0 {
		say("others may hide behind %s", count(hidden, "client"))
	}
	if e.Dropped > 0 {
		say("there were more than %d clients, and %s of the others were not kept", MaxClients, count(int(e.Dropped), "connection"))
	}
	return out
}

// logMissing lists what the log lacks.
func logMissing(e Evidence, a Answer, say func(string, ...any)) {
	log := e.Log
	events := log.Events
	switch {
	case log.Entries == 0:
		say("the log holds no entry of this server in the time asked about")
		return
	case events[pglog.Received]+events[pglog.Authorized]+events[pglog.Disconnected] == 0:
		say("the log has %s and none of a connection: log_connections is off, or its messages are not in English", entries(log.Entries))
	case events[pglog.Authorized] == 0:
		say("no line of the log tells of anybody let in: log_connections is off in part, or nobody came")
	}
	if log.Untimed > 0 {
		say("%s no time: the log_line_prefix needs %%t, %%m or %%n", verb(int(log.Untimed), "1 entry has", fmt.Sprintf("%d entries have", log.Untimed)))
	}
	if covered := a.Window.Covered(); covered < e.MinWindow {
		text := fmt.Sprintf("the log covers %s, and it takes %s", Span(covered), Span(e.MinWindow))
		if a.Window.Silent > 0 {
			text = fmt.Sprintf("the log covers %s without the days on which it is silent, and it takes %s", Span(covered), Span(e.MinWindow))
		}
		say("%s", text)
	}
	// What came before the time asked about says nothing of how well the rest reads.
	lost := log.Unreadable + int64(log.Truncated)
	if total := log.Entries + lost; lost*100 > total*MaxUnreadable {
		say("%s of %d could not be read, more than %d %%", lines(lost), total, MaxUnreadable)
	}
}

// blind lists what even a perfect log of this window would not show, and what
// this one leaves out.
func blind(e Evidence, a Answer) []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if length := a.Window.Last.Sub(a.Window.First); length > 0 {
		say("A job that runs less often than every %s.", Span(length))
		say("What happened after the log's end, %s UTC.", a.Window.Last.UTC().Format(time.DateTime))
	}
	say("Who stands behind a connection pool: the log has the pool's address.")
	if e.Log.Events[pglog.Disconnected] == 0 {
		say("Connections that were made before the log begins: it tells of no disconnection (log_disconnections).")
	} else {
		say("Connections that were made before the log begins and are still open at its end.")
	}
	if a.Window.Silent > 0 {
		say("What happened on days without any entry: %s in all.", Span(a.Window.Silent))
	}
	if e.Log.Unreadable > 0 {
		say("What %s would have said that could not be read.", lines(e.Log.Unreadable))
	}
	if e.Log.Truncated > 0 {
		say("What %s would have said that a file's end cuts off.", lines(int64(e.Log.Truncated)))
	}
	if e.Log.Foreign > 0 {
		say("What %s of other servers or categories in these files would have said.", count(int(e.Log.Foreign), "record"))
	}
	if e.Log.Skipped > 0 {
		say("What %s in these folders would have said: not *.log, *.csv, *.json or *.gz.", count(e.Log.Skipped, "file"))
	}
	if e.Log.AssumedZone != "" {
		say("The exact time: the log's zone %s is an abbreviation, and was taken for UTC.", e.Log.AssumedZone)
	}
	if e.Overflow > 0 {
		say("%d attempts of clients that were never let in, past the first %d such clients.", e.Overflow, MaxStrangers)
	}
	if e.Book.Tags == nil {
		say("Which addresses are inside Azure: no service tags were given.")
	}
	return out
}

// why is the reason for the outcome.
func why(a Answer) string {
	lacking := strings.Join(a.Missing, "; ")
	switch a.Outcome {
	case NotOpen:
		if a.Door.State == exposure.Latent {
			return "the azure door is latent, so nobody comes through it today: " + a.Door.Reason
		}
		return "the azure door is not open, so there is nothing to close"
	case CutsOff:
		yours := 0
		for _, c := range a.Clients {
			if c.Class == AzureDoor && c.Origin.Owner == Yours {
				yours++
			}
		}
		text := "no rule but the azure door's admits " + verb(a.CutsOff, "it", "them")
		if yours > 0 {
			text += fmt.Sprintf(", and %d of %d %s yours", yours, a.CutsOff, verb(yours, "is", "are"))
		}
		if lacking != "" {
			text += "; there may be more, for the evidence is not complete: " + lacking
		}
		return text
	case NotEnough:
		return lacking
	default:
		return fmt.Sprintf("in %s no client came that only the azure door admits; docs/usage.md says what a log can hide", Span(a.Window.Covered()))
	}
}

// Line is the answer in one line.
func (a Answer) Line() string {
	switch a.Outcome {
	case NotOpen:
		return "nothing is cut off: " + a.Why
	case CutsOff:
		return fmt.Sprintf("cuts off %s: %s", count(a.CutsOff, "client"), a.Why)
	default:
		return string(a.Outcome) + ": " + a.Why
	}
}

// Span writes a length of time as a person says it: in whole days from two days
// on, in whole hours, minutes or seconds below.
func Span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day:
		return count(int(d/day), "day")
	case d >= time.Hour:
		return count(int(d/time.Hour), "hour")
	case d >= time.Minute:
		return count(int(d/time.Minute), "minute")
	default:
		return count(int(d/time.Second), "second")
	}
}

func count(n int, noun string) string { return fmt.Sprintf("%d %s", n, verb(n, noun, noun+"s")) }

func entries(n int64) string { return fmt.Sprintf("%d %s", n, verb(int(n), "entry", "entries")) }

func lines(n int64) string { return fmt.Sprintf("%d %s", n, verb(int(n), "line", "lines")) }

// verb picks the form that goes with a number.
func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
