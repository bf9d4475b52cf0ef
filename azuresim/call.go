package azuresim

import (
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// call is one request on its way through the simulation.
type call struct {
	sim  *Server
	req  *http.Request
	base string // scheme and host, as the client wrote them
	now  time.Time

	addr    address
	version string // the api-version asked for
	content []byte // the body of a PUT, PATCH or POST
	faulted bool
}

// answer takes the request through the stations it would pass in Azure: the
// door (is there a token), the faults that were ordered, the token bucket, and
// at last the resource itself.
func (c *call) answer() reply {
	if kind, anonymous := anonymousKind(c.req); anonymous {
		if rep, hit := c.misbehave(true); hit {
			return rep
		}
		if kind == "metadata" {
			return c.metadata()
		}
		return c.login()
	}
	if f := c.sim.authenticate(c); f != nil {
		return c.inOwnWords(f).reply()
	}
	if c.isLogs() {
		return c.answerLogs()
	}
	var understood bool
	c.addr, understood = parseAddress(c.req.URL.Path)
	c.version = c.req.URL.Query().Get("api-version")
	if rep, hit := c.misbehave(false); hit {
		return rep
	}
	c.now = c.sim.opts.Now() // a slow answer is as of its end
	if c.addr.isGraph() {
		return c.damage(c.resourceGraph())
	}
	limits, f := c.throttle()
	var rep reply
	switch {
	case f != nil:
		rep = f.reply()
	case c.version == "":
		rep = noAPIVersion().reply()
	case !understood:
		rep = noRoute(c.req.URL.Path).reply()
	default:
		rep = c.route()
	}
	for k, v := range limits {
		rep.header[k] = v
	}
	return c.damage(rep)
}

// ownVersion is the form of api-versions that ARM's own resources take here.
// ARM has a list for each; the simulator answers them all alike.
var ownVersion = regexp.MustCompile(`^20\d\d-\d\d-\d\d(-[a-z]+)?$`)

// maxContent is far above any body that these types take.
const maxContent = 1 << 20

func (c *call) route() reply {
	a := c.addr
	if a.provider == "" {
		if !ownVersion.MatchString(c.version) {
			return badOwnAPIVersion(c.version).reply()
		}
		if c.req.Method != http.MethodGet {
			return noVerb(c.req.Method).reply()
		}
	}
	switch {
	case a.tenants:
		return c.tenants()
	case a.subscription == "" && a.provider != "":
		return noProvider(a.provider).reply()
	case a.subscription == "":
		return c.subscriptions()
	}
	if c.req.Method == http.MethodPut || c.req.Method == http.MethodPatch {
		if f := c.readContent(); f != nil {
			return f.reply()
		}
	}
	sub := c.sim.byID[lower(a.subscription)]
	if sub == nil {
		return noSubscription(a.subscription).reply()
	}
	c.sim.mu.Lock()
	defer c.sim.mu.Unlock()
	switch {
	case a.locks:
		return c.locks(sub)
	case a.permissions:
		return c.permissions(sub)
	case a.provider == "":
		return c.ownResource(sub)
	case isServiceTags(a):
		return c.serviceTags(sub)
	}
	if !strings.EqualFold(a.provider, namespace) {
		return noProvider(a.provider).reply()
	}
	if len(a.types) == 0 {
		return c.manifest(sub)
	}
	if isOperation(a) {
		return c.operation()
	}
	t, known := typeNamed(a.types[0])
	if !known {
		return noType(namespace, c.version).reply()
	}
	if a.group != "" {
		if _, there := sub.group(a.group); !there {
			return noGroup(a.group).reply()
		}
	}
	if len(a.types) == 1 {
		return c.serverOrList(sub, t)
	}
	return c.childOrList(sub, t)
}

func (c *call) readContent() *fail {
	var err error
	if c.content, err = io.ReadAll(io.LimitReader(c.req.Body, maxContent)); err != nil {
		return badContent(err)
	}
	return nil
}

// serverOrList answers for servers of a type: all of a subscription, those of
// a resource group, or one.
func (c *call) serverOrList(sub *subscription, t resourceType) reply {
	a := c.addr
	if !slices.Contains(t.versions, c.version) {
		return badAPIVersion(t.name, c.version, regions[0], t.versions).reply()
	}
	if c.req.Method != http.MethodGet {
		return noVerb(c.req.Method).reply()
	}
	if a.isList() {
		return c.listServers(sub, t)
	}
	srv := c.find(sub, t)
	switch {
	case srv == nil:
		return noServer(t.name, a.names[0], a.group).reply()
	case srv.denies("read"):
		return denied(srv.armType()+"/read", srv.id()).reply()
	}
	return ok(t.body(srv, c.version))
}

// find is the server that the address names, with any change that is due done;
// nil if there is none, or if a fault has made it vanish.
func (c *call) find(sub *subscription, t resourceType) *instance {
	srv := sub.byKey[serverKey(t.kind, c.addr.group, c.addr.names[0])]
	if srv == nil || c.vanished() {
		return nil
	}
	srv.settle(c.now)
	return srv
}

func (c *call) listServers(sub *subscription, t resourceType) reply {
	var in []*instance
	for _, srv := range sub.byKind[t.kind] {
		if srv.denies("read") || c.addr.group != "" && !strings.EqualFold(srv.spec.ResourceGroup, c.addr.group) {
			continue
		}
		in = append(in, srv)
	}
	return page(c, in, t.pages, func(srv *instance) any {
		srv.settle(c.now)
		return t.body(srv, c.version)
	})
}

// childOrList answers for what is below a server.
func (c *call) childOrList(sub *subscription, t resourceType) reply {
	a := c.addr
	kind, known := t.child(a.types[1])
	if !known || len(a.types) > 2 || a.group == "" {
		return noType(namespace, c.version).reply()
	}
	typ := t.name + "/" + kind.name
	if !slices.Contains(kind.versions, c.version) {
		return badAPIVersion(typ, c.version, regions[0], kind.versions).reply()
	}
	action := actionOf(c.req.Method)
	srv := c.find(sub, t)
	if srv == nil {
		return noParent(action, typ, parentID(c.req.URL.Path)).reply()
	}
	if srv.denies(kind.name + "/" + action) {
		scope := srv.id()
		if !a.isList() {
			scope += "/" + kind.name + "/" + a.names[1]
		}
		return denied(namespace+"/"+typ+"/"+action, scope).reply()
	}
	if a.isList() {
		if c.req.Method != http.MethodGet {
			return noVerb(c.req.Method).reply()
		}
		return page(c, kind.list(srv, c.version), kind.pages, func(m map[string]any) any { return m })
	}
	if c.req.Method != http.MethodGet {
		if f := srv.locked(action, srv.id()+"/"+kind.name+"/"+a.names[1]); f != nil {
			return f.reply()
		}
		return c.change(srv, kind)
	}
	item := childNamed(kind.list(srv, c.version), a.names[1])
	if item == nil {
		return noChild(typ, a.names[1]).reply()
	}
	return ok(item)
}

func childNamed(items []map[string]any, name string) map[string]any {
	i := slices.IndexFunc(items, func(m map[string]any) bool { return strings.EqualFold(m["name"].(string), name) })
	if i < 0 {
		return nil
	}
	return items[i]
}

// actionOf is the part of an Azure role action that a method needs.
func actionOf(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead:
		return "read"
	case http.MethodDelete:
		return "delete"
	default:
		return "write"
	}
}

// parentID is a child's path without its last type, and name if it has one.
func parentID(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	drop := 1
	if len(parts)%2 == 0 {
		drop = 2
	}
	return "/" + strings.Join(parts[:len(parts)-drop], "/")
}

func lower(s string) string { return strings.ToLower(s) }
