package change

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/fix/journal"
)

// Apply carries out a plan that [fix.Read] has checked. Before anything is touched
// it holds the plan to the place it was made for and asks for every permission
// that it needs; what is amiss there is an error, and nothing was changed. What
// happens at a server afterwards is told in the result, and leaves the others
// alone. The result names the change also when the error is not nil.
func Apply(ctx context.Context, plan *fix.Plan, o Options) (Result, error) {
	r := &run{o: o.withDefaults(), plan: plan}
	r.change = journal.NewID(r.o.Now())
	if err := plausible(plan); err != nil {
		return Result{}, err
	}
	if err := r.identify(ctx); err != nil {
		return Result{}, err
	}
	return r.conduct(func() (Result, error) {
		if err := r.fresh(); err != nil {
			return Result{}, err
		}
		todo := newHistory(plan).in(PhasePending)
		if len(todo) == 0 {
			return Result{}, refuse("make a new plan when that has changed", "the plan leaves every server alone: %s", blockedWords(plan))
		}
		if err := r.permitted(ctx, todo); err != nil {
			return Result{}, err
		}
		settings := journal.Settings{Canary: r.o.Canary, CanaryWait: r.o.CanaryWait}
		var err error
		if r.journal, err = journal.Create(r.o.Dir, r.change, plan, settings, r.author()); err != nil {
			return Result{}, err
		}
		contents, err := journal.Load(r.o.Dir, r.change)
		if err != nil {
			return Result{}, err
		}
		r.begin(contents)
		return r.onward(ctx)
	})
}

// Resume goes on with a change: forward where it was carried out, back where it
// was being undone, and nowhere twice.
func Resume(ctx context.Context, change string, o Options) (Result, error) {
	r := &run{o: o.withDefaults(), change: change}
	return r.reopen(ctx, func(h *history) ([]*progress, error) {
		todo := h.in(PhasePending, PhaseApplying, PhaseUndoing)
		if len(todo) == 0 && h.state() == TakenBack {
			return nil, refuse("", "change %s was undone; there is nothing to go on with", change)
		}
		return todo, nil
	}, r.onward)
}

// reopen takes a change up again: choose picks the servers that will be touched.
func (r *run) reopen(ctx context.Context, choose func(*history) ([]*progress, error), do func(context.Context) (Result, error)) (Result, error) {
	c, err := journal.Load(r.o.Dir, r.change)
	if err != nil {
		return Result{}, err
	}
	r.plan = c.First().Plan
	if err := plausible(r.plan); err != nil {
		return Result{}, err
	}
	if err := r.identify(ctx); err != nil {
		return Result{}, err
	}
	return r.conduct(func() (Result, error) {
		// Under the lock the journal is read once more: another run may have ended.
		if c, err = journal.Load(r.o.Dir, r.change); err != nil {
			return Result{}, err
		}
		todo, err := choose(replay(c))
		if err != nil {
			return Result{}, err
		}
		if err := r.permitted(ctx, todo); err != nil {
			return Result{}, err
		}
		if r.journal, c, err = journal.Open(r.o.Dir, r.change, r.author()); err != nil {
			return Result{}, err
		}
		r.begin(c)
		if err := r.append(nil, journal.Record{Kind: journal.Resumed, What: "the change is taken up again"}); err != nil {
			return r.outcome(nil), err
		}
		return do(ctx)
	})
}

// conduct does something while this run holds the plan.
func (r *run) conduct(do func() (Result, error)) (Result, error) {
	lock, err := journal.LockPlan(r.o.Dir, r.plan.Digest, r.holder())
	if err != nil {
		return Result{}, err
	}
	r.lock = lock
	result, err := do()
	return result, errors.Join(err, r.close())
}

func (r *run) author() journal.Author {
	return journal.Author{Who: r.who.Principal, Now: r.o.Now}
}

// begin takes what the journal tells for what is known.
func (r *run) begin(c journal.Contents) {
	r.history = replay(c)
	r.plan = r.history.plan
	r.o.Canary, r.o.CanaryWait = r.history.settings.Canary, r.history.settings.CanaryWait
	if last := c.Records[len(c.Records)-1]; last.Kind == journal.Begun || last.Kind == journal.Recovered {
		r.tell(Event{At: last.At, Text: last.What, Record: &last})
	}
}

