package ownership

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/posternhq/postern/arm"
	"github.com/posternhq/postern/usage"
)

// tagsVersion is that of "Service Tags - List". The location says where to ask: the
// answer has every region.
const (
	tagsVersion  = "2025-05-01"
	maxTagsPages = 100
)

// ServiceTags reads Azure's service tags from where a server lies: a subscription's
// id and a location in any spelling ("West Europe"). It takes
// Microsoft.Network/locations/serviceTags/read on the subscription. They are read
// whole or not at all: an address would be called outside of Azure that is in a
// page that is missing.
func ServiceTags(ctx context.Context, c *arm.Client, subscription, location string) (*usage.Tags, error) {
	location = strings.ToLower(strings.ReplaceAll(location, " ", ""))
	if subscription == "" || location == "" {
		return nil, errors.New("ask for the service tags: it is not known in which subscription and region the server is")
	}
	address := c.Address("/subscriptions/"+url.PathEscape(subscription)+"/providers/Microsoft.Network/locations/"+url.PathEscape(location)+"/serviceTags", tagsVersion)
	var pages []io.Reader
	seen := map[string]bool{}
	for range maxTagsPages {
		seen[address] = true
		body, err := c.Get(ctx, address)
		if err != nil {
			return nil, tagsError(ctx, c, err)
		}
		pages = append(pages, bytes.NewReader(body))
		next, err := nextPage(address, body)
		switch {
		case err != nil:
			return nil, tagsError(ctx, c, err)
		case next == "":
			tags, err := usage.ReadTags(pages...)
			return tags, c.ScrubError(err)
		case seen[next]:
			return nil, errors.New("ask for the service tags: a page links back to one that was read already")
		}
		address = next
	}
	return nil, fmt.Errorf("ask for the service tags: there are more than %d pages", maxTagsPages)
}

// nextPage is the link to the next page, empty on the last. Where it leads to
// another host, the client refuses to follow.
func nextPage(address string, body []byte) (string, error) {
	var page struct {
		Next string `json:"nextLink"`
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return "", fmt.Errorf("the answer is no list of service tags: %w", err)
	}
	if page.Next == "" {
		return "", nil
	}
	from, err := url.Parse(address)
	if err != nil {
		return "", fmt.Errorf("read the address of a page: %w", err)
	}
	next, err := from.Parse(page.Next)
	if err != nil {
		return "", fmt.Errorf("read the link to the next page: %w", err)
	}
	return next.String(), nil
}

func tagsError(ctx context.Context, c *arm.Client, err error) error {
	if arm.Interrupted(ctx, err) {
		return err
	}
	hint := ""
	if f := arm.AsFailure(err); f != nil && f.Status == http.StatusForbidden {
		hint = " (it takes Microsoft.Network/locations/serviceTags/read; Microsoft's file does instead, with --service-tags FILE)"
	}
	return fmt.Errorf("ask for the service tags: %w%s", c.ScrubError(err), hint)
}
