package change

import (
	"fmt"
	"slices"

	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/fix/journal"
)

// Outcome is how far a server got.
type Outcome string

// The outcomes.
const (
	// Done: every step is in effect, and the planned doors were read to be closed.
	Done Outcome = "done"
	// Undone: the rules are what they were before, read back and compared.
	Undone Outcome = "undone"
	// UndoneInPart: what could be taken back was; the differences say what did not
	// come back as it was, and the notes what was left because others changed it.
	UndoneInPart Outcome = "undone with differences"
	// Blocked: the plan says that this server cannot be changed.
	Blocked Outcome = "blocked"
	// Drifted: the server is not what the plan or the journal says; it was left
	// where it was.
	Drifted Outcome = "drifted"
	// Held: another run is changing this server.
	Held Outcome = "held by another run"
	// Failed: something could not be read or done.
	Failed Outcome = "failed"
	// Interrupted: the run was told to end.
	Interrupted Outcome = "interrupted"
	// Untouched: nothing was begun.
	Untouched Outcome = "untouched"
)

// Result is what a run came to.
type Result struct {
	// Change names the change, and its journal.
	Change string `json:"change"`
	// Servers are in the order of the plan.
	Servers []ServerResult `json:"servers"`
	// CanaryFailed says why the servers after the canary were left untouched.
	CanaryFailed string `json:"canary_failed,omitempty"`
}

// ServerResult is what became of one server.
type ServerResult struct {
	Server  fix.Server `json:"server"`
	Outcome Outcome    `json:"outcome"`
	// Reason says in a sentence why it is not Done or Undone.
	Reason string `json:"reason,omitempty"`
	// Differences are what moved or did not come back, a sentence each.
	Differences []string `json:"differences,omitempty"`
	// Notes are what a person should know besides.
	Notes []string `json:"notes,omitempty"`
	// Unwatched says why the watch of this run does not show that all is well: it
	// broke off. The server is Done, and the change not complete.
	Unwatched string `json:"unwatched,omitempty"`
	// Steps is how many steps the plan has, InEffect how many of them are in
	// effect, the first ones. Unclear is set when later ones may be as well.
	Steps    int  `json:"steps"`
	InEffect int  `json:"in_effect"`
	Unclear  bool `json:"unclear,omitempty"`
	// DoorsBefore and DoorsAfter are as judged from what was read before the first
	// step, and by this run last; empty when it was not read.
	DoorsBefore []journal.Door `json:"doors_before,omitempty"`
	DoorsAfter  []journal.Door `json:"doors_after,omitempty"`
	// Expected counts refusals of clients that the plan cuts off, Alarms are those
	// of any others, one for each address.
	Expected int       `json:"refusals_expected,omitempty"`
	Alarms   []Refusal `json:"alarms,omitempty"`
}

// Complete reports whether every server that the plan does not block is Done, and
// was watched to the end if it was to be.
func (r Result) Complete() bool { return r.all(Done) && r.CanaryFailed == "" }

// TakenBack reports whether every server is as it was.
func (r Result) TakenBack() bool { return r.all(Undone, Untouched) }

func (r Result) all(outcomes ...Outcome) bool {
	return !slices.ContainsFunc(r.Servers, func(s ServerResult) bool {
		return s.Outcome != Blocked && (!slices.Contains(outcomes, s.Outcome) || s.Outcome == Done && (len(s.Alarms) > 0 || s.Unwatched != ""))
	})
}

// Next are the commands to go on with, the likeliest first.
func (r Result) Next() []string { return next(r.Change, !r.Complete()) }

func next(change string, unfinished bool) []string {
	commands := []string{"postern fix status " + change}
	if unfinished {
		commands = append(commands, "postern fix resume "+change)
	}
	return append(commands, "postern fix undo "+change)
}

// RefusedError says that a change was not begun, or not gone on with. Nothing was
// changed.
type RefusedError struct {
	Reason string
	// Hint says what to do about it.
	Hint string
}

// Error is the reason with the hint.
func (e *RefusedError) Error() string {
	if e.Hint == "" {
		return e.Reason
	}
	return e.Reason + "; " + e.Hint
}

func refuse(hint, format string, args ...any) error {
	return &RefusedError{Reason: fmt.Sprintf(format, args...), Hint: hint}
}

// stop is why a server is left where it is.
type stop struct {
	outcome     Outcome
	reason      string
	differences []string
}

func (s *stop) Error() string { return s.reason }
