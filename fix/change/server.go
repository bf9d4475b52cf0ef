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
		k, obs, err := r.position(ctx, p)
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
	obs, err := r.settled(ctx, p, len(p.server.Steps))
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
func (r *run) settled(ctx context.Context, p *progress, want int) (observation, error) {
	var obs observation
	for range agree {
		r.pause(ctx)
		k, now, err := r.position(ctx, p)
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
	obs, err := r.settled(ctx, p, len(p.server.Steps))
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

func doorWords(doors []journal.Door) string {
	words := make([]string, 0, len(doors))
	for _, d := range doors {
		words = append(words, fmt.Sprintf("%s %s", d.Kind, d.State))
	}
	return "doors " + strings.Join(words, ", ")
}
