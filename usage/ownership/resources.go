package ownership

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/posternhq/postern/arm"
	"github.com/posternhq/postern/usage"
)

// Resource Graph: "Resources - Resources", api-version 2022-10-01. A request that
// names no subscription asks about all that the caller sees.
const (
	graphPath    = "/providers/Microsoft.ResourceGraph/resources"
	graphVersion = "2022-10-01"
	// graphPage is the most rows that a page may have, maxPages how many are read.
	graphPage = 1000
	maxPages  = 1000
)

// query asks for everything that has a public address. An id must be among the
// columns, or there are no further pages.
const query = `Resources
| where type in~ ("microsoft.network/publicipaddresses", "microsoft.network/publicipprefixes", "microsoft.web/sites", "microsoft.web/sites/slots", "microsoft.app/managedenvironments")
| project id, name, type, kind, ipAddress = properties.ipAddress, ipPrefix = properties.ipPrefix, allocation = properties.publicIPAllocationMethod, usedBy = properties.ipConfiguration.id, natGateway = properties.natGateway.id, outbound = properties.outboundIpAddresses, possible = properties.possibleOutboundIpAddresses, staticIp = properties.staticIp
| order by id asc`

// Found is what the caller's resources hold.
type Found struct {
	Holdings []usage.Holding
	// Outlets are the addresses that each resource comes from, where it may have
	// several. A holding has one name for an address; here every resource that
	// shares it has its own.
	Outlets []Outlet
	// Gaps say what could not be read, each without a full stop.
	Gaps []string
}

// Resources lists the public addresses of one's own resources, over all
// subscriptions that the caller sees. What cannot be read is a gap; only the end of
// the context is an error.
func Resources(ctx context.Context, c *arm.Client) (Found, error) {
	l := &list{candidates: map[netip.Addr][]usage.Holding{}}
	err := l.read(ctx, c)
	switch {
	case arm.Interrupted(ctx, err):
		return Found{}, err
	case err != nil:
		l.gaps = append(l.gaps, gapOf(c.ScrubError(err)))
	}
	if l.odd > 0 {
		l.gaps = append(l.gaps, fmt.Sprintf("%d of the resources that Resource Graph lists could not be understood", l.odd))
	}
	return Found{Holdings: l.all(), Outlets: l.outlets, Gaps: l.gaps}, nil
}

// gapOf says what was not read of the resources, and what it takes.
func gapOf(err error) string {
	text := "not all of your resources were read from Resource Graph: " + err.Error()
	if f := arm.AsFailure(err); f != nil && f.Status == http.StatusForbidden {
		text += " (it takes Reader on the subscriptions)"
	}
	return text
}

// row is a resource, as the query asks for it.
type row struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Type       string `json:"type"`
	Kind       string `json:"kind"`
	Address    string `json:"ipAddress"`
	Prefix     string `json:"ipPrefix"`
	Allocation string `json:"allocation"`
	UsedBy     string `json:"usedBy"`
	NATGateway string `json:"natGateway"`
	Outbound   string `json:"outbound"`
	Possible   string `json:"possible"`
	StaticIP   string `json:"staticIp"`
}

// list collects what resources hold. Candidates are put together by address, for
// many apps share one.
type list struct {
	owned      []usage.Holding
	candidates map[netip.Addr][]usage.Holding
	outlets    []Outlet
	gaps       []string
	// odd counts resources of an unexpected form.
	odd int
}

// read reads every page.
func (l *list) read(ctx context.Context, c *arm.Client) error {
	type options struct {
		Top    int    `json:"$top"`
		Token  string `json:"$skipToken,omitempty"`
		Format string `json:"resultFormat"`
	}
	request := struct {
		Query   string  `json:"query"`
		Options options `json:"options"`
	}{query, options{Top: graphPage, Format: "objectArray"}}
	seen := map[string]bool{}
	var total, got int64
	for range maxPages {
		document, err := json.Marshal(request)
		if err != nil {
			return fmt.Errorf("write a query: %w", err)
		}
		body, err := c.Post(ctx, c.Address(graphPath, graphVersion), document)
		if err != nil {
			return err
		}
		var page struct {
			Total     int64              `json:"totalRecords"`
			Truncated string             `json:"resultTruncated"`
			Token     string             `json:"$skipToken"`
			Data      *[]json.RawMessage `json:"data"`
		}
		if err := json.Unmarshal(body, &page); err != nil {
			return fmt.Errorf("the answer is not what Resource Graph gives: %w", err)
		}
		if page.Data == nil {
			return errors.New("the answer is not what Resource Graph gives: it has no data")
		}
		for _, raw := range *page.Data {
			l.add(raw)
		}
		total, got = max(total, page.Total), got+int64(len(*page.Data))
		switch {
		case page.Token == "" && (got < total || strings.EqualFold(page.Truncated, "true")):
			return fmt.Errorf("it gave %d of %d and no way to the rest", got, max(total, got+1))
		case page.Token == "":
			return nil
		case seen[page.Token]:
			return errors.New("a page leads back to one that was read already")
		}
		seen[page.Token] = true
		request.Options.Token = page.Token
	}
	return fmt.Errorf("there are more than %d pages", maxPages)
}

