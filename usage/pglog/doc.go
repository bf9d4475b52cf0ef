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
// Memory does not grow with the log: an entry is kept up to [MaxEntry] bytes, a
// name up to [MaxName], and at most [MaxSessions] sessions are open at a time.
package pglog

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
)
