package cli

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/fix/change"
	"github.com/posternhq/postern/usage/pgactivity"
	"github.com/posternhq/postern/usage/pglog"
)

// follow holds the flags that watch a changed server: a log for the clients that it
// refuses, its sessions for those that still come.
type follow struct {
	watch     string
	log       string
	logFormat string
	prefix    string
	dsn       string
	undo      bool
}

func (w *follow) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&w.watch, "watch", "", "afterwards, watch the server for this long (15m); needs --log or --dsn")
	f.StringVar(&w.log, "log", "", "the log to watch for refused clients as it grows: a file, or a folder of logs")
	f.StringVar(&w.logFormat, "log-format", string(pglog.Auto), "how the log is written: auto, stderr, csv, json, azure")
	f.StringVar(&w.prefix, "log-line-prefix", "", "the server's log_line_prefix (default: Azure's %t-%c- and the usual ones are tried)")
	f.StringVar(&w.dsn, "dsn", "", "sample the live server of this connection string, to see which kept clients come again; it shows no refusal. The password belongs in PGPASSWORD, a pgpass file, or with all of it in "+dsnVariable)
	f.BoolVar(&w.undo, "undo-on-refusal", false, "take a server back as soon as it refuses a client that the plan did not give up; needs --watch and --log")
}

func (w *follow) check(env Env) error {
	if w.watch != "" && w.log == "" && w.dsn == "" {
		w.dsn = env.getenv(dsnVariable)
	}
	switch {
	case w.watch != "" && w.log == "" && w.dsn == "":
		return usagef("--watch needs something to watch: a log (--log), or a live server (--dsn, or %s)", dsnVariable)
	case w.watch == "" && (w.log != "" || w.dsn != "" || w.undo):
		return usagef("--log, --dsn and --undo-on-refusal are for --watch: say how long, as in --watch 15m")
	case w.undo && w.log == "":
		return usagef("--undo-on-refusal needs --log: the sessions of a live server show nobody who was refused")
	case w.watch == "":
		return nil
	}
	if _, err := parseSpan(w.watch); err != nil {
		return usagef("--watch %w", err)
	}
	if w.dsn != "" {
		if err := pgactivity.CheckDSN(w.dsn); err != nil {
			return usagef("--dsn: %w", err)
		}
	}
	if w.log == "" {
		return nil
	}
	if _, err := pglog.New(w.options(fix.Server{}), func(pglog.Event) {}); err != nil {
		return &usageError{err}
	}
	// Afterwards would be too late to find out.
	if _, err := os.Stat(w.log); err != nil {
		return fmt.Errorf("find the log to watch: %w", err)
	}
	return nil
}

// fits refuses to take what is about one server for several.
func (w *follow) fits(servers int) error {
	switch {
	case w.watch == "" || servers < 2:
		return nil
	case w.dsn != "":
		return usagef("--dsn is one server, and the plan is about %d", servers)
	case w.logFormat != string(pglog.Azure):
		return usagef("the plan is about %d servers, and only Azure's diagnostic export says which server a line is about: "+
			"give --log-format azure, or a plan for one server", servers)
	}
	return nil
}

func (w *follow) options(s fix.Server) pglog.Options {
	return pglog.Options{Format: pglog.Format(w.logFormat), Prefix: w.prefix, Server: s.ID}
}

// into sets the watch of a run of a plan. What sessions show is told as it ends.
func (w *follow) into(o *change.Options, plan *fix.Plan, tell func(fix.Server, string)) {
	if w.watch == "" {
		return
	}
	o.WatchFor, _ = parseSpan(w.watch) // it was checked
	o.UndoOnRefusal = w.undo
	o.Watch = func(ctx context.Context, s fix.Server, emit func(change.Refusal)) error {
		group, ctx := errgroup.WithContext(ctx)
		if w.log != "" {
			group.Go(func() error {
				return pglog.Follow(ctx, w.log, time.Second, w.options(s), func(ev pglog.Event) {
					if ev.Kind == pglog.Refused {
						emit(change.Refusal{At: ev.Time, Address: ev.Host, User: ev.User, Database: ev.Database})
					}
				})
			})
		}
		if w.dsn != "" {
			group.Go(func() error {
				// The end of the watch ends the sampling.
				r, err := pgactivity.Watch(ctx, pgactivity.Options{DSN: w.dsn, Watch: o.WatchFor, Now: o.Now})
				if err == nil {
					tell(s, comeAgain(plan, s, r))
				}
				return err
			})
		}
		return group.Wait()
	}
}

// comeAgain says which of the clients that the plan keeps were connected while the
// server was watched. A session that was open before proves nothing of the firewall.
func comeAgain(plan *fix.Plan, s fix.Server, r pgactivity.Result) string {
	seen := map[netip.Addr]bool{}
	for _, c := range r.Sightings {
		if a, err := netip.ParseAddr(c.Address); err == nil && (c.First.After(r.First) || c.BackendStart.After(r.First)) {
			seen[a.Unmap()] = true
		}
	}
	var missing []string
	kept := map[netip.Addr]bool{}
	for _, sp := range plan.Servers {
		if !strings.EqualFold(sp.Server.ID, s.ID) {
			continue
		}
		for _, c := range sp.Clients {
			a, err := netip.ParseAddr(c.Address)
			if err != nil || kept[a] || c.Fate != fix.KeptByNew && c.Fate != fix.KeptByOld {
				continue
			}
			kept[a] = true
			if !seen[a] {
				missing = append(missing, c.Address)
			}
		}
	}
	text := fmt.Sprintf("of %d kept addresses %d made a new connection", len(kept), len(kept)-len(missing))
	if len(missing) > 0 {
		slices.Sort(missing)
		text += "; not seen to connect anew: " + strings.Join(missing, ", ")
	}
	return text
}