// add takes what one resource holds.
func (l *list) add(raw json.RawMessage) {
	var r row
	if json.Unmarshal(raw, &r) != nil || r.ID == "" || r.Name == "" {
		l.odd++
		return
	}
	understood := true
	switch strings.ToLower(r.Type) {
	case "microsoft.network/publicipaddresses":
		understood = l.address(r)
	case "microsoft.network/publicipprefixes":
		understood = l.prefix(r)
	case "microsoft.web/sites", "microsoft.web/sites/slots":
		understood = l.app(r)
	case "microsoft.app/managedenvironments":
		understood = l.candidate(r, r.StaticIP, "container app environment", "an address of this environment; Azure does not say that only it comes from there")
	}
	if !understood {
		l.odd++
	}
}

// address takes a public IP address. One that is not assigned has none. A dynamic
// one may have been somebody else's when the client came, and may be tomorrow.
func (l *list) address(r row) bool {
	const kind = "public IP address"
	if strings.EqualFold(r.Allocation, "Dynamic") {
		return l.candidate(r, r.Address, kind, "yours today, but dynamic: it may have been somebody else's before")
	}
	address, ok := public(r.Address)
	if r.Address == "" || !ok {
		return r.Address == ""
	}
	l.outlet(r, netipx.IPRangeFrom(address, address))
	l.owned = append(l.owned, usage.Holding{
		Range: netipx.IPRangeFrom(address, address), Name: nameOf(r, kind), Certainty: usage.Owned, Resource: r.ID, Kind: kind,
	})
	return true
}

func (l *list) prefix(r row) bool {
	const kind = "public IP prefix"
	if r.Prefix == "" {
		return true
	}
	p, err := netip.ParsePrefix(r.Prefix)
	if err != nil {
		return false
	}
	if _, ok := public(p.Addr().String()); !ok || p.Bits() < narrowest(p.Addr()) {
		return false
	}
	l.outlet(r, netipx.RangeOfPrefix(p.Masked()))
	l.owned = append(l.owned, usage.Holding{
		Range: netipx.RangeOfPrefix(p.Masked()), Name: nameOf(r, kind), Certainty: usage.Owned, Resource: r.ID, Kind: kind,
	})
	return true
}

// narrowest is the fewest bits that a public IP prefix may have, with room to
// spare: Azure gives out /28 to /31, and /124 to /127 of IPv6, and takes customers'
// own from /21 and /48 on. A wider one would call half the internet yours.
func narrowest(a netip.Addr) int {
	if a.Is4() {
		return 16
	}
	return 40
}

// app takes the addresses that a web app, a function app or a slot of one comes
// from. Other customers' apps come from the same ones.
func (l *list) app(r row) bool {
	kind := "web app"
	switch lower := strings.ToLower(r.Kind); {
	case strings.Contains(lower, "workflowapp"):
		kind = "logic app (web app)"
	case strings.Contains(lower, "functionapp"):
		kind = "function app"
	}
	l.appOutlets(r, kind)
	understood := true
	addresses := map[string]bool{}
	for _, text := range strings.Split(r.Outbound+","+r.Possible, ",") {
		addresses[strings.TrimSpace(text)] = true
	}
	for _, text := range slices.Sorted(maps.Keys(addresses)) {
		understood = l.candidate(r, text, kind, "an outbound address of this app, which apps of other customers share: it may be theirs") && understood
	}
	return understood
}

// candidate takes an address that others may have too; an empty one is none.
func (l *list) candidate(r row, text, kind, note string) bool {
	if text == "" {
		return true
	}
	address, err := netip.ParseAddr(text)
	if err != nil {
		return false
	}
	if address, ok := public(address.String()); ok {
		l.candidates[address] = append(l.candidates[address], usage.Holding{
			Range: netipx.IPRangeFrom(address, address), Name: nameOf(r, kind), Certainty: usage.Candidate, Resource: r.ID, Kind: kind, Note: note,
		})
	}
	return true
}

// public reads an address that can be seen on the internet.
func public(text string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, false
	}
	a = a.Unmap()
	return a, a.IsGlobalUnicast() && !a.IsPrivate()
}

// all is everything that was collected.
func (l *list) all() []usage.Holding {
	out := l.owned
	for _, address := range slices.SortedFunc(maps.Keys(l.candidates), netip.Addr.Compare) {
		of := l.candidates[address]
		slices.SortStableFunc(of, func(a, b usage.Holding) int {
			return cmp.Compare(strings.ToLower(a.Resource), strings.ToLower(b.Resource))
		})
		h := of[0]
		if more := len(of) - 1; more > 0 {
			h.Name = fmt.Sprintf("%s or one of %d more resources", h.Name, more)
		}
		out = append(out, h)
	}
	return out
}

// users are the resources that use a public address, by the type in the id of what
// it is attached to.
var users = []struct{ part, name string }{
	{"/natgateways/", "NAT gateway"},
	{"/azurefirewalls/", "firewall"},
	{"/loadbalancers/", "load balancer"},
	{"/applicationgateways/", "application gateway"},
	{"/virtualnetworkgateways/", "virtual network gateway"},
	{"/bastionhosts/", "bastion"},
	{"/networkinterfaces/", "network interface"},
}

// nameOf is what people call the holder of an address: who uses it, where that can
// be told, and what it is.
func nameOf(r row, kind string) string {
	own := kind + " " + r.Name
	used := strings.TrimSuffix(cmp.Or(r.NATGateway, r.UsedBy), "/") + "/"
	for _, u := range users {
		// ASCII is lowered in place, so positions stay the same.
		if i := strings.Index(asciiLower(used), u.part); i >= 0 {
			name, _, _ := strings.Cut(used[i+len(u.part):], "/")
			return u.name + " " + name + " (" + own + ")"
		}
	}
	return own
}

func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}, s)
}
