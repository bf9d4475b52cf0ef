package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/fix"
	fixazure "github.com/posternhq/postern/fix/azure"
	"github.com/posternhq/postern/internal/wholefile"
	"github.com/posternhq/postern/report"
	"github.com/posternhq/postern/resourcetype"
	"github.com/posternhq/postern/rule"
	"github.com/posternhq/postern/rule/shell"
	"github.com/posternhq/postern/scan"
	"github.com/posternhq/postern/usage"
	"github.com/posternhq/postern/usage/pglog"
)

type planOptions struct {
	source   source
	evidence evidence
	rule     string
	all      bool
	doors    []string
	keep     string
	keepList string
	output   string
	commands bool
}

func newFixPlan(env Env) *cobra.Command {
	o := &planOptions{}
	cmd := &cobra.Command{
		Use:   "plan [SERVER…|--rule ID|--all] -o FILE",
		Short: "Plan how doors are closed, and say whom that cuts off",
		Long: `Plan how the azure and internet doors of servers are closed: the narrow rules
that are added first so that your clients keep working, the rules that are deleted
then, whatever they are called, what each client will experience, and the way back.
Nothing is changed. Servers are named, or are those that fail a rule (--rule), or all
that have such a door (--all).

--keep says which clients are kept: observed are those that the evidence shows and
that are yours or may be, with every other address that their resources come from
today; listed are the addresses of --keep-list; none adds nothing.
Without evidence, --keep observed is refused.

Exit codes: 0 a plan was made, or there is nothing to close; 1 it could not run;
2 wrong usage; 4 some server could not be planned: what was not read is said.`,
		Example: `  postern fix plan billing-db --log insights-logs-postgresqllogs --own ours.txt -o plan.json
  postern fix plan orders-db --workspace 5b0000aa-0000-4000-8000-000000000001 --since 30d -o plan.json
  postern fix plan --rule mhu-w8j-px0 --keep listed --keep-list ours.txt -o plan.json
  postern fix plan --all --keep none -o plan.json`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), env, cmd.InOrStdin(), args) },
	}
	o.source.addFlags(cmd)
	o.evidence.addFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.rule, "rule", "", "plan for the servers that fail this rule")
	f.BoolVar(&o.all, "all", false, "plan for every server that has an azure or internet door")
	f.StringArrayVar(&o.doors, "door", nil, "close only this door: azure, internet (repeatable; default both)")
	f.StringVar(&o.keep, "keep", string(fix.KeepObserved), "whom to keep: observed, listed, none")
	f.StringVar(&o.keepList, "keep-list", "", "the file of addresses for --keep listed, written as for --own")
	f.StringVarP(&o.output, "output", "o", "", "write the plan to this file")
	f.BoolVar(&o.commands, "commands", false, "show the same change as az, PowerShell, Terraform and Bicep too")
	return cmd
}

func (o *planOptions) check(env Env, args []string) error {
	ways := 0
	for _, given := range []bool{len(args) > 0, o.rule != "", o.all} {
		if given {
			ways++
		}
	}
	switch {
	case ways == 0:
		return usagef("say which servers: their names or ids, --rule ID, or --all")
	case ways > 1:
		return usagef("give servers, --rule or --all, and not several of them")
	case !slices.Contains(fix.Keeps, fix.Keep(o.keep)):
		return usagef("--keep %q is not one of observed, listed, none", o.keep)
	case (o.keep == string(fix.KeepListed)) != (o.keepList != ""):
		return usagef("--keep listed and --keep-list FILE go together")
	case o.keep == string(fix.KeepObserved) && !o.evidence.given():
		return usagef("--keep observed needs evidence of who connects: --log, --workspace or --dsn; or say --keep listed, or --keep none")
	}
	for _, d := range o.doors {
		if d != string(exposure.Azure) && d != string(exposure.Internet) {
			return usagef("--door %q is not one of azure, internet", d)
		}
	}
	return o.evidence.check(env)
}

