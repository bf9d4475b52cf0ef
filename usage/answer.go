package usage

import (
	"cmp"
	"slices"
	"time"

	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/usage/pglog"
)

// Outcome is the answer in a word.
type Outcome string

// The outcomes.
const (
	// NobodySeen: a whole log shows no client that depends on the azure door. It is
	// not called safe: docs/usage.md lists what can still hide one from this reading.
	NobodySeen Outcome = "nobody seen"
	// CutsOff: clients depend on the azure door. One is proof, however little
	// else is known.
	CutsOff Outcome = "cuts off clients"
	// NotEnough: nobody was seen to depend on the door, and somebody may.
	NotEnough Outcome = "not enough evidence"
	// NotOpen: the azure door is closed or latent, so nobody comes through it.
	NotOpen Outcome = "not open"
)

// The evidence that an answer needs.
const (
	// DefaultMinWindow is how long the log must be for NobodySeen, so that it holds every day
	// of a week.
	DefaultMinWindow = 7 * 24 * time.Hour
	// MaxUnreadable is the share of lines that may be unreadable, in percent of
	// entries and unreadable lines together.
	MaxUnreadable = 1
	// longSilence is how long a log may say nothing at all and still count as
	// being there: servers rest at night.
	longSilence = 24 * time.Hour
)

// Evidence is what an answer rests on.
type Evidence struct {
	Clients []Client
	Log     pglog.Stats
	// Dropped and Overflow are those of the [Tally].
	Dropped, Overflow int64
	Access            Access
	Book              Book
	// MinWindow is how long the log must be.
	MinWindow time.Duration
}

// Window is the time that a log covers.
type Window struct {
	// First and Last are the times of the first and the last entry, zero when
	// there is none.
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	// Silent is how much of the window lies in stretches of more than a day
	// without any entry: logs that are missing, as likely as a server at rest.
	Silent time.Duration `json:"-"`
}

// Covered is the length of the window without its silences.
func (w Window) Covered() time.Duration { return w.Last.Sub(w.First) - w.Silent }

// Answer says who comes through which door, and whether the azure door can be
// closed.
type Answer struct {
	Window  Window
	Door    exposure.Door
	Clients []Judged
	// Blind says what a log cannot show, one sentence each.
	Blind   []string
	Outcome Outcome
	// CutsOff is how many clients closing the azure door cuts off.
	CutsOff int
	// Missing says what the evidence lacks, one sentence each.
	Missing []string
	// Why is the reason for the outcome, in a sentence.
	Why string
}

// NewAnswer judges the evidence.
func NewAnswer(e Evidence) Answer {
	a := Answer{Window: window(e.Log), Door: e.Access.Door()}
	for _, c := range e.Clients {
		j := e.Access.Judge(c)
		j.Origin = e.Book.Origin(c.Address)
		a.Clients = append(a.Clients, j)
		if j.Class == AzureDoor {
			a.CutsOff++
		}
	}
	slices.SortStableFunc(a.Clients, func(x, y Judged) int {
		return cmp.Compare(slices.Index(Classes, x.Class), slices.Index(Classes, y.Class))
	})
	a.Missing = missing(e, a)
	a.Blind = blind(e, a)
	switch {
	case a.Door.State == exposure.Closed || a.Door.State == exposure.Latent:
		a.Outcome = NotOpen
	case a.CutsOff > 0:
		a.Outcome = CutsOff
	case len(a.Missing) > 0 || a.Door.State != exposure.Open:
		a.Outcome = NotEnough
	default:
		a.Outcome = NobodySeen
	}
	a.Why = why(a)
	return a
}

// Count is how many clients are of a class.
func (a Answer) Count(class Class) int {
	n := 0
	for _, c := range a.Clients {
		if c.Class == class {
			n++
		}
	}
	return n
}

// window finds the time that a log covers, and its silences.
func window(log pglog.Stats) Window {
	w := Window{First: log.First, Last: log.Last}
	hours := make([]int64, 0, len(log.Hours))
	for hour := range log.Hours {
		hours = append(hours, hour)
	}
	slices.Sort(hours)
	for i := 1; i < len(hours); i++ {
		// The hours between two that have entries.
		if gap := time.Duration(hours[i]-hours[i-1]-1) * time.Hour; gap > longSilence {
			w.Silent += gap
		}
	}
	return w
}
