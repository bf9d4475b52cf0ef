package pglog

import "time"

// Kind says what happened to a connection.
type Kind string

// The kinds of event, in the order in which a session goes through them.
const (
	// Received: a client knocked. Nothing but its address is known.
	Received Kind = "received"
	// Authenticated: the client proved an identity (PostgreSQL 14 and later).
	Authenticated Kind = "authenticated"
	// Authorized: the client was let in as a user, to a database.
	Authorized Kind = "authorized"
	// Refused: pg_hba.conf has no entry for the client, or rejects it. On Azure
	// this is also what a client sees that the firewall keeps out.
	Refused Kind = "refused"
	// TurnedAway: the server had no room for the client or was not ready, whoever
	// it is. It may be let in another time.
	TurnedAway Kind = "turned away"
	// Disconnected: a session that had been let in ended.
	Disconnected Kind = "disconnected"
)

// Local is the host of a client that comes by a Unix socket.
const Local = "[local]"

// Event is one thing that a log says of a connection. Fields that the log does
// not tell are empty. Texts hold valid UTF-8 and at most [MaxName] bytes, and
// are otherwise as the client chose them.
type Event struct {
	Kind Kind
	// Time is when the log says it happened, zero where it does not say.
	Time time.Time
	// Session is the session id (%c), or the process id where there is none.
	Session string
	// Host is the client's numeric address, [Local] for a Unix socket, or a
	// name where the server looks names up (log_hostname). An event that names
	// none gets it from the other events of its session.
	Host string
	// Port is the client's port in decimal, empty for a Unix socket.
	Port        string
	User        string
	Database    string
	Application string
	// TLS is the protocol of an encrypted connection, such as TLSv1.3; "none"
	// for an authorized connection without; empty where the log does not say.
	TLS string
	// Identity and Method belong to Authenticated: "scram-sha-256", "password".
	Identity string
	Method   string
	// Unannounced is set on the disconnection of a session whose authorization
	// was not told: it began before the log does, or before Options.Since.
	Unannounced bool
	// Ambiguous is set where the log can be read in more than one way, because a
	// name may hold " database=": User and Database are then one of the ways.
	Ambiguous bool
}

// Stats counts what was read. Every line is accounted for: it is part of an
// entry, or it is in Unreadable, Foreign or Truncated.
type Stats struct {
	Files int
	// Skipped counts files of a folder that were left aside and are no logs.
	Skipped int
	// UnreadFiles counts files of a folder that look like a log and could not be
	// read; Unread names the first [MaxNamed] of them, with the reason.
	UnreadFiles int
	Unread      []string
	// Bytes counts uncompressed bytes.
	Bytes int64
	// Entries are log entries of any kind, at or after Options.Since.
	Entries int64
	// Earlier are entries before Options.Since.
	Earlier int64
	// Unreadable counts lines that are part of no entry. Torn counts those among
	// them that may tell of a connection, and entries whose message about one is
	// cut; OtherLanguage lines and entries that are not in English.
	Unreadable, Torn, OtherLanguage int64
	// Foreign counts Azure records of other servers or other categories.
	Foreign int64
	// Namesakes counts, of Foreign, those of a server with the same name under
	// another id, for the first [MaxNamed] such ids.
	Namesakes map[string]int64
	// Unnamed counts Azure records that do not name their server. They are read.
	Unnamed int64
	// Truncated counts files that end in the middle of a line, which is not read.
	Truncated int
	// Untimed counts entries without a time, Implausible those whose time is in
	// the future or absurdly old: their events are told without one.
	Untimed, Implausible int64
	// Unjoined counts connections whose address the log does not tell.
	Unjoined int64
	// Contested counts sessions that are said to come from two addresses, after
	// one of them was told.
	Contested int64
	// Embedded counts connection messages that stand within another message,
	// where a client may have put them.
	Embedded int64
	// ForgeablePrefix is a log_line_prefix with names in it that clients choose,
	// by which entries were read; empty where there was none.
	ForgeablePrefix string
	// Unended counts sessions that began before Options.Since, in a log that does
	// not tell when sessions end.
	Unended int64
	// Events counts events by kind.
	Events map[Kind]int64
	// First and Last are the times of the earliest and the latest entry.
	First, Last time.Time
	// Hours are the hours, as Unix time over 3600, in which somebody was let in:
	// proof that connections were being logged. At most [MaxHours].
	Hours map[int64]Hour
	// AssumedZone is the first time zone abbreviation other than UTC and GMT that
	// was met. An abbreviation is not a zone: such times were taken for UTC.
	AssumedZone string
}

// Hour says when somebody was first and last let in within an hour, in seconds
// from its beginning.
type Hour struct{ First, Last uint16 }

// proof notes that somebody was let in at a time, and so that connections were
// being logged then.
func (s *Stats) proof(t time.Time) {
	const hour = 3600
	at := t.Unix() / hour
	second := uint16(t.Unix() % hour) //nolint:gosec // a plausible time is after 1970
	h, ok := s.Hours[at]
	switch {
	case !ok && len(s.Hours) >= MaxHours:
		return
	case !ok:
		h = Hour{second, second}
	default:
		h = Hour{min(h.First, second), max(h.Last, second)}
	}
	s.Hours[at] = h
}

// entry widens the window of the log.
func (s *Stats) entry(t time.Time) {
	if t.IsZero() {
		return
	}
	if s.First.IsZero() || t.Before(s.First) {
		s.First = t
	}
	if t.After(s.Last) {
		s.Last = t
	}
}

// unread names a file that looks like a log and was not read.
func (s *Stats) unread(path, why string) {
	s.UnreadFiles++
	if len(s.Unread) < MaxNamed {
		s.Unread = append(s.Unread, path+" ("+why+")")
	}
}

// namesake counts a record of a server with the same name and another id.
func (s *Stats) namesake(id string) {
	if _, known := s.Namesakes[id]; known || len(s.Namesakes) < MaxNamed {
		s.Namesakes[id]++
	}
}
