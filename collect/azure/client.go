package azure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// maxBody bounds one answer. A page of a thousand servers is about 3 MiB.
const maxBody = 64 << 20

// tryTimeout bounds one try of one call, body included.
const tryTimeout = time.Minute

// client reads JSON from one ARM endpoint and from nowhere else.
type client struct {
	arm      *url.URL
	pipeline runtime.Pipeline
	budgets  *budgets
	calls    atomic.Int64
}

// newClient puts the pipeline together. Retries live here and nowhere else:
// transient faults in azcore's retry policy, 429 in the budget before it, since
// being told to wait is not a fault and must slow every caller down.
func newClient(arm *url.URL, credential azcore.TokenCredential, scope string, transport http.RoundTripper, concurrency int, version string) *client {
	c := &client{arm: arm, budgets: newBudgets(concurrency)}
	c.pipeline = runtime.NewPipeline("postern", version,
		runtime.PipelineOptions{
			PerCall: []policy.Policy{c.budgets},
			PerRetry: []policy.Policy{runtime.NewBearerTokenPolicy(credential, []string{scope}, &policy.BearerTokenOptions{
				// Plain http was refused already for anything but loopback.
				InsecureAllowCredentialWithHTTP: arm.Scheme == "http",
			})},
		},
		&policy.ClientOptions{
			Retry: policy.RetryOptions{
				MaxRetries: 4, RetryDelay: 400 * time.Millisecond, MaxRetryDelay: time.Minute, TryTimeout: tryTimeout,
				StatusCodes: []int{
					http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway,
					http.StatusServiceUnavailable, http.StatusGatewayTimeout,
				},
			},
			Telemetry: policy.TelemetryOptions{ApplicationID: "postern"},
			Transport: &guard{arm: arm, calls: &c.calls, client: &http.Client{
				Transport:     transport,
				CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			}},
		})
	return c
}

// get reads one address of the endpoint and returns its body. Any answer but
// 200 is a *failure.
func (c *client) get(ctx context.Context, address string) ([]byte, error) {
	req, err := runtime.NewRequest(ctx, http.MethodGet, address)
	if err != nil {
		return nil, fmt.Errorf("make a request for %s: %w", address, err)
	}
	req.Raw().Header.Set("Accept", "application/json")
	resp, err := c.pipeline.Do(req) //nolint:bodyclose // the pipeline has downloaded it
	if err != nil {
		return nil, err
	}
	body, err := runtime.Payload(resp)
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, newFailure(resp, body)
	}
	return body, nil
}

// address is where a path of the endpoint lives, with its API version.
func (c *client) address(path, apiVersion string) string {
	return c.arm.String() + path + "?api-version=" + url.QueryEscape(apiVersion)
}

// guard is the transport's doorkeeper: nothing, and so no token, goes to
// another host, over another scheme, or after a redirect, and no answer may
// fill the memory.
type guard struct {
	arm    *url.URL
	calls  *atomic.Int64
	client *http.Client
}

// Do implements [policy.Transporter].
func (g *guard) Do(req *http.Request) (*http.Response, error) {
	if err := sameOrigin(g.arm, req.URL); err != nil {
		return nil, &refusal{err}
	}
	g.calls.Add(1)
	resp, err := g.client.Do(req)
	if err != nil {
		return nil, err
	}
	if location := resp.Header.Get("Location"); resp.StatusCode >= 300 && resp.StatusCode < 400 {
		_ = resp.Body.Close()
		return nil, &refusal{fmt.Errorf("the answer is a redirect to %q (HTTP %d), which is not followed with a token in hand", location, resp.StatusCode)}
	}
	resp.Body = &limitedBody{body: resp.Body, left: maxBody}
	return resp, nil
}

func sameOrigin(arm, u *url.URL) error {
	if u.Scheme != arm.Scheme || hostPort(u) != hostPort(arm) || u.User != nil {
		return fmt.Errorf("%s://%s is not %s://%s: nothing is sent there, the token least of all", u.Scheme, u.Host, arm.Scheme, arm.Host)
	}
	return nil
}

// hostPort is where an address leads, with the port that its scheme implies: ARM
// writes management.azure.com:443 as readily as without.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return strings.ToLower(u.Hostname()) + ":" + port
}

// refusal is something Postern will not do; trying again changes nothing.
type refusal struct{ err error }

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// NonRetriable tells azcore's retry policy to let it be.
func (r *refusal) NonRetriable() {}

var errTooLarge = fmt.Errorf("the answer is larger than %d MiB", maxBody>>20)

type limitedBody struct {
	body io.ReadCloser
	left int64
}

func (b *limitedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, &refusal{errTooLarge}
	}
	n, err := b.body.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

func (b *limitedBody) Close() error { return b.body.Close() }

// interrupted reports whether an error is only the scan's own end.
func interrupted(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}
