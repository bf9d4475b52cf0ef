package usage

import (
	"cmp"
	"slices"
	"time"

	"github.com/posternhq/postern/exposure"
)

// Outcome is the answer in a word.
type Outcome string

// The outcomes.
const (
	// SafeToClose: whole and recent evidence shows no client that depends on the
	// azure door, and nothing is missing from it.
	SafeToClose Outcome = "safe to close"
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
	// DefaultMinWindow is how long a log must be for SafeToClose, so that it holds
	// every day of a week.
	DefaultMinWindow = 7 * 24 * time.Hour
	// MaxUnreadable is the share of lines that may be unreadable, in percent of
	// entries and unreadable lines together. No line about a connection may be.
	MaxUnreadable = 1
)

// Evidence is what an answer rests on.
type Evidence struct {
	// Sources are all that was read. Clients are those of all of them together.
	Sources []Source
	Clients []Client
	// Dropped and Overflow are those of the [Tally].
	Dropped, Overflow int64
	Access            Access
	Book              Book
	// MinWindow is how long the logs must vouch for without a break.
	MinWindow time.Duration
	// Now is when the evidence is judged; zero is the clock's time.
	Now time.Time
}

// Answer says who comes through which door, and whether the azure door can be
// closed.
type Answer struct {
	// Window is the time that the logs cover, Rests the stretch of it that the
	// outcome rests on.
	Window  Window
	Rests   Stretch
	Sources []Source
	Door    exposure.Door
	Clients []Judged
	// Blind says what the evidence cannot show, one sentence each.
	Blind   []string
	Outcome Outcome
	// CutsOff is how many clients closing the azure door cuts off.
	CutsOff int
	// OnlyInternet is how many clients come by the internet door alone, which a plan
	// closes too unless it is told otherwise.
	OnlyInternet int
	// RefusedYours is how many clients that are or may be yours were refused the last
	// time they came.
	RefusedYours int
	// Missing says what the evidence lacks, one sentence each.
	Missing []string
	// Why is the reason for the outcome, in a sentence.
	Why string
}

// NewAnswer judges the evidence.
func NewAnswer(e Evidence) Answer {
	if e.Now.IsZero() {
		e.Now = time.Now()
	}
	a := Answer{Window: logWindow(e.Sources), Sources: e.Sources, Door: e.Access.Door()}
	a.Rests = a.Window.Longest(e.Now.Add(-maxAge))
	for _, c := range e.Clients {
		j := e.Access.Judge(c)
		j.Origin = e.Book.Origin(c.Address)
		a.Clients = append(a.Clients, j)
		if j.Class == AzureDoor {
			a.CutsOff++
		}
		if j.Class == InternetDoor {
			a.OnlyInternet++
		}
		if j.StillRefused && j.Origin.Owner == Yours {
			a.RefusedYours++
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
		a.Outcome = SafeToClose
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
