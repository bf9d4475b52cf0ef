package azuresim

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// The made-up identities of the simulated directory.
const (
	defaultTenant = "7e57ab1e-0000-4000-8000-000000000001"
	clientID      = "7e57ab1e-0000-4000-8000-0000000000c1"
	objectID      = "7e57ab1e-0000-4000-8000-0000000000b1"
)

// Server is a running simulation. It is an [http.Handler] and safe for use by
// any number of goroutines. Make one with [New].
type Server struct {
	opts    Options
	tenant  string
	signing []byte // the key of issued tokens

	stats  stats
	faults faults

	mu         sync.Mutex // guards what follows
	subs       []*subscription
	byID       map[string]*subscription // by lower-case id
	operations map[string]*operation
	buckets    map[bucketKey]*rate.Limiter
	tags       []ServiceTag
	workspaces []*workspace
	graph      quota
}

// New makes a simulation of an estate, of which it takes its own copy. The
// error wraps [ErrEstate] if the estate contradicts itself, and [ErrFault] if a
// fault does.
func New(e Estate, o Options) (*Server, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	for _, f := range o.Faults {
		if err := f.check(); err != nil {
			return nil, err
		}
	}
	s := &Server{
		opts:       o.withDefaults(),
		tenant:     withDefault(e.Tenant, defaultTenant),
		signing:    make([]byte, 32),
		byID:       map[string]*subscription{},
		operations: map[string]*operation{},
		buckets:    map[bucketKey]*rate.Limiter{},
		tags:       cloneTags(e.ServiceTags),
	}
	rand.Read(s.signing)
	s.stats.init(s.opts.Observe)
	s.faults.init(o.Faults)
	born := s.opts.Now().UTC().Truncate(time.Second)
	for _, spec := range e.Subscriptions {
		sub := newSubscription(spec, born)
		s.subs = append(s.subs, sub)
		s.byID[lower(spec.ID)] = sub
	}
	for _, spec := range e.Workspaces {
		s.workspaces = append(s.workspaces, newWorkspace(spec))
	}
	s.connectLogs(born)
	return s, nil
}

// Snapshot is the estate as it is now, with every change that has ended. It is
// the caller's own copy. Log entries that came in at run time are not in it.
func (s *Server) Snapshot() Estate {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.opts.Now()
	e := Estate{Tenant: s.tenant, ServiceTags: cloneTags(s.tags)}
	for _, w := range s.workspaces {
		e.Workspaces = append(e.Workspaces, w.spec.clone())
	}
	for _, sub := range s.subs {
		out := sub.spec.withoutServers()
		out.State = sub.state
		for _, srv := range sub.servers {
			srv.settle(now)
			out.Servers = append(out.Servers, srv.spec.clone())
		}
		e.Subscriptions = append(e.Subscriptions, out)
	}
	return e
}

// ServeHTTP answers as Azure would. To cut a connection, which is one of the
// faults, it panics with [http.ErrAbortHandler], as net/http wants it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{sim: s, req: r, base: baseURL(r), now: s.opts.Now()}
	done := s.stats.begin(c)
	status := 0 // of an answer that never came
	defer func() { done(status) }()

	if sleep(r.Context(), s.opts.Latency) != nil {
		return // the client went away
	}
	rep := c.answer()
	if rep.cut == cutBefore {
		panic(http.ErrAbortHandler)
	}
	status = rep.status
	rep.send(w, r)
}

// baseURL is how the client itself addressed the simulator, so that the links
// it is handed lead back the way it came.
func baseURL(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// newGUID is a random GUID, version 4.
func newGUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
