package change

import (
	"context"
	"strings"

	"github.com/posternhq/postern/fix/journal"
)

// Verify reads every server of a change again and judges it: whether it still is
// what the change left, and whether the planned doors are closed. It changes
// nothing and journals nothing.
func Verify(ctx context.Context, change string, o Options) (Result, error) {
	r := &run{o: o.withDefaults(), change: change}
	c, err := journal.Load(r.o.Dir, change)
	if err != nil {
		return Result{}, err
	}
	r.history = replay(c)
	r.plan = r.history.plan
	if err := r.identify(ctx); err != nil {
		return Result{}, err
	}
	return r.outcome(r.each(ctx, r.history.in(PhasePending, PhaseApplying, PhaseDone, PhaseUndoing, PhaseUndone), r.look)), nil
}

// look reads one server and says how it stands to what the journal tells.
func (r *run) look(ctx context.Context, p *progress) ServerResult {
	res := r.result(p, nil)
	obs, err := r.observe(ctx, p.server.Server)
	if err != nil {
		return r.result(p, r.unreadable(ctx, p, err))
	}
	res.DoorsAfter = obs.doors()
	undo := p.phase == PhaseUndone || p.phase == PhaseUndoing
	if _, fits := p.find(obs.rules, undo); !fits {
		res.Outcome, res.Reason, res.Differences = Drifted, "it is no longer what this change left", p.unlike(obs.rules, undo)
		return res
	}
	if open := obs.stillOpen(p.server.Doors); p.phase == PhaseDone && len(open) > 0 {
		res.Outcome, res.Reason, res.Differences = Failed, strings.Join(open, "; "), open
	}
	return res
}
