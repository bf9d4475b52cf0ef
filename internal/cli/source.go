package cli

import (
	"context"
	"net/http"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/spf13/cobra"

	"github.com/posternhq/postern/arm"
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
	// found is the Azure that the flags name, once it was looked for.
	found *live
}

func (s *source) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.cloud, "cloud", "public", "which Azure: public, usgov, china, or the URL of an ARM endpoint")
	f.StringArrayVarP(&s.subscriptions, "subscription", "s", nil, "read only this subscription, by id or name (repeatable; default: all that the credential sees)")
	f.IntVar(&s.concurrency, "concurrency", arm.DefaultConcurrency, "calls in flight per subscription, 1 to 64")
}

func (s *source) addFrom(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.from, "from", "", "read a snapshot file instead of a live Azure")
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
	l, err := s.live(ctx, env)
	if err != nil {
		return nil, err
	}
	return azure.New(azure.Options{
		Cloud: l.cloud, Credential: l.credential, Subscriptions: s.subscriptions,
		Concurrency: s.concurrency, Transport: l.transport, Now: env.Now, Only: only,
	})
}

// live is an Azure that can be asked, as the flags name it.
type live struct {
	cloud      arm.Cloud
	credential azcore.TokenCredential
	transport  *http.Transport
}

// live finds the cloud and a credential for it, once for all that a command asks. Of
// Azure itself nothing is asked but, for a cloud given by its address, its endpoints.
func (s *source) live(ctx context.Context, env Env) (live, error) {
	if s.found != nil {
		return *s.found, nil
	}
	if s.concurrency < 1 || s.concurrency > arm.MaxConcurrency {
		return live{}, usagef("--concurrency %d is not between 1 and %d", s.concurrency, arm.MaxConcurrency)
	}
	l := live{transport: arm.NewTransport()}
	bearer := env.getenv(arm.TokenVariable)
	var err error
	if l.cloud, err = arm.ResolveCloud(ctx, s.cloud, bearer != "", &http.Client{Transport: l.transport}); err != nil {
		return live{}, err
	}
	if l.credential, err = arm.NewCredential(l.cloud, bearer, env.Now()); err != nil {
		return live{}, err
	}
	s.found = &l
	return l, nil
}

// client speaks with the cloud's Resource Manager.
func (l live) client() *arm.Client {
	return arm.NewClient(arm.Options{Endpoint: l.cloud.ARM, Scope: l.cloud.Scope(), Credential: l.credential, Transport: l.transport})
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
