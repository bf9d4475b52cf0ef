package azuresim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// The levels of a lock: nothing may be deleted, or nothing changed at all.
const (
	levelNoDelete = "CanNotDelete"
	levelReadOnly = "ReadOnly"
)

// lockVersions are the api-versions of Microsoft.Authorization/locks.
var lockVersions = []string{"2015-01-01", "2016-09-01", "2017-04-01", "2020-05-01"}

// scopedLock is a lock with the ARM id of what it is on.
type scopedLock struct {
	Lock
	scope string
}

// locks answers what is locked at a scope: what it inherits from above, its own,
// and, unless the filter atScope() is given, what is locked below it. The last
// is how Microsoft documents the lists ("a resource or any level below"); that
// inherited locks are in them is not documented.
func (c *call) locks(sub *subscription) reply {
	a := c.addr
	if !slices.Contains(lockVersions, c.version) {
		return badAPIVersion("locks", c.version, regions[0], lockVersions).reply()
	}
	if c.req.Method != http.MethodGet {
		return noVerb(c.req.Method).reply()
	}
	scope, f := c.lockScope(sub)
	if f != nil {
		return f.reply()
	}
	filter := c.req.URL.Query().Get("$filter")
	if filter != "" && lower(filter) != "atscope()" {
		return (&fail{status: http.StatusBadRequest, code: "InvalidFilterInQueryString",
			message: fmt.Sprintf("Invalid $filter '%s' specified in the query string.", filter)}).reply()
	}
	var found []scopedLock
	for _, l := range sub.allLocks() {
		if within(scope, l.scope) || filter == "" && within(l.scope, scope) {
			found = append(found, l)
		}
	}
	if a.lockName == "" {
		return page(c, found, true, func(l scopedLock) any { return l.body() })
	}
	i := slices.IndexFunc(found, func(l scopedLock) bool {
		return strings.EqualFold(l.Name, a.lockName) && strings.EqualFold(l.scope, scope)
	})
	if i < 0 {
		return (&fail{status: http.StatusNotFound, code: "LockNotFound",
			message: fmt.Sprintf("The lock '%s' could not be found.", a.lockName)}).reply()
	}
	return ok(found[i].body())
}

// lockScope is the id of what the address names, in the estate's spelling, or
// why the caller learns nothing about it.
func (c *call) lockScope(sub *subscription) (string, *fail) {
	const action = "Microsoft.Authorization/locks/read"
	a, scope := c.addr, "/subscriptions/"+sub.id
	refuses := func(scope string) (string, *fail) { return "", denied(action, scope) }
	if sub.denies("locks/read") {
		return refuses(c.scopeOfLocks())
	}
	if a.group == "" {
		return scope, nil
	}
	g, there := sub.group(a.group)
	if !there {
		return "", noGroup(a.group)
	}
	scope += "/resourceGroups/" + g.name
	if a.provider == "" {
		return scope, nil
	}
	if t, known := typeNamed(a.types[0]); known && strings.EqualFold(a.provider, namespace) && len(a.types) == 1 {
		srv := c.find(sub, t)
		switch {
		case srv == nil:
			return "", noServer(t.name, a.names[0], a.group)
		case srv.denies("locks/read"):
			return refuses(srv.id())
		}
		return srv.id(), nil
	}
	for _, r := range sub.spec.Resources {
		if id, _ := r.fullID(sub.id); strings.EqualFold(id, c.scopeOfLocks()) {
			return id, nil
		}
	}
	return "", &fail{status: http.StatusNotFound, gateway: true, code: "ResourceNotFound",
		message: fmt.Sprintf("The Resource '%s/%s/%s' under resource group '%s' was not found. "+
			"For more details please go to https://aka.ms/ARMResourceNotFoundFix", a.provider, a.types[0], strings.Join(a.names, "/"), a.group)}
}

// scopeOfLocks is the path up to the locks, as the request spells it.
func (c *call) scopeOfLocks() string {
	path := c.req.URL.Path
	return path[:max(0, strings.LastIndex(lower(path), lockPath))]
}

// within says whether an id is that of the scope or of something below it.
func within(id, scope string) bool {
	return strings.HasPrefix(lower(id)+"/", lower(scope)+"/")
}

// allLocks are the locks in a subscription, the widest first.
func (sub *subscription) allLocks() []scopedLock {
	var all []scopedLock
	add := func(locks []Lock, scope string) {
		for _, l := range locks {
			all = append(all, scopedLock{l, scope})
		}
	}
	root := "/subscriptions/" + sub.id
	add(sub.spec.Locks, root)
	for _, g := range sub.groups {
		for name, locks := range sub.spec.GroupLocks {
			if strings.EqualFold(name, g.name) {
				add(locks, root+"/resourceGroups/"+g.name)
			}
		}
	}
	for _, srv := range sub.servers {
		add(srv.spec.Locks, srv.id())
	}
	return all
}

func (l scopedLock) body() map[string]any {
	properties := map[string]any{"level": l.Level}
	if l.Notes != "" {
		properties["notes"] = l.Notes
	}
	return map[string]any{
		"id":   l.scope + "/providers/Microsoft.Authorization/locks/" + l.Name,
		"name": l.Name, "type": "Microsoft.Authorization/locks", "properties": properties,
	}
}

// locked says which locks forbid an action ("write" or "delete") on something
// of the server. ARM asks this after the caller's permission and before the
// provider sees the request, so that even what is not there cannot be deleted.
// The words for a deletion are quoted in many reports; those for a write, and
// the form of several scopes, are formed after them.
func (s *instance) locked(action, id string) *fail {
	var scopes []string
	for _, l := range s.sub.allLocks() {
		if within(id, l.scope) && (action == "delete" || l.Level == levelReadOnly) {
			scopes = append(scopes, l.scope)
		}
	}
	if len(scopes) == 0 {
		return nil
	}
	return &fail{status: http.StatusConflict, gateway: true, code: "ScopeLocked",
		message: fmt.Sprintf("The scope '%s' cannot perform %s operation because following scope(s) are locked: '%s'. "+
			"Please remove the lock and try again.", id, action, strings.Join(slices.Compact(scopes), ","))}
}

func (sub *subscription) denies(operation string) bool {
	return slices.ContainsFunc(sub.spec.Denied, func(d string) bool { return strings.EqualFold(d, operation) })
}
