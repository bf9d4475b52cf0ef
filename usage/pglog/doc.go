// Package pglog turns the bytes of PostgreSQL's logs into connection events:
// who came from where, as whom, and was let in or not. It reads the formats that
// PostgreSQL writes (stderr with any log_line_prefix, csvlog, jsonlog) and the
// one in which Azure exports them. It knows nothing of Azure's firewall, of what
// an address means, or of reports.
//
// Logs are hostile input: user, database and application names are chosen by
// whoever connects, before any password is asked for. In csvlog and jsonlog they
// are quoted and cannot forge an entry; in stderr a log_line_prefix with %u, %d
// or %a puts them where an entry begins, and a stranger can write a line that
// was never logged. PostgreSQL's messages are recognised in English only.
//
// Who was there is told generously, and what was not seen is counted: an event
// whose address is in doubt is told without one, and [Stats] names everything
// that may keep a connection from being seen.
//
// Memory does not grow with the log: an entry is kept up to [MaxEntry] bytes, a
// name up to [MaxName], and at most [MaxSessions] sessions are open at a time.
package pglog

import "time"

// The bounds on what is held in memory.
const (
	// MaxEntry is how many bytes of one entry are kept. The rest of a longer one
	// is read and dropped. That loses nothing in stderr and csvlog, where
	// connection messages are short and stand at the beginning; a longer JSON
	// line counts as unreadable.
	MaxEntry = 1 << 20
	// MaxName is how many bytes of a name are kept. PostgreSQL's own limit is 63
	// (NAMEDATALEN in src/include/pg_config_manual.h); host names reach 255.
	MaxName = 255
	// MaxSessions is how many sessions are remembered between their first line
	// and their last. Past it the one that began first is forgotten: if it was
	// still open, its disconnection later counts as a connection of its own.
	MaxSessions = 1 << 16
	// MaxHours bounds Stats.Hours: more than eleven years of log.
	MaxHours = 100_000
	// MaxNamed bounds the lists of names in [Stats].
	MaxNamed = 16
)

// The bounds on what is believed of time.
const (
	// maxAge is how old an entry may be before its time is implausible: Azure
	// has offered PostgreSQL since 2017.
	maxAge = 10 * 365 * 24 * time.Hour
	// maxAhead is how far in the future an entry may lie: clocks differ by
	// little, and an abbreviation of a zone that was taken for UTC by 14 hours.
	maxAhead = 24 * time.Hour
	// handshake is how long after "connection received" a client can be let in:
	// the default of authentication_timeout.
	handshake = time.Minute
)
