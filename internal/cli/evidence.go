package cli

import (
	"cmp"
	"context"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/usage"
	"github.com/posternhq/postern/usage/loganalytics"
	"github.com/posternhq/postern/usage/ownership"
	"github.com/posternhq/postern/usage/pgactivity"
	"github.com/posternhq/postern/usage/pglog"
)

// dsnVariable may hold the connection string for --watch.
const dsnVariable = "POSTERN_DSN"

// tagsFromAPI is the --service-tags that asks Azure.
const tagsFromAPI = "api"

// The defaults of flags, which are also those of an evidence that was made without.
const (
	defaultWatch     = 10 * time.Minute
	defaultMinWindow = "7d"
	defaultLogFormat = string(pglog.Auto)
)

// evidence holds the flags that say where it is known from who connects to a
// server, and whose their addresses are. Check comes before answer.
type evidence struct {
	logs        []string
	logFormat   string
	prefix      string
	workspace   string
	dsn         string
	watch       time.Duration
	interval    time.Duration
	tags        string
	own         string
	noAttribute bool
	since       string
	window      string

	flags *pflag.FlagSet
	// What check makes of the flags.
	reading   pglog.Options
	minWindow time.Duration
	book      usage.Book
	// What Azure has told, for one server, and holds for the next.
	found     *ownership.Found
	foundTags *usage.Tags
}

func (e *evidence) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	e.flags = f
	f.StringArrayVar(&e.logs, "log", nil, "a log file, a folder of logs, or - for standard input (repeatable)")
	f.StringVar(&e.logFormat, "log-format", defaultLogFormat, "how the logs are written: auto, stderr, csv, json, azure")
	f.StringVar(&e.prefix, "log-line-prefix", "", "the server's log_line_prefix (default: Azure's %t-%c- and the usual ones are tried)")
	f.StringVar(&e.workspace, "workspace", "", "the Log Analytics workspace that holds the server's log, by its id, a GUID")
	f.StringVar(&e.dsn, "dsn", "", "sample who is connected to the live server of this connection string; the password belongs in PGPASSWORD, a pgpass file, or with all of it in "+dsnVariable)
	f.DurationVar(&e.watch, "watch", defaultWatch, "how long to sample; 0s looks once. With it, "+dsnVariable+" does instead of --dsn")
	f.DurationVar(&e.interval, "interval", pgactivity.DefaultInterval, "the time between two samples")
	f.StringVar(&e.tags, "service-tags", "", "Microsoft's service tags file, to say which part of Azure an address is in, or api to ask Azure (default: Azure is asked where it is live, unless --no-attribute is given)")
	f.StringVar(&e.own, "own", "", "a file of your own addresses: an address, prefix or range and a name on each line, or YAML")
	f.BoolVar(&e.noAttribute, "no-attribute", false, "do not ask Resource Graph for the addresses of your own resources, nor Azure for its service tags")
	f.StringVar(&e.since, "since", "", "leave out what happened before: a time (2026-11-01, or RFC 3339) or how long ago (30d, 12h); of a workspace 30 days are read unless told otherwise")
	f.StringVar(&e.window, "min-window", defaultMinWindow, "how long the log must vouch for \"safe to close\" to be said (7d, 36h)")
}

// given reports whether there is anything to know clients from.
func (e *evidence) given() bool {
	return len(e.logs) > 0 || e.workspace != "" || e.dsn != "" || e.changed("watch")
}

func (e *evidence) changed(flag string) bool { return e.flags != nil && e.flags.Changed(flag) }

// check refuses what is wrong of the flags and reads the files of addresses, before
// Azure is asked for anything.
func (e *evidence) check(env Env) error {
	var err error
	if e.minWindow, err = parseSpan(cmp.Or(e.window, defaultMinWindow)); err != nil {
		return usagef("--min-window %w", err)
	}
	if n := len(slices.DeleteFunc(slices.Clone(e.logs), func(p string) bool { return p != pglog.Stdin })); n > 1 {
		return usagef("--log - is given %d times, and standard input can be read once", n)
	}
	if e.reading, err = e.readingOptions(env.Now()); err != nil {
		return err
	}
	if _, err := pglog.New(e.reading, func(pglog.Event) {}); err != nil {
		return &usageError{err}
	}
	if e.workspace != "" {
		if err := loganalytics.CheckWorkspace(e.workspace); err != nil {
			return usagef("--workspace %w", err)
		}
	}
	if err := e.checkSampling(env); err != nil {
		return err
	}
	return e.readBook()
}

