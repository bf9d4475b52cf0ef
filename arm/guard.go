package arm

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
)

// guard is the transport's doorkeeper: nothing, and so no token, goes to
// another host, over another scheme, or after a redirect, and no answer may
// fill the memory.
type guard struct {
	endpoint *url.URL
	calls    *atomic.Int64
	client   *http.Client
}

// Do implements [policy.Transporter].
func (g *guard) Do(req *http.Request) (*http.Response, error) {
	if err := sameOrigin(g.endpoint, req.URL); err != nil {
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

func sameOrigin(endpoint, u *url.URL) error {
	if u.Scheme != endpoint.Scheme || hostPort(u) != hostPort(endpoint) || u.User != nil {
		return fmt.Errorf("%s://%s is not %s://%s: nothing is sent there, the token least of all", u.Scheme, u.Host, endpoint.Scheme, endpoint.Host)
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

// ErrTooLarge is wrapped by the error of an answer that would fill the memory.
var ErrTooLarge = fmt.Errorf("the answer is larger than %d MiB", maxBody>>20)

type limitedBody struct {
	body io.ReadCloser
	left int64
}

func (b *limitedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, &refusal{ErrTooLarge}
	}
	n, err := b.body.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

func (b *limitedBody) Close() error { return b.body.Close() }
