package change

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/fix/journal"
)

// watched is what a watch over a server saw.
type watched struct {
	expected int
	// fault says why the watch does not show that all is well.
	fault string
}

func (w watched) into(res *ServerResult) {
	res.Expected += w.expected
	if w.fault != "" {
		res.Notes = append(res.Notes, w.fault)
	}
}

// maxAlarms is how many addresses raise an alarm at one server; more tell nothing.
const maxAlarms = 100

// watch follows the refusals of a server for a while. The first alarm of an
// address is journalled; with UndoOnRefusal the first alarm of all takes the
// server back. The caller holds the server.
func (r *run) watch(ctx context.Context, p *progress, d time.Duration) (watched, error) {
	var w watched
	var err error
	refusals := r.refusals(ctx, p, d)
	seen := map[string]bool{}
	stopNow := false
	for refusal := range refusals.next {
		why, alarming := alarm(p, refusal)
		switch {
		case stopNow || (!refusal.At.IsZero() && refusal.At.Before(p.since)):
		case !alarming:
			w.expected++
		case !seen[refusal.Address] && len(seen) < maxAlarms:
			seen[refusal.Address] = true
			p.raised++
			rec := journal.Record{Kind: journal.Alarm, Refusal: &refusal, What: fmt.Sprintf("the server refuses %q: %s", refusal.Address, why)}
			err = errors.Join(err, r.append(p, rec))
			if stopNow = r.o.UndoOnRefusal || err != nil; stopNow {
				refusals.stop()
			}
		}
	}
	ended := <-refusals.ended
	switch {
	case err != nil:
		return w, err
	case p.raised > 0 && r.o.UndoOnRefusal:
		if err := r.append(p, journal.Record{Kind: journal.Undoing, What: "it is taken back because of the alarm"}); err != nil {
			return w, err
		}
		return w, r.takeBack(ctx, p)
	case ctx.Err() != nil:
		return w, &stop{outcome: Interrupted, reason: "the run was told to end while the server was watched; every step is in effect"}
	case ended != nil:
		w.fault = fmt.Sprintf("the watch for refused clients broke off: %v", ended)
	}
	what := fmt.Sprintf("watched for %s: %s that the plan expects, %s", d, count(w.expected, "refusal"), count(len(seen), "alarm"))
	if w.fault != "" {
		what, p.unwatched = w.fault, w.fault
	}
	return w, r.append(p, journal.Record{Kind: journal.Watched, What: what, Error: w.fault})
}

// source is a watch that is running.
type source struct {
	next  <-chan Refusal
	ended <-chan error
	stop  context.CancelFunc
}

// refusals starts the watch. The channel is closed when it has ended.
func (r *run) refusals(ctx context.Context, p *progress, d time.Duration) source {
	ctx, cancel := context.WithTimeout(ctx, d)
	next, ended := make(chan Refusal), make(chan error, 1)
	go func() {
		defer cancel()
		defer close(next)
		err := r.o.Watch(ctx, p.server.Server, func(refusal Refusal) {
			select {
			case next <- refusal:
			case <-ctx.Done():
			}
		})
		switch {
		case ctx.Err() != nil:
			err = nil
		case err == nil:
			err = errors.New("its source ended early")
		}
		ended <- err
	}()
	return source{next: next, ended: ended, stop: cancel}
}

// alarm judges a refusal by what the plan says of the address: the firewall knows
// no more of a client than that.
func alarm(p *progress, refusal Refusal) (string, bool) {
	known, expected := false, true
	for _, c := range p.server.Clients {
		if !sameAddress(c.Address, refusal.Address) {
			continue
		}
		known = true
		if c.Fate != fix.CutOff && c.Fate != fix.Untouched {
			expected = false
		}
	}
	switch {
	case !known:
		return "the plan does not know this client", true
	case !expected:
		return "the plan keeps this client, or could not tell", true
	}
	return "", false
}

func sameAddress(a, b string) bool {
	left, err := netip.ParseAddr(a)
	if err != nil {
		return a == b
	}
	right, err := netip.ParseAddr(b)
	return err == nil && left.Unmap() == right.Unmap()
}
