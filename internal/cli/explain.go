package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/collect"
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
what is latent, and what Postern could not see. SERVER is a name or an ARM id.`,
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

func (o *explainOptions) run(ctx context.Context, env Env, server string) error {
	is := func(a *asset.Asset) bool {
		return asset.SameID(a.ID, server) || strings.EqualFold(a.Name, server)
	}
	if subscription, ok := subscriptionOf(server); ok && o.source.from == "" && len(o.source.subscriptions) == 0 {
		o.source.subscriptions = []string{subscription}
	}
	collector, err := o.source.open(ctx, env, is)
	if err != nil {
		return err
	}
	found := &finder{is: is}
	var stats collect.Stats
	err = watched(env, collector, func() error {
		stats, err = collector.Collect(ctx, found)
		return err
	})
	if err != nil {
		return err
	}
	switch len(found.assets) {
	case 0:
		return found.missing(server, stats)
	case 1:
		a := found.assets[0]
		return report.Explain(env.styled(env.Out), width(env.Out), a, scan.Exposure(a, resourcetype.All()))
	default:
		var ids []string
		for _, a := range found.assets {
			ids = append(ids, report.Plain(a.ID))
		}
		return usagef("%q fits %d servers; give the id of one:\n  %s", server, len(ids), strings.Join(ids, "\n  "))
	}
}

func subscriptionOf(id string) (string, bool) {
	rest, ok := strings.CutPrefix(strings.ToLower(id), "/subscriptions/")
	if !ok {
		return "", false
	}
	subscription, _, _ := strings.Cut(rest, "/")
	return subscription, subscription != ""
}

// finder keeps the assets that a name fits, and counts what could not be read.
type finder struct {
	is     func(*asset.Asset) bool
	assets []*asset.Asset
	gaps   []asset.Gap
}

// Asset implements [collect.Sink].
func (f *finder) Asset(a *asset.Asset) error {
	if f.is(a) {
		f.assets = append(f.assets, a)
	}
	return nil
}

// Gap implements [collect.Sink].
func (f *finder) Gap(g asset.Gap) error {
	f.gaps = append(f.gaps, g)
	return nil
}

// missing says that there is no such server, and what could hide it.
func (f *finder) missing(server string, stats collect.Stats) error {
	err := fmt.Errorf("no server %q was found in %d subscriptions; give its name or ARM id", server, stats.Subscriptions)
	for _, g := range f.gaps {
		err = fmt.Errorf("%w\nit may be where Postern could not look: %s", err, report.Plain(g.String()))
	}
	if stats.Partial {
		err = fmt.Errorf("%w\nthe search was interrupted", err)
	}
	return err
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
