package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/report"
	"github.com/posternhq/postern/resourcetype"
	"github.com/posternhq/postern/usage"
)

type usageOptions struct {
	source   source
	evidence evidence
	format   string
	output   string
}

func newUsage(env Env) *cobra.Command {
	o := &usageOptions{}
	cmd := &cobra.Command{
		Use:   "usage SERVER (--log PATH | --workspace ID | --dsn DSN)...",
		Short: "Say who uses the azure door of one server, from its logs and sessions",
		Long: `Say who connects to one server and through which door, and whom closing the azure
door would cut off. SERVER is a name or an ARM id. It is known from any of these, in
any mix: PostgreSQL's logs and Azure's diagnostic exports (--log), the log in a Log
Analytics workspace (--workspace), and who is connected to the live server (--dsn).

Whose an address is, is looked up in your own resources (Resource Graph), Azure's
service tags, and a list of yours (--own). That an address is not found there proves
nothing.

The last line is the answer: "safe to close", "cuts off N clients" or "not enough
evidence", with the reason and the time it rests on. Samples alone are never enough.

A token in AZURE_ACCESS_TOKEN is for Resource Manager; Log Analytics needs one of its
own beside it, in AZURE_LOG_ANALYTICS_TOKEN. Nothing is changed anywhere.

Exit codes: 0 safe to close, or the azure door is not open; 1 it could not run;
2 wrong usage; 3 clients would be cut off, come by the internet door alone, or are
yours and were refused; 4 not enough evidence.`,
		Example: `  postern usage orders-db --workspace 00000000-0000-0000-0000-000000000000 --since 30d
  postern usage billing-db --log /var/log/postgresql --own ours.txt
  PGPASSWORD=… postern usage orders-db --dsn 'host=orders-db.postgres.database.azure.com user=watcher dbname=postgres sslmode=verify-full' --watch 30m
  zcat postgresql.log.gz | postern usage orders-db --from estate.json.gz --log - --format json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), env, cmd.InOrStdin(), args[0])
		},
	}
	o.source.addFlags(cmd)
	o.source.addFrom(cmd)
	o.evidence.addFlags(cmd)
	cmd.Flags().StringVarP(&o.format, "format", "f", "text", "how to write the answer: text, json, html")
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "write the answer to this file instead of standard output")
	return cmd
}

func (o *usageOptions) run(ctx context.Context, env Env, stdin io.Reader, name string) error {
	write, ok := map[string]func(io.Writer, report.Usage) error{
		"text": func(out io.Writer, u report.Usage) error { return report.UsageText(env.styled(out), width(out), u) },
		"json": report.UsageJSON,
		"html": report.UsageHTML,
	}[o.format]
	switch {
	case !ok:
		return usagef("--format %q is not one of text, json, html", o.format)
	case !o.evidence.given():
		return usagef("there is nothing to know clients from: give --log, --workspace or --dsn")
	}
	if err := o.evidence.check(env); err != nil {
		return err
	}
	server, from, err := o.source.server(ctx, env, name)
	if err != nil {
		return err
	}
	var azure *live
	if o.source.from == "" {
		l, err := o.source.live(ctx, env)
		if err != nil {
			return err
		}
		defer l.transport.CloseIdleConnections()
		azure = &l
	}
	known, err := o.evidence.answer(ctx, env, stdin, azure, server)
	if err != nil {
		return err
	}
	out, err := openOutput(o.output, env.Out, false)
	if err != nil {
		return err
	}
	if err := write(out.Writer, report.Usage{Tool: tool(), Source: from, Now: env.Now(), Server: server, Answer: known.Answer}); err != nil {
		out.discard()
		return err
	}
	if err := out.finish(); err != nil {
		return err
	}
	switch a := known.Answer; {
	case a.Outcome == usage.CutsOff, a.OnlyInternet > 0, a.RefusedYours > 0:
		return exitCode(ExitFailed)
	case a.Outcome == usage.NotEnough:
		return exitCode(ExitUnknown)
	default:
		return nil
	}
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
