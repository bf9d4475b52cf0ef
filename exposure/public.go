package exposure

import (
	"net/netip"

	"go4.org/netipx"
)

// publicIPv4 is every IPv4 address that can be the source of a connection over
// the internet: all but IANA's special-purpose registry (RFC 6890 and its
// updates, the entries that are not globally reachable) and multicast.
var publicIPv4, publicCount = publicAddresses()

func publicAddresses() (*netipx.IPSet, uint64) {
	var b netipx.IPSetBuilder
	b.AddPrefix(netip.MustParsePrefix("0.0.0.0/0"))
	for _, special := range []string{
		"0.0.0.0/8",       // this network
		"10.0.0.0/8",      // private use
		"100.64.0.0/10",   // shared address space
		"127.0.0.0/8",     // loopback
		"169.254.0.0/16",  // link local
		"172.16.0.0/12",   // private use
		"192.0.0.0/24",    // protocol assignments
		"192.0.2.0/24",    // documentation
		"192.88.99.0/24",  // deprecated relay anycast
		"192.168.0.0/16",  // private use
		"198.18.0.0/15",   // benchmarking
		"198.51.100.0/24", // documentation
		"203.0.113.0/24",  // documentation
		"224.0.0.0/4",     // multicast
		"240.0.0.0/4",     // reserved, with limited broadcast
	} {
		b.RemovePrefix(netip.MustParsePrefix(special))
	}
	// The prefixes are constants, and MustParsePrefix has checked them.
	set, _ := b.IPSet()
	return set, count(set.Ranges())
}
