package azuresim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// subscription and instance are the estate at work. All of it is guarded by
// the simulator's mutex.
type subscription struct {
	id, name, state string
	spec            Subscription // without its servers
	servers         []*instance
	byKind          map[Kind][]*instance
	byKey           map[string]*instance
	groups          []group
}

// group is a resource group: it exists because something is in it.
type group struct{ name, location string }

type instance struct {
	typ  resourceType
	sub  *subscription
	spec DBServer
	// busy is the change under way, nil when there is none.
	busy *operation
	// late are changes that ended and have yet to take effect.
	late []*operation
	// born is when the simulated server came to be; it dates the restore point.
	born time.Time
}

func serverKey(kind Kind, group, name string) string {
	return strings.ToLower(string(kind) + "/" + group + "/" + name)
}

func newSubscription(spec Subscription, born time.Time) *subscription {
	sub := &subscription{
		id: spec.ID, name: spec.Name, state: withDefault(spec.State, "Enabled"), spec: spec.withoutServers(),
		byKind: map[Kind][]*instance{},
		byKey:  make(map[string]*instance, len(spec.Servers)),
	}
	locations := make([]string, 0, len(spec.Servers)+len(spec.Resources))
	for _, s := range spec.Servers {
		t, _ := typeOfKind(s.Kind)
		srv := &instance{typ: t, sub: sub, spec: s.clone(), born: born}
		sub.servers = append(sub.servers, srv)
		sub.byKind[s.Kind] = append(sub.byKind[s.Kind], srv)
		sub.byKey[serverKey(s.Kind, s.ResourceGroup, s.Name)] = srv
		locations = append(locations, srv.location())
	}
	for _, r := range spec.Resources {
		locations = append(locations, withDefault(r.Location, "eastus"))
	}
	groups := map[string]bool{}
	for i, name := range spec.groupNames() {
		if !groups[lower(name)] {
			groups[lower(name)] = true
			sub.groups = append(sub.groups, group{name, regionName(locations[i])})
		}
	}
	return sub
}

func (sub *subscription) group(name string) (group, bool) {
	i := slices.IndexFunc(sub.groups, func(g group) bool { return strings.EqualFold(g.name, name) })
	if i < 0 {
		return group{}, false
	}
	return sub.groups[i], true
}

// id is the server's ARM id in the spelling of the estate, whatever the
// spelling of the request.
func (s *instance) id() string {
	return fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/%s/%s/%s",
		s.sub.id, s.spec.ResourceGroup, namespace, s.typ.name, s.spec.Name)
}

func (s *instance) armType() string  { return namespace + "/" + s.typ.name }
func (s *instance) location() string { return withDefault(s.spec.Location, s.typ.location) }
func (s *instance) version() string  { return withDefault(s.spec.Version, s.typ.pgMajor) }
func (s *instance) ready() bool      { return withDefault(s.spec.State, "Ready") == "Ready" }

// public says whether the public endpoint is on.
func (s *instance) public() bool { return s.spec.PublicAccess != Disabled && s.spec.Subnet == "" }

// state is what the server says of itself. A single server stays Ready through
// a change of its rules: its API has no word for anything else.
func (s *instance) state() string {
	if s.busy != nil && s.typ.kind != Single {
		return "Updating"
	}
	return withDefault(s.spec.State, "Ready")
}

func (s *instance) denies(operation string) bool {
	return slices.ContainsFunc(s.spec.Denied, func(d string) bool { return strings.EqualFold(d, operation) })
}

// settle ends the change under way if its time has come, and lets those take
// effect that have ended and are due, in the order in which they ended.
func (s *instance) settle(now time.Time) {
	if s.busy != nil && !now.Before(s.busy.due) {
		if s.busy.failure == nil {
			s.late = append(s.late, s.busy)
		}
		s.busy = nil
	}
	s.late = slices.DeleteFunc(s.late, func(op *operation) bool {
		due := !now.Before(op.due.Add(op.late))
		if due {
			op.change.apply(&s.spec)
		}
		return due
	})
}

// inGroup is an ARM id below the server's own resource group, for references
// that the estate writes short.
func (s *instance) inGroup(provider, rest string) string {
	return fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/%s/%s",
		s.sub.id, s.spec.ResourceGroup, provider, rest)
}

// subnetID spells out "network/subnet"; an ARM id stays as it is.
func (s *instance) subnetID(short string) string {
	network, subnet, ok := strings.Cut(short, "/")
	if !ok || network == "" {
		return short
	}
	return s.inGroup("Microsoft.Network", "virtualNetworks/"+network+"/subnets/"+subnet)
}

func (s DBServer) clone() DBServer {
	s.Tags = maps.Clone(s.Tags)
	s.PrivateEndpoints = slices.Clone(s.PrivateEndpoints)
	s.FirewallRules = slices.Clone(s.FirewallRules)
	for i := range s.FirewallRules {
		s.FirewallRules[i].SourceAddressPrefixes = slices.Clone(s.FirewallRules[i].SourceAddressPrefixes)
	}
	s.VNetRules = slices.Clone(s.VNetRules)
	s.Configurations = maps.Clone(s.Configurations)
	s.Denied = slices.Clone(s.Denied)
	s.Locks = slices.Clone(s.Locks)
	if s.Logs != nil {
		logs := *s.Logs
		s.Logs = &logs
	}
	s.Extra, _ = plainJSON(s.Extra) // check has seen that it is JSON
	return s
}

// plainJSON is a copy of an object in the types of encoding/json, whatever Go
// or YAML made of it (dates, integers, binary), so that what is answered is
// what was checked.
func plainJSON(object map[string]any) (map[string]any, error) {
	if object == nil {
		return nil, nil
	}
	raw, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	var plain map[string]any
	return plain, json.Unmarshal(raw, &plain)
}

func withDefault(v, def string) string {
	if v == "" {
		return def
	}
	return v
}
