package fix

import (
	"net/netip"

	"go4.org/netipx"
)

// Span is a range of addresses with a name.
type Span struct {
	Range netipx.IPRange
	Name  string
}

// merge returns the fewest ranges that hold every kept address and none that is
// neither kept nor fill. Two kept addresses can share a range exactly when
// everything between them is kept or fill, so there is one range for each
// unbroken stretch that holds a kept address, from the first of them to the last.
func merge(kept, fill *netipx.IPSet) []netipx.IPRange {
	var b netipx.IPSetBuilder
	b.AddSet(kept)
	b.AddSet(fill)
	// Both came out of a builder, so nothing in them is invalid.
	allowed, _ := b.IPSet()
	rest := kept.Ranges()
	var out []netipx.IPRange
	for _, stretch := range allowed.Ranges() {
		n := 0
		for n < len(rest) && rest[n].To().Compare(stretch.To()) <= 0 {
			n++
		}
		if n > 0 {
			out = append(out, netipx.IPRangeFrom(rest[0].From(), rest[n-1].To()))
			rest = rest[n:]
		}
	}
	return out
}

func setOf(ranges []netipx.IPRange) *netipx.IPSet {
	var b netipx.IPSetBuilder
	for _, r := range ranges {
		b.AddRange(r)
	}
	// Ranges are checked where they come in.
	set, _ := b.IPSet()
	return set
}

// minus returns a without b.
func minus(a, b *netipx.IPSet) *netipx.IPSet {
	var builder netipx.IPSetBuilder
	builder.AddSet(a)
	builder.RemoveSet(b)
	set, _ := builder.IPSet() // as in setOf
	return set
}

var sharedSpace = netip.MustParsePrefix("100.64.0.0/10") // RFC 6598, used inside Azure

// isPrivate reports whether an address cannot come over the internet, so that
// firewall rules are not asked about it.
func isPrivate(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || sharedSpace.Contains(a)
}

// size is how many addresses an IPv4 range holds.
func size(r netipx.IPRange) uint64 { return uint64(number(r.To())) - uint64(number(r.From())) + 1 }

func number(a netip.Addr) uint32 {
	b := a.As4()
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}
