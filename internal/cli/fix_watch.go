package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/fix/change"
	"github.com/posternhq/postern/usage/pglog"
)

// follow holds the flags that watch a changed server for clients it refuses.
type follow struct {
	watch     string
	log       string
	logFormat string
	prefix    string
	undo      bool
}

func (w *follow) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&w.watch, "watch", "", "afterwards, look for refused clients for this long (15m); needs --log")
	f.StringVar(&w.log, "log", "", "the log to watch as it grows: a file, or a folder whose newest file is followed")
	f.StringVar(&w.logFormat, "log-format", string(pglog.Auto), "how the log is written: auto, stderr, csv, json, azure")
	f.StringVar(&w.prefix, "log-line-prefix", "", "the server's log_line_prefix (default: Azure's %t-%c- and the usual ones are tried)")
	f.BoolVar(&w.undo, "undo-on-refusal", false, "take a server back as soon as it refuses a client that the plan did not give up; needs --watch")
}

func (w *follow) check() error {
	switch {
	case w.watch != "" && w.log == "":
		return usagef("--watch needs a log to watch: give it with --log")
	case w.watch == "" && (w.log != "" || w.undo):
		return usagef("--log and --undo-on-refusal are for --watch: say how long, as in --watch 15m")
	case w.watch == "":
		return nil
	}
	if _, err := parseSpan(w.watch); err != nil {
		return usagef("--watch %w", err)
	}
	if _, err := pglog.New(w.options(fix.Server{}), func(pglog.Event) {}); err != nil {
		return &usageError{err}
	}
	return nil
}

// fits refuses to take one server's log for that of several.
func (w *follow) fits(servers int) error {
	if w.watch != "" && servers > 1 && w.logFormat != string(pglog.Azure) {
		return usagef("the plan is about %d servers, and only Azure's diagnostic export says which server a line is about: "+
			"give --log-format azure, or a plan for one server", servers)
	}
	return nil
}

func (w *follow) options(s fix.Server) pglog.Options {
	return pglog.Options{Format: pglog.Format(w.logFormat), Prefix: w.prefix, Server: s.ID}
}

// into sets the watch of a run.
func (w *follow) into(o *change.Options) {
	if w.watch == "" {
		return
	}
	o.WatchFor, _ = parseSpan(w.watch) // it was checked
	o.UndoOnRefusal = w.undo
	o.Watch = func(ctx context.Context, s fix.Server, emit func(change.Refusal)) error {
		return pglog.Follow(ctx, w.log, time.Second, w.options(s), func(ev pglog.Event) {
			if ev.Kind == pglog.Refused {
				emit(change.Refusal{At: ev.Time, Address: ev.Host, User: ev.User, Database: ev.Database})
			}
		})
	}
}
