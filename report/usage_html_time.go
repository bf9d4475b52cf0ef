package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/posternhq/postern/usage"
)

const (
	// axisUnits is how wide every drawing of time is, in its own units.
	axisUnits = 1000
	// leastBar is how wide the shortest thing is drawn, so that it can be seen.
	leastBar = 6
	// fewGaps is how many gaps are listed; all are drawn.
	fewGaps = 8
)

// axis is the time that the page draws: all that the sources cover. One drawing
// can be compared with every other.
type axis struct {
	from, to time.Time
	holes    []bar
}

// bar is a piece of an axis, in its units. Width 0 is nothing.
type bar struct{ X, Width int }

func newAxis(a usage.Answer) axis {
	var x axis
	for _, s := range a.Sources {
		w := s.Window()
		if w.First.IsZero() {
			continue
		}
		if x.from.IsZero() || w.First.Before(x.from) {
			x.from = w.First
		}
		if w.Last.After(x.to) {
			x.to = w.Last
		}
	}
	x.holes = x.gaps(a.Window)
	return x
}

// bar places a piece of time. What is outside the axis is cut off, and what is
// outside altogether is nothing.
func (x axis) bar(from, to time.Time) bar {
	if x.from.IsZero() || from.IsZero() || to.Before(x.from) || from.After(x.to) {
		return bar{}
	}
	begin, end := x.at(from), x.at(to)
	if end-begin < leastBar {
		begin = min(begin, axisUnits-leastBar)
		end = begin + leastBar
	}
	return bar{X: begin, Width: end - begin}
}

func (x axis) at(t time.Time) int {
	length := x.to.Sub(x.from)
	if length <= 0 {
		return 0
	}
	share := float64(t.Sub(x.from)) / float64(length)
	return int(axisUnits * min(1, max(0, share)))
}

// gaps places what a window has between its stretches. Gaps that would touch are
// drawn as one: a drawing errs towards showing them.
func (x axis) gaps(w usage.Window) []bar {
	var out []bar
	for _, g := range gapsOf(w) {
		b := x.bar(g.From, g.To)
		if n := len(out); n > 0 && b.X <= out[n-1].X+out[n-1].Width+1 {
			out[n-1].Width = max(out[n-1].Width, b.X+b.Width-out[n-1].X)
			continue
		}
		out = append(out, b)
	}
	return out
}

// gapsOf are the pieces of a window that no stretch covers, in order.
func gapsOf(w usage.Window) []usage.Stretch {
	if w.First.IsZero() {
		return nil
	}
	var out []usage.Stretch
	at := w.First
	for _, s := range w.Stretches {
		if s.From.After(at) {
			out = append(out, usage.Stretch{From: at, To: s.From})
		}
		at = s.To
	}
	if w.Last.After(at) || len(w.Stretches) == 0 {
		out = append(out, usage.Stretch{From: at, To: w.Last})
	}
	return out
}

// coveredPart draws what logs vouch for.
type coveredPart struct {
	Whole bar
	Holes []bar
}

// axisPart is the time of the whole answer.
type axisPart struct {
	Known          bool
	From, To, Text string
	Log            coveredPart
	Rests          bar
	Gaps           []string
	Holes          []bar
}

func newAxisPart(a usage.Answer, x axis) axisPart {
	if x.from.IsZero() {
		return axisPart{}
	}
	part := axisPart{
		Known: true, From: instant(x.from), To: instant(x.to), Holes: x.holes,
		Log:  coveredPart{Whole: x.bar(a.Window.First, a.Window.Last), Holes: x.holes},
		Text: "No log: only looks at who was connected.",
	}
	if w := a.Window; !w.First.IsZero() {
		part.Text = fmt.Sprintf("The logs reach from %s to %s (%s), and tell of somebody let in at least every two hours in %s of it.",
			instant(w.First), instant(w.Last), usage.Span(w.Last.Sub(w.First)), usage.Span(w.Covered()))
	}
	if r := a.Rests; r.Length() > 0 {
		part.Rests = x.bar(r.From, r.To)
		part.Text += fmt.Sprintf(" Vouched for without a break: from %s to %s (%s).", instant(r.From), instant(r.To), usage.Span(r.Length()))
	}
	part.Gaps = gapTexts(a.Window)
	return part
}

// gapTexts names the longest gaps, in order of time.
func gapTexts(w usage.Window) []string {
	gaps := gapsOf(w)
	slices.SortStableFunc(gaps, func(a, b usage.Stretch) int { return cmp.Compare(b.Length(), a.Length()) })
	listed := slices.Clone(gaps[:min(fewGaps, len(gaps))])
	slices.SortFunc(listed, func(a, b usage.Stretch) int { return a.From.Compare(b.From) })
	var out []string
	for _, g := range listed {
		out = append(out, fmt.Sprintf("From %s to %s (%s).", instant(g.From), instant(g.To), usage.Span(g.Length())))
	}
	if more := len(gaps) - len(listed); more > 0 {
		out = append(out, fmt.Sprintf("%s shorter ones.", Thousands(uint64(more))))
	}
	return out
}

// sourcePart is one thing that the answer rests on. Look is where samples were
// taken.
type sourcePart struct {
	Name, Read, Window string
	Covered            coveredPart
	Look               bar
}

func newSources(a usage.Answer, x axis) []sourcePart {
	var out []sourcePart
	for _, s := range a.Sources {
		part := sourcePart{Name: Plain(s.Name), Read: sourceRead(s), Window: "none"}
		if w := s.Window(); !w.First.IsZero() {
			part.Window = fmt.Sprintf("%s to %s (%s)", instant(w.First), instant(w.Last), usage.Span(w.Last.Sub(w.First)))
			if s.Log != nil {
				part.Covered = coveredPart{Whole: x.bar(w.First, w.Last), Holes: x.gaps(w)}
			} else {
				part.Look = x.bar(w.First, w.Last)
			}
		}
		out = append(out, part)
	}
	return out
}
