package azuresim

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// The names of the tables that PostgreSQL's log goes to.
const (
	tableServerLogs  = "PGSQLServerLogs"
	tableDiagnostics = "AzureDiagnostics"
)

func (e Estate) checkAround() error {
	for _, t := range e.ServiceTags {
		if t.Name == "" {
			return errors.New("a service tag has no name")
		}
		for _, p := range t.Prefixes {
			if _, err := netip.ParsePrefix(p); err != nil {
				return fmt.Errorf("service tag %s: prefix %q is no CIDR range", t.Name, p)
			}
		}
	}
	seen := map[string]bool{}
	for i, w := range e.Workspaces {
		if err := w.check(); err != nil {
			return fmt.Errorf("workspaces[%d] (%s): %w", i, w.Name, err)
		}
		if seen[lower(w.ID)] {
			return fmt.Errorf("workspace %s is there twice", w.ID)
		}
		seen[lower(w.ID)] = true
	}
	for _, sub := range e.Subscriptions {
		for _, s := range sub.Servers {
			if s.Logs != nil && !seen[lower(s.Logs.Workspace)] {
				return fmt.Errorf("server %s: its log goes to workspace %q, which is not in the estate", s.Name, s.Logs.Workspace)
			}
		}
	}
	return nil
}

func (w Workspace) check() error {
	if !guidForm.MatchString(w.ID) {
		return fmt.Errorf("id %q is no GUID", w.ID)
	}
	for _, d := range w.Denied {
		if lower(d) != "query/read" {
			return fmt.Errorf("denied operation %q does not exist here (want query/read)", d)
		}
	}
	for name, rows := range w.Tables {
		if !identifier.MatchString(name) {
			return fmt.Errorf("table name %q is no identifier", name)
		}
		for i, row := range rows {
			plain, err := plainJSON(row)
			if err != nil {
				return fmt.Errorf("table %s: row %d is no JSON: %w", name, i, err)
			}
			at, _ := plain["TimeGenerated"].(string)
			if _, err := time.Parse(time.RFC3339, at); err != nil {
				return fmt.Errorf("table %s: row %d: TimeGenerated %q is no time of RFC 3339", name, i, at)
			}
		}
	}
	return nil
}

// checkAround says what is wrong with what the subscription has beside servers.
func (sub Subscription) checkAround() error {
	if err := checkLocks(sub.Locks); err != nil {
		return err
	}
	for group, locks := range sub.GroupLocks {
		if !slices.ContainsFunc(sub.groupNames(), func(n string) bool { return strings.EqualFold(n, group) }) {
			return fmt.Errorf("group_locks: there is nothing in resource group %q", group)
		}
		if err := checkLocks(locks); err != nil {
			return fmt.Errorf("group_locks: %s: %w", group, err)
		}
	}
	for _, d := range sub.Denied {
		if !known(lower(d), "locks/read", "permissions/read", "servicetags/read", "resources/read") {
			return fmt.Errorf("denied operation %q does not exist here (want locks/read, permissions/read, serviceTags/read or resources/read)", d)
		}
	}
	for i, r := range sub.Resources {
		if err := r.check(sub.ID); err != nil {
			return fmt.Errorf("resources[%d]: %w", i, err)
		}
	}
	return nil
}

func checkLocks(locks []Lock) error {
	seen := map[string]bool{}
	for _, l := range locks {
		switch {
		case l.Name == "" || strings.Contains(l.Name, "/"):
			return fmt.Errorf("lock name %q cannot stand in an address", l.Name)
		case !known(l.Level, levelNoDelete, levelReadOnly):
			return fmt.Errorf("lock %s: unknown level %q (want CanNotDelete or ReadOnly)", l.Name, l.Level)
		case seen[lower(l.Name)]:
			return fmt.Errorf("lock %s is there twice", l.Name)
		}
		seen[lower(l.Name)] = true
	}
	return nil
}

