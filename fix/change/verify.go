package change

import (
	"context"
	"slices"
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
	obs, err := r.observe(ctx, p)
	if err != nil {
		return r.result(p, r.unreadable(ctx, p, err))
	}
	res.DoorsAfter = obs.doors()
	if moved := p.moved(obs.rules); len(moved) > 0 {
		res.Outcome, res.Reason, res.Differences = Drifted, "it is no longer what this change left", moved
		return res
	}
	if open := obs.stillOpen(p.server.Doors); p.phase == PhaseDone && len(open) > 0 {
		res.Outcome, res.Reason, res.Differences = Failed, strings.Join(open, "; "), open
	}
	return res
}

// moved lists how a firewall is not what the journal tells; going back and gone
// back, only the rules that were touched count.
func (p *progress) moved(rules firewall) []string {
	switch p.phase {
	case PhaseUndone:
		if slices.Equal(p.before(true).unlike(rules, p.ours()), p.differences) {
			return nil
		}
		return p.before(false).unlike(rules, p.ours())
	case PhaseUndoing:
		var out []string
		for i := range p.reach {
			if words := p.foreign(i+1, rules); words != "" {
				out = append(out, words)
			}
		}
		return out
	}
	if _, fits := p.find(rules); fits {
		return nil
	}
	return p.unlike(rules)
}