func (o *planOptions) run(ctx context.Context, env Env, stdin io.Reader, args []string) error {
	if err := o.check(env, args); err != nil {
		return err
	}
	listed, err := o.listed()
	if err != nil {
		return err
	}
	l, err := o.source.live(ctx, env)
	if err != nil {
		return err
	}
	cloud := fixazure.New(l.cloud, l.client())
	servers, unread, err := o.servers(ctx, env, args)
	if err != nil {
		return err
	}
	if err := o.fits(len(servers)); err != nil {
		return err
	}
	identity, err := cloud.Identity(ctx)
	if err != nil {
		return err
	}
	var plans []fix.ServerPlan
	for _, a := range servers {
		p, err := o.server(ctx, env, stdin, &l, cloud, a, listed)
		switch {
		case errors.Is(err, fix.ErrNothingToClose):
			fmt.Fprintf(env.Err, "%s\n", report.Plain(err.Error()))
		case errors.Is(err, fix.ErrNotRead):
			unread = append(unread, err.Error())
		case err != nil:
			return err
		default:
			plans = append(plans, p)
		}
	}
	return o.finish(env, identity.Cloud, plans, unread)
}

// fits refuses to take evidence that is about one server for that of several.
func (o *planOptions) fits(servers int) error {
	e := &o.evidence
	switch {
	case servers < 2:
		return nil
	case e.dsn != "":
		return usagef("--dsn is one server, and the plan would be about %d: plan for one, or give --workspace", servers)
	case slices.Contains(e.logs, pglog.Stdin):
		return usagef("--log - can be read once, and the plan would be about %d servers: give a file", servers)
	case len(e.logs) > 0 && e.logFormat != string(pglog.Azure):
		return usagef("the plan would be about %d servers, and only Azure's diagnostic export says which server a line is about: "+
			"give --log-format azure, or plan for one server", servers)
	}
	return nil
}

// server plans for one server.
func (o *planOptions) server(ctx context.Context, env Env, stdin io.Reader, l *live, cloud *fixazure.Cloud, a *asset.Asset, listed []fix.Span) (fix.ServerPlan, error) {
	network, err := resourcetype.Network(resourcetype.All(), a)
	if err != nil {
		return fix.ServerPlan{}, fmt.Errorf("plan %s: %w: %w", a.Name, fix.ErrNotRead, err)
	}
	request := fix.Request{Asset: a, Network: network, Keep: fix.Keep(o.keep), Listed: listed, Now: env.Now(), Claim: claim}
	for _, d := range o.doors {
		request.Doors = append(request.Doors, exposure.Kind(d))
	}
	request.Locks, err = cloud.Locks(ctx, fix.Server{ID: a.ID, SubscriptionID: a.SubscriptionID, ResourceGroup: a.ResourceGroup})
	if err != nil {
		return fix.ServerPlan{}, fmt.Errorf("plan %s: %w: %w", a.Name, fix.ErrNotRead, err)
	}
	if o.evidence.given() {
		g, err := o.evidence.answer(ctx, env, stdin, l, a)
		if err != nil {
			return fix.ServerPlan{}, err
		}
		request.Answer, request.Sampled, request.Claims = &g.Answer, g.Sampled, g.Claims
		request.Owned, request.Outlets = g.Owned, g.Outlets
	}
	return fix.PlanServer(request)
}

// claim is how sure it is that an address of this origin is yours.
func claim(o usage.Origin) fix.Claim {
	switch {
	case o.Owner != usage.Yours:
		return ""
	case o.Certainty == usage.Candidate:
		return fix.Candidate
	default:
		return fix.Owned
	}
}

// finish writes the plan and shows it.
func (o *planOptions) finish(env Env, cloud fix.Cloud, plans []fix.ServerPlan, unread []string) error {
	var problem error
	for _, u := range unread {
		problem = errors.Join(problem, errors.New(u))
	}
	if problem != nil {
		problem = &unknownError{problem}
	}
	if len(plans) == 0 {
		if problem == nil {
			fmt.Fprintln(env.Out, "There is nothing to close.")
		}
		return problem
	}
	plan, err := fix.New(fix.Tool(tool()), cloud, fix.Keep(o.keep), plans, env.Now())
	if err != nil {
		return err
	}
	if o.output != "" {
		if err := writePlan(o.output, plan); err != nil {
			return err
		}
	}
	if err := report.PlanText(env.styled(env.Out), width(env.Out), plan, o.commands); err != nil {
		return err
	}
	if o.output == "" {
		fmt.Fprintln(env.Out, "\nThis plan was not written down. To carry it out, make it again with -o plan.json.")
	} else {
		fmt.Fprintf(env.Out, "\nThe plan is in %s. To carry it out: postern fix apply %s%s\n", report.Plain(o.output), shell.Bash.Quote(o.output),
			(&acting{source: o.source}).flags())
	}
	return problem
}

