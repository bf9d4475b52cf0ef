package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/report"
	"github.com/posternhq/postern/resourcetype"
	"github.com/posternhq/postern/scan"
)

type explainOptions struct {
	source source
}

func newExplain(env Env) *cobra.Command {
	o := &explainOptions{}
	cmd := &cobra.Command{
		Use:   "explain SERVER",
		Short: "Say who can reach one server, and by which door",
		Long: `Say who can reach one server and by which door, what each firewall rule admits,
what is latent, and what Postern could not see. SERVER is a name or an ARM id.
The exit code is 4 when who can reach it is not known.`,
		Example: "  postern explain orders-db\n  postern explain orders-db --from estate.json.gz",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), env, args[0])
		},
	}
	o.source.addFlags(cmd)
	o.source.addFrom(cmd)
	return cmd
}

func (o *explainOptions) run(ctx context.Context, env Env, name string) error {
	server, _, err := o.source.server(ctx, env, name)
	if err != nil {
		return err
	}
	e := scan.Exposure(server, resourcetype.All())
	if err := report.Explain(env.styled(env.Out), width(env.Out), server, e); err != nil {
		return err
	}
	if e.Door(exposure.Azure).Open == exposure.Maybe || e.Door(exposure.Internet).Open == exposure.Maybe {
		return exitCode(ExitUnknown)
	}
	return nil
}
