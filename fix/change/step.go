package change

import (
	"context"
	"fmt"
	"path"

	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/fix/journal"
)

// agree is how many readings in a row must show an effect before it counts:
// answers may come from replicas that lag behind each other.
const agree = 2

// act carries out one step, or takes it back: it journals the intent, acts, reads
// back until the server shows it, and journals the outcome. Number is the step's,
// from 1.
func (r *run) act(ctx context.Context, p *progress, number int, undo bool, obs observation) error {
	step := p.server.Steps[number-1]
	id := key(step.Rule.ID)
	target, present := p.goal(number, undo)
	rec := journal.Record{Kind: journal.Intent, Step: number, Undo: undo, Act: fix.Delete, Rule: step.Rule.ID}
	if was, there := obs.rules[id]; there {
		rec.Before = &was
	}
	if present {
		rec.Act, rec.Rule, rec.After = fix.Put, target.rule.ID, &target.rule
	}
	rec.What = sentence(rec, step.Why, len(p.server.Steps))
	shown := shows(obs.rules, id, target, present)
	if err := r.append(p, rec); err != nil {
		return &stop{outcome: Failed, reason: "the act could not be journalled and was not done: " + err.Error()}
	}
	failed := r.call(ctx, p.server.Server, rec)
	rec.Kind = journal.Outcome
	after, effect := r.confirm(ctx, p, id, target, present, failed)
	if effect == journal.InEffect && failed != nil && shown {
		// It looked like this before the act too, so the reading proves nothing.
		effect = journal.Unclear
	}
	rec.After, rec.Effect = after, effect
	if failed != nil {
		rec.Error = failed.Error()
	}
	rec.What = fmt.Sprintf("%s: %s", rec.What, effect)
	if err := r.append(p, rec); err != nil {
		return &stop{outcome: Failed, reason: "the outcome of an act could not be journalled: " + err.Error()}
	}
	switch {
	case effect == journal.InEffect:
		return nil
	case ctx.Err() != nil:
		return &stop{outcome: Interrupted, reason: "the run was told to end while a step was under way; whether it is in effect is not known"}
	case failed == nil:
		return &stop{outcome: Failed, reason: fmt.Sprintf("%s: the service says it is done, and the server has not shown it for %s", rec.What, r.o.Settle)}
	}
	return &stop{outcome: Failed, reason: fmt.Sprintf("%s: %v", rec.What, failed)}
}

func sentence(r journal.Record, why string, of int) string {
	name := ""
	for _, rule := range []*fix.Rule{r.After, r.Before} {
		if rule != nil && name == "" {
			name = fmt.Sprintf("%q (%s)", rule.Name, span(*rule))
		}
	}
	if name == "" {
		name = fmt.Sprintf("%q", path.Base(r.Rule))
	}
	verb := map[fix.Act]string{fix.Put: "add rule", fix.Delete: "delete rule"}[r.Act]
	if r.Undo {
		verb = map[fix.Act]string{fix.Put: "put back rule", fix.Delete: "take away rule"}[r.Act]
		why = ""
	}
	text := fmt.Sprintf("step %d of %d: %s %s", r.Step, of, verb, name)
	if why != "" {
		text += ", " + why
	}
	return text
}

// call does the act itself.
func (r *run) call(ctx context.Context, s fix.Server, rec journal.Record) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if rec.Act == fix.Delete {
		return r.o.Cloud.DeleteRule(ctx, s, rec.Rule)
	}
	doc, err := writable(*rec.After)
	if err != nil {
		return fmt.Errorf("write rule %q: %w", rec.After.Name, err)
	}
	return r.o.Cloud.PutRule(ctx, s, rec.Rule, doc)
}

// confirm reads a server back until it shows what was done. An error of the act
// proves nothing: the reading decides. That something has not happened is believed
// only after the time that Azure may take to show it, on a server that is ready, when
// no reading showed it. Even then it may come later still.
func (r *run) confirm(ctx context.Context, p *progress, id string, target wanted, present bool, failed error) (*fix.Rule, journal.Effect) {
	began, agreed, seen := r.o.Now(), 0, false
	if failed != nil && ctx.Err() == nil {
		r.say(p, "the act answered %q; reading the server for up to %s to know what it did", failed.Error(), r.o.Settle)
	}
	for ; ; r.pause(ctx) {
		if ctx.Err() != nil {
			return nil, journal.Unclear
		}
		obs, err := r.observe(ctx, p)
		var rule *fix.Rule
		if now, there := obs.rules[id]; there {
			rule = &now
		}
		ready := err == nil && obs.ready()
		if ready && shows(obs.rules, id, target, present) {
			seen = true
			if agreed++; agreed == agree {
				return rule, journal.InEffect
			}
			continue
		}
		agreed = 0
		waited := r.since(began)
		switch {
		case waited <= r.o.Settle:
		case ready && !seen:
			return rule, journal.NoEffect
		case ready:
			return rule, journal.Unclear
		case err != nil || waited > r.o.Deadline:
			return rule, journal.Unclear
		}
	}
}

// shows reports whether a rule is there as it is wanted, or gone if it is not.
func shows(rules firewall, id string, target wanted, present bool) bool {
	rule, there := rules[id]
	if !present {
		return !there
	}
	return there && target.unlike(rule) == "" && !provisioning(rule)
}
