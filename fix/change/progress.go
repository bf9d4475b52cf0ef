package change

import (
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
	// by one when an act was begun and its outcome is not known. Lost is set when
	// records are missing, and only the server itself can tell.
	low, high int
	lost      bool
	// reach is the highest that high ever was: the rules of those steps are the
	// ones that were touched.
	reach int
	// left is each rule as it was last read back after an act of ours.
	left map[string]fix.Rule
	// since is when the first reading was, zero before.
	since       time.Time
	doorsBefore []journal.Door
	doorsAfter  []journal.Door
	watched     bool
	// stopped is why the last run on it ended early, and differences what of.
	stopped     string
	differences []string
	notes       []string
	alarms      []Refusal
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
		p.stopped, p.differences = "", nil
		p.between(r.Step-1, r.Step)
	case journal.Outcome:
		p.outcome(r)
	case journal.Found:
		p.between(r.Step, r.Step)
		p.lost = false
	case journal.Verified:
		p.phase, p.doorsAfter, p.stopped = PhaseDone, r.Doors, ""
	case journal.Watched:
		p.watched = true
	case journal.Alarm:
		if r.Refusal != nil {
			p.alarms = append(p.alarms, *r.Refusal)
		}
	case journal.Stopped:
		p.stopped, p.differences = r.What, r.Differences
	case journal.Undoing:
		p.phase, p.stopped, p.differences = PhaseUndoing, "", nil
	case journal.Undone:
		p.phase, p.doorsAfter, p.stopped, p.differences = PhaseUndone, r.Doors, "", r.Differences
		p.notes = r.Notes
	}
}

func (p *progress) outcome(r journal.Record) {
	if r.Effect == journal.Unclear || r.Step == 0 {
		return
	}
	from, to := r.Step-1, r.Step
	if r.Undo {
		from, to = to, from
	}
	if r.Effect == journal.NoEffect {
		p.between(from, from)
		return
	}
	p.between(to, to)
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
	if p.phase == PhasePending {
		p.phase = PhaseApplying
	}
}

// touched reports whether an act on this server was ever begun.
func (p *progress) touched() bool { return p.reach > 0 }

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
// after our own act are held to what was read then. Going back, rules that were
// put there again are held to their addresses: the proof at the end is exact.
func (p *progress) at(n int, undo bool) picture {
	pic := p.before(true)
	if undo {
		loose := p.before(false)
		for id := range p.ours() {
			if w, there := loose[id]; there {
				pic[id] = w
			}
		}
	}
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
