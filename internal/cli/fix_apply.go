package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/posternhq/postern/fix/change"
	"github.com/posternhq/postern/report"
)

func newFixShow(env Env) *cobra.Command {
	var commands bool
	cmd := &cobra.Command{
		Use:   "show PLAN",
		Short: "Show a plan to the person who approves it",
		Long: `Show what a plan does to each server and each client, its steps, the way back,
and, with --commands, the same change as az, PowerShell, Terraform and Bicep. The
file is checked: one that was edited is refused.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			plan, err := readPlan(args[0], cmd.InOrStdin())
			if err != nil {
				return err
			}
			return report.PlanText(env.styled(env.Out), width(env.Out), plan, commands)
		},
	}
	cmd.Flags().BoolVar(&commands, "commands", false, "show the same change as az, PowerShell, Terraform and Bicep too")
	return cmd
}

func newFixApply(env Env) *cobra.Command {
	a := &acting{}
	var canary int
	var canaryWait string
	cmd := &cobra.Command{
		Use:   "apply PLAN",
		Short: "Carry out a plan",
		Long: `Carry out a plan: before each step the server is read again, rules are added
before any is deleted, and at the end each server is read back and judged. A server
that is not as the plan says is left alone, and the others go on. On a terminal it
asks once; elsewhere it needs --yes.

Exit codes: 0 every server is done; 1 it could not run, and nothing was changed;
2 wrong usage; 3 some server is not done, or refused a client while it was watched;
4 it was interrupted, or it is not known whether a step is in effect.`,
		Example: `  postern fix apply plan.json
  postern fix apply plan.json --yes --canary 1 --canary-wait 10m
  postern fix apply plan.json --watch 15m --log /var/log/postgresql --undo-on-refusal`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.check(env); err != nil {
				return err
			}
			wait, err := parseSpan(canaryWait)
			switch {
			case err != nil:
				return usagef("--canary-wait %w", err)
			case canary < 0:
				return usagef("--canary %d is below 0", canary)
			}
			plan, err := readPlan(args[0], cmd.InOrStdin())
			if err != nil {
				return err
			}
			if err := a.follow.fits(len(plan.Servers)); err != nil {
				return err
			}
			err = a.approve(cmd, env, fmt.Sprintf("Carry out the plan %s?", args[0]),
				func(out io.Writer) error { return report.BlastRadius(out, plan, env.Now()) })
			if err != nil {
				return err
			}
			o, err := a.options(cmd, env, plan)
			if err != nil {
				return err
			}
			o.Canary, o.CanaryWait = canary, wait
			res, err := change.Apply(cmd.Context(), plan, o)
			return a.finish(env, res, err, allDone)
		},
	}
	a.addFlags(cmd)
	a.follow.addFlags(cmd)
	cmd.Flags().IntVar(&canary, "canary", 0, "how many servers go first and are watched before the others follow")
	cmd.Flags().StringVar(&canaryWait, "canary-wait", "5m", "how long they are left before they are checked again")
	return cmd
}

func newFixResume(env Env) *cobra.Command {
	a := &acting{}
	cmd := &cobra.Command{
		Use:   "resume CHANGE",
		Short: "Go on with a change that was interrupted",
		Long: `Go on with a change, or with undoing it, from its journal and from what the
servers show. CHANGE is a name that ` + "`postern fix status`" + ` lists.

Exit codes: 0 every server is where the change leads; 1 it could not run, and nothing
was changed; 2 wrong usage; 3 some server is not, or refused a client while it was
watched; 4 it was interrupted, or it is not known whether a step is in effect.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.again(cmd, env, args[0], "Go on with change %s?", change.Resume,
				settled)
		},
	}
	a.addFlags(cmd)
	a.follow.addFlags(cmd)
	return cmd
}

func newFixUndo(env Env) *cobra.Command {
	a := &acting{}
	cmd := &cobra.Command{
		Use:   "undo CHANGE|SERVER",
		Short: "Take a change back, or the newest change of one server",
		Long: `Put back exactly what a change deleted and take away what it added, then read
the servers back and compare. What others did beside it since stays. CHANGE is a
name that ` + "`postern fix status`" + ` lists; SERVER a server's name or ARM id.

Exit codes: 0 everything is as it was; 1 it could not run, and nothing was changed;
2 wrong usage; 3 some server is not as it was; 4 it was interrupted, or it is not
known whether a step is in effect.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.again(cmd, env, args[0], "Take back %s? This opens again what it closed.", change.Undo, takenBack(args[0]))
		},
	}
	a.addFlags(cmd)
	return cmd
}
