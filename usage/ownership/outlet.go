package ownership

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"
)

// Outlet is an address, or a range of them, that the traffic of a resource comes
// from. Where a resource has several, each connection may come from any of them.
type Outlet struct {
	Range netipx.IPRange
	// Resource is the ARM id of the resource and Name what people call it.
	Resource, Name string
	// Current is false for an address that the resource comes from only after it
	// was scaled (possibleOutboundIpAddresses of Microsoft.Web/sites).
	Current bool
}

// outlets are the resources, by the type in their ids, that spread what goes out
// over all public addresses that are attached to them.
var outlets = []string{"/natgateways/", "/azurefirewalls/", "/loadbalancers/"}

// outlet notes that a resource comes from an address or prefix that is attached to
// it, where it is one that may have several.
func (l *list) outlet(r row, of netipx.IPRange) {
	used := strings.TrimSuffix(cmp.Or(r.NATGateway, r.UsedBy), "/") + "/"
	for _, part := range outlets {
		i := strings.Index(asciiLower(used), part)
		if i < 0 {
			continue
		}
		id, _, _ := strings.Cut(used[i+len(part):], "/")
		name, _, _ := strings.Cut(nameOf(r, ""), " (")
		l.outlets = append(l.outlets, Outlet{Range: of, Resource: used[:i+len(part)] + id, Name: name, Current: true})
		return
	}
}

// appOutlets notes the addresses that an app comes from, now and once its plan is
// scaled. Those that are no public addresses the holdings have complained of.
func (l *list) appOutlets(r row, kind string) {
	current := strings.Split(r.Outbound, ",")
	seen := map[netip.Addr]bool{}
	for i, text := range slices.Concat(current, strings.Split(r.Possible, ",")) {
		address, ok := public(strings.TrimSpace(text))
		if !ok || seen[address] {
			continue
		}
		seen[address] = true
		l.outlets = append(l.outlets, Outlet{
			Range: netipx.IPRangeFrom(address, address), Resource: r.ID, Name: nameOf(r, kind), Current: i < len(current),
		})
	}
}
