package azuresim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// change is what an accepted PUT, PATCH or DELETE will do when its operation
// ends.
type change struct {
	// name is Azure's own for the operation, empty where the answer has none.
	name  string
	apply func(*DBServer)
	// absent is a DELETE of what is not there.
	absent bool
	// accepted is answered at once instead of the operation's name and time,
	// created with a 201 and otherwise with a 200.
	accepted map[string]any
	created  bool
	// grouped puts the resource group into the poll address, as was recorded
	// for virtual network rules.
	grouped bool
}

// operation is a change under way or done.
type operation struct {
	id         string
	server     *instance
	change     change
	child      childType
	childName  string
	method     string
	version    string
	start, due time.Time
	failure    *fail
	// late is how long after its end the change takes effect, and forgotten when
	// nothing is known of the operation any more; zero is never.
	late      time.Duration
	forgotten time.Time
}

// change answers PUT, PATCH and DELETE of a child: it checks, refuses while the
// server is busy, and otherwise starts the operation.
func (c *call) change(srv *instance, kind childType) reply {
	check := map[string]func(*instance, string, []byte) (change, *fail){
		http.MethodPut: kind.put, http.MethodPatch: kind.patch, http.MethodDelete: kind.remove,
	}[c.req.Method]
	if check == nil {
		return noVerb(c.req.Method).reply()
	}
	name := c.addr.names[1]
	ch, f := check(srv, name, c.content)
	switch {
	case f != nil:
		return f.reply()
	case srv.sub.state == "Disabled":
		return readOnlySubscription(srv.sub.id).reply()
	case ch.absent:
		return reply{status: http.StatusNoContent, header: http.Header{}}
	case srv.busy != nil || !srv.ready():
		return serverBusy(srv.spec.Name).reply()
	}
	op := &operation{
		id: newGUID(), server: srv, change: ch, child: kind, childName: name,
		method: c.req.Method, version: c.version, start: c.now, due: c.now.Add(c.sim.opts.OperationTime),
		failure: c.doomed(),
	}
	c.bendOperation(op)
	srv.busy = op
	c.sim.operations[op.id] = op
	return c.started(op)
}

func (c *call) started(op *operation) reply {
	rep := reply{status: http.StatusAccepted, header: http.Header{}}
	rep.header.Set("Azure-AsyncOperation", c.operationURL(op, "azureAsyncOperation"))
	rep.header.Set("Location", c.operationURL(op, "operationResults"))
	rep.header.Set("Retry-After", wholeSeconds(c.sim.opts.RetryAfter))
	switch {
	case op.change.accepted != nil:
		rep.body, rep.status = op.change.accepted, http.StatusOK
		if op.change.created {
			rep.status = http.StatusCreated
		}
	case op.change.name != "":
		rep.body = map[string]any{"operation": op.change.name, "startTime": operationTime(op.start)}
	}
	return rep
}

func (c *call) operationURL(op *operation, kind string) string {
	scope := "/subscriptions/" + op.server.sub.id
	if op.change.grouped {
		scope += "/resourceGroups/" + op.server.spec.ResourceGroup
	}
	return fmt.Sprintf("%s%s/providers/%s/locations/%s/%s/%s?api-version=%s",
		c.base, scope, namespace, regionName(op.server.location()), kind, op.id, op.version)
}

// operationTime is a time as the recordings write it: milliseconds, without
// closing zeros.
func operationTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999Z") }

// isOperation says whether the address is one that a running change is asked
// about.
func isOperation(a address) bool {
	return len(a.types) == 2 && len(a.names) == 2 && strings.EqualFold(a.types[0], "locations") &&
		(strings.EqualFold(a.types[1], "azureAsyncOperation") || strings.EqualFold(a.types[1], "operationResults"))
}

// operation answers a poll.
func (c *call) operation() reply {
	if c.req.Method != http.MethodGet {
		return noVerb(c.req.Method).reply()
	}
	if !slices.Contains(allVersions(), c.version) {
		return badAPIVersion("locations/"+c.addr.types[1], c.version, c.addr.names[0], allVersions()).reply()
	}
	op := c.sim.operations[lower(c.addr.names[1])]
	if op == nil || !strings.EqualFold(op.server.sub.id, c.addr.subscription) || op.isForgotten(c.now) {
		return noChild("locations/"+c.addr.types[1], c.addr.names[1]).reply()
	}
	op.server.settle(c.now)
	running := c.now.Before(op.due)
	var rep reply
	if strings.EqualFold(c.addr.types[1], "azureAsyncOperation") {
		rep = ok(op.status(running))
	} else {
		rep = c.result(op, running)
	}
	rep.header.Set("Retry-After", wholeSeconds(c.sim.opts.RetryAfter))
	return rep
}

func (op *operation) isForgotten(now time.Time) bool {
	return !op.forgotten.IsZero() && !now.Before(op.forgotten)
}

// status is the body of a poll. A failed operation is an HTTP 200 like any
// other, with the error inside.
func (op *operation) status(running bool) map[string]any {
	body := map[string]any{"name": op.id, "status": "Succeeded", "startTime": operationTime(op.start)}
	switch {
	case running:
		body["status"] = "InProgress"
	case op.failure != nil:
		body["status"] = "Failed"
		body["error"] = map[string]any{"code": op.failure.code, "message": op.failure.message}
	}
	return body
}

// result answers at the Location of a change: 202 while it runs, then what it
// made, or nothing.
func (c *call) result(op *operation, running bool) reply {
	switch {
	case running:
		rep := reply{status: http.StatusAccepted, header: http.Header{}}
		rep.header.Set("Location", c.operationURL(op, "operationResults"))
		return rep
	case op.failure != nil:
		return op.failure.reply()
	}
	item := childNamed(op.child.list(op.server, op.version), op.childName)
	if op.method == http.MethodDelete || item == nil {
		return reply{status: http.StatusNoContent, header: http.Header{}}
	}
	return ok(item)
}
