package arm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime/debug"
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

// Calls of one subscription that are in flight at once.
const (
	DefaultConcurrency = 16
	MaxConcurrency     = 64
)

// Options says which endpoint is spoken to, and with what.
type Options struct {
	// Endpoint is the one host that is spoken to.
	Endpoint *url.URL
	// Scope is what a token must be for: an audience with "/.default" behind it.
	Scope      string
	Credential azcore.TokenCredential
	// Transport defaults to [NewTransport].
	Transport http.RoundTripper
	// Concurrency is calls in flight per subscription, [DefaultConcurrency] when
	// 0. Four times that over all subscriptions.
	Concurrency int
}

// Client speaks JSON with one endpoint and with nothing else. It is safe for
// concurrent use.
type Client struct {
	endpoint   *url.URL
	scope      string
	credential *remembering
	pipeline   runtime.Pipeline
	budgets    *budgets
	calls      atomic.Int64
}

// NewClient puts the pipeline together. Retries live here and nowhere else:
// transient faults in azcore's retry policy, 429 in the budget before it, since
// being told to wait is not a fault and must slow every caller down.
func NewClient(o Options) *Client {
	if o.Concurrency == 0 {
		o.Concurrency = DefaultConcurrency
	}
	if o.Transport == nil {
		o.Transport = NewTransport()
	}
	c := &Client{
		endpoint: o.Endpoint, scope: o.Scope,
		credential: &remembering{TokenCredential: o.Credential}, budgets: newBudgets(o.Concurrency),
	}
	c.pipeline = runtime.NewPipeline("postern", moduleVersion(),
		runtime.PipelineOptions{
			PerCall: []policy.Policy{c.budgets},
			PerRetry: []policy.Policy{runtime.NewBearerTokenPolicy(c.credential, []string{o.Scope}, &policy.BearerTokenOptions{
				// Plain http was refused already for anything but loopback.
				InsecureAllowCredentialWithHTTP: o.Endpoint.Scheme == "http",
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
			Transport: &guard{endpoint: o.Endpoint, calls: &c.calls, client: &http.Client{
				Transport:     o.Transport,
				CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			}},
		})
	return c
}

func moduleVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "devel"
}

// NewTransport is an HTTP transport that keeps enough connections open for the
// calls in flight. Plain http never goes through a proxy, which would read the
// token: it is for loopback addresses only, and a proxy is not one.
func NewTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = func(r *http.Request) (*url.URL, error) {
		if r.URL.Scheme != "https" {
			return nil, nil //nolint:nilnil // how a transport is told to use no proxy
		}
		return http.ProxyFromEnvironment(r)
	}
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 256, 256
	return t
}

// Authenticate gets one token, so that a missing credential is one clear
// [CredentialError] and not a failure of every call.
func (c *Client) Authenticate(ctx context.Context) error {
	return authenticate(ctx, c.credential, c.scope)
}

// Stats is what a client's calls came to.
type Stats struct {
	// Calls counts requests sent, retries included; Throttled those of them that
	// were turned away with 429.
	Calls, Throttled int
	// Waiting is how many calls stand still at this moment because Azure asked
	// for it, Waited how long calls stood still for that, summed over all calls.
	Waiting int
	Waited  time.Duration
}

// Stats may be called at any time.
func (c *Client) Stats() Stats {
	return Stats{
		Calls: int(c.calls.Load()), Throttled: int(c.budgets.throttled.Load()),
		Waiting: int(c.budgets.waiting.Load()), Waited: time.Duration(c.budgets.waitedNS.Load()),
	}
}

// Get reads one address of the endpoint and returns its body. Any answer but
// 200 is a [Failure].
func (c *Client) Get(ctx context.Context, address string) ([]byte, error) {
	a, err := c.do(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	return a.body, a.want(http.StatusOK)
}

// Post sends a JSON document and returns the body of the answer. It is for calls
// that change nothing: it is sent again when an answer is lost. Any answer but
// 200 is a [Failure].
func (c *Client) Post(ctx context.Context, address string, document []byte) ([]byte, error) {
	a, err := c.do(ctx, http.MethodPost, address, document)
	if err != nil {
		return nil, err
	}
	return a.body, a.want(http.StatusOK)
}

// answer is what came back, read whole.
type answer struct {
	*http.Response
	body []byte
}

// want turns an answer of another status into a [Failure].
func (a answer) want(statuses ...int) error {
	for _, s := range statuses {
		if a.StatusCode == s {
			return nil
		}
	}
	return newFailure(a.Response, a.body)
}

func (c *Client) do(ctx context.Context, method, address string, document []byte) (answer, error) {
	req, err := runtime.NewRequest(ctx, method, address)
	if err != nil {
		return answer{}, fmt.Errorf("make a request for %s: %w", address, err)
	}
	req.Raw().Header.Set("Accept", "application/json")
	if document != nil {
		if err := req.SetBody(streaming(document), "application/json"); err != nil {
			return answer{}, fmt.Errorf("make a request for %s: %w", address, err)
		}
	}
	resp, err := c.pipeline.Do(req) //nolint:bodyclose // the pipeline has downloaded it
	if err != nil {
		return answer{}, err
	}
	body, err := runtime.Payload(resp)
	if err != nil {
		return answer{}, fmt.Errorf("read the answer: %w", err)
	}
	return answer{resp, c.credential.scrubBytes(body)}, nil
}

// streaming is a body that can be sent again.
func streaming(document []byte) io.ReadSeekCloser {
	return struct {
		io.ReadSeeker
		io.Closer
	}{strings.NewReader(string(document)), io.NopCloser(nil)}
}

// Address is where a path of the endpoint lives, with its API version.
func (c *Client) Address(path, apiVersion string) string {
	return c.endpoint.String() + path + "?api-version=" + url.QueryEscape(apiVersion)
}

// EscapedPath makes an ARM id safe to stand in an address.
func EscapedPath(id string) string {
	parts := strings.Split(id, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}

// Interrupted reports whether an error is only the context's own end.
func Interrupted(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}
