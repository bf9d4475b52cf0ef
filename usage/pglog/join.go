package pglog

import "container/list"

// joiner gives each event what the other events of its session know. A session
// is known by its id (%c). Where there is only a process id, which the system
// uses again, a connection received begins a new session; where there is
// neither, nothing is joined.
type joiner struct {
	emit func(Event)
	// open holds the sessions, order their keys from the oldest.
	open  map[string]*session
	order list.List
	// unjoined counts authorized connections without an address.
	unjoined int64
}

// session is what is known of a session until it ends.
type session struct {
	host, port  string
	application string
	authorized  bool
	// waiting is an authorized connection that came before the connection
	// received: exports do not keep the order of the log.
	waiting *Event
	place   *list.Element
}

func newJoiner(emit func(Event)) *joiner {
	return &joiner{emit: emit, open: map[string]*session{}}
}

// event takes an event of the session with the given key; exact says whether the
// key can mean no other session.
func (j *joiner) event(key string, exact bool, ev Event) {
	if key == "" {
		j.pass(ev)
		return
	}
	s := j.open[key]
	switch ev.Kind {
	case Received:
		if s == nil || !exact {
			j.forget(key)
			s = j.begin(key)
		}
		s.host, s.port = ev.Host, ev.Port
		j.emit(ev)
		j.release(s)
	case Disconnected:
		ev.Unannounced = s == nil || !s.authorized
		if s != nil && s.waiting != nil {
			s.host, s.port = ev.Host, ev.Port
		}
		if s != nil && ev.Application == "" {
			ev.Application = s.application
		}
		j.forget(key)
		j.emit(ev)
	default:
		if s == nil {
			s = j.begin(key)
		}
		if ev.Host == "" {
			ev.Host, ev.Port = s.host, s.port
		}
		if ev.Kind == Authorized {
			s.authorized, s.application = true, ev.Application
			if ev.Host == "" && exact {
				s.waiting = &ev
				return
			}
		}
		j.pass(ev)
	}
}

func (j *joiner) begin(key string) *session {
	if len(j.open) >= MaxSessions {
		j.forget(j.order.Front().Value.(string))
	}
	s := &session{}
	s.place = j.order.PushBack(key)
	j.open[key] = s
	return s
}

// forget ends a session. An authorized connection that still waits is told
// without an address.
func (j *joiner) forget(key string) {
	s := j.open[key]
	if s == nil {
		return
	}
	j.release(s)
	j.order.Remove(s.place)
	delete(j.open, key)
}

// release tells an authorized connection that waited for its address.
func (j *joiner) release(s *session) {
	if s.waiting == nil {
		return
	}
	ev := *s.waiting
	s.waiting = nil
	ev.Host, ev.Port = s.host, s.port
	j.pass(ev)
}

func (j *joiner) pass(ev Event) {
	if ev.Kind == Authorized && ev.Host == "" {
		j.unjoined++
	}
	j.emit(ev)
}

// finish tells what still waits, from the oldest session on.
func (j *joiner) finish() {
	for j.order.Len() > 0 {
		j.forget(j.order.Front().Value.(string))
	}
}
