package pglog

import (
	"container/list"
	"time"
)

// joiner gives each event what the other events of its session know. A session
// is known by its id (%c). Where there is only a process id, which the system
// uses again, a connection received begins a new session; where there is
// neither, nothing is joined.
//
// An address is given only where it can be no other session's. Two nodes may
// write one log, lines get lost, and a stranger may write some: an event that is
// in doubt is told without an address, which keeps it from being taken for
// somebody who may stay.
type joiner struct {
	emit func(Event)
	// since leaves out what happened before; zero takes all.
	since time.Time
	// open holds the sessions, order their keys from the oldest.
	open  map[string]*session
	order list.List
	// file counts the files: a process id means nothing in another one.
	file int
	// ends is set when the log has told of a disconnection.
	ends                         bool
	unjoined, contested, unended int64
}

// session is what is known of a session until it ends.
type session struct {
	// host and port are the client's, known is set when the log has told them.
	host, port string
	known      bool
	// received is when they were told, file in which file.
	received time.Time
	file     int
	// lent is set when another event got the address, contested when the log has
	// told two.
	lent, contested bool
	// authorized is set when somebody was let in, told when that was passed on.
	authorized, told            bool
	at                          time.Time
	user, database, application string
	// earlier is an authorized connection from before the time asked about. It is
	// told when the session turns out to have lasted.
	earlier *Event
	// waiting are events that came before the connection received: exports do
	// not keep the order of the log.
	waiting []Event
	place   *list.Element
}

// maxWaiting is how many events of a session can wait for its address: it is
// authenticated once and let in once.
const maxWaiting = 2

func newJoiner(since time.Time, emit func(Event)) *joiner {
	return &joiner{emit: emit, since: since, open: map[string]*session{}}
}

// event takes an event of the session with the given key; exact says whether the
// key can mean no other session.
func (j *joiner) event(key string, exact bool, ev Event) {
	j.ends = j.ends || ev.Kind == Disconnected
	if key == "" {
		ev.Unannounced = ev.Kind == Disconnected
		if ev.Kind == Authorized && j.before(ev.Time) {
			j.unended++ // which end is its, nobody can say
		}
		j.pass(ev)
		return
	}
	s := j.open[key]
	switch ev.Kind {
	case Received:
		j.received(key, exact, s, ev)
	case Disconnected:
		j.disconnected(key, exact, s, ev)
	default:
		if s == nil {
			s = j.begin(key)
		}
		if s.authorized && ev.Kind == Authorized && !s.same(ev) {
			// A session is let in once: this is another, of the same name.
			s.contested = true
		}
		usable := !s.contested && (exact || s.file == j.file && within(ev.Time, s.received))
		if ev.Host == "" && s.known && usable {
			ev.Host, ev.Port, s.lent = s.host, s.port, true
		}
		if ev.Kind == Authorized {
			s.letIn(ev)
		}
		if ev.Host == "" && exact && !s.contested && len(s.waiting) < maxWaiting {
			s.waiting = append(s.waiting, ev)
			return
		}
		j.tell(s, ev)
	}
}

func (s *session) letIn(ev Event) {
	s.authorized, s.at, s.user, s.database, s.application = true, ev.Time, ev.User, ev.Database, ev.Application
}

// same reports whether an authorized connection is the one that is known, from
// a log that was given twice.
func (s *session) same(ev Event) bool {
	return s.at.Equal(ev.Time) && s.user == ev.User && s.database == ev.Database
}

// within reports whether a client that knocked at one time can have been let in
// at the other.
func within(at, received time.Time) bool {
	d := at.Sub(received)
	return d >= 0 && d <= handshake
}