func (r Resource) check(subscription string) error {
	if r.ID != "" {
		a, understood := parseAddress(r.ID)
		switch {
		case !understood || a.group == "" || a.provider == "" || len(a.types) == 0 || a.isList():
			return fmt.Errorf("id %q is no ARM id of a resource in a resource group", r.ID)
		case !strings.EqualFold(a.subscription, subscription):
			return fmt.Errorf("id %q is in another subscription", r.ID)
		case r.Type != "" || r.Name != "" || r.ResourceGroup != "":
			return fmt.Errorf("%s has an id, and type, name or resource_group beside it", r.ID)
		}
	} else if _, err := r.fullID(subscription); err != nil {
		return err
	}
	if _, err := plainJSON(r.Properties); err != nil {
		return fmt.Errorf("%s: properties are no JSON: %w", r.Name, err)
	}
	return nil
}

// fullID is the ARM id, made up where it is not given.
func (r Resource) fullID(subscription string) (string, error) {
	if r.ID != "" {
		return r.ID, nil
	}
	types, names := strings.Split(r.Type, "/"), strings.Split(r.Name, "/")
	if r.ResourceGroup == "" || strings.Contains(r.ResourceGroup, "/") || len(types) != len(names)+1 ||
		slices.Contains(types, "") || slices.Contains(names, "") {
		return "", fmt.Errorf("type %q, name %q and resource_group %q make no id", r.Type, r.Name, r.ResourceGroup)
	}
	id := "/subscriptions/" + subscription + "/resourceGroups/" + r.ResourceGroup + "/providers/" + types[0]
	for i, name := range names {
		id += "/" + types[i+1] + "/" + name
	}
	return id, nil
}

// groupNames are the resource groups that something is in.
func (sub Subscription) groupNames() []string {
	var names []string
	for _, s := range sub.Servers {
		names = append(names, s.ResourceGroup)
	}
	for _, r := range sub.Resources {
		if a, _ := parseAddress(r.ID); r.ID != "" {
			names = append(names, a.group)
		} else {
			names = append(names, r.ResourceGroup)
		}
	}
	return names
}

func (l *LogSetting) check(kind Kind) error {
	switch {
	case l == nil:
		return nil
	case !known(l.Table, "", tableServerLogs, tableDiagnostics):
		return fmt.Errorf("logs: unknown table %q (want %s or %s)", l.Table, tableServerLogs, tableDiagnostics)
	case l.Table == tableServerLogs && kind != Flexible:
		return fmt.Errorf("logs: only flexible servers write to %s", tableServerLogs)
	}
	return nil
}

// withoutServers is a deep copy of what the subscription has beside servers.
func (sub Subscription) withoutServers() Subscription {
	sub.Servers = nil
	sub.Locks, sub.Denied = slices.Clone(sub.Locks), slices.Clone(sub.Denied)
	sub.GroupLocks = maps.Clone(sub.GroupLocks)
	for group, locks := range sub.GroupLocks {
		sub.GroupLocks[group] = slices.Clone(locks)
	}
	sub.Resources = slices.Clone(sub.Resources)
	for i, r := range sub.Resources {
		sub.Resources[i].Tags = maps.Clone(r.Tags)
		sub.Resources[i].Properties, _ = plainJSON(r.Properties) // check has seen that it is JSON
	}
	return sub
}

func (w Workspace) clone() Workspace {
	w.Denied, w.Tables = slices.Clone(w.Denied), maps.Clone(w.Tables)
	for name, rows := range w.Tables {
		rows = slices.Clone(rows)
		for i, row := range rows {
			rows[i], _ = plainJSON(row)
		}
		w.Tables[name] = rows
	}
	return w
}

func cloneTags(tags []ServiceTag) []ServiceTag {
	tags = slices.Clone(tags)
	for i, t := range tags {
		tags[i].Prefixes = slices.Clone(t.Prefixes)
	}
	return tags
}
