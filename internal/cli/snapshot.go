package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/collect"
	"github.com/posternhq/postern/collect/snapshot"
)

type snapshotOptions struct {
	source source
	output string
}

func newSnapshot(env Env) *cobra.Command {
	o := &snapshotOptions{}
	cmd := &cobra.Command{
		Use:   "snapshot -o FILE",
		Short: "Write what Azure holds to a file, to judge later or elsewhere",
		Long: `Read what a scan would read and write it to a file. postern scan --from FILE
judges it with the same verdicts, offline. A name that ends in .gz is compressed.
The file holds the estate's inventory, no token and no password; it is readable
by its owner alone.`,
		Example: "  postern snapshot -o estate.json.gz\n  postern scan --from estate.json.gz",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), env) },
	}
	o.source.addFlags(cmd)
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "the file to write (required)")
	_ = cmd.MarkFlagRequired("output") // the flag was defined in the line above
	return cmd
}

func (o *snapshotOptions) run(ctx context.Context, env Env) error {
	if o.output == "-" {
		return usagef("a snapshot goes to a file, which is checked twice when it is read; name one")
	}
	collector, err := o.source.open(ctx, env, nil)
	if err != nil {
		return err
	}
	file, err := snapshot.Create(o.output, buildVersion(), collector.Source(), env.Now())
	if err != nil {
		return err
	}
	counted := &counter{Sink: file}
	var stats collect.Stats
	err = watched(env, collector, func() error {
		stats, err = collector.Collect(ctx, counted)
		return err
	})
	if err != nil {
		return errors.Join(err, file.Discard())
	}
	if err := file.Finish(stats); err != nil {
		return err
	}
	fmt.Fprintf(env.Err, "%s: servers %d, subscriptions %d, gaps %d, calls %d\n", o.output, counted.assets, stats.Subscriptions, counted.gaps, stats.Calls)
	if stats.Partial {
		fmt.Fprintln(env.Err, "The reading was interrupted: the snapshot is partial and says so when it is judged.")
	}
	if stats.Partial || counted.gaps > 0 {
		return exitCode(ExitUnknown)
	}
	return nil
}

// counter passes everything on and counts it.
type counter struct {
	collect.Sink
	assets, gaps int
}

// Asset implements [collect.Sink].
func (c *counter) Asset(a *asset.Asset) error {
	c.assets++
	c.gaps += len(a.Gaps())
	return c.Sink.Asset(a)
}

// Gap implements [collect.Sink].
func (c *counter) Gap(g asset.Gap) error {
	c.gaps++
	return c.Sink.Gap(g)
}
