package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/posternhq/postern/report"
	"github.com/posternhq/postern/rule"
	"github.com/posternhq/postern/rules"
	"github.com/posternhq/postern/scan"
)

type scanOptions struct {
	source  source
	format  string
	output  string
	rules   []string
	failOn  string
	verbose bool
}

var formats = []string{"text", "json", "jsonl"}

func newScan(env Env) *cobra.Command {
	o := &scanOptions{}
	cmd := &cobra.Command{
		Use:   "scan",
		Short: "Judge every managed PostgreSQL server that the credential can read",
		Long: `Read every managed PostgreSQL server that the credential can see, on all three
generations, and judge each by the rules. What could not be read is listed with
the permission it needs, and is never taken for a pass.

The credential is azidentity's default chain (environment, workload identity,
managed identity, az, azd, PowerShell) or a token in AZURE_ACCESS_TOKEN.`,
		Example: `  postern scan
  postern scan --subscription Production --format json --output scan.json
  postern scan --from estate.json.gz --fail-on high`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), env) },
	}
	o.source.addFlags(cmd)
	o.source.addFrom(cmd)
	f := cmd.Flags()
	f.StringVarP(&o.format, "format", "f", "text", "how to write the report: "+strings.Join(formats, ", "))
	f.StringVarP(&o.output, "output", "o", "", "write the report to this file instead of standard output")
	f.StringArrayVar(&o.rules, "rule", nil, "judge by this rule only, by id or alias (repeatable)")
	f.StringVar(&o.failOn, "fail-on", string(rule.Low), "exit with 3 only for failures of at least this severity: "+levelNames())
	f.BoolVarP(&o.verbose, "verbose", "v", false, "list every finding and gap in the text report")
	return cmd
}

func (o *scanOptions) run(ctx context.Context, env Env) error {
	if !slices.Contains(formats, o.format) {
		return usagef("--format %q is not one of %s", o.format, strings.Join(formats, ", "))
	}
	failOn := rule.Level(strings.ToLower(o.failOn))
	if !slices.Contains(rule.Levels, failOn) {
		return usagef("--fail-on %q is not one of %s", o.failOn, levelNames())
	}
	pages, err := chosenRules(o.rules)
	if err != nil {
		return err
	}
	collector, err := o.source.open(ctx, env, nil)
	if err != nil {
		return err
	}
	out, err := openOutput(o.output, env.Out, o.format == "jsonl")
	if err != nil {
		return err
	}
	var summary scan.Summary
	err = watched(env, collector, func() error {
		summary, err = scan.Run(ctx, scan.Options{
			Collector: collector, Rules: pages, Handler: o.handler(env, out), Tool: tool(), Now: env.Now,
		})
		return err
	})
	if err != nil {
		out.discard()
		return err
	}
	if err := out.finish(); err != nil {
		return err
	}
	return outcome(summary, failOn)
}

func (o *scanOptions) handler(env Env, out *output) scan.Handler {
	switch o.format {
	case "json":
		return report.NewJSON(out)
	case "jsonl":
		return report.NewJSONL(out, o.source.from == "" || isTerminal(out.Writer))
	default:
		return report.NewText(env.styled(out.Writer), width(out.Writer), o.verbose)
	}
}

// chosenRules finds rules by id or alias; all of them when none is named.
func chosenRules(names []string) ([]*rule.Page, error) {
	catalogue, err := rules.Catalogue()
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return catalogue.All(), nil
	}
	var pages []*rule.Page
	for _, name := range names {
		page, ok := catalogue.Find(name)
		if !ok {
			return nil, usagef("there is no rule %q; `postern rules list` shows them", name)
		}
		if !slices.Contains(pages, page) {
			pages = append(pages, page)
		}
	}
	return pages, nil
}

func levelNames() string {
	names := make([]string, 0, len(rule.Levels))
	for _, l := range rule.Levels {
		names = append(names, string(l))
	}
	return strings.Join(names, ", ")
}
