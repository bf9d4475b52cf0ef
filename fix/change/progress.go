package change

import (
	"slices"
	"time"

	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/fix/journal"
)

// Phase is where a server stands, as its journal tells.
type Phase string

// The phases.
const (
	PhasePending  Phase = "pending"
	PhaseApplying Phase = "applying"
	PhaseDone     Phase = "done"
	PhaseUndoing  Phase = "undoing"
	PhaseUndone   Phase = "undone"
	PhaseBlocked  Phase = "blocked"
)

// progress is what the journal tells of one server. It is the same whether the
// records were just written or read after a kill: both go through take.
type progress struct {
	server *fix.ServerPlan
	phase  Phase
	// Between low and high of the steps are in effect, the first ones. They differ
	// when an act was begun and was not seen in effect. Lost is set when records
	// are missing, and only the server itself can tell.
	low, high int
	lost      bool
	// unended is set when the journal does not end as every run ends it: by a kill,
	// or because lines are missing at its end without a trace.
	unended bool
	// reach is the highest that high ever was: the rules of those steps are the
	// ones that were touched.
	reach int
	// left is each rule as it was last read back after an act of ours.
	left map[string]fix.Rule
	// since is when the first reading was, zero before.
	since       time.Time
	doorsBefore []journal.Door
	doorsAfter  []journal.Door
	// seen are the doors as this run read them last, nil when it has not.
	seen    []journal.Door
	watched bool
	// stopped is why the last run on it ended early, and differences what of.
	stopped     string
	differences []string
	notes       []string
	alarms      []Refusal
	// raised is how many alarms this run had.
	raised int
	// unwatched is why this run's watch does not show that all is well.
	unwatched string
}

func newProgress(sp *fix.ServerPlan) *progress {
	p := &progress{server: sp, phase: PhasePending, left: map[string]fix.Rule{}}
	if sp.Blocked != "" {
		p.phase = PhaseBlocked
	}
	return p
}

// take learns from a record about this server.
func (p *progress) take(r journal.Record) {
	if r.Step < 0 || r.Step > len(p.server.Steps) {
		// It cannot be of this plan; what the server shows decides.
		p.lose()
		return
	}
	switch r.Kind {
	case journal.Started:
		p.phase, p.since, p.doorsBefore = PhaseApplying, r.At, r.Doors
	case journal.Intent:
		p.stopped, p.differences, p.doorsAfter = "", nil, nil
		if r.Undo {
			p.between(min(p.low, r.Step-1), max(p.high, r.Step))
		} else {
			p.between(r.Step-1, r.Step)
		}
	case journal.Outcome:
		p.outcome(r)
	case journal.Found:
		p.between(r.Step, r.Step)
		p.lost = false
	case journal.Verified:
		p.phase, p.doorsAfter, p.stopped = PhaseDone, r.Doors, ""
	case journal.Watched:
		p.watched = r.Error == ""
	case journal.Alarm:
		p.alarm(r.Refusal)
	case journal.Stopped:
		p.stopped, p.differences, p.doorsAfter = r.What, r.Differences, r.Doors
	case journal.Undoing:
		p.phase, p.stopped, p.differences = PhaseUndoing, "", nil
	case journal.Undone:
		p.phase, p.doorsAfter, p.stopped, p.differences = PhaseUndone, r.Doors, "", r.Differences
		p.low, p.high, p.lost, p.notes = 0, 0, false, r.Notes
	}
}

func (p *progress) outcome(r journal.Record) {
	// An act without an effect may have one later: it stays as the intent left it.
	if r.Effect != journal.InEffect || r.Step == 0 {
		return
	}
	switch {
	case !r.Undo:
		p.between(r.Step, r.Step)
	case p.high == r.Step && !p.lost:
		p.between(p.low, max(p.low, r.Step-1))
	}
	id := key(r.Rule)
	delete(p.left, id)
	if r.After != nil {
		p.left[id] = *r.After
	}
}

func (p *progress) between(low, high int) {
	p.low, p.high, p.reach = max(low, 0), max(high, 0), max(p.reach, high)
}

// lose forgets what cannot be relied on after records were lost.
func (p *progress) lose() {
	if p.phase == PhaseBlocked {
		return
	}
	p.lost, p.low, p.high, p.reach = true, 0, len(p.server.Steps), len(p.server.Steps)
	p.doorsAfter, p.watched = nil, false
	switch p.phase {
	case PhasePending, PhaseDone:
		p.phase = PhaseApplying
	case PhaseUndone:
		p.phase = PhaseUndoing
	}
}

// alarm keeps one refusal of each address.
func (p *progress) alarm(refusal *Refusal) {
	if refusal != nil && !slices.ContainsFunc(p.alarms, func(a Refusal) bool { return a.Address == refusal.Address }) {
		p.alarms = append(p.alarms, *refusal)
	}
}

// touched reports whether an act on this server was ever begun, or may have been.
func (p *progress) touched() bool { return p.reach > 0 || p.unended && p.phase != PhaseBlocked }

// ours are the ids of the rules that were, or may have been, changed.
func (p *progress) ours() map[string]bool {
	ids := map[string]bool{}
	for _, s := range p.server.Steps[:p.reach] {
		ids[key(s.Rule.ID)] = true
	}
	return ids
}

// before is the firewall of the plan, exact or as far as it can be put back.
func (p *progress) before(exact bool) picture {
	pic := picture{}
	for _, r := range p.server.Before {
		pic[key(r.ID)] = wanted{r, exact}
	}
	return pic
}

// at is the firewall with the first n steps in effect. Rules that were read back
// after our own act are held to what was read then.
func (p *progress) at(n int) picture {
	pic := p.before(true)
	for _, s := range p.server.Steps[:n] {
		if s.Act == fix.Delete {
			delete(pic, key(s.Rule.ID))
		} else {
			pic[key(s.Rule.ID)] = wanted{s.Rule, false}
		}
	}
	for id, left := range p.left {
		if w, there := pic[id]; there && w.rule.Start == left.Start && w.rule.End == left.End {
			pic[id] = wanted{left, true}
		}
	}
	return pic
}

// goal is what a step, or taking it back, makes of its rule: how it is to be, and
// whether it is to be there at all. What the service adds to it is its own affair.
func (p *progress) goal(number int, undo bool) (wanted, bool) {
	step := p.server.Steps[number-1]
	return wanted{step.Rule, false}, (step.Act == fix.Put) != undo
}
