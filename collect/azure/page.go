package azure

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
)

// maxPages bounds one list, so that an endpoint that always has one more page
// cannot keep a scan going for ever.
const maxPages = 10_000

// list reads every page of a list and hands its items over as they come. Items
// handed over before an error stand: what was read is not lost.
func (c *client) list(ctx context.Context, address string, each func(json.RawMessage) error) error {
	seen := map[string]bool{address: true}
	for range maxPages {
		body, err := c.get(ctx, address)
		if err != nil {
			return err
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
		if address, err = c.nextAddress(page.next); err != nil {
			return err
		}
		if seen[address] {
			return errors.New("a page links back to one that was read already; the list cannot be read to its end")
		}
		seen[address] = true
	}
	return fmt.Errorf("the list has more than %d pages", maxPages)
}

// nextAddress checks a nextLink: it must lead to the endpoint that the scan was
// pointed at.
func (c *client) nextAddress(link string) (string, error) {
	u, err := url.Parse(link)
	if err != nil {
		return "", fmt.Errorf("read the link to the next page: %w", err)
	}
	if err := sameOrigin(c.arm, c.arm.ResolveReference(u)); err != nil {
		return "", fmt.Errorf("refuse the link to the next page: %w", err)
	}
	return c.arm.ResolveReference(u).String(), nil
}

type page struct {
	items []json.RawMessage
	next  string
}

// parsePage reads {value, nextLink}. A document without a value is no page: to
// take it for an empty one would be to pass what was not read.
func parsePage(body []byte) (page, error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	var doc struct {
		Value    *[]json.RawMessage `json:"value"`
		NextLink *string            `json:"nextLink"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return page{}, fmt.Errorf("the answer is no JSON list (it begins %q): %w", beginning(body), err)
	}
	if doc.Value == nil {
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
