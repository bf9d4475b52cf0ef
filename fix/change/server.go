package change

import (
	"context"
	"fmt"
	"strings"

	"github.com/posternhq/postern/fix/journal"
)

// forward takes a server to the end of its steps, verifies it and watches it.
func (r *run) forward(ctx context.Context, p *progress) ServerResult {
	if ctx.Err() != nil && p.phase == PhasePending {
		return r.result(p, interrupted(p))
	}
	var seen watched
	err := r.alone(p, func() error {
		if p.phase != PhaseDone {
			if err := r.carryOut(ctx, p); err != nil {
				return r.halted(p, err)
			}
		}
		if r.o.Watch == nil || r.o.WatchFor <= 0 || p.watched {
			return nil
		}
		var err error
		seen, err = r.watch(ctx, p, r.o.WatchFor)
		return r.halted(p, err)
	})
	res := r.result(p, err)
	seen.into(&res)
	return res
}

func (r *run) carryOut(ctx context.Context, p *progress) error {
	for {
		k, obs, err := r.position(ctx, p, false)
		if err != nil {
			return err
		}
		if p.since.IsZero() {
			rec := journal.Record{Kind: journal.Started, What: "it is as the plan says", Doors: obs.doors()}
			if err := r.append(p, rec); err != nil {
				return err
			}
		}
		if k == len(p.server.Steps) {
			return r.verify(ctx, p)
		}
		if err := r.act(ctx, p, k+1, false, obs); err != nil {
			return err
		}
	}
}

// verify reads a server whose steps are all in effect once more, and judges its
// doors.
func (r *run) verify(ctx context.Context, p *progress) error {
	obs, err := r.settled(ctx, p, len(p.server.Steps), false)
	if err != nil {
		return err
	}
	if open := obs.stillOpen(p.server.Doors); len(open) > 0 {
		return &stop{outcome: Failed, reason: "every step is in effect, and " + strings.Join(open, "; "), differences: open}
	}
	return r.append(p, journal.Record{Kind: journal.Verified, What: "read back: " + doorWords(obs.doors()), Doors: obs.doors()})
}

// settled reads a server twice, with a pause, and wants the same position both
// times.
func (r *run) settled(ctx context.Context, p *progress, want int, undo bool) (observation, error) {
	var obs observation
	for range agree {
		r.pause(ctx)
		k, now, err := r.position(ctx, p, undo)
		if err != nil {
			return obs, err
		}
		if k != want {
			return obs, &stop{outcome: Drifted, reason: fmt.Sprintf("%d steps were in effect and now %d are", want, k)}
		}
		obs = now
	}
	return obs, nil
}

// check reads a server that is done again, and changes nothing.
func (r *run) check(ctx context.Context, p *progress) error {
	obs, err := r.settled(ctx, p, len(p.server.Steps), false)
	if err != nil {
		return err
	}
	if open := obs.stillOpen(p.server.Doors); len(open) > 0 {
		return &stop{outcome: Failed, reason: strings.Join(open, "; "), differences: open}
	}
	return nil
}

// backward takes a server back to what it was. It has been marked as undoing.
func (r *run) backward(ctx context.Context, p *progress) ServerResult {
	err := r.alone(p, func() error { return r.halted(p, r.takeBack(ctx, p)) })
	return r.result(p, err)
}

func (r *run) takeBack(ctx context.Context, p *progress) error {
	if !p.touched() {
		return r.append(p, journal.Record{Kind: journal.Undone, What: "nothing had been done to it"})
	}
	for {
		k, obs, err := r.position(ctx, p, true)
		if err != nil {
			return err
		}
		if k == 0 {
			break
		}
		if err := r.act(ctx, p, k, true, obs); err != nil {
			return err
		}
	}
	return r.prove(ctx, p)
}

// prove compares the server with what it was. What others changed beside the
// rules of the plan is told and is not held against the undo.
func (r *run) prove(ctx context.Context, p *progress) error {
	obs, err := r.settled(ctx, p, 0, true)
	if err != nil {
		return err
	}
	ours := p.ours()
	differences := p.before(true).unlike(obs.rules, ours)
	what := "read back: every rule that was changed is what it was; " + doorWords(obs.doors())
	if len(differences) > 0 {
		what = "read back: the rules admit what they did, and not all of them came back as they were"
	}
	var notes []string
	for _, other := range p.before(true).unlike(obs.rules, others(p, obs.rules)) {
		notes = append(notes, "changed by others, and left so: "+other)
	}
	return r.append(p, journal.Record{Kind: journal.Undone, What: what, Doors: obs.doors(), Differences: differences, Notes: notes})
}

// others are the ids of all rules, then and now, that the change did not touch.
func others(p *progress, now firewall) map[string]bool {
	ids := map[string]bool{}
	for id := range p.before(true) {
		ids[id] = true
	}
	for id := range now {
		ids[id] = true
	}
	for id := range p.ours() {
		delete(ids, id)
	}
	return ids
}

func doorWords(doors []journal.Door) string {
	words := make([]string, 0, len(doors))
	for _, d := range doors {
		words = append(words, fmt.Sprintf("%s %s", d.Kind, d.State))
	}
	return "doors " + strings.Join(words, ", ")
}
