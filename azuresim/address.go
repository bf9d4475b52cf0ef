package azuresim

import "strings"

// address is a request path taken apart the way ARM does, in the spelling of
// the request. Whatever compares the parts does so without case.
type address struct {
	tenants      bool // /tenants
	subscription string
	// under is what stands directly below the subscription: "", "locations",
	// "resourceGroups", or "providers".
	under string
	group string
	// provider and the pairs of type and name after it. A collection has one
	// name fewer than types.
	provider string
	types    []string
	names    []string
}

// isList says whether the address is that of a collection of the provider.
func (a address) isList() bool { return len(a.types) > len(a.names) }

// parseAddress reads a path below ARM's root: subscriptions, optionally a
// resource group, optionally a provider and pairs of type and name.
func parseAddress(path string) (address, bool) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if len(parts) == 1 && strings.EqualFold(parts[0], "tenants") {
		return address{tenants: true}, true
	}
	if !strings.EqualFold(parts[0], "subscriptions") {
		return address{}, false
	}
	var a address
	next := func() string {
		if len(parts) == 0 {
			return ""
		}
		p := parts[0]
		parts = parts[1:]
		return p
	}
	next()
	a.subscription = next()
	a.under = strings.ToLower(next())
	switch a.under {
	case "", "locations":
		return a, len(parts) == 0
	case "resourcegroups":
		a.group = next()
		if len(parts) == 0 {
			return a, true
		}
		a.under = strings.ToLower(next())
		if a.under != "providers" || a.group == "" {
			return a, false
		}
	case "providers":
	default:
		return a, false
	}
	a.provider = next()
	for len(parts) > 0 {
		a.types = append(a.types, next())
		if len(parts) > 0 {
			a.names = append(a.names, next())
		}
	}
	return a, a.provider != ""
}
