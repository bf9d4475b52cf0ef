package usage

import (
	"cmp"
	"slices"
	"time"

	"github.com/posternhq/postern/usage/pglog"
)

const (
	// maxPause is how long a log may tell of nobody let in and still count as
	// being there. Azure's own agent connects to every server all the time, so a
	// longer pause means that connections were not logged, or that a piece of the
	// log is missing.
	maxPause = 2 * time.Hour
	// maxAge is how long ago the evidence may end.
	maxAge = 3 * 24 * time.Hour
	// maxSlack is how much shorter than asked a stretch may be, and slackShare the
	// share of what was asked that it may be: a log that is kept for seven days
	// holds some minutes less.
	maxSlack   = time.Hour
	slackShare = 24
)

// Stretch is a piece of time.
type Stretch struct {
	From time.Time
	To   time.Time
}

// Length is how long it is.
func (s Stretch) Length() time.Duration { return s.To.Sub(s.From) }

// Window is the time that evidence covers.
type Window struct {
	// First and Last are the times of the first and the last entry or look, zero
	// when there is none.
	First, Last time.Time
	// Stretches are the pieces of it in which somebody was let in at least every
	// two hours, in order: there, connections were being logged.
	Stretches []Stretch
}

// newWindow makes the window of a log. The rule about pauses holds at both ends
// too: an entry that is near enough to somebody being let in belongs to the
// stretch.
func newWindow(first, last time.Time, backed []Stretch) Window {
	w := Window{First: first, Last: last, Stretches: backed}
	if len(backed) == 0 {
		return w
	}
	if begin := &backed[0]; first.Before(begin.From) && begin.From.Sub(first) <= maxPause {
		begin.From = first
	}
	if end := &backed[len(backed)-1]; last.After(end.To) && last.Sub(end.To) <= maxPause {
		end.To = last
	}
	return w
}

// Covered is how much of the window is backed by connections.
func (w Window) Covered() time.Duration {
	var sum time.Duration
	for _, s := range w.Stretches {
		sum += s.Length()
	}
	return sum
}

// Longest is the longest stretch that ends after a time, or the longest of all
// where none does.
func (w Window) Longest(after time.Time) Stretch {
	var best Stretch
	for _, s := range w.Stretches {
		late, lateBest := !s.To.Before(after), !best.To.Before(after)
		if late != lateBest {
			if late {
				best = s
			}
			continue
		}
		if s.Length() > best.Length() || best.To.IsZero() {
			best = s
		}
	}
	return best
}

// after is when the next stretch begins after a time, zero where none does.
func (w Window) after(t time.Time) time.Time {
	for _, s := range w.Stretches {
		if s.From.After(t) {
			return s.From
		}
	}
	return time.Time{}
}

// Gap is the longest piece between two stretches, zero where there is none.
func (w Window) Gap() Stretch {
	var gap Stretch
	for i := 1; i < len(w.Stretches); i++ {
		if s := (Stretch{w.Stretches[i-1].To, w.Stretches[i].From}); s.Length() > gap.Length() {
			gap = s
		}
	}
	return gap
}

// stretches finds the pieces of time in which somebody was let in again and again.
func stretches(log *pglog.Stats) []Stretch {
	hours := make([]int64, 0, len(log.Hours))
	for hour := range log.Hours {
		hours = append(hours, hour)
	}
	slices.Sort(hours)
	at := func(hour int64, second uint16) time.Time { return time.Unix(hour*3600+int64(second), 0).UTC() }
	var out []Stretch
	for _, hour := range hours {
		h := log.Hours[hour]
		out = append(out, Stretch{at(hour, h.First), at(hour, h.Last)})
	}
	return joined(out)
}

// joined puts stretches together that overlap or follow one another after no
// more than a pause.
func joined(in []Stretch) []Stretch {
	slices.SortFunc(in, func(a, b Stretch) int { return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To)) })
	var out []Stretch
	for _, s := range in {
		if n := len(out); n > 0 && s.From.Sub(out[n-1].To) <= maxPause {
			if s.To.After(out[n-1].To) {
				out[n-1].To = s.To
			}
			continue
		}
		out = append(out, s)
	}
	return out
}

// logWindow is the time that all logs cover together. Samples are no part of it.
func logWindow(sources []Source) Window {
	var all Window
	for _, s := range sources {
		if s.Log == nil || s.Log.First.IsZero() {
			continue
		}
		w := s.Window()
		if all.First.IsZero() || w.First.Before(all.First) {
			all.First = w.First
		}
		if w.Last.After(all.Last) {
			all.Last = w.Last
		}
		all.Stretches = append(all.Stretches, w.Stretches...)
	}
	all.Stretches = joined(all.Stretches)
	return all
}
