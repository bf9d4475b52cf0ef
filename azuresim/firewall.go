package azuresim

import (
	"net/netip"
	"slices"
	"strings"
)

// Rules are the firewall rules of a server as they are in force now, in their
// order: a copy. It is nil for an id that is no server's.
func (s *Server) Rules(serverID string) []Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	srv := s.serverByID(serverID)
	if srv == nil {
		return nil
	}
	rules := srv.spec.clone().FirewallRules
	if rules == nil {
		rules = []Rule{}
	}
	return rules
}

// Admits plays the firewall: it says whether a server (on Citus, its
// coordinator) would let a connection from an address in, by the rules in force
// now, and by which of them, the first that fits. insideAzure says that the
// address is one of Azure's, which is what the rule 0.0.0.0–0.0.0.0 is about.
// Private endpoints and virtual network rules are other ways in, and no matter
// of addresses. A server that does not exist admits nobody.
func (s *Server) Admits(serverID string, address netip.Addr, insideAzure bool) (admitted bool, rule string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	srv := s.serverByID(serverID)
	address = address.Unmap()
	if srv == nil || !srv.public() || !address.Is4() {
		return false, ""
	}
	for _, r := range srv.spec.FirewallRules {
		if r.admits(address, insideAzure) {
			return true, r.Name
		}
	}
	return false, ""
}

// admits reads a rule as Microsoft documents it: 0.0.0.0 twice is every address
// inside Azure, anything else a range with both its ends.
func (r Rule) admits(address netip.Addr, insideAzure bool) bool {
	first, err := netip.ParseAddr(r.Start)
	if err != nil {
		return false
	}
	last, err := netip.ParseAddr(r.End)
	if err != nil {
		return false
	}
	if first == netip.IPv4Unspecified() && last == first {
		return insideAzure
	}
	return first.Compare(address) <= 0 && address.Compare(last) <= 0
}

// serverByID finds a server by its ARM id in any spelling, with what is due
// done; nil if there is none. The mutex is held.
func (s *Server) serverByID(id string) *instance {
	a, understood := parseAddress(id)
	if !understood || a.locks || !strings.EqualFold(a.provider, namespace) || a.group == "" || len(a.types) != 1 || a.isList() {
		return nil
	}
	sub := s.byID[lower(a.subscription)]
	t, found := typeNamed(a.types[0])
	if sub == nil || !found {
		return nil
	}
	srv := sub.byKey[serverKey(t.kind, a.group, a.names[0])]
	if srv != nil {
		srv.settle(s.opts.Now())
	}
	return srv
}

// settled are the servers of the subscription with what is due done.
func (sub *subscription) settled(c *call) []*instance {
	servers := slices.Clone(sub.servers)
	for _, srv := range servers {
		srv.settle(c.now)
	}
	return servers
}
