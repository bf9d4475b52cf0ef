package change

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/fix/journal"
)

// backRounds is how often the way back is gone before it is given up: a delete
// that takes effect late can undo what was just put back.
const backRounds = 3

// leftAlone are rules that the way back does not touch, with why, by their ids.
type leftAlone map[string]string

// takeBack goes rule by rule: what was deleted is put there again, and once all of
// it is seen, what was added is taken away. Whatever the journal says of an act
// that was begun, it is taken back: that it had no effect may only mean that its
// effect is late. A rule to which others gave other values is left, and holds up
// no other.
func (r *run) takeBack(ctx context.Context, p *progress) error {
	if !p.touched() {
		return r.append(p, journal.Record{Kind: journal.Undone, What: "nothing had been done to it"})
	}
	var differences []string
	for range backRounds {
		left := leftAlone{}
		if err := r.putBack(ctx, p, left); err != nil {
			return err
		}
		if err := r.takeAway(ctx, p, left); err != nil {
			return err
		}
		var done bool
		var err error
		if differences, done, err = r.prove(ctx, p, left); done || err != nil {
			return err
		}
	}
	return &stop{outcome: Drifted, reason: "what was put back did not stay", differences: differences}
}

// putBack puts every rule there that was deleted, or may have been. One that cannot
// be put back holds up no other; the first error of an act is returned at the end.
func (r *run) putBack(ctx context.Context, p *progress, left leftAlone) error {
	var failed error
	for i, step := range slices.Backward(p.server.Steps) {
		if step.Act != fix.Delete {
			continue
		}
		obs, err := r.standing(ctx, p, i+1, left)
		switch {
		case err != nil:
			return err
		case left[key(step.Rule.ID)] != "" || !p.putsBack(i+1, obs.rules):
			continue
		}
		if err := r.act(ctx, p, i+1, true, obs); err != nil {
			if ended(ctx) {
				return err
			}
			if failed == nil {
				failed = err
			}
		}
	}
	return failed
}

// takeAway deletes the rules that were added, as long as every rule that was
// deleted is seen there again. When one of those could not be put back, what was
// added stays: clients may depend on it.
func (r *run) takeAway(ctx context.Context, p *progress, left leftAlone) error {
	kept := len(left) > 0
	for i, step := range slices.Backward(p.server.Steps) {
		if step.Act != fix.Put {
			continue
		}
		obs, err := r.standing(ctx, p, i+1, left)
		if err != nil {
			return err
		}
		_, there := obs.rules[key(step.Rule.ID)]
		switch {
		case left[key(step.Rule.ID)] != "", !there && i >= p.reach:
		case kept:
			if there {
				left[key(step.Rule.ID)] = fmt.Sprintf("rule %q stays, for not every rule that was deleted could be put back", step.Rule.Name)
			}
		case !p.putBackSeen(obs.rules):
			return nil // The proof fails, and the next round puts it there again.
		default:
			if err := r.act(ctx, p, i+1, true, obs); err != nil {
				return err
			}
		}
	}
	return nil
}

// standing reads a server for one step of the way back. That others changed its
// rule is believed when two readings in a row say the same of it.
func (r *run) standing(ctx context.Context, p *progress, number int, left leftAlone) (observation, error) {
	for last := ""; ; r.pause(ctx) {
		obs, _, err := r.reading(ctx, p, false)
		if err != nil {
			return obs, err
		}
		words := p.foreign(number, obs.rules)
		if words != "" && words == last {
			left[key(p.server.Steps[number-1].Rule.ID)] = "changed by others, and left so: " + words
		}
		if words == last || words == "" {
			return obs, nil
		}
		last = words
	}
}

// foreign says how a rule is neither what it was before the change nor what the
// change made of it; empty when it is one of them, or was never touched.
func (p *progress) foreign(number int, rules firewall) string {
	step := p.server.Steps[number-1]
	have, there := rules[key(step.Rule.ID)]
	if !there {
		return ""
	}
	target := wanted{step.Rule, false}
	if left, known := p.left[key(step.Rule.ID)]; known && step.Act == fix.Put {
		target = wanted{left, true}
	}
	words := target.unlike(have)
	if number > p.reach && step.Act == fix.Delete {
		return ""
	}
	return words
}

// putsBack reports whether a rule that a step deletes is to be put there: when it
// is missing, and also when it is there as it was and its delete was ever begun, for
// that may still take effect. Never begun and missing is put back too: records may
// be missing at the end of a journal without a trace.
func (p *progress) putsBack(number int, rules firewall) bool {
	step := p.server.Steps[number-1]
	have, there := rules[key(step.Rule.ID)]
	if !there {
		return true
	}
	left, known := p.left[key(step.Rule.ID)]
	return number <= p.reach && (wanted{step.Rule, true}.unlike(have) == "" || known && wanted{left, true}.unlike(have) == "")
}

// putBackSeen reports whether every rule that the plan deletes is there and admits
// what it did.
func (p *progress) putBackSeen(rules firewall) bool {
	for _, step := range p.server.Steps {
		have, there := rules[key(step.Rule.ID)]
		if step.Act == fix.Delete && (!there || wanted{step.Rule, false}.unlike(have) != "") {
			return false
		}
	}
	return true
}

// prove reads the server until two readings in a row agree whether it is what it
// was, but for what was left. What others changed beside the rules of the plan is
// told and is not held against the undo.
func (r *run) prove(ctx context.Context, p *progress, left leftAlone) ([]string, bool, error) {
	scope := p.ours()
	for id := range left {
		delete(scope, id)
	}
	var obs observation
	last, began := "?", r.o.Now()
	for agreed := 0; agreed < agree; {
		r.pause(ctx)
		now, _, err := r.reading(ctx, p, false)
		if err != nil {
			return nil, false, err
		}
		wrong := p.before(false).unlike(now.rules, scope)
		if words := strings.Join(wrong, "\n"); words == last {
			agreed++
		} else {
			last, agreed = words, 1
		}
		if len(wrong) > 0 && (agreed == agree || r.since(began) > r.o.Settle) {
			return wrong, false, nil
		}
		obs = now
	}
	differences := p.before(true).unlike(obs.rules, p.ours())
	what := "read back: every rule that was changed is what it was; " + doorWords(obs.doors())
	switch {
	case len(left) > 0:
		what = "read back: not every rule could be put back, and the others are what they were; " + doorWords(obs.doors())
	case len(differences) > 0:
		what = "read back: the rules admit what they did, and not all of them came back as they were"
	}
	var notes []string
	for _, step := range p.server.Steps {
		if why := left[key(step.Rule.ID)]; why != "" {
			notes = append(notes, why)
		}
	}
	for _, other := range p.before(true).unlike(obs.rules, others(p, obs.rules)) {
		notes = append(notes, "changed by others, and left so: "+other)
	}
	return nil, true, r.append(p, journal.Record{Kind: journal.Undone, What: what, Doors: obs.doors(), Differences: differences, Notes: notes})
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
