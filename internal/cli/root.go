package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const rootLong = `Postern finds the back door of managed databases on Azure: the firewall rule
that lets in every Azure customer's machines, and its wider and latent kin. It
reads Azure, judges by effect and not by name, and says "unknown", never
"pass", when something could not be read.

Exit codes of a scan: 0 nothing failed, 1 it could not run, 2 wrong usage, 3
something failed, 4 nothing failed but something is unknown. Every command keeps
to their sense.`

// newRoot puts the commands together. The flag it returns is set once a command
// has begun its work: an error before that is a wrong command line.
func newRoot(env Env) (*cobra.Command, *bool) {
	started := new(bool)
	root := &cobra.Command{
		Use:           "postern",
		Short:         "Find and judge the back doors of managed databases on Azure",
		Long:          rootLong,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(
		newScan(env),
		newSnapshot(env),
		newExplain(env),
		newUsage(env),
		newFix(env),
		newGuard(env),
		newRules(env),
		newDemo(env),
		newSim(env),
		newMan(),
		newVersion(env),
	)
	markStart(root, started)
	return root, started
}

// refuseEmpty refuses an empty value for a flag or argument. It is nearly always
// a variable that was not set, and `--subscription ""` must not scan everything.
func refuseEmpty(cmd *cobra.Command, args []string) error {
	if slices.Contains(args, "") {
		return usagef("an argument is empty; is a variable not set?")
	}
	var empty error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		if slices.ContainsFunc(values, func(v string) bool { return strings.TrimSpace(v) == "" }) {
			empty = usagef("--%s is empty; is a variable not set?", f.Name)
		}
	})
	return empty
}

// markStart notes when a command begins its own work. Cobra's hooks come before
// it has checked required flags, so they would come too early.
func markStart(cmd *cobra.Command, started *bool) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if err := refuseEmpty(cmd, args); err != nil {
				return err
			}
			*started = true
			return run(cmd, args)
		}
	}
	for _, child := range cmd.Commands() {
		markStart(child, started)
	}
}
