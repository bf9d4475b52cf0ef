package change

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/fix/journal"
)

// run is one run of this process on one change.
type run struct {
	o       Options
	change  string
	plan    *fix.Plan
	who     Identity
	journal *journal.Journal
	history *history
	lock    *journal.Lock

	telling sync.Mutex
}

// append journals a record, learns from it and tells of it. The progress is nil
// for what is about the whole change.
func (r *run) append(p *progress, rec journal.Record) error {
	if p != nil {
		rec.Server = p.server.Server.ID
	}
	written, err := r.journal.Append(rec)
	if err != nil {
		return err
	}
	e := Event{At: written.At, Text: written.What, Record: &written}
	if p != nil {
		p.take(written)
		e.Server = &p.server.Server
	} else {
		r.history.take(written)
	}
	r.tell(e)
	return nil
}

func (r *run) tell(e Event) {
	if r.o.Progress == nil {
		return
	}
	r.telling.Lock()
	defer r.telling.Unlock()
	r.o.Progress(e)
}

// say tells what is not worth a record.
func (r *run) say(p *progress, format string, args ...any) {
	e := Event{At: r.o.Now(), Text: fmt.Sprintf(format, args...)}
	if p != nil {
		e.Server = &p.server.Server
	}
	r.tell(e)
}

// close gives back what the run holds.
func (r *run) close() error {
	var err error
	if r.journal != nil {
		err = r.journal.Close()
	}
	if r.lock != nil {
		err = errors.Join(err, r.lock.Unlock())
	}
	return err
}

func (r *run) holder() journal.Holder {
	return journal.Holder{Change: r.change, PID: os.Getpid(), Since: r.o.Now().UTC()}
}

// identify asks where changes go, and refuses another place than the plan's.
func (r *run) identify(ctx context.Context) error {
	who, err := r.o.Cloud.Identity(ctx)
	if err != nil {
		return fmt.Errorf("ask where changes would go: %w", err)
	}
	r.who = who
	plan, here := r.plan.Cloud, who.Cloud
	if !sameEndpoint(plan.Endpoint, here.Endpoint) {
		return refuse("sign in to the cloud of the plan (`--cloud`)", "the plan is for the cloud %q and this is %q", plan.Endpoint, here.Endpoint)
	}
	if plan.Tenant != "" && !strings.EqualFold(plan.Tenant, here.Tenant) {
		return refuse("sign in to the tenant of the plan", "the plan is for the tenant %q and this is %q", plan.Tenant, here.Tenant)
	}
	return nil
}

func sameEndpoint(a, b string) bool {
	return strings.EqualFold(strings.TrimRight(a, "/"), strings.TrimRight(b, "/"))
}

// permissions are the role actions that changing a server needs.
func permissions(armType string) []string {
	provider, _, _ := strings.Cut(armType, "/")
	return []string{
		armType + "/read",
		armType + "/firewallRules/read",
		armType + "/firewallRules/write",
		armType + "/firewallRules/delete",
		provider + "/locations/azureAsyncOperation/read",
		provider + "/locations/operationResults/read",
		"Microsoft.Authorization/locks/read",
	}
}

// permitted refuses when a permission is missing at any of the servers, and names
// all that are.
func (r *run) permitted(ctx context.Context, servers []*progress) error {
	missing := make([][]string, len(servers))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(r.o.Parallel)
	for i, p := range servers {
		g.Go(func() error {
			s := p.server.Server
			lacks, err := r.o.Cloud.Missing(ctx, s, permissions(s.Type))
			if err != nil {
				return fmt.Errorf("see what is permitted at server %q: %w", s.Name, err)
			}
			for _, permission := range lacks {
				missing[i] = append(missing[i], permission+" at "+s.ID)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if all := slices.Concat(missing...); len(all) > 0 {
		return refuse("nothing was changed; ask for a role that has it, such as one made as docs/close-a-door.md shows",
			"a permission is missing: %s", strings.Join(all, "; "))
	}
	return nil
}

// each runs a function for servers side by side and gathers what it says, in
// their order. Servers that the context's end came before are left untouched.
func (r *run) each(ctx context.Context, servers []*progress, do func(context.Context, *progress) ServerResult) []ServerResult {
	results := make([]ServerResult, len(servers))
	var g errgroup.Group
	g.SetLimit(r.o.Parallel)
	for i, p := range servers {
		g.Go(func() error {
			results[i] = do(ctx, p)
			return nil
		})
	}
	_ = g.Wait() // The functions return no errors.
	return results
}

// alone runs a function while this run holds the server.
func (r *run) alone(p *progress, do func() error) error {
	lock, err := journal.LockServer(r.o.Dir, p.server.Server.ID, p.server.Server.Name, r.holder())
	var held *journal.HeldError
	switch {
	case errors.As(err, &held):
		return &stop{outcome: Held, reason: held.Error()}
	case err != nil:
		return &stop{outcome: Failed, reason: err.Error()}
	}
	err = do()
	if unlock := lock.Unlock(); err == nil && unlock != nil {
		return &stop{outcome: Failed, reason: unlock.Error()}
	}
	return err
}

// result is what the journal now tells of a server, with why it stopped.
func (r *run) result(p *progress, err error) ServerResult {
	res := ServerResult{
		Server: p.server.Server, Steps: len(p.server.Steps), InEffect: p.low, Unclear: p.low != p.high,
		DoorsBefore: p.doorsBefore, DoorsAfter: p.seen, Alarms: p.alarms, Notes: p.notes, Unwatched: p.unwatched,
	}
	switch p.phase {
	case PhaseDone:
		res.Outcome = Done
	case PhaseUndone:
		res.Outcome, res.Differences = Undone, p.differences
		if len(p.differences) > 0 {
			res.Outcome, res.Reason = UndoneInPart, "not everything came back as it was"
		}
	case PhaseBlocked:
		res.Outcome, res.Reason = Blocked, p.server.Blocked
	case PhasePending:
		res.Outcome = Untouched
	default:
		res.Outcome, res.Reason = Interrupted, "it was left half-way"
	}
	var s *stop
	if errors.As(err, &s) {
		res.Outcome, res.Reason, res.Differences = s.outcome, s.reason, s.differences
	} else if err != nil {
		res.Outcome, res.Reason = Failed, err.Error()
	}
	return res
}

// halted journals why a server was left, if anything can still be journalled.
func (r *run) halted(p *progress, err error) error {
	var s *stop
	if err == nil || errors.As(err, &s) && s.outcome == Untouched {
		return err
	}
	if !errors.As(err, &s) {
		s = &stop{outcome: Failed, reason: err.Error()}
	}
	rec := journal.Record{Kind: journal.Stopped, What: fmt.Sprintf("left as it is: %s", s.reason), Differences: s.differences, Doors: p.seen}
	if unwritten := r.append(p, rec); unwritten != nil {
		s.reason += "; this could not be journalled: " + unwritten.Error()
	}
	return s
}

func samePlace(p *progress, serverID string) bool { return asset.SameID(p.server.Server.ID, serverID) }