func writePlan(path string, plan *fix.Plan) error {
	f, err := wholefile.Create(path, 0o600)
	if err != nil {
		return fmt.Errorf("create the plan: %w", err)
	}
	if err := fix.Write(f, plan); err != nil {
		return errors.Join(err, f.Discard())
	}
	if err := f.Commit(); err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	return nil
}

// listed reads the addresses of --keep listed.
func (o *planOptions) listed() ([]fix.Span, error) {
	if o.keepList == "" {
		return nil, nil
	}
	f, err := os.Open(o.keepList)
	if err != nil {
		return nil, fmt.Errorf("open the list of addresses to keep: %w", err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	own, err := usage.ReadOwn(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.keepList, err)
	}
	var spans []fix.Span
	for _, h := range own.Holdings() {
		spans = append(spans, fix.Span{Range: h.Range, Name: h.Name})
	}
	return spans, nil
}

// servers finds the servers to plan for, and says what could not be looked at.
func (o *planOptions) servers(ctx context.Context, env Env, args []string) ([]*asset.Asset, []string, error) {
	if len(args) > 0 {
		var servers []*asset.Asset
		for _, name := range args {
			// A name's own subscription must not narrow the search for the next one.
			in := o.source
			a, _, err := in.server(ctx, env, name)
			if err != nil {
				return nil, nil, err
			}
			if !slices.ContainsFunc(servers, func(b *asset.Asset) bool { return asset.SameID(a.ID, b.ID) }) {
				servers = append(servers, a)
			}
		}
		return servers, nil, nil
	}
	pages, err := chosenRules(slices.DeleteFunc([]string{o.rule}, func(s string) bool { return s == "" }))
	if err != nil {
		return nil, nil, err
	}
	collector, err := o.source.open(ctx, env, nil)
	if err != nil {
		return nil, nil, err
	}
	picked := &picker{ctx: ctx, all: o.all, pages: pages}
	err = watched(env, collector, func() error {
		stats, err := collector.Collect(ctx, picked)
		if err == nil && stats.Partial {
			err = errors.New("the search for servers was interrupted: nothing was planned")
		}
		return err
	})
	slices.SortFunc(picked.servers, func(a, b *asset.Asset) int { return strings.Compare(strings.ToLower(a.ID), strings.ToLower(b.ID)) })
	return picked.servers, picked.unread, err
}

// picker takes the servers that fail a rule, or all that may have a door.
type picker struct {
	ctx     context.Context //nolint:containedctx // a sink's methods take none
	all     bool
	pages   []*rule.Page
	servers []*asset.Asset
	unread  []string
}

// Asset implements [collect.Sink].
func (p *picker) Asset(a *asset.Asset) error {
	e := scan.Exposure(a, resourcetype.All())
	if p.all {
		if e.Door(exposure.Azure).State != exposure.Closed || e.Door(exposure.Internet).State != exposure.Closed {
			p.servers = append(p.servers, a)
		}
		return nil
	}
	for _, page := range p.pages {
		result := page.Evaluate(p.ctx, rule.Prepare(a, e))
		switch result.Verdict {
		case rule.Fail:
			p.servers = append(p.servers, a)
			return nil
		case rule.Unknown:
			p.unread = append(p.unread, fmt.Sprintf("%s is unknown to rule %s: %s", a.Name, page.ID, result.Reason))
		}
	}
	return nil
}

// Gap implements [collect.Sink].
func (p *picker) Gap(g asset.Gap) error {
	p.unread = append(p.unread, "a server may be where Postern could not look: "+g.String())
	return nil
}
