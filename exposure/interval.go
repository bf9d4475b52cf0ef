package exposure

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/posternhq/postern/asset"
)

// RuleMeaning is what one firewall rule means by itself.
type RuleMeaning struct {
	Rule asset.FirewallRule
	// Azure is set when the rule admits every machine inside Azure.
	Azure bool
	// Ranges are the addresses that the rule admits, empty for the azure door.
	Ranges []netipx.IPRange
	// Addresses is how many those are, at most 2^32.
	Addresses uint64
	// Fault says why the rule cannot be understood, empty when it can.
	Fault string
}

// Value is the rule's addresses as a person writes them.
func (m RuleMeaning) Value() string { return Value(m.Rule) }

// Value shows what a rule says, as it says it: "0.0.0.0–0.0.0.0".
func Value(r asset.FirewallRule) string {
	v := r.Start + "–" + r.End
	if r.Start == "" && r.End == "" {
		v = ""
	}
	if len(r.SourcePrefixes) > 0 {
		v = strings.TrimSpace(v + " (" + strings.Join(r.SourcePrefixes, ", ") + ")")
	}
	return v
}

// meanings reads each rule and puts them in an order that depends on what they
// say and not on how they were listed.
func meanings(rules []asset.FirewallRule) []RuleMeaning {
	out := make([]RuleMeaning, 0, len(rules))
	for _, r := range rules {
		out = append(out, meaning(r))
	}
	slices.SortStableFunc(out, func(a, b RuleMeaning) int {
		return cmp.Or(
			firstAddress(a).Compare(firstAddress(b)),
			cmp.Compare(a.Addresses, b.Addresses),
			cmp.Compare(strings.ToLower(a.Rule.ID), strings.ToLower(b.Rule.ID)),
			cmp.Compare(a.Rule.Name, b.Rule.Name),
			cmp.Compare(a.Value(), b.Value()),
		)
	})
	return out
}

func firstAddress(m RuleMeaning) netip.Addr {
	if len(m.Ranges) == 0 {
		return netip.Addr{}
	}
	return m.Ranges[0].From()
}

// meaning reads one rule. What the service says of the rule in its source
// prefixes counts beside the addresses: the rule admits what either admits.
func meaning(r asset.FirewallRule) RuleMeaning {
	m := RuleMeaning{Rule: r, Fault: r.Fault}
	if m.Fault != "" {
		return m
	}
	var set netipx.IPSetBuilder
	admit := func(span netipx.IPRange, err error) {
		switch {
		case err != nil:
			m.Fault = err.Error()
		case isSentinel(span):
			m.Azure = true
		default:
			set.AddRange(span)
		}
	}
	if r.Start != "" || r.End != "" || len(r.SourcePrefixes) == 0 {
		admit(addresses(r.Start, r.End))
	}
	for _, p := range r.SourcePrefixes {
		admit(sourcePrefix(p))
	}
	ips, err := set.IPSet()
	if err != nil {
		m.Fault = fmt.Sprintf("its addresses do not form ranges: %v", err)
		return m
	}
	m.Ranges = ips.Ranges()
	m.Addresses = count(m.Ranges)
	return m
}

// isSentinel reports whether a range is 0.0.0.0–0.0.0.0, which Azure reads as
// all of its own addresses and not as a range.
func isSentinel(r netipx.IPRange) bool { return r == sentinel }

func addresses(start, end string) (netipx.IPRange, error) {
	from, err := ipv4("start", start)
	if err != nil {
		return netipx.IPRange{}, err
	}
	to, err := ipv4("end", end)
	if err != nil {
		return netipx.IPRange{}, err
	}
	if to.Less(from) {
		return netipx.IPRange{}, fmt.Errorf("its end %s lies before its start %s", to, from)
	}
	return netipx.IPRangeFrom(from, to), nil
}

func ipv4(which, s string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(s)
	if err != nil || !addr.Is4() {
		return netip.Addr{}, fmt.Errorf("its %s address %q is no IPv4 address", which, s)
	}
	return addr, nil
}

// sentinel is 0.0.0.0–0.0.0.0 as a range.
var sentinel = netipx.IPRangeFrom(netip.IPv4Unspecified(), netip.IPv4Unspecified())

// sourcePrefix reads one of the service's own words for a rule's sources. A
// service tag other than AzureCloud admits the machines of some service, other
// customers' among them; which addresses those are is not known here.
func sourcePrefix(p string) (netipx.IPRange, error) {
	switch tag, _, _ := strings.Cut(strings.ToLower(p), "."); tag {
	case "azurecloud":
		return sentinel, nil
	case "*", "internet":
		return netipx.RangeOfPrefix(netip.PrefixFrom(netip.IPv4Unspecified(), 0)), nil
	}
	if prefix, err := netip.ParsePrefix(p); err == nil && prefix.Addr().Is4() {
		return netipx.RangeOfPrefix(prefix.Masked()), nil
	}
	if addr, err := netip.ParseAddr(p); err == nil && addr.Is4() {
		return netipx.IPRangeFrom(addr, addr), nil
	}
	return netipx.IPRange{}, fmt.Errorf("its source prefix %q is no IPv4 prefix and no tag that Postern knows", p)
}

// show writes ranges as a person does, in order.
func show(ranges []netipx.IPRange) []string {
	out := make([]string, 0, len(ranges))
	for _, r := range ranges {
		out = append(out, r.From().String()+"–"+r.To().String())
	}
	return out
}

func unionOf(rules []*RuleMeaning) []netipx.IPRange {
	var b netipx.IPSetBuilder
	for _, r := range rules {
		for _, span := range r.Ranges {
			b.AddRange(span)
		}
	}
	// Every range came out of an IPSet or a checked pair, so none is invalid.
	set, _ := b.IPSet()
	return set.Ranges()
}

func count(ranges []netipx.IPRange) uint64 {
	var n uint64
	for _, r := range ranges {
		n += uint64(number(r.To())) - uint64(number(r.From())) + 1
	}
	return n
}

func number(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}
