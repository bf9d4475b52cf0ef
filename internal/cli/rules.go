package cli

import (
	"github.com/spf13/cobra"

	"github.com/posternhq/postern/report"
)

func newRules(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rules",
		Short: "List the rules, or show one with its remediation",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	list := &cobra.Command{
		Use:   "list",
		Short: "List the rules",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			pages, err := chosenRules(nil)
			if err != nil {
				return err
			}
			return report.Rules(env.styled(env.Out), pages)
		},
	}
	show := &cobra.Command{
		Use:     "show ID",
		Short:   "Show one rule, by id or alias: why it matters, what closing breaks, how to close it",
		Example: "  postern rules show mhu-w8j-px0\n  postern rules show cis-azure-1.3.0-4.3.8",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			pages, err := chosenRules(args)
			if err != nil {
				return err
			}
			return report.Page(env.styled(env.Out), width(env.Out), pages[0])
		},
	}
	cmd.AddCommand(list, show)
	return cmd
}