// fresh refuses a plan that was carried out, or begun, before.
func (r *run) fresh() error {
	changes, err := List(r.o.Dir)
	if err != nil {
		// A journal that cannot be read may be this plan's. The servers are read
		// before each step, so a plan that was carried out is seen there too.
		r.say(nil, "not every journal could be read: %v", err)
	}
	for _, s := range changes {
		if s.Plan.Digest != r.plan.Digest {
			continue
		}
		switch s.State {
		case Applied:
			return refuse(fmt.Sprintf("make a new plan, or take it back with `postern fix undo %s`", s.Change), "this plan was applied already, as change %s", s.Change)
		case Unfinished, Running:
			return refuse(fmt.Sprintf("go on with `postern fix resume %s`, or take it back with `postern fix undo %s`", s.Change, s.Change),
				"this plan was begun already, as change %s, which is not finished", s.Change)
		}
	}
	return nil
}

// plausible refuses a plan that does not hold together or was changed after it was
// made, however it came here.
func plausible(plan *fix.Plan) error {
	if err := fix.Write(io.Discard, plan); err != nil {
		return refuse("make a new one with `postern fix plan`", "the plan cannot be carried out: %v", err)
	}
	return nil
}

func newHistory(plan *fix.Plan) *history {
	h := &history{plan: plan}
	for i := range plan.Servers {
		h.servers = append(h.servers, newProgress(&plan.Servers[i]))
	}
	return h
}

func blockedWords(plan *fix.Plan) string {
	if len(plan.Servers) == 0 {
		return "it names none"
	}
	return fmt.Sprintf("%q: %s", plan.Servers[0].Server.Name, plan.Servers[0].Blocked)
}

// onward takes every server to where it was going: first back what was being
// undone, then the canary, then the others.
func (r *run) onward(ctx context.Context) (Result, error) {
	results := r.each(ctx, r.history.in(PhaseUndoing), r.backward)
	if len(r.history.in(PhasePending, PhaseApplying, PhaseDone)) == 0 {
		return r.end(results)
	}
	// The canary is the same servers in every run, whatever became of them.
	rest := slices.DeleteFunc(slices.Clone(r.history.servers), func(p *progress) bool { return p.phase == PhaseBlocked })
	if n := min(r.o.Canary, len(rest)); n > 0 && !r.history.canaryPassed {
		birds := rest[:n]
		rest = rest[n:]
		told, well, err := r.canary(ctx, birds, len(rest))
		results = append(results, told...)
		if err != nil {
			return r.outcome(results), err
		}
		if !well {
			return r.end(results)
		}
	}
	results = append(results, r.each(ctx, forwardOnly(rest), r.forward)...)
	return r.end(results)
}

// forwardOnly leaves out servers that went back, or are on their way.
func forwardOnly(servers []*progress) []*progress {
	return slices.DeleteFunc(slices.Clone(servers), func(p *progress) bool { return p.phase == PhaseUndone || p.phase == PhaseUndoing })
}

// end journals that the run is over.
func (r *run) end(results []ServerResult) (Result, error) {
	result := r.outcome(results)
	done := 0
	for _, s := range result.Servers {
		if s.Outcome == Done || s.Outcome == Undone {
			done++
		}
	}
	err := r.append(nil, journal.Record{Kind: journal.Ended, What: fmt.Sprintf("the run is over: %s of %d where they should be", count(done, "server"), len(result.Servers))})
	return result, err
}

// outcome puts the results into the order of the plan. Servers without one are as
// the journal tells.
func (r *run) outcome(results []ServerResult) Result {
	out := Result{Change: r.change, CanaryFailed: r.history.canaryFailed}
	for _, p := range r.history.servers {
		i := slices.IndexFunc(results, func(s ServerResult) bool { return samePlace(p, s.Server.ID) })
		if i >= 0 {
			out.Servers = append(out.Servers, results[i])
			continue
		}
		res := r.result(p, nil)
		if res.Outcome == Untouched {
			res.Reason = out.CanaryFailed
		}
		out.Servers = append(out.Servers, res)
	}
	return out
}