// received takes a connection received.
func (j *joiner) received(key string, exact bool, s *session, ev Event) {
	contested := false
	switch {
	case s == nil:
	case exact && s.known && s.host != ev.Host:
		if s.lent {
			j.contested++
		}
		s.contested = true
	case !exact:
		// The process id is used again. Where the one before may still be on its
		// way in, nobody can say to whom the next line belongs.
		soon := within(ev.Time, s.received) || within(s.received, ev.Time)
		contested = s.file == j.file && soon && s.host != ev.Host && (s.contested || s.known && !s.authorized)
		j.forget(key, ev.Time)
		s = nil
	}
	if s == nil {
		s = j.begin(key)
		s.contested = contested
	}
	if !s.known {
		s.host, s.port, s.known = ev.Host, ev.Port, ev.Host != ""
		s.received, s.file = ev.Time, j.file
	}
	j.pass(ev)
	j.release(s)
}

// disconnected takes the end of a session. It says everything that the
// authorization did, so it is a connection of its own unless it is clear that
// this one was told. Anybody who may run SQL can log such a message in the name of
// his own session: it lends its address to no other event, and ends no session
// that came from elsewhere.
func (j *joiner) disconnected(key string, exact bool, s *session, ev Event) {
	ev.Unannounced = true
	if s != nil && s.contradicts(ev) {
		if exact {
			if !s.contested {
				j.contested++
			}
			s.contested = true
		} else {
			j.forget(key, time.Time{})
		}
		j.pass(ev)
		return
	}
	if s != nil {
		fits := s.authorized && s.user == ev.User
		if ev.Host == "" && s.known && !s.contested {
			ev.Host, ev.Port = s.host, s.port
		}
		j.release(s)
		if fits {
			ev.Unannounced = !s.told || s.contested || s.host != ev.Host
			s.earlier = nil
			if ev.Application == "" {
				ev.Application = s.application
			}
		}
	}
	j.forget(key, ev.Time)
	j.pass(ev)
}

// contradicts reports whether a disconnection names another address or port than
// the session is known by.
func (s *session) contradicts(ev Event) bool {
	return s.known && ev.Host != "" && (ev.Host != s.host || ev.Port != "" && s.port != "" && ev.Port != s.port)
}

func (j *joiner) begin(key string) *session {
	if len(j.open) >= MaxSessions {
		j.forget(j.order.Front().Value.(string), time.Time{})
	}
	s := &session{file: j.file}
	s.place = j.order.PushBack(key)
	j.open[key] = s
	return s
}

// forget lets go of a session, which was over at a time, zero where that is not
// known. What still waits is told without an address.
func (j *joiner) forget(key string, over time.Time) {
	s := j.open[key]
	if s == nil {
		return
	}
	j.release(s)
	if s.earlier != nil && (over.IsZero() || !over.Before(j.since)) {
		// It began before the time asked about, and nothing says that it ended.
		if j.ends {
			j.emitted(*s.earlier)
		} else {
			j.unended++
		}
	}
	j.order.Remove(s.place)
	delete(j.open, key)
}

// release tells what waited for an address.
func (j *joiner) release(s *session) {
	waiting := s.waiting
	s.waiting = nil
	for _, ev := range waiting {
		if !s.contested {
			ev.Host, ev.Port, s.lent = s.host, s.port, s.known
		}
		j.tell(s, ev)
	}
}

// tell passes on an event of a session, and keeps in mind what it could not tell.
func (j *joiner) tell(s *session, ev Event) {
	if ev.Kind == Authorized {
		if s.host == "" && !s.known {
			s.host = ev.Host
		}
		if j.before(ev.Time) {
			s.earlier = &ev
		} else {
			s.told = true
		}
	}
	j.pass(ev)
}

// before reports whether a time is before the time asked about. What has no time
// may have happened at any.
func (j *joiner) before(t time.Time) bool { return !t.IsZero() && t.Before(j.since) }

// pass emits an event, unless it happened before the time asked about.
func (j *joiner) pass(ev Event) {
	if !j.before(ev.Time) {
		j.emitted(ev)
	}
}

func (j *joiner) emitted(ev Event) {
	if ev.Host == "" && (ev.Kind == Authorized || ev.Kind == Disconnected && ev.Unannounced) {
		j.unjoined++
	}
	j.emit(ev)
}

// finish tells what still waits, from the oldest session on.
func (j *joiner) finish() {
	for j.order.Len() > 0 {
		j.forget(j.order.Front().Value.(string), time.Time{})
	}
}
