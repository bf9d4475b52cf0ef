package cli

import (
	"fmt"

	"github.com/posternhq/postern/rule"
	"github.com/posternhq/postern/scan"
)

// The exit codes, a contract with scripts: docs/scripting.md.
const (
	// ExitOK: nothing failed, and everything was read.
	ExitOK = 0
	// ExitError: the command could not do its work.
	ExitError = 1
	// ExitUsage: the command line is wrong.
	ExitUsage = 2
	// ExitFailed: a rule failed at or above the --fail-on severity.
	ExitFailed = 3
	// ExitUnknown: nothing failed, and something is unknown: a verdict, a part
	// of Azure that could not be read, or a scan that was interrupted.
	ExitUnknown = 4
)

// exitMeanings says each code in words.
var exitMeanings = map[exitCode]string{
	ExitOK:      "nothing failed, and everything was read",
	ExitError:   "it could not run",
	ExitUsage:   "wrong usage",
	ExitFailed:  "something failed",
	ExitUnknown: "nothing failed, but something is unknown",
}

// exitCode is a result that a command has told already; only its number is left.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// unknownError is an answer that could not be given because something was not
// read: not a failure of the command, and not a no.
type unknownError struct{ err error }

func (u *unknownError) Error() string { return u.err.Error() }
func (u *unknownError) Unwrap() error { return u.err }

// usageError is a mistake in the command line that cobra cannot see.
type usageError struct{ err error }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

func (u *usageError) Error() string { return u.err.Error() }
func (u *usageError) Unwrap() error { return u.err }

// outcome turns what a scan found into its exit code.
func outcome(s scan.Summary, failOn rule.Level) error {
	for level, n := range s.BySeverity {
		if n > 0 && level.AtLeast(failOn) {
			return exitCode(ExitFailed)
		}
	}
	if !s.Complete() {
		return exitCode(ExitUnknown)
	}
	return nil
}
