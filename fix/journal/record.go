package journal

import (
	"time"

	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/fix"
)

// Version is the version of the format, in the first record of every journal.
// Within v1 fields are added and never removed, renamed or given another meaning,
// and the kinds are a closed list.
const Version = "postern.journal/v1"

const versionPrefix = "postern.journal/v"

// Kind says what a record tells.
type Kind string

// The kinds.
const (
	// Begun is the first record: the plan, and how it is carried out.
	Begun Kind = "begun"
	// Resumed is the beginning of a later run on the same change.
	Resumed Kind = "resumed"
	// Recovered tells that the end of the file was damaged and set aside.
	Recovered Kind = "recovered"
	// Started is the first reading of a server, with its doors before.
	Started Kind = "started"
	// Intent comes before every act. It is on disk before the act is begun.
	Intent Kind = "intent"
	// Outcome comes after the act, with what was read back.
	Outcome Kind = "outcome"
	// Found tells how many steps a server shows where the journal could not say.
	Found Kind = "found"
	// Verified ends a server that was changed: its doors were judged again.
	Verified Kind = "verified"
	// Stopped tells why a server was left where it is.
	Stopped Kind = "stopped"
	// CanaryWaiting and CanaryPassed stand around the wait after the canary.
	CanaryWaiting Kind = "canary waiting"
	CanaryPassed  Kind = "canary passed"
	// CanaryFailed tells why the other servers were left untouched.
	CanaryFailed Kind = "canary failed"
	// Alarm is a refusal of a client that the plan did not give up.
	Alarm Kind = "alarm"
	// Watched ends the watch over a server.
	Watched Kind = "watched"
	// Undoing begins the way back of a server, Undone ends it.
	Undoing Kind = "undoing"
	Undone  Kind = "undone"
	// Ended is the end of a run, whatever it achieved.
	Ended Kind = "ended"
)

var kinds = map[Kind]bool{
	Begun: true, Resumed: true, Recovered: true, Started: true, Intent: true, Outcome: true, Found: true,
	Verified: true, Stopped: true, CanaryWaiting: true, CanaryPassed: true, CanaryFailed: true, Alarm: true,
	Watched: true, Undoing: true, Undone: true, Ended: true,
}

// Effect says what an act led to.
type Effect string

// The effects.
const (
	// InEffect: the server was read back and shows it.
	InEffect Effect = "in effect"
	// NoEffect: the act failed, and the server did not show it for as long as
	// such a change may take.
	NoEffect Effect = "no effect"
	// Unclear: it could not be found out.
	Unclear Effect = "unclear"
)

// Record is one line of a journal. [Journal.Append] fills in Version, Seq, At,
// Change and Who; the checksum is not part of it.
type Record struct {
	// Version stands in the first record only.
	Version string    `json:"version,omitempty"`
	Seq     int       `json:"seq"`
	At      time.Time `json:"at"`
	Change  string    `json:"change"`
	Kind    Kind      `json:"kind"`
	// Who is the principal that acts, never its token.
	Who string `json:"who"`
	// What says it in a sentence. Names in it are quoted and safe to show.
	What string `json:"what"`
	// Server is the ARM id of the server that it is about.
	Server string `json:"server,omitempty"`
	// Step is the step of the plan, from 1; with Undo it is the one that is taken
	// back. With Found it is how many steps are in effect.
	Step int     `json:"step,omitempty"`
	Undo bool    `json:"undo,omitempty"`
	Act  fix.Act `json:"act,omitempty"`
	// Rule is the ARM id of the firewall rule.
	Rule string `json:"rule,omitempty"`
	// Before is the rule as it was read just before the act, After as it was read
	// back. Absent means that there was no such rule.
	Before *fix.Rule `json:"before,omitempty"`
	After  *fix.Rule `json:"after,omitempty"`
	Effect Effect    `json:"effect,omitempty"`
	Error  string    `json:"error,omitempty"`
	// Doors are the server's doors as judged from what was read.
	Doors []Door `json:"doors,omitempty"`
	// Differences are what moved or did not come back, a sentence each.
	Differences []string `json:"differences,omitempty"`
	// Notes are what a person should know besides, a sentence each.
	Notes []string `json:"notes,omitempty"`
	// Refusal is the connection that an alarm is about.
	Refusal *Refusal `json:"refusal,omitempty"`
	// Damage is what was lost, in a record that tells of a recovery.
	Damage *Damage `json:"damage,omitempty"`
	// Plan and Settings stand in the first record.
	Plan     *fix.Plan `json:"plan,omitempty"`
	Settings *Settings `json:"settings,omitempty"`
}

// Door is what a door of a server was when it was judged.
type Door struct {
	Kind   exposure.Kind  `json:"kind"`
	State  exposure.State `json:"state"`
	Reason string         `json:"reason,omitempty"`
}

// Refusal is a connection that a server refused because no rule admits it.
type Refusal struct {
	// At is when, as the server says; zero when it does not.
	At       time.Time `json:"at"`
	Address  string    `json:"address"`
	User     string    `json:"user,omitempty"`
	Database string    `json:"database,omitempty"`
}

// Settings are how a plan is carried out, so that a later run goes on in the same
// way.
type Settings struct {
	// Canary is how many servers go first, 0 for none.
	Canary int `json:"canary,omitempty"`
	// CanaryWait is how long they are left before the others follow.
	CanaryWait time.Duration `json:"canary_wait_ns,omitempty"`
}
