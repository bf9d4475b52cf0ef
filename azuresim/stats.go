package azuresim

import (
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Stats are what a simulation has counted since it began.
type Stats struct {
	// Calls is every request, whatever became of it.
	Calls int
	// ByKind is Calls by what was asked: "token" and "metadata" (the anonymous
	// endpoints), "subscriptions" (tenants, subscriptions and what ARM says
	// about them), "list" (servers of a type), "children" (a list below a
	// server), "poll" (a long-running operation), "locks", "permissions", "tags" (service tags),
	// "graph" (Resource Graph), "logs" (Log Analytics), and for a single resource
	// the method: "get", "put", "patch", "delete". The rest is "other".
	ByKind map[string]int
	// Throttled are the 429s, by bucket or by fault.
	Throttled int
	// Unauthorized are the 401s.
	Unauthorized int
	// Faulted are the requests that a fault changed.
	Faulted int
	// MaxInFlight is the largest number of requests there ever was at once.
	MaxInFlight int
}

// Request is one request as the simulator saw it.
type Request struct {
	Method string
	// Path and Query are as sent.
	Path, Query string
	// Bearer says whether an Authorization header came with it.
	Bearer bool
	// Status is that of the answer, 0 where none was begun: the connection was
	// cut, or the client went away.
	Status int
	// At is when the request came in, by the simulator's clock, and Took how
	// long the answer took, by the real one.
	At   time.Time
	Took time.Duration
}

// keptRequests is how far back Requests looks.
const keptRequests = 4096

type stats struct {
	observe func(Request)

	mu       sync.Mutex
	counted  Stats
	inFlight int
	log      []Request // a ring once it is full
	next     int
}

func (s *stats) init(observe func(Request)) {
	s.observe = observe
	s.counted.ByKind = map[string]int{}
}

// begin counts a request in; the function it returns counts it out.
func (s *stats) begin(c *call) func(status int) {
	start := time.Now()
	seen := Request{
		Method: c.req.Method, Path: c.req.URL.Path, Query: c.req.URL.RawQuery,
		Bearer: c.req.Header.Get("Authorization") != "", At: c.now,
	}
	s.mu.Lock()
	s.counted.Calls++
	s.counted.ByKind[kindOf(c.req)]++
	s.inFlight++
	s.counted.MaxInFlight = max(s.counted.MaxInFlight, s.inFlight)
	s.mu.Unlock()
	return func(status int) {
		seen.Status, seen.Took = status, time.Since(start)
		s.end(seen, c.faulted)
		if s.observe != nil {
			s.observe(seen)
		}
	}
}

func (s *stats) end(seen Request, faulted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight--
	switch seen.Status {
	case http.StatusTooManyRequests:
		s.counted.Throttled++
	case http.StatusUnauthorized:
		s.counted.Unauthorized++
	}
	if faulted {
		s.counted.Faulted++
	}
	if len(s.log) < keptRequests {
		s.log = append(s.log, seen)
		return
	}
	s.log[s.next] = seen
	s.next = (s.next + 1) % keptRequests
}

// Stats are the counts so far, a copy.
func (s *Server) Stats() Stats {
	s.stats.mu.Lock()
	defer s.stats.mu.Unlock()
	out := s.stats.counted
	out.ByKind = maps.Clone(out.ByKind)
	return out
}

// Requests are the last 4096 requests in the order in which their answers
// ended.
func (s *Server) Requests() []Request {
	s.stats.mu.Lock()
	defer s.stats.mu.Unlock()
	out := make([]Request, 0, len(s.stats.log))
	out = append(out, s.stats.log[s.stats.next:]...)
	return append(out, s.stats.log[:s.stats.next]...)
}

func kindOf(r *http.Request) string {
	if kind, anonymous := anonymousKind(r); anonymous {
		return kind
	}
	if logsPath.MatchString(r.URL.Path) {
		return "logs"
	}
	a, ok := parseAddress(r.URL.Path)
	switch {
	case !ok:
		return "other"
	case a.locks:
		return "locks"
	case a.permissions:
		return "permissions"
	case isServiceTags(a):
		return "tags"
	case a.isGraph():
		return "graph"
	case a.subscription == "" && a.provider != "":
		return "other"
	case len(a.types) == 0:
		return "subscriptions"
	case isOperation(a):
		return "poll"
	case r.Method == http.MethodGet && a.isList() && len(a.types) == 1:
		return "list"
	case r.Method == http.MethodGet && a.isList():
		return "children"
	default:
		return strings.ToLower(r.Method)
	}
}
