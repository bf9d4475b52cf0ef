package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/fix/change"
	"github.com/posternhq/postern/report"
)

// again takes up a change that has a journal: to go on with it or to take it back.
func (a *acting) again(cmd *cobra.Command, env Env, target, question string,
	do func(context.Context, string, change.Options) (change.Result, error), complete func(change.Result) bool,
) error {
	if err := a.check(env); err != nil {
		return err
	}
	dir, err := journalDir(env, a.journal)
	if err != nil {
		return err
	}
	// What cannot be read is told by the run itself.
	known, _ := change.List(dir)
	fits := about(known, target)
	var plan *fix.Plan
	if len(fits) > 0 {
		plan = fits[0].Plan
		if err := a.follow.fits(len(fits[0].Servers)); err != nil {
			return err
		}
	}
	err = a.approve(cmd, env, fmt.Sprintf(question, report.Plain(target)),
		func(out io.Writer) error { return report.ChangesText(out, width(out), fits, false, a.flags()) })
	if err != nil {
		return err
	}
	o, err := a.options(cmd, env, plan)
	if err != nil {
		return err
	}
	res, err := do(cmd.Context(), target, o)
	return a.finish(env, res, err, complete)
}

// finish tells what a run came to. With an error there may be a result as well: what
// was done before the journal could no longer be written. Exit code 1 is for runs that
// changed nothing.
func (a *acting) finish(env Env, res change.Result, err error, complete func(change.Result) bool) error {
	if err != nil && len(res.Servers) == 0 {
		return err
	}
	told, code := a.tell(env, res, complete(res))
	err = errors.Join(err, told)
	if err == nil {
		return code
	}
	for line := range strings.SplitSeq("postern: "+err.Error(), "\n") {
		fmt.Fprintln(env.Err, report.Plain(line))
	}
	if code == nil {
		return exitCode(ExitUnknown)
	}
	return code
}

// about are the changes that a name fits: the one of that name, or those of a server.
func about(changes []change.Summary, target string) []change.Summary {
	var fits []change.Summary
	for _, s := range changes {
		if s.Change == target {
			return []change.Summary{s}
		}
		if concerns(s, target) {
			fits = append(fits, s)
		}
	}
	return fits
}

// concerns reports whether a change is about a server of that name or id.
func concerns(s change.Summary, target string) bool {
	for _, server := range s.Servers {
		if strings.EqualFold(server.Server.Name, target) || strings.EqualFold(server.Server.ID, target) {
			return true
		}
	}
	return false
}

func newFixVerify(env Env) *cobra.Command {
	a := &acting{}
	cmd := &cobra.Command{
		Use:   "verify CHANGE",
		Short: "Read the servers of a change again, and judge them",
		Long: `Read every server of a change again and say whether it still is what the change
left, and whether the doors are closed. Nothing is changed and nothing is journalled.

Exit codes: 0 everything is as the change left it; 1 it could not run; 2 wrong usage;
3 something is not; 4 it was interrupted, or something could not be read.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a.yes = true // nothing is changed
			return a.again(cmd, env, args[0], "", change.Verify, settled)
		},
	}
	a.addReading(cmd)
	return cmd
}

func newFixStatus(env Env) *cobra.Command {
	var journal, format string
	cmd := &cobra.Command{
		Use:   "status [CHANGE|SERVER]",
		Short: "Say where changes stand, from their journals",
		Long: `Say where changes stand: all of them, one, or those of a server. One change is
shown with its audit: each act with when, who and what. Azure is not asked.

Exit codes: 0 no change is unfinished; 1 a journal could not be read, or there is no
such change; 2 wrong usage; 4 a change is unfinished or running.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if format != "text" && format != "json" {
				return usagef("--format %q is not one of text, json", format)
			}
			dir, err := journalDir(env, journal)
			if err != nil {
				return err
			}
			return runStatus(env, dir, format, strings.Join(args, ""), (&acting{source: source{cloud: "public"}, journal: journal}).flags())
		},
	}
	cmd.Flags().StringVar(&journal, "journal", "", "the folder of journals (default ~/.local/state/postern/journal)")
	cmd.Flags().StringVarP(&format, "format", "f", "text", "how to write it: text, json")
	return cmd
}

func runStatus(env Env, dir, format, target, flags string) error {
	all, problem := change.List(dir)
	changes := all
	if target != "" {
		changes = about(all, target)
		if len(changes) == 0 && problem == nil {
			return fmt.Errorf("there is no change %q in %s, and none of a server of that name", target, dir)
		}
	}
	var err error
	if format == "json" {
		err = report.ChangesJSON(env.Out, changes)
	} else {
		err = report.ChangesText(env.styled(env.Out), width(env.Out), changes, target != "" && len(changes) == 1, flags)
	}
	if err = errors.Join(err, problem); err != nil {
		return err
	}
	for _, s := range changes {
		if s.State == change.Unfinished || s.State == change.Running {
			return exitCode(ExitUnknown)
		}
	}
	return nil
}
