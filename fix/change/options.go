package change

import (
	"cmp"
	"context"
	"time"

	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/fix/journal"
)

// Options are what carrying out, resuming and undoing a change need.
type Options struct {
	Cloud Cloud
	// Dir is the folder of the journals and locks. Runs that are to know of each
	// other share it.
	Dir string
	// Now is the clock; nil is the system's.
	Now func() time.Time
	// Parallel is how many servers are changed at once, 4 when it is 0. One server
	// is changed by one step at a time.
	Parallel int
	// Canary is how many servers go first, wholly; 0 is none. CanaryWait is how
	// long they are then left, and watched if there is a Watch, before they are
	// checked again and the others follow.
	Canary     int
	CanaryWait time.Duration
	// Deadline is how long one call of Cloud may take, an act followed to its end
	// among them, and how long a server that is busy is waited for: 10 minutes when it is 0.
	Deadline time.Duration
	// Settle is how long a server may take to show what was done: 5 minutes when
	// it is 0, which is what Azure documents for firewall rules.
	Settle time.Duration
	// Poll is the pause between two readings of one server: 5 seconds when it is 0.
	Poll time.Duration
	// Watch, when set, tells of connections that a server refuses, until the
	// context ends. It must not call emit afterwards.
	Watch func(ctx context.Context, s fix.Server, emit func(Refusal)) error
	// WatchFor is how long a server is watched after it was verified.
	WatchFor time.Duration
	// UndoOnRefusal takes a server back at the first alarm.
	UndoOnRefusal bool
	// Progress, when set, is told what happens, one call at a time. Every record
	// of the journal comes by here once it is on disk.
	Progress func(Event)
}

// Event is news of a change.
type Event struct {
	At time.Time
	// Server is nil for what is about the whole change.
	Server *fix.Server
	// Text says it in a sentence.
	Text string
	// Record is the journal's, nil for what is not worth one: a wait.
	Record *journal.Record
}

// Refusal is a connection that a server refused because no rule admits it.
type Refusal = journal.Refusal

func (o Options) withDefaults() Options {
	o.Parallel = cmp.Or(max(o.Parallel, 0), 4)
	o.Deadline = cmp.Or(o.Deadline, 10*time.Minute)
	o.Settle = cmp.Or(o.Settle, 5*time.Minute)
	o.Poll = cmp.Or(o.Poll, 5*time.Second)
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Cloud = bounded{o.Cloud, o.Deadline}
	return o
}

// pause waits, or returns the context's error at once when it ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func ended(ctx context.Context) bool { return ctx.Err() != nil }
