package azuresim

import (
	"net/http"
	"strings"
	"sync"
)

// faults are the ordered ones, with how often each has struck.
type faults struct {
	all []Fault

	mu   sync.Mutex
	hits []int
}

func (f *faults) init(all []Fault) {
	f.all = append([]Fault(nil), all...)
	f.hits = make([]int, len(all))
}

// strike finds the first fault that fits the request and is not over, and
// counts the hit.
func (f *faults) strike(r *http.Request, anonymous bool, fits func(Fault) bool) (Fault, bool) {
	for i, fault := range f.all {
		switch {
		case fault.Path == "" && anonymous,
			fault.Method != "" && fault.Method != r.Method,
			!strings.Contains(lower(r.URL.Path), lower(fault.Path)),
			!fits(fault):
			continue
		}
		f.mu.Lock()
		over := fault.Times > 0 && f.hits[i] >= fault.Times
		if !over {
			f.hits[i]++
		}
		f.mu.Unlock()
		if !over {
			return fault, true
		}
	}
	return Fault{}, false
}

func (c *call) strike(anonymous bool, fits func(Fault) bool) (Fault, bool) {
	f, hit := c.sim.faults.strike(c.req, anonymous, fits)
	c.faulted = c.faulted || hit
	return f, hit
}

// misbehave does what has been ordered for the request before anybody looks at
// it: it waits, or answers in the place of the service.
func (c *call) misbehave(anonymous bool) (reply, bool) {
	if f, hit := c.strike(anonymous, func(f Fault) bool { return f.Action == faultSlow }); hit {
		if sleep(c.req.Context(), f.Delay) != nil {
			return reply{cut: cutBefore}, true // nobody is waiting any more
		}
	}
	f, hit := c.strike(anonymous, func(f Fault) bool {
		_, isStatus := f.status()
		return isStatus || f.Action == faultCut || f.Action == faultNotJSON || f.Action == faultRedirect
	})
	if !hit {
		return reply{}, false
	}
	switch f.Action {
	case faultCut:
		return reply{cut: cutBefore}, true
	case faultNotJSON:
		return reply{status: http.StatusOK, header: http.Header{"Content-Type": {"text/html"}},
			body: []byte("<!DOCTYPE html><html><body>Please sign in to the network.</body></html>")}, true
	case faultRedirect:
		return reply{status: http.StatusTemporaryRedirect,
			header: http.Header{"Location": {f.target() + c.req.URL.RequestURI()}}}, true
	}
	status, _ := f.status()
	return c.inOwnWords(c.ordered(status, f)).reply(), true
}

// inOwnWords puts a refusal of ARM's into the words of the API that was asked,
// where that has words of its own.
func (c *call) inOwnWords(f *fail) *fail {
	var own *fail
	switch {
	case c.isLogs():
		own = c.inWordsOfLogs(f)
	case !c.addr.isGraph():
	case f.status == http.StatusForbidden:
		own = c.graphDenied()
	case f.status == http.StatusTooManyRequests:
		own = c.graphThrottled(f.retryAfter)
	}
	if own == nil {
		return f
	}
	own.retryAfter, own.challenge = f.retryAfter, f.challenge
	return own
}

// inWordsOfLogs is a refusal as Log Analytics documents it: a token that is no
// good is a 403 there, and only a missing one a 401.
func (c *call) inWordsOfLogs(f *fail) *fail {
	switch f.status {
	case http.StatusUnauthorized:
		status := http.StatusForbidden
		if c.req.Header.Get("Authorization") == "" {
			status = http.StatusUnauthorized
		}
		return &fail{status: status, code: f.code, message: f.message}
	case http.StatusForbidden:
		return logsDenied()
	case http.StatusNotFound:
		return &fail{status: f.status, code: "WorkspaceNotFoundError", message: "The workspace could not be found"}
	case http.StatusTooManyRequests:
		return &fail{status: f.status, code: "ThrottledError", message: "The request was throttled: too many queries. Retry later."}
	case http.StatusGatewayTimeout:
		return &fail{status: f.status, code: "GatewayTimeout", message: "The query timed out at the gateway.",
			more: map[string]any{"innererror": map[string]any{"code": "GatewayTimeout", "message": "The query did not end in time."}}}
	}
	return &fail{status: f.status, code: f.code, message: f.message}
}

func (f Fault) target() string {
	return strings.TrimSuffix(withDefault(f.To, "https://elsewhere.invalid"), "/")
}

