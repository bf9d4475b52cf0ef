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
	// is not in the log: it began before the log does.
	Unannounced bool
}

// Stats counts what was read. Every line is accounted for: it is part of an
// entry, or it is in Unreadable, Foreign or Truncated.
type Stats struct {
	Files int
	// Skipped counts files of a folder that were left aside for their names.
	Skipped int
	// Bytes counts uncompressed bytes.
	Bytes int64
	// Entries are log entries of any kind, at or after Options.Since.
	Entries int64
	// Earlier are entries before Options.Since.
	Earlier int64
	// Unreadable counts lines that are part of no entry.
	Unreadable int64
	// Foreign counts Azure records of other servers or other categories.
	Foreign int64
	// Truncated counts files that end in the middle of a line, which is not read.
	Truncated int
	// Untimed counts entries without a time.
	Untimed int64
	// Unjoined counts authorized connections whose address the log does not tell.
	Unjoined int64
	// Events counts events by kind.
	Events map[Kind]int64
	// First and Last are the times of the earliest and the latest entry.
	First, Last time.Time
	// Hours are the hours, as Unix time over 3600, in which there is any entry;
	// at most [MaxHours] of them.
	Hours map[int64]struct{}
	// AssumedZone is the first time zone abbreviation other than UTC and GMT that
	// was met. An abbreviation is not a zone: such times were taken for UTC.
	AssumedZone string
}

// MaxHours bounds Stats.Hours: more than eleven years of log.
const MaxHours = 100_000
