package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/report"
	"github.com/posternhq/postern/resourcetype"
	"github.com/posternhq/postern/usage"
	"github.com/posternhq/postern/usage/pglog"
)

type usageOptions struct {
	source    source
	logs      []string
	logFormat string
	prefix    string
	tags      string
	own       string
	since     string
	minWindow string
	format    string
}

func newUsage(env Env) *cobra.Command {
	o := &usageOptions{}
	cmd := &cobra.Command{
		Use:   "usage SERVER --log PATH",
		Short: "Say who uses the azure door of one server, from its logs",
		Long: `Say who connects to one server and through which door, from PostgreSQL's logs or
Azure's diagnostic exports, and whom closing the azure door would cut off. SERVER
is a name or an ARM id.

The last line is the answer: "safe to close", "cuts off N clients" or "not enough
evidence", with the reason and the time it rests on.

Exit codes: 0 safe to close, or the azure door is not open; 1 it could not run;
2 wrong usage; 3 clients would be cut off; 4 not enough evidence.`,
		Example: `  postern usage billing-db --log /var/log/postgresql
  postern usage orders-db --log insights-logs-postgresqllogs --service-tags ServiceTags_Public.json
  zcat postgresql.log.gz | postern usage orders-db --from estate.json.gz --log - --format json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), env, cmd.InOrStdin(), args[0])
		},
	}
	o.source.addFlags(cmd)
	o.source.addFrom(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&o.logs, "log", nil, "a log file, a folder of logs, or - for standard input (repeatable)")
	f.StringVar(&o.logFormat, "log-format", string(pglog.Auto), "how the logs are written: auto, stderr, csv, json, azure")
	f.StringVar(&o.prefix, "log-line-prefix", "", "the server's log_line_prefix (default: Azure's %t-%c- and the usual ones are tried)")
	f.StringVar(&o.tags, "service-tags", "", "Microsoft's service tags file, to say which part of Azure an address is in")
	f.StringVar(&o.own, "own", "", "a file of your own addresses: an address, prefix or range and a name on each line, or YAML")
	f.StringVar(&o.since, "since", "", "leave out what happened before: a time (2026-11-01, or RFC 3339) or how long ago (30d, 12h)")
	f.StringVar(&o.minWindow, "min-window", "7d", "how long the log must vouch for \"safe to close\" to be said (7d, 36h)")
	f.StringVarP(&o.format, "format", "f", "text", "how to write the answer: text, json")
	_ = cmd.MarkFlagRequired("log") // the flag exists
	return cmd
}

func (o *usageOptions) run(ctx context.Context, env Env, stdin io.Reader, name string) error {
	if !slices.Contains([]string{"text", "json"}, o.format) {
		return usagef("--format %q is not one of text, json", o.format)
	}
	minWindow, err := parseSpan(o.minWindow)
	if err != nil {
		return usagef("--min-window %w", err)
	}
	book, err := o.book()
	if err != nil {
		return err
	}
	if n := len(o.logs) - len(slices.DeleteFunc(slices.Clone(o.logs), func(p string) bool { return p == pglog.Stdin })); n > 1 {
		return usagef("--log - is given %d times, and standard input can be read once", n)
	}
	tally := usage.NewTally()
	options, err := o.reading(env.Now())
	if err != nil {
		return err
	}
	// A wrong prefix must show before Azure is asked.
	if _, err := pglog.New(options, tally.Add); err != nil {
		return &usageError{err}
	}
	server, from, err := o.source.server(ctx, env, name)
	if err != nil {
		return err
	}
	options.Server = server.ID
	reader, err := pglog.New(options, tally.Add)
	if err != nil {
		return err
	}
	if err := reader.ReadPaths(ctx, o.logs, stdin); err != nil {
		return logError(err)
	}
	log := reader.Finish()
	answer := usage.NewAnswer(usage.Evidence{
		Sources: []usage.Source{{Name: logNames(o.logs), Kind: usage.LogSource, Log: &log, Missing: nodesMissing(server)}},
		Clients: tally.Clients(), Dropped: tally.Dropped, Overflow: tally.Overflow,
		Access: access(server), Book: book, MinWindow: minWindow, Now: env.Now(),
	})
	u := report.Usage{Tool: tool(), Source: from, Now: env.Now(), Server: server, Answer: answer}
	if o.format == "json" {
		err = report.UsageJSON(env.Out, u)
	} else {
		err = report.UsageText(env.styled(env.Out), width(env.Out), u)
	}
	if err != nil {
		return err
	}
	switch answer.Outcome {
	case usage.CutsOff:
		return exitCode(ExitFailed)
	case usage.NotEnough:
		return exitCode(ExitUnknown)
	default:
		return nil
	}
}

// logNames names the logs in one text.
func logNames(paths []string) string {
	names := slices.Clone(paths)
	for i, p := range names {
		if p == pglog.Stdin {
			names[i] = "standard input"
		}
	}
	return strings.Join(names, ", ")
}

// nodesMissing says what a log of a cluster lacks: its nodes have a log each, and
// nothing in one tells of the others.
func nodesMissing(server *asset.Asset) []string {
	cluster := strings.EqualFold(server.Type, "Microsoft.DBforPostgreSQL/serverGroupsv2")
	var document struct {
		Properties struct {
			Cluster *struct{} `json:"cluster"`
		} `json:"properties"`
	}
	if !cluster && (json.Unmarshal(server.Body, &document) != nil || document.Properties.Cluster == nil) {
		return nil
	}
	return []string{"the server is a cluster, whose nodes log each for itself, and it cannot be told whether the logs of all are here"}
}

// logError says what to do about a log in another format. The first line of a
// log is other people's text, and so may the names in a folder of logs be.
func logError(err error) error {
	plain := errors.New(report.Plain(err.Error()))
	if errors.As(err, new(*pglog.FormatError)) {
		return fmt.Errorf("%w\ngive the server's log_line_prefix with --log-line-prefix, or the format with --log-format", plain)
	}
	return plain
}

func (o *usageOptions) reading(now time.Time) (pglog.Options, error) {
	format := pglog.Format(o.logFormat)
	if !slices.Contains(pglog.Formats, format) {
		return pglog.Options{}, usagef("--log-format %q is not one of auto, stderr, csv, json, azure", o.logFormat)
	}
	options := pglog.Options{Format: format, Prefix: o.prefix, Now: now}
	if o.since != "" {
		since, err := parseSince(o.since, now)
		if err != nil {
			return pglog.Options{}, usagef("--since %w", err)
		}
		options.Since = since
	}
	return options, nil
}

// book reads the files that addresses are looked up in.
func (o *usageOptions) book() (usage.Book, error) {
	var b usage.Book
	read := func(path string, into func(io.Reader) error) error {
		if path == "" {
			return nil
		}
		f, err := os.Open(path)
		if err != nil {
			return fmt.Errorf("open the list of addresses: %w", err)
		}
		defer func() { _ = f.Close() }() // nothing was written
		if err := into(f); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	}
	err := errors.Join(
		read(o.tags, func(in io.Reader) (err error) { b.Tags, err = usage.ReadTags(in); return err }),
		read(o.own, func(in io.Reader) (err error) { b.Own, err = usage.ReadOwn(in); return err }),
	)
	return b, err
}

// access computes who may reach a server, as far as its settings were read.
func access(a *asset.Asset) usage.Access {
	network, err := resourcetype.Network(resourcetype.All(), a)
	if err != nil {
		return usage.UnreadableAccess(err.Error())
	}
	return usage.NewAccess(network)
}

// parseSpan reads a length of time in days (7d) or as Go writes it (36h, 90m).
func parseSpan(s string) (time.Duration, error) {
	const day = 24 * time.Hour
	if days, ok := strings.CutSuffix(s, "d"); ok {
		const most = 36500
		n, err := strconv.Atoi(days)
		if err != nil || n < 1 || n > most {
			return 0, fmt.Errorf("%q is no number of days between 1 and %d", s, most)
		}
		return time.Duration(n) * day, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q is no length of time such as 7d or 36h", s)
	}
	return d, nil
}

// parseSince reads a day, a time, or how long ago.
func parseSince(s string, now time.Time) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	d, err := parseSpan(s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no time such as 2026-11-01 or 2026-11-01T08:00:00Z, and no length of time such as 30d", s)
	}
	return now.Add(-d), nil
}
