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
	// locks is set where the management locks of what the rest of the address
	// names are asked for, all of them or the one called lockName.
	locks    bool
	lockName string
	// permissions is set where the caller's permissions at a server are asked for.
	permissions bool
}

// isList says whether the address is that of a collection of the provider.
func (a address) isList() bool { return len(a.types) > len(a.names) }

// lockPath comes after the scope whose locks are asked for.
const lockPath = "/providers/microsoft.authorization/locks"

// parseAddress reads a path below ARM's root: subscriptions, optionally a
// resource group, optionally a provider and pairs of type and name, optionally
// the locks of all that.
func parseAddress(path string) (address, bool) {
	path = strings.TrimSuffix(path, "/")
	if scope, asked := strings.CutSuffix(lower(path), permissionsPath); asked && len(lower(path)) == len(path) {
		a, understood := parseScope(path[:len(scope)])
		a.permissions = true
		return a, understood && a.group != "" && len(a.types) == 1 && !a.isList()
	}
	at := strings.LastIndex(lower(path), lockPath)
	if at < 0 {
		return parseScope(path)
	}
	// Lower-casing can change the length of what is no ASCII; such a path has no
	// locks.
	if len(lower(path)) != len(path) {
		return address{}, false
	}
	rest := path[at+len(lockPath):]
	name := strings.TrimPrefix(rest, "/")
	a, understood := parseScope(path[:at])
	a.locks, a.lockName = true, name
	return a, understood && a.subscription != "" && (a.provider == "" || !a.isList()) &&
		!strings.Contains(name, "/") && (rest == "" || rest != name && name != "")
}

func parseScope(path string) (address, bool) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if len(parts) == 1 && strings.EqualFold(parts[0], "tenants") {
		return address{tenants: true}, true
	}
	if len(parts) == 3 && strings.EqualFold(parts[0], "providers") {
		return address{under: "providers", provider: parts[1], types: parts[2:]}, true
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
