package usage

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/usage/pglog"
)

// blind lists what even perfect evidence would not show, and what this leaves out.
func blind(e Evidence, a Answer) []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if length := a.Rests.Length(); length > 0 {
		say("A job that runs less often than every %s.", Span(length))
		say("What happened after %s.", instant(a.Rests.To))
	}
	say("Who stands behind a connection pool: the log has the pool's address.")
	if !sampled(e.Sources, a.Rests) {
		ends := slices.ContainsFunc(e.Sources, func(s Source) bool { return s.Log != nil && s.Log.Events[pglog.Disconnected] > 0 })
		if ends {
			say("Connections that were made before the log begins and are still open at its end.")
		} else {
			say("Connections that were made before the log begins: it tells of no disconnection (log_disconnections).")
		}
	}
	if without := a.Window.Last.Sub(a.Window.First) - a.Window.Covered(); without >= time.Second {
		say("What happened where the log tells of nobody let in for more than %s: %s in all.", Span(maxPause), Span(without))
	}
	for _, s := range e.Sources {
		if s.Log != nil {
			logBlind(s.Log, say)
		}
		if s.Sample != nil {
			say("Who came and went between two of the %s, %s apart.", count(s.Sample.Samples, "sample"), Span(s.Sample.Interval))
			for _, l := range s.Sample.Limits {
				say("%s", l)
			}
		}
		out = append(out, s.Limits...)
	}
	if e.Overflow > 0 {
		say("%d attempts of clients that were never let in, past the first %d such clients.", e.Overflow, MaxStrangers)
	}
	return append(out, e.Book.blind()...)
}

// sampled reports whether somebody looked at the running server after the log
// begins: a connection that was open all the time was seen then.
func sampled(sources []Source, rests Stretch) bool {
	return slices.ContainsFunc(sources, func(s Source) bool {
		return s.Sample != nil && s.Sample.Samples > 0 && len(s.Sample.Limits)+len(s.Missing) == 0 && !s.Sample.First.Before(rests.From)
	})
}

// logBlind lists what a log leaves out and nothing rests on.
func logBlind(log *pglog.Stats, say func(string, ...any)) {
	if log.Unreadable > 0 {
		say("What %s would have said that could not be read.", lines(log.Unreadable))
	}
	if log.Foreign > 0 {
		say("What %s of other servers or categories in these files would have said.", count(int(log.Foreign), "record"))
	}
	if log.Skipped > 0 {
		say("What %s in these folders would have said that %s no log.", count(log.Skipped, "file"), verb(log.Skipped, "is", "are"))
	}
	if log.AssumedZone != "" {
		say("The exact time: the log's zone %s is an abbreviation, and was taken for UTC.", log.AssumedZone)
	}
}

// why is the reason for the outcome.
func why(a Answer) string {
	lacking := strings.Join(a.Missing, "; ")
	switch a.Outcome {
	case NotOpen:
		if a.Door.State == exposure.Latent {
			return "the azure door is latent, so nobody comes through it today: " + a.Door.Reason
		}
		return "it is not open"
	case CutsOff:
		yours, perhaps := 0, 0
		for _, c := range a.Clients {
			switch {
			case c.Class != AzureDoor || c.Origin.Owner != Yours:
			case c.Origin.Certainty == Candidate:
				perhaps++
			default:
				yours++
			}
		}
		text := "no rule but the azure door's admits " + verb(a.CutsOff, "it", "them")
		switch {
		case yours > 0 && perhaps > 0:
			text += fmt.Sprintf(", and of them %d %s yours and %d may be", yours, verb(yours, "is", "are"), perhaps)
		case yours > 0:
			text += fmt.Sprintf(", and %d of %d %s yours", yours, a.CutsOff, verb(yours, "is", "are"))
		case perhaps > 0:
			text += fmt.Sprintf(", and %d of %d may be yours", perhaps, a.CutsOff)
		}
		if lacking != "" {
			text += "; there may be more, for the evidence is not complete: " + lacking
		}
		return text
	case NotEnough:
		return lacking
	default:
		return fmt.Sprintf("in %s, from %s to %s, nobody came whom only the azure door admits", spanInHours(a.Rests.Length()), instant(a.Rests.From), instant(a.Rests.To))
	}
}

// Line is the answer in one line, with what else nobody should overlook.
func (a Answer) Line() string {
	text := string(a.Outcome) + ": " + a.Why
	switch a.Outcome {
	case NotOpen:
		text = "closing the azure door cuts nothing off: " + a.Why
	case CutsOff:
		text = fmt.Sprintf("cuts off %s: %s", count(a.CutsOff, "client"), a.Why)
	}
	if n := a.OnlyInternet; n > 0 {
		text += fmt.Sprintf("; but %s %s by the internet door alone, which `postern fix plan` closes as well", count(n, "client"), verb(n, "comes", "come"))
	}
	if n := a.RefusedYours; n > 0 {
		text += fmt.Sprintf("; and %s that %s or may be yours %s refused the last time %s came", count(n, "client"), verb(n, "is", "are"), verb(n, "was", "were"), verb(n, "it", "they"))
	}
	return text
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

// spanInHours writes a length of time as [Span] does, with the hours beside the
// days: for what is compared with whole days.
func spanInHours(d time.Duration) string {
	const day = 24 * time.Hour
	text := Span(d)
	if hours := int(d % day / time.Hour); d >= 2*day && hours > 0 {
		text += " " + count(hours, "hour")
	}
	return text
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
