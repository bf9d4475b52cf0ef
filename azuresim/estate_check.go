package azuresim

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var guidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// ErrEstate is wrapped by every error that says an estate contradicts itself.
var ErrEstate = errors.New("estate is not usable")

// check says what in the estate could not exist in Azure or would be answered
// ambiguously. It does not judge addresses.
func (e Estate) check() error {
	if e.Tenant != "" && !guidForm.MatchString(e.Tenant) {
		return fmt.Errorf("%w: tenant %q is no GUID", ErrEstate, e.Tenant)
	}
	seen := map[string]bool{}
	for i, sub := range e.Subscriptions {
		if !guidForm.MatchString(sub.ID) {
			return fmt.Errorf("%w: subscriptions[%d]: id %q is no GUID", ErrEstate, i, sub.ID)
		}
		if key := strings.ToLower(sub.ID); seen[key] {
			return fmt.Errorf("%w: subscription %s is there twice", ErrEstate, sub.ID)
		} else {
			seen[key] = true
		}
		if !known(sub.State, "", "Enabled", "Warned", "PastDue", "Disabled", "Deleted") {
			return fmt.Errorf("%w: subscription %s: unknown state %q", ErrEstate, sub.ID, sub.State)
		}
		if err := sub.checkServers(); err != nil {
			return fmt.Errorf("%w: subscription %s: %w", ErrEstate, sub.ID, err)
		}
		if err := sub.checkAround(); err != nil {
			return fmt.Errorf("%w: subscription %s: %w", ErrEstate, sub.ID, err)
		}
	}
	if err := e.checkAround(); err != nil {
		return fmt.Errorf("%w: %w", ErrEstate, err)
	}
	return nil
}

func (sub Subscription) checkServers() error {
	seen := make(map[string]bool, len(sub.Servers))
	for i, s := range sub.Servers {
		if err := s.check(); err != nil {
			return fmt.Errorf("servers[%d] (%s): %w", i, s.Name, err)
		}
		key := serverKey(s.Kind, s.ResourceGroup, s.Name)
		if seen[key] {
			return fmt.Errorf("servers[%d] (%s): another %s server in resource group %s has that name",
				i, s.Name, s.Kind, s.ResourceGroup)
		}
		seen[key] = true
	}
	return nil
}

func (s DBServer) check() error {
	t, ok := typeOfKind(s.Kind)
	if !ok {
		return fmt.Errorf("unknown kind %q (want single, flexible or citus)", s.Kind)
	}
	if s.Name == "" || strings.Contains(s.Name, "/") {
		return fmt.Errorf("name %q cannot stand in an address", s.Name)
	}
	if s.ResourceGroup == "" || strings.Contains(s.ResourceGroup, "/") {
		return fmt.Errorf("resource_group %q cannot stand in an address", s.ResourceGroup)
	}
	for _, a := range []Access{s.PublicAccess, s.NodePublicAccess} {
		if !known(a, "", Enabled, Disabled) {
			return fmt.Errorf("unknown public access %q (want enabled or disabled)", a)
		}
	}
	switch {
	case s.Kind != Citus && (s.Nodes != 0 || s.NodePublicAccess != ""):
		return errors.New("nodes and node_public_access are for citus only")
	case s.Nodes < 0 || s.Nodes > 1000:
		return fmt.Errorf("nodes %d is out of range (0 to 1000)", s.Nodes)
	case s.Kind != Flexible && s.Subnet != "":
		return errors.New("subnet is for flexible only")
	case s.Subnet != "" && s.PublicAccess == Enabled:
		return errors.New("a server in a subnet has no public access to enable")
	case s.Kind != Single && len(s.VNetRules) > 0:
		return errors.New("vnet_rules are for single only")
	}
	for _, d := range s.Denied {
		if !slices.Contains(t.permissions(), strings.ToLower(d)) {
			return fmt.Errorf("denied operation %q does not exist here (want one of %s)",
				d, strings.Join(t.permissions(), ", "))
		}
	}
	if _, err := plainJSON(s.Extra); err != nil {
		return fmt.Errorf("extra is no JSON: %w", err)
	}
	if err := checkLocks(s.Locks); err != nil {
		return err
	}
	if err := s.Logs.check(s.Kind); err != nil {
		return err
	}
	return s.checkChildren()
}

func (s DBServer) checkChildren() error {
	var names [3][]string
	for _, r := range s.FirewallRules {
		names[0] = append(names[0], r.Name)
	}
	for _, r := range s.VNetRules {
		if r.Subnet == "" {
			return fmt.Errorf("vnet rule %s has no subnet", r.Name)
		}
		names[1] = append(names[1], r.Name)
	}
	for _, p := range s.PrivateEndpoints {
		if !known(p.Status, "", "Approved", "Pending", "Rejected") {
			return fmt.Errorf("private endpoint %s: unknown status %q", p.Name, p.Status)
		}
		names[2] = append(names[2], p.Name)
	}
	for i, what := range []string{"firewall rule", "vnet rule", "private endpoint"} {
		seen := map[string]bool{}
		for _, n := range names[i] {
			if n == "" || strings.Contains(n, "/") {
				return fmt.Errorf("%s name %q cannot stand in an address", what, n)
			}
			if seen[strings.ToLower(n)] {
				return fmt.Errorf("%s %s is there twice", what, n)
			}
			seen[strings.ToLower(n)] = true
		}
	}
	return nil
}

func known[T comparable](v T, among ...T) bool { return slices.Contains(among, v) }
