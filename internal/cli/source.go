package cli

import (
	"context"
	"net/http"
	"os"

	"github.com/spf13/cobra"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/collect"
	"github.com/posternhq/postern/collect/azure"
	"github.com/posternhq/postern/collect/snapshot"
)

// source holds the flags that say where assets come from.
type source struct {
	cloud         string
	subscriptions []string
	concurrency   int
	from          string
}

func (s *source) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.cloud, "cloud", "public", "which Azure: public, usgov, china, or the URL of an ARM endpoint")
	f.StringArrayVarP(&s.subscriptions, "subscription", "s", nil, "read only this subscription, by id or name (repeatable; default: all that the credential sees)")
	f.IntVar(&s.concurrency, "concurrency", azure.DefaultConcurrency, "calls in flight per subscription, 1 to 64")
}

func (s *source) addFrom(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.from, "from", "", "judge a snapshot file instead of a live Azure")
	cmd.MarkFlagsMutuallyExclusive("from", "cloud")
	cmd.MarkFlagsMutuallyExclusive("from", "subscription")
	cmd.MarkFlagsMutuallyExclusive("from", "concurrency")
}

// open returns the collector that the flags ask for. Only, when given, picks the
// servers whose rules are read from a live Azure.
func (s *source) open(ctx context.Context, env Env, only func(*asset.Asset) bool) (collect.Collector, error) {
	if s.from != "" {
		return snapshot.Open(s.from)
	}
	if s.concurrency < 1 || s.concurrency > azure.MaxConcurrency {
		return nil, usagef("--concurrency %d is not between 1 and %d", s.concurrency, azure.MaxConcurrency)
	}
	transport := azure.NewTransport()
	bearer := env.getenv(azure.TokenVariable)
	cloud, err := azure.ResolveCloud(ctx, s.cloud, bearer != "", &http.Client{Transport: transport})
	if err != nil {
		return nil, err
	}
	credential, err := azure.NewCredential(cloud, bearer, env.Now())
	if err != nil {
		return nil, err
	}
	return azure.New(azure.Options{
		Cloud: cloud, Credential: credential, Subscriptions: s.subscriptions,
		Concurrency: s.concurrency, Transport: transport, Now: env.Now, Only: only,
	})
}

// watched runs do while progress is shown on stderr, where that is a terminal
// and there is progress to show.
func watched(env Env, c collect.Collector, do func() error) error {
	live, ok := c.(*azure.Collector)
	if !ok || !isTerminal(env.Err) {
		return do()
	}
	stop := showProgress(env.Err.(*os.File), live)
	defer stop()
	return do()
}
