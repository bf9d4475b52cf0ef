// Package pgactivity watches who is connected to a live PostgreSQL server: it
// samples pg_stat_activity and adds what it sees up to sightings. It only ever
// reads, in a session of its own whose statements are read-only and end after
// seconds. It knows nothing of firewalls, of what an address means, of Azure, of
// logs or of reports.
//
// A sample shows who is connected at a moment, and nothing between two moments;
// [Result.Limits] says what a watch could not see.
//
// A password is taken from where libpq takes it, handed to the server, and kept
// nowhere else: it is in no result and no error. What a server sends is hostile
// input. None of it is ever part of an error, and of a result only the names of
// users, databases and applications are, which are as the clients chose them:
// whoever prints them must escape them.
package pgactivity

import "time"

// The bounds on time and memory.
const (
	// MinInterval is the shortest time between two samples.
	MinInterval = 100 * time.Millisecond
	// DefaultInterval is the time between two samples unless told otherwise.
	DefaultInterval = time.Second
	// MaxSightings is how many sightings are told apart, and how many sessions
	// of one sample are looked at. What is past it is counted as Dropped.
	MaxSightings = 1 << 16
	// MaxName is how many bytes of a name are kept. PostgreSQL's own limit is 63
	// (NAMEDATALEN in src/include/pg_config_manual.h).
	MaxName = 255

	// connectPatience is how long connecting may take, with all addresses of a
	// host and the login, unless the connection string's connect_timeout says.
	connectPatience = 10 * time.Second
	// answerPatience is how long an answer may take; the server itself gives up
	// after five seconds (statement_timeout in session.go).
	answerPatience = 10 * time.Second
	// maxBackoff is the longest wait between two tries to connect again.
	maxBackoff = 30 * time.Second
	// maxMessage bounds one message of the server, in bytes. A row of an answer
	// holds five short texts.
	maxMessage = 1 << 20
)
