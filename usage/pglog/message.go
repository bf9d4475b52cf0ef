package pglog

import (
	"bytes"
	"strings"
)

// The messages come from PostgreSQL's sources: src/backend/tcop/backend_startup.c
// and postmaster.c (received), src/backend/libpq/auth.c (authenticated, refused),
// src/backend/utils/init/postinit.c (authorized), src/backend/tcop/postgres.c
// (disconnection).
var (
	sayReceived      = []byte("connection received: host=")
	sayAuthenticated = []byte("connection authenticated: ")
	sayAuthorized    = []byte("connection authorized: user=")
	sayReplication   = []byte("replication connection authorized: user=")
	sayNoEntry       = []byte("no pg_hba.conf entry for ")
	sayRejects       = []byte("pg_hba.conf rejects ")
	sayDisconnection = []byte("disconnection: session time: ")
	// sayTurnedAway are the reasons that have nothing to do with the client
	// (src/backend/storage/lmgr/proc.c, backend_startup.c, postinit.c).
	sayTurnedAway = [][]byte{
		[]byte("sorry, too many clients already"),
		[]byte("remaining connection slots are reserved"),
		[]byte("too many connections for "),
		[]byte("the database system is "),
	}
)

// reading is what a message was read as.
type reading struct {
	event Event
	// about is set for a message about a connection: event says what it tells.
	about bool
	// cut is set for the beginning of such a message, of which the rest was lost,
	// within for a message in whose first line another entry stands.
	cut, within bool
	// foreign is set for a message about a connection in another language.
	foreign bool
}

// parseMessage reads the text of an entry. A message that is about a connection
// and is not whole gives an event with what is sure of it. Quoted is set for
// csvlog and jsonlog, which keep the SQLSTATE apart from the message, and in which
// a message is whole or its record cannot be read.
func parseMessage(severity string, m []byte, quoted bool) reading {
	// A message goes on for lines only where someone put a line break into a
	// name: what follows the first is not PostgreSQL's.
	if i := bytes.IndexByte(m, '\n'); i >= 0 {
		m = m[:i]
	}
	if !quoted {
		if i := bytes.IndexByte(m, '\r'); i >= 0 {
			m = m[:i]
		}
		m = withoutState(m)
	}
	r, rest := about(severity, m)
	if quoted {
		r.cut = false
	} else {
		r.cut = r.cut || !r.about && (severity == "LOG" || severity == "FATAL") && isCut(m)
		r.within = holdsEntry(rest)
		if r.cut && (r.event.Kind == Received || r.event.Kind == Disconnected) {
			r.event.Host, r.event.Port = "", ""
		}
	}
	r.foreign = !r.about && (severity == "LOG" || severity == "FATAL") && isForeignMessage(m)
	return r
}

// about reads the first line of a message, and returns what follows its phrase:
// all of it where it is not about a connection.
func about(severity string, m []byte) (r reading, rest []byte) {
	var ok bool
	switch severity {
	case "LOG":
		if rest, ok = bytes.CutPrefix(m, sayReceived); ok {
			return received(rest), rest
		}
		if rest, ok = bytes.CutPrefix(m, sayAuthorized); ok {
			return reading{event: authorized(rest, true), about: true}, rest
		}
		if rest, ok = bytes.CutPrefix(m, sayReplication); ok {
			return reading{event: authorized(rest, false), about: true}, rest
		}
		if rest, ok = bytes.CutPrefix(m, sayDisconnection); ok {
			return disconnected(rest), rest
		}
		if rest, ok = bytes.CutPrefix(m, sayAuthenticated); ok {
			return reading{event: authenticated(rest), about: true}, rest
		}
	case "FATAL":
		for _, say := range [][]byte{sayNoEntry, sayRejects} {
			if rest, ok = bytes.CutPrefix(m, say); ok {
				r.event, r.about = refused(rest)
				return r, rest
			}
		}
		for _, say := range sayTurnedAway {
			if bytes.HasPrefix(m, say) {
				return reading{event: Event{Kind: TurnedAway}, about: true}, m
			}
		}
	}
	return reading{}, m
}

