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
	sayAuthenticated = []byte("connection authenticated: identity=\"")
	sayAuthorized    = []byte("connection authorized: user=")
	sayReplication   = []byte("replication connection authorized: user=")
	sayNoEntry       = []byte("no pg_hba.conf entry for ")
	sayRejects       = []byte("pg_hba.conf rejects ")
	sayDisconnection = []byte("disconnection: session time: ")
)

// parseMessage reads the text of an entry. It reports false for everything that
// is not about a connection.
func parseMessage(severity string, m []byte) (Event, bool) {
	// A message goes on for lines only where someone put a line break into a
	// name: what follows the first is not PostgreSQL's.
	if i := bytes.IndexByte(m, '\n'); i >= 0 {
		m = m[:i]
	}
	switch severity {
	case "LOG":
		if rest, ok := bytes.CutPrefix(m, sayReceived); ok {
			return received(rest)
		}
		if rest, ok := bytes.CutPrefix(m, sayAuthorized); ok {
			return authorized(rest, true)
		}
		if rest, ok := bytes.CutPrefix(m, sayReplication); ok {
			return authorized(rest, false)
		}
		if rest, ok := bytes.CutPrefix(m, sayDisconnection); ok {
			return disconnected(rest)
		}
		if rest, ok := bytes.CutPrefix(m, sayAuthenticated); ok {
			return authenticated(rest)
		}
	case "FATAL":
		if rest, ok := bytes.CutPrefix(m, sayNoEntry); ok {
			return refused(rest)
		}
		if rest, ok := bytes.CutPrefix(m, sayRejects); ok {
			return refused(rest)
		}
	}
	return Event{}, false
}

// received reads "IP port=N" and "[local]". Azure's Single Server adds " pid=N".
func received(m []byte) (Event, bool) {
	host, port, _ := bytes.Cut(m, []byte(" port="))
	port, _, _ = bytes.Cut(port, []byte(" "))
	return Event{Kind: Received, Host: name(host), Port: name(port)}, len(host) > 0
}

// authorized reads "U database=D application_name=A SSL enabled (…)", of which
// only the user is always there: application_name since PostgreSQL 12, and a
// replication connection names no database. The application's name comes last
// of the three and is the easiest to choose freely, so it is cut from the end.
func authorized(m []byte, database bool) (Event, bool) {
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
	rest := m
	if database {
		user, after, ok := bytes.Cut(m, []byte(" database="))
		if !ok {
			return Event{}, false
		}
		e.User, rest = name(user), after
	}
	first, application, _ := bytes.Cut(rest, []byte(" application_name="))
	e.Application = name(application)
	if database {
		e.Database = name(first)
	} else {
		e.User = name(first)
	}
	return e, true
}

// authenticated reads `I" method=M (/path/pg_hba.conf:12)`.
func authenticated(m []byte) (Event, bool) {
	i := bytes.LastIndex(m, []byte("\" method="))
	if i < 0 {
		return Event{}, false
	}
	method, _, _ := bytes.Cut(m[i+len("\" method="):], []byte(" "))
	return Event{Kind: Authenticated, Identity: name(m[:i]), Method: name(method)}, true
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
func disconnected(m []byte) (Event, bool) {
	_, m, ok := bytes.Cut(m, []byte(" user="))
	if !ok {
		return Event{}, false
	}
	i := bytes.LastIndex(m, []byte(" host="))
	if i < 0 {
		return Event{}, false
	}
	host, port, _ := bytes.Cut(m[i+len(" host="):], []byte(" port="))
	user, database, _ := bytes.Cut(m[:i], []byte(" database="))
	return Event{Kind: Disconnected, Host: name(host), Port: name(port), User: name(user), Database: name(database)}, len(host) > 0
}

// name copies a text out of the log: bounded, and valid UTF-8.
func name(b []byte) string {
	return strings.ToValidUTF8(string(b[:min(len(b), MaxName)]), "\uFFFD")
}
