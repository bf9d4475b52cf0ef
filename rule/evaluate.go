package rule

import (
	"context"
	"fmt"
	"strings"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/rule/expr"
)

// Input is one resource to judge.
type Input struct {
	Asset    *asset.Asset
	Exposure exposure.Exposure

	docs *documents
}

// Prepare makes an input whose documents are built once, however many rules
// look at it and from however many goroutines.
func Prepare(a *asset.Asset, e exposure.Exposure) Input {
	return Input{Asset: a, Exposure: e, docs: newDocuments(a, e)}
}

// Evaluate judges one resource. It never fails: what cannot be decided is
// Unknown, with the reason. A rule that is not for the resource's type skips it.
// It is safe for concurrent use.
func (p *Page) Evaluate(ctx context.Context, in Input) Result {
	pol := p.policies[strings.ToLower(in.Asset.Type)]
	if pol == nil {
		return Result{Verdict: Skip, Reason: fmt.Sprintf("the rule does not judge %s", in.Asset.Type)}
	}
	if err := ctx.Err(); err != nil {
		return Result{Verdict: Unknown, Reason: fmt.Sprintf("the scan ended before the rule was applied: %v", err)}
	}
	docs := in.docs
	if docs == nil {
		docs = newDocuments(in.Asset, in.Exposure)
	}
	return pol.evaluate(ctx, docs.vars(pol.readsBody))
}

func (pol *policy) evaluate(ctx context.Context, vars *expr.Vars) Result {
	for _, c := range pol.skip {
		skips, err := c.when.Truth(ctx, vars)
		if err != nil {
			// It may be that the rule does not apply, so neither of the other
			// verdicts is certain.
			return Result{Verdict: Unknown, Reason: err.Error()}
		}
		if skips {
			return Result{Verdict: Skip, Reason: sentence(ctx, c.say, vars, Skip)}
		}
	}
	switch passes, err := pol.pass.Truth(ctx, vars); {
	case err != nil:
		return Result{Verdict: Unknown, Reason: err.Error()}
	case passes:
		return Result{Verdict: Pass, Reason: pol.passReason(ctx, vars)}
	default:
		return pol.fail(ctx, vars.Seen())
	}
}

// passReason finds the first reason that holds. A pass speaks of everything, so
// where it cannot be told whether a reason holds, the later ones cannot be
// relied on either, and the reason is that.
func (pol *policy) passReason(ctx context.Context, vars *expr.Vars) string {
	for _, c := range pol.reasons[Pass] {
		if c.when != nil {
			holds, err := c.when.Truth(ctx, vars)
			if err != nil {
				return fmt.Sprintf("what could be read suffices to pass; not known: %v", err)
			}
			if !holds {
				continue
			}
		}
		return sentence(ctx, c.say, vars, Pass)
	}
	return ""
}

// fail says what failed and by what. A failure that is proven stays one whatever
// else is missing, so it speaks of what was seen: a reason whose condition
// cannot be told is passed over.
func (pol *policy) fail(ctx context.Context, seen *expr.Vars) Result {
	r := Result{Verdict: Fail}
	for _, c := range pol.reasons[Fail] {
		if c.when != nil {
			if holds, err := c.when.Truth(ctx, seen); err != nil || !holds {
				continue
			}
		}
		r.Reason = sentence(ctx, c.say, seen, Fail)
		break
	}
	if pol.evidence == nil {
		return r
	}
	items, err := pol.evidence.Items(ctx, seen, "kind", "id", "name", "value")
	if err != nil {
		r.Reason += fmt.Sprintf("; what makes it so could not be listed: %v", err)
		return r
	}
	listed := make(map[Evidence]bool, len(items))
	for _, item := range items {
		e := Evidence{Kind: item[0], ID: item[1], Name: item[2], Value: item[3]}
		if !listed[e] {
			listed[e] = true
			r.Evidence = append(r.Evidence, e)
		}
	}
	return r
}

// sentence fills a reason. The verdict stands even where its sentence cannot be
// completed: what was only read in part is then shown as far as it goes.
func sentence(ctx context.Context, say *expr.Template, vars *expr.Vars, v Verdict) string {
	text, err := say.Text(ctx, vars)
	if err == nil {
		return strings.TrimSpace(text)
	}
	if text, partial := say.Text(ctx, vars.Seen()); partial == nil {
		return fmt.Sprintf("%s (as far as could be read: %v)", strings.TrimSpace(text), err)
	}
	return fmt.Sprintf("the verdict is %s, and its reason cannot be worded: %v", v, err)
}