// withoutState takes the SQLSTATE off the front ("00000: "), which
// log_error_verbosity = verbose puts there.
func withoutState(m []byte) []byte {
	const state = 5
	if len(m) > state+1 && m[state] == ':' && m[state+1] == ' ' && span(m, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == state {
		return m[state+2:]
	}
	return m
}

// received reads "IP port=N" and "[local]". Azure's Single Server adds " pid=N".
func received(m []byte) reading {
	host, port, whole := hostAndPort(m)
	return reading{event: Event{Kind: Received, Host: name(host), Port: name(port)}, about: true, cut: !whole}
}

// hostAndPort parts "IP port=N". Without a port only "[local]" is whole: the end
// of any other was lost, and its host may be the beginning of another.
func hostAndPort(m []byte) (host, port []byte, whole bool) {
	host, port, whole = bytes.Cut(m, []byte(" port="))
	host, _, _ = bytes.Cut(host, []byte(" "))
	port, _, _ = bytes.Cut(port, []byte(" "))
	return host, port, whole || string(host) == Local
}

var (
	ofDatabase    = []byte(" database=")
	ofApplication = []byte(" application_name=")
)

// authorized reads "U database=D application_name=A SSL enabled (…)", of which
// only the user is always there: application_name since PostgreSQL 12, and a
// replication connection names no database. The application's name comes last
// of the three and is the easiest to choose freely, so it is cut from the end.
// Nothing marks the end of a user's name where no database follows: it may have
// been a line break's, or a part of the name may look like the rest.
func authorized(m []byte, database bool) Event {
	e := Event{Kind: Authorized, TLS: "none"}
	if i := bytes.LastIndex(m, []byte(" GSS (")); i >= 0 && bytes.HasSuffix(m, []byte(")")) {
		m = m[:i]
	}
	const enabled = " SSL enabled (protocol="
	if i := bytes.LastIndex(m, []byte(enabled)); i >= 0 && bytes.HasSuffix(m, []byte(")")) {
		protocol := m[i+len(enabled):]
		e.TLS = name(protocol[:bytes.IndexAny(protocol, ",)")])
		m = m[:i]
	}
	who, application, _ := bytes.Cut(m, ofApplication)
	e.Application = name(application)
	if !database {
		e.User, e.Ambiguous = name(who), true
		return e
	}
	e.names(who)
	// A role may be called "azuresu database=x application_name=y".
	e.Ambiguous = e.Ambiguous || bytes.Contains(application, ofDatabase)
	return e
}

// names reads "U database=D". A name may hold " database=" itself, and then
// nobody can say where the user's ends.
func (e *Event) names(who []byte) {
	user, database, found := bytes.Cut(who, ofDatabase)
	e.User, e.Database = name(user), name(database)
	e.Ambiguous = !found || bytes.Contains(database, ofDatabase)
}

// authenticated reads `identity="I" method=M (/path/pg_hba.conf:12)`, which is
// `user="U" method=trust (…)` for a client that had to prove nothing (PostgreSQL 17).
func authenticated(m []byte) Event {
	_, m, ok := bytes.Cut(m, []byte("=\""))
	if !ok {
		return Event{Kind: Authenticated}
	}
	e := Event{Kind: Authenticated, Identity: name(m)}
	if i := bytes.LastIndex(m, []byte("\" method=")); i >= 0 {
		method, _, _ := bytes.Cut(m[i+len("\" method="):], []byte(" "))
		e.Identity, e.Method = name(m[:i]), name(method)
	}
	return e
}

// refused reads `host "IP", user "U", database "D", no encryption`, after
// "replication connection from " or "connection for " or nothing. The address
// comes first and is the only part that the client cannot choose.
func refused(m []byte) (Event, bool) {
	_, m, ok := bytes.Cut(m, []byte("host \""))
	if !ok {
		return Event{}, false
	}
	host, m, ok := bytes.Cut(m, []byte("\", user \""))
	if !ok || len(host) == 0 {
		return Event{}, false
	}
	e := Event{Kind: Refused, Host: name(host)}
	if i := bytes.LastIndexByte(m, '"'); i >= 0 {
		m = m[:i]
	}
	user, database, _ := bytes.Cut(m, []byte("\", database \""))
	e.User, e.Database = name(user), name(database)
	return e, true
}

// disconnected reads "0:00:00.031 user=U database=D host=IP port=N".
func disconnected(m []byte) reading {
	e := Event{Kind: Disconnected}
	_, m, _ = bytes.Cut(m, []byte(" user="))
	whole := false
	if i := bytes.LastIndex(m, []byte(" host=")); i >= 0 {
		var host, port []byte
		host, port, whole = hostAndPort(m[i+len(" host="):])
		e.Host, e.Port, m = name(host), name(port), m[:i]
	}
	e.names(m)
	return reading{event: e, about: true, cut: !whole}
}

// name copies a text out of the log: bounded, and valid UTF-8.
func name(b []byte) string {
	return strings.ToValidUTF8(string(b[:min(len(b), MaxName)]), "\uFFFD")
}
