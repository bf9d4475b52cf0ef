package arm

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// remembering is a credential that knows which tokens it gave out, so that they
// can be taken out of whatever a server echoes back.
type remembering struct {
	azcore.TokenCredential
	mu     sync.Mutex
	tokens []string
}

// GetToken implements [azcore.TokenCredential].
func (r *remembering) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := r.TokenCredential.GetToken(ctx, o)
	// What is this short is no token that anybody issues, and is in many a word.
	const shortest = 8
	if err == nil && len(token.Token) >= shortest {
		r.mu.Lock()
		defer r.mu.Unlock()
		if !slices.Contains(r.tokens, token.Token) {
			r.tokens = append(r.tokens, token.Token)
		}
	}
	return token, err
}

// scrub takes every token out of a text.
func (r *remembering) scrub(text string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, token := range r.tokens {
		text = strings.ReplaceAll(text, token, "[token]")
	}
	return text
}

// scrubBytes takes every token out of an answer before anything looks at it: what is
// later quoted from it, and cut, then holds no part of one.
func (r *remembering) scrubBytes(body []byte) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, token := range r.tokens {
		if bytes.Contains(body, []byte(token)) {
			body = bytes.ReplaceAll(body, []byte(token), []byte("[token]"))
		}
	}
	return body
}

// scrubbed is an error without tokens in its text.
type scrubbed struct {
	err  error
	text string
}

func (s *scrubbed) Error() string { return s.text }
func (s *scrubbed) Unwrap() error { return s.err }

func (r *remembering) scrubError(err error) error {
	if err == nil {
		return nil
	}
	if text := r.scrub(err.Error()); text != err.Error() {
		return &scrubbed{err, text}
	}
	return err
}

// Scrub takes every token that the client was given out of a text.
func (c *Client) Scrub(text string) string { return c.credential.scrub(text) }

// ScrubError takes them out of an error's text.
func (c *Client) ScrubError(err error) error { return c.credential.scrubError(err) }
