// Package cli is Postern's command line: one file a command, each a thin layer
// over the library. A command is given its context, streams, environment and
// clock, so that all of it can be called from a test or another program.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/term"

	"github.com/posternhq/postern/report"
)

// Env is everything a command may touch of the world around it.
type Env struct {
	Out, Err io.Writer
	// Environ holds KEY=value pairs, as os.Environ gives them.
	Environ []string
	Now     func() time.Time
}

// System is the environment of this process.
func System() Env {
	return Env{Out: os.Stdout, Err: os.Stderr, Environ: os.Environ(), Now: time.Now}
}

// Run runs one command line, without the program's name, and returns the exit
// code that docs/scripting.md documents.
func Run(ctx context.Context, args []string, env Env) int {
	root, started := newRoot(env)
	root.SetArgs(args)
	root.SetOut(env.Out)
	root.SetErr(env.Err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return ExitOK
	}
	var code exitCode
	if errors.As(err, &code) {
		return int(code)
	}
	if errors.Is(err, syscall.EPIPE) {
		return ExitError // whoever read has gone away, and knows
	}
	for line := range strings.SplitSeq("postern: "+err.Error(), "\n") {
		fmt.Fprintln(env.Err, report.Plain(line))
	}
	if errors.As(err, new(*unknownError)) {
		return ExitUnknown
	}
	var usage *usageError
	if errors.As(err, &usage) || !*started {
		// What cobra refuses before a command starts is a wrong command line.
		fmt.Fprintln(env.Err, "Run the command with --help to see what it takes.")
		return ExitUsage
	}
	return ExitError
}

// getenv reads one variable of the environment.
func (e Env) getenv(name string) string {
	var value string
	for _, pair := range e.Environ {
		if len(pair) > len(name) && pair[:len(name)] == name && pair[len(name)] == '=' {
			value = pair[len(name)+1:]
		}
	}
	return value
}

// styled is out with colours on a terminal that shows them and without anywhere
// else; NO_COLOR is honoured.
func (e Env) styled(out io.Writer) io.Writer {
	return colorprofile.NewWriter(out, e.Environ)
}

// width is how many columns a terminal has, and 0 for anything else.
func width(out io.Writer) int {
	const widest = 120
	if f, ok := out.(*os.File); ok && term.IsTerminal(f.Fd()) {
		if columns, _, err := term.GetSize(f.Fd()); err == nil {
			return min(columns, widest)
		}
	}
	return 0
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(f.Fd())
}
