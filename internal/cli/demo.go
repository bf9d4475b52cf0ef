package cli

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/spf13/cobra"

	"github.com/posternhq/postern/arm"
	"github.com/posternhq/postern/azuresim"
	"github.com/posternhq/postern/rule"
)

// demoServer is the one that the demo explains: the door stands open under a
// name that says something else.
const demoServer = "billing-db"

func newDemo(env Env) *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Scan a small local Azure, to see what Postern does",
		Long: `Start a local Azure with a small estate (all three generations, every kind of
door, one server whose rules are denied), scan it, and explain one server.
Nothing leaves this machine.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDemo(cmd.Context(), env) },
	}
}

func runDemo(ctx context.Context, env Env) error {
	sim, err := azuresim.New(azuresim.Demo(), azuresim.Options{Now: env.Now})
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	serving, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- serve(serving, listener, sim) }()

	err = tellDemo(ctx, env, "http://"+listener.Addr().String())
	stop()
	return errors.Join(err, <-ended)
}

func tellDemo(ctx context.Context, env Env, cloud string) error {
	local := env
	local.Environ = append(append([]string(nil), env.Environ...), arm.TokenVariable+"=local")

	fmt.Fprintf(env.Out, "A local Azure is up: three subscriptions, three generations of PostgreSQL.\n\n$ postern scan --cloud %s\n\n", cloud)
	scan := &scanOptions{source: source{cloud: cloud, concurrency: arm.DefaultConcurrency}, format: "text", failOn: string(rule.Low)}
	var code exitCode
	if err := scan.run(ctx, local); err != nil && !errors.As(err, &code) {
		return err
	}
	fmt.Fprintf(env.Out, "\n(exit code %d: %s)\n\n$ postern explain %s --cloud %s\n\n", int(code), exitMeanings[code], demoServer, cloud)

	explain := &explainOptions{source: source{cloud: cloud, concurrency: arm.DefaultConcurrency}}
	if err := explain.run(ctx, local, demoServer); err != nil {
		return err
	}
	fmt.Fprint(env.Out, `
What to try next (with "go run ./cmd/postern" for "postern" where it is not installed):
  postern rules show mhu-w8j-px0        the rule: why, what closing it breaks, how to close it
  postern sim                           keep a local Azure running, and break it on purpose (--fault)
  postern snapshot -o estate.json.gz    take your own estate along, judge it later with scan --from
  az login && postern scan              your own Azure: Reader is enough, and nothing is changed
`)
	return nil
}
