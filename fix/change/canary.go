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
func (r *run) canary(ctx context.Context, birds []*progress) (results []ServerResult, well bool, err error) {
	results = r.each(ctx, forwardOnly(birds), r.forward)
	fault := sick(birds, results)
	if fault == "" && ctx.Err() == nil {
		waits := journal.Record{Kind: journal.CanaryWaiting, What: fmt.Sprintf("the canary is done; the others follow in %s", r.o.CanaryWait)}
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
	rec := journal.Record{Kind: journal.CanaryPassed, What: "the canary is well; the others follow"}
	if fault != "" {
		rec = journal.Record{Kind: journal.CanaryFailed, What: "the other servers are left untouched: " + fault}
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
// was taken back, has proved nothing.
func sick(birds []*progress, results []ServerResult) string {
	var out []string
	for _, p := range birds {
		name := p.server.Server.Name
		if p.phase != PhaseDone {
			out = append(out, fmt.Sprintf("canary %q is %s", name, p.phase))
			continue
		}
		if len(p.alarms) > 0 {
			out = append(out, fmt.Sprintf("canary %q refuses %s that it should not", name, count(len(p.alarms), "address")))
		}
		for _, res := range results {
			if samePlace(p, res.Server.ID) && (res.Outcome != Done || len(res.Notes) > 0) {
				out = append(out, strings.TrimRight(fmt.Sprintf("canary %q: %s %s", name, res.Reason, strings.Join(res.Notes, "; ")), " "))
			}
		}
	}
	return strings.Join(out, "; ")
}
