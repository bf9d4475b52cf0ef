package arm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/posternhq/postern/internal/jsonkeys"
)

// maxPages bounds one list, so that an endpoint that always has one more page
// cannot keep a scan going for ever.
const maxPages = 10_000

// maxList bounds one list over all its pages, in bytes: some eighty thousand
// servers, or a million firewall rules.
const maxList = 256 << 20

// List reads every page of a list and hands its items over as they come. Items
// handed over before an error stand: what was read is not lost.
func (c *Client) List(ctx context.Context, address string, each func(json.RawMessage) error) error {
	seen := map[string]bool{address: true}
	total := 0
	for n := range maxPages {
		body, err := c.Get(ctx, address)
		if f := AsFailure(err); f != nil {
			f.LaterPage = n > 0
		}
		if err != nil {
			return err
		}
		if total += len(body); total > maxList {
			return fmt.Errorf("the list is larger than %d MiB", maxList>>20)
		}
		page, err := parsePage(body)
		if err != nil {
			return err
		}
		for _, item := range page.items {
			if err := each(item); err != nil {
				return err
			}
		}
		if page.next == "" {
			return nil
		}
		if address, err = c.linked(address, page.next, "the link to the next page"); err != nil {
			return err
		}
		if seen[address] {
			return errors.New("a page links back to one that was read already; the list cannot be read to its end")
		}
		seen[address] = true
	}
	return fmt.Errorf("the list has more than %d pages", maxPages)
}

// linked checks an address that an answer names, which may be relative to the one
// that was asked: only the endpoint that the client speaks with gets the token.
func (c *Client) linked(from, link, what string) (string, error) {
	base, err := url.Parse(from)
	if err != nil {
		return "", fmt.Errorf("read the address that was asked: %w", err)
	}
	next, err := base.Parse(link)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", what, err)
	}
	if err := sameOrigin(c.endpoint, next); err != nil {
		return "", fmt.Errorf("refuse %s: %w", what, err)
	}
	return next.String(), nil
}

type page struct {
	items []json.RawMessage
	next  string
}

// parsePage reads {value, nextLink}. A document without a value is no page: to
// take it for an empty one would be to pass what was not read. Nor is one that
// says value or nextLink twice, or that carries an error.
func parsePage(body []byte) (page, error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	var doc struct {
		Value    *[]json.RawMessage `json:"value"`
		NextLink *string            `json:"nextLink"`
		Error    json.RawMessage    `json:"error"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return page{}, fmt.Errorf("the answer is no JSON list (it begins %q): %w", beginning(body), err)
	}
	switch key := jsonkeys.Twice(body, 1); {
	case key != "":
		return page{}, fmt.Errorf("the answer says %q twice", key)
	case len(doc.Error) > 0 && string(doc.Error) != "null":
		return page{}, fmt.Errorf("the answer carries an error (it begins %q)", beginning(doc.Error))
	case doc.Value == nil:
		return page{}, fmt.Errorf("the answer is no list: it has no value (it begins %q)", beginning(body))
	}
	p := page{items: *doc.Value}
	if doc.NextLink != nil {
		p.next = *doc.NextLink
	}
	return p, nil
}

func beginning(body []byte) string {
	const enough = 60
	if len(body) > enough {
		body = body[:enough]
	}
	return string(bytes.ToValidUTF8(body, []byte("?")))
}
