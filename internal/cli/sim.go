package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/posternhq/postern/azuresim"
)

type simOptions struct {
	listen  string
	tls     bool
	certOut string
	estate  string
	token   string
	latency time.Duration
	reads   string
	faults  []string
}

func newSim(env Env) *cobra.Command {
	o := &simOptions{}
	cmd := &cobra.Command{
		Use:   "sim",
		Short: "Run a local Azure to scan, to test against, and to break on purpose",
		Long: `Run a local Azure: subscriptions, all three generations of managed PostgreSQL,
their firewall rules with changes as long-running operations, paging, throttling
and faults on demand. Postern and Azure's own CLI work against it.

A fault is ACTION[,KEY=VALUE]..., where ACTION is an HTTP status or one of cut,
cut-body, cut-after, slow, not-json, empty-last-page, vanish, foreign-next,
self-next, redirect, fail-operation, endless-operation, forget-operation, no-effect,
late-effect, partial-result, and KEY one of path, method, times, retry-after, delay,
to, code. docs/local-azure.md has them all.`,
		Example: `  postern sim --listen 127.0.0.1:8421
  postern sim --estate estate.yaml --latency 30ms --reads 250/25
  postern sim --fault 403,path=/orders-db/firewallRules --fault 500,times=3`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), env) },
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:8421", "address to listen on; port 0 picks a free one")
	f.BoolVar(&o.tls, "tls", false, "speak https with a certificate made for the occasion")
	f.StringVar(&o.certOut, "cert-out", "", "write that certificate, in PEM, to this file")
	f.StringVar(&o.estate, "estate", "", "what exists, as YAML (default: a small estate with every kind of door)")
	f.StringVar(&o.token, "token", "", "the only bearer token to accept (default: any)")
	f.DurationVar(&o.latency, "latency", 0, "wait this long before every answer")
	f.StringVar(&o.reads, "reads", "", "token bucket for reads of each subscription, SIZE/REFILL a second, such as 250/25 (default: never runs dry)")
	f.StringArrayVar(&o.faults, "fault", nil, "misbehave (repeatable)")
	return cmd
}

func (o *simOptions) run(ctx context.Context, env Env) error {
	sim, err := o.simulator(env)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if !o.tls && !listener.Addr().(*net.TCPAddr).IP.IsLoopback() {
		return errors.Join(usagef("--listen %s is not a loopback address; add --tls to be reached from elsewhere", o.listen), listener.Close())
	}
	scheme := "http"
	if o.tls {
		scheme = "https"
		if listener, err = o.secured(listener); err != nil {
			return err
		}
	}
	fmt.Fprintf(env.Out, "A local Azure listens on %s://%s\n\n", scheme, listener.Addr())
	if o.certOut != "" {
		fmt.Fprintf(env.Out, "  export SSL_CERT_FILE=%s\n", o.certOut)
	}
	fmt.Fprintf(env.Out, "  export AZURE_ACCESS_TOKEN=%s\n  postern scan --cloud %s://%s\n\nCtrl-C ends it. Unset AZURE_ACCESS_TOKEN before you turn to your own Azure.\n", cmp.Or(o.token, "local"), scheme, listener.Addr())
	return serve(ctx, listener, sim)
}

func (o *simOptions) simulator(env Env) (*azuresim.Server, error) {
	options := azuresim.Options{Token: o.token, Latency: o.latency, Now: env.Now}
	if o.reads != "" {
		bucket, err := azuresim.ParseBucket(o.reads)
		if err != nil {
			return nil, usagef("--reads: %w", err)
		}
		options.Reads = bucket
	}
	for _, text := range o.faults {
		fault, err := azuresim.ParseFault(text)
		if err != nil {
			return nil, usagef("--fault: %w", err)
		}
		options.Faults = append(options.Faults, fault)
	}
	estate := azuresim.Demo()
	if o.estate != "" {
		file, err := os.Open(o.estate)
		if err != nil {
			return nil, fmt.Errorf("open the estate: %w", err)
		}
		defer file.Close()
		if estate, err = azuresim.LoadEstate(file); err != nil {
			return nil, fmt.Errorf("%s: %w", o.estate, err)
		}
	}
	return azuresim.New(estate, options)
}

// secured puts TLS before a listener.
func (o *simOptions) secured(l net.Listener) (net.Listener, error) {
	host, _, err := net.SplitHostPort(o.listen)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read the address: %w", err), l.Close())
	}
	certificate, pem, err := azuresim.SelfSigned("localhost", "127.0.0.1", "::1", host)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	if o.certOut != "" {
		if err := os.WriteFile(o.certOut, pem, 0o644); err != nil {
			return nil, errors.Join(fmt.Errorf("write the certificate: %w", err), l.Close())
		}
	}
	return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}), nil
}

// serve answers until the context ends, then lets running answers finish.
func serve(ctx context.Context, l net.Listener, handler http.Handler) error {
	const grace = 2 * time.Second
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := server.Shutdown(closing); err != nil {
		_ = server.Close() // answers that took longer than the grace are cut
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
