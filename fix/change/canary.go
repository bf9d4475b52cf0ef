package change

import (
	"context"
	"fmt"
	"strings"

	"github.com/posternhq/postern/fix/journal"
)

// canary changes the first servers wholly, leaves them for a while, watched if
// there is a watch, and reads them again. The others may follow only if all is
// well with it.
func (r *run) canary(ctx context.Context, birds []*progress, others int) (results []ServerResult, well bool, err error) {
	results = r.each(ctx, forwardOnly(birds), r.forward)
	fault := sick(birds, results)
	if fault == "" && ctx.Err() == nil {
		waits := journal.Record{Kind: journal.CanaryWaiting, What: fmt.Sprintf("the canary is done; it is checked again in %s, and %s may follow", r.o.CanaryWait, count(others, "other"))}
		if err := r.append(nil, waits); err != nil {
			return results, false, err
		}
		results = r.each(ctx, birds, r.outlast)
		fault = sick(birds, results)
	}
	if ended(ctx) {
		// Nothing is wrong with the canary: the next run waits again.
		return results, false, nil
	}
	rec := journal.Record{Kind: journal.CanaryPassed, What: fmt.Sprintf("the canary is well; %s may follow", count(others, "other"))}
	if fault != "" {
		rec = journal.Record{Kind: journal.CanaryFailed, What: fmt.Sprintf("%s left untouched: %s", count(others, "other server"), fault)}
	}
	return results, fault == "", r.append(nil, rec)
}

// outlast leaves a server for the canary's wait and reads it again.
func (r *run) outlast(ctx context.Context, p *progress) ServerResult {
	var seen watched
	err := r.alone(p, func() error {
		var err error
		switch {
		case r.o.CanaryWait <= 0:
		case r.o.Watch == nil:
			err = pause(ctx, r.o.CanaryWait)
		default:
			seen, err = r.watch(ctx, p, r.o.CanaryWait)
		}
		if ended(ctx) {
			return nil
		}
		if err == nil && p.phase == PhaseDone {
			err = r.check(ctx, p)
		}
		return r.halted(p, err)
	})
	res := r.result(p, err)
	seen.into(&res)
	return res
}

// sick says what is wrong with a canary. One that was not watched to the end, or
// was taken back, has proved nothing. Alarms of earlier runs count no more: what
// they were about is looked into before a run is taken up again.
func sick(birds []*progress, results []ServerResult) string {
	var out []string
	for _, p := range birds {
		name := p.server.Server.Name
		if p.phase != PhaseDone {
			out = append(out, fmt.Sprintf("canary %q is %s", name, p.phase))
			continue
		}
		if p.raised > 0 {
			out = append(out, fmt.Sprintf("canary %q refuses %s that it should not", name, count(p.raised, "address")))
		}
		for _, res := range results {
			if samePlace(p, res.Server.ID) && (res.Outcome != Done || len(res.Notes) > 0) {
				out = append(out, strings.TrimRight(fmt.Sprintf("canary %q: %s %s", name, res.Reason, strings.Join(res.Notes, "; ")), " "))
			}
		}
	}
	return strings.Join(out, "; ")
}