// ordered is the answer with a status that a fault asks for, in the words that
// go with it.
func (c *call) ordered(status int, f Fault) *fail {
	switch status {
	case http.StatusUnauthorized:
		return c.invalidToken("The access token is invalid.")
	case http.StatusForbidden:
		action, scope := c.actionAndScope()
		return denied(action, scope)
	case http.StatusNotFound:
		typ, name := "resources", c.req.URL.Path
		if n := len(c.addr.names); n > 0 {
			typ, name = strings.Join(c.addr.types, "/"), c.addr.names[n-1]
		}
		return noChild(typ, name)
	case http.StatusConflict:
		name := "unknown"
		if len(c.addr.names) > 0 {
			name = c.addr.names[0]
		}
		return serverBusy(name)
	case http.StatusTooManyRequests:
		return c.tooMany(max(f.RetryAfter, 1))
	}
	codes := map[int][2]string{
		http.StatusBadRequest:          {"BadRequest", "The request is invalid."},
		http.StatusRequestTimeout:      {"RequestTimeout", "The request timed out."},
		http.StatusInternalServerError: {"InternalServerError", "An unexpected error occurred while processing the request. Tracking ID: '" + newGUID() + "'"},
		http.StatusBadGateway:          {"BadGateway", "The gateway did not receive a response from '" + namespace + "'."},
		http.StatusServiceUnavailable:  {"ServiceUnavailable", "The service is temporarily unavailable. Please try again later."},
		http.StatusGatewayTimeout:      {"GatewayTimeout", "The gateway did not receive a response from '" + namespace + "' within the specified time period."},
	}
	return &fail{status: status, code: codes[status][0], message: codes[status][1], gateway: true, retryAfter: f.RetryAfter}
}

// actionAndScope is what a role must allow for the request, and where. A list
// is allowed by its parent.
func (c *call) actionAndScope() (action, scope string) {
	a := c.addr
	action = "Microsoft.Resources/subscriptions/" + actionOf(c.req.Method)
	if a.provider != "" {
		action = a.provider + "/" + strings.Join(append(append([]string(nil), a.types...), actionOf(c.req.Method)), "/")
	}
	if a.locks {
		return "Microsoft.Authorization/locks/" + actionOf(c.req.Method), c.scopeOfLocks()
	}
	scope = c.req.URL.Path
	if len(a.types) > 0 && a.isList() {
		scope = strings.TrimSuffix(scope, "/"+a.types[len(a.types)-1])
	}
	if len(a.types) == 1 && a.isList() {
		scope = strings.TrimSuffix(scope, "/providers/"+a.provider)
	}
	return action, scope
}

// vanished says whether the server asked for has been ordered away.
func (c *call) vanished() bool {
	_, hit := c.strike(false, func(f Fault) bool { return f.Action == faultVanish })
	return hit
}

// doomed is how the operation about to start will fail, nil if it will not.
func (c *call) doomed() *fail {
	f, hit := c.strike(false, func(f Fault) bool { return f.Action == faultFailOp })
	if !hit {
		return nil
	}
	end := c.ordered(http.StatusInternalServerError, f)
	end.code = withDefault(f.Code, end.code)
	return end
}

// bendOperation changes what becomes of a change that was just accepted.
func (c *call) bendOperation(op *operation) {
	f, hit := c.strike(false, func(f Fault) bool {
		return known(f.Action, faultEndless, faultNoEffect, faultLate, faultForget)
	})
	if !hit {
		return
	}
	switch f.Action {
	case faultEndless:
		op.due = op.start.AddDate(100, 0, 0)
	case faultNoEffect:
		op.change.apply = func(*DBServer) {}
	case faultLate:
		op.late = f.Delay
	case faultForget:
		op.forgotten = op.start.Add(f.Delay)
	}
}

// bendPage changes the links of a page. mayGrow says that it is the last of a
// list with pages, and has something on it.
func (c *call) bendPage(body map[string]any, mayGrow bool) {
	f, hit := c.strike(false, func(f Fault) bool {
		return f.Action == faultForeign || f.Action == faultSelf || f.Action == faultEmpty && mayGrow
	})
	if !hit {
		return
	}
	switch f.Action {
	case faultForeign:
		body["nextLink"] = c.nextLink(f.target(), skipToken(0))
	case faultSelf:
		body["nextLink"] = c.base + c.req.URL.RequestURI()
	case faultEmpty:
		body["nextLink"] = c.nextLink(c.base, skipToken(len(body["value"].([]any))+c.offset()))
	}
}

// offset is where the page asked for begins.
func (c *call) offset() int {
	n, _ := parseSkipToken(c.req.URL.Query().Get("$skiptoken"))
	return n
}

// damage loses an answer to a request that has been served, or breaks it in the
// middle, if that was ordered.
func (c *call) damage(rep reply) reply {
	if _, hit := c.strike(false, func(f Fault) bool { return f.Action == faultCutAfter }); hit {
		rep.cut = cutBefore
		return rep
	}
	if rep.body == nil {
		return rep
	}
	if _, hit := c.strike(false, func(f Fault) bool { return f.Action == faultCutBody }); hit {
		rep.cut = cutInside
	}
	return rep
}