func (e *evidence) readingOptions(now time.Time) (pglog.Options, error) {
	format := pglog.Format(cmp.Or(e.logFormat, defaultLogFormat))
	if !slices.Contains(pglog.Formats, format) {
		return pglog.Options{}, usagef("--log-format %q is not one of auto, stderr, csv, json, azure", e.logFormat)
	}
	options := pglog.Options{Format: format, Prefix: e.prefix, Now: now}
	if e.since != "" {
		since, err := parseSince(e.since, now)
		if err != nil {
			return pglog.Options{}, usagef("--since %w", err)
		}
		options.Since = since
	}
	return options, nil
}

func (e *evidence) checkSampling(env Env) error {
	if e.dsn == "" && e.changed("watch") {
		e.dsn = env.getenv(dsnVariable)
	}
	switch {
	case e.dsn == "" && (e.changed("watch") || e.changed("interval")):
		return usagef("--watch and --interval are for sampling a live server: give its connection string with --dsn, or in %s with --watch", dsnVariable)
	case e.dsn == "":
		return nil
	case e.watch < 0:
		return usagef("--watch %s is negative", e.watch)
	case e.interval != 0 && e.interval < pgactivity.MinInterval:
		return usagef("--interval %s is shorter than %s", e.interval, pgactivity.MinInterval)
	}
	if err := pgactivity.CheckDSN(e.dsn); err != nil {
		return usagef("--dsn: %w", err)
	}
	return nil
}

// gathered is what the evidence comes to for one server.
type gathered struct {
	Answer usage.Answer
	// Sampled is set where no log was read, only samples.
	Sampled bool
	// Claims is set where something was given or read by which an address can be
	// known as yours.
	Claims bool
	// Owned are the ranges that are yours alone.
	Owned []fix.Span
	// Outlets are the addresses that your resources come from.
	Outlets []fix.Outlet
}

// answer reads all sources and judges who connects to a server. Live is nil where
// the server is from a snapshot, and Azure is then asked nothing.
func (e *evidence) answer(ctx context.Context, env Env, stdin io.Reader, l *live, server *asset.Asset) (gathered, error) {
	switch {
	case l == nil && e.workspace != "":
		return gathered{}, usagef("--workspace needs a live Azure to ask: leave --from out")
	case l == nil && e.tags == tagsFromAPI:
		return gathered{}, usagef("--service-tags api needs a live Azure to ask: leave --from out, or give Microsoft's file")
	}
	book, err := e.attributed(ctx, l, server)
	if err != nil {
		return gathered{}, err
	}
	g := &gatherer{evidence: e, env: env, server: server, tally: usage.NewTally()}
	if len(e.logs) > 0 {
		if err := g.files(ctx, stdin); err != nil {
			return gathered{}, err
		}
	}
	if e.workspace != "" {
		if err := g.logAnalytics(ctx, l); err != nil {
			return gathered{}, err
		}
	}
	if e.dsn != "" {
		if err := g.sample(ctx); err != nil {
			return gathered{}, err
		}
	}
	return gathered{
		Answer: usage.NewAnswer(usage.Evidence{
			Sources: g.sources, Clients: g.clients(), Dropped: g.tally.Dropped, Overflow: g.tally.Overflow,
			Access: access(server), Book: book, MinWindow: e.minWindow, Now: env.Now(),
		}),
		Sampled: len(e.logs) == 0 && e.workspace == "",
		Claims:  book.Own != nil || book.Resources != nil,
		Owned:   ownedSpans(book),
		Outlets: e.outlets(),
	}, nil
}
