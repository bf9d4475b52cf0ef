package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/posternhq/postern/arm"
	"github.com/posternhq/postern/azuresim"
)

// demoServer is the one that the demo explains: the door stands open under a
// name that says something else.
const demoServer = "billing-db"

func newDemo(env Env) *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Find a door on a small local Azure, see who uses it, close it, and open it again",
		Long: `Start a local Azure with a small estate (all three generations, every kind of
door, one server whose rules are denied) and tell the whole story on it: scan it,
explain one server, see who uses the azure door of another, plan closing it, apply the
plan, scan again, and undo. Nothing leaves this machine.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDemo(cmd.Context(), env) },
	}
}

func runDemo(ctx context.Context, env Env) error {
	sim, err := azuresim.New(azuresim.Demo(), azuresim.Options{Now: env.Now})
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	serving, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- serve(serving, listener, sim) }()

	base := "http://" + listener.Addr().String()
	err = tellDemo(ctx, env, base, sim.Token(base, "you@contoso.example"))
	stop()
	return errors.Join(err, <-ended)
}

// teller runs commands as a person would type them, and shows both.
type teller struct {
	ctx   context.Context //nolint:containedctx // it is one story
	env   Env
	cloud string
	err   error
}

func tellDemo(ctx context.Context, env Env, cloud, token string) error {
	dir, err := os.MkdirTemp("", "postern-demo-")
	if err != nil {
		return fmt.Errorf("make a place for the demo's plan: %w", err)
	}
	local := env
	local.Environ = append(slices.Clone(env.Environ), arm.TokenVariable+"="+token)
	t := &teller{ctx: ctx, env: local, cloud: cloud}
	t.story(dir)
	return errors.Join(t.err, os.RemoveAll(dir))
}

func (t *teller) story(dir string) {
	const quick = "--poll=200ms"
	door := path.Base(azuresim.DemoServer)
	plan, journal := filepath.Join(dir, "plan.json"), "--journal="+filepath.Join(dir, "journal")
	t.say("A local Azure is up: three subscriptions, three generations of PostgreSQL.")
	t.run(nil, "scan")
	t.run(nil, "explain", demoServer)
	t.say("Everyone can find this door. Who walks through that of %s? Its log of a month is in a workspace.", door)
	t.run(nil, "usage", door, "--workspace", azuresim.DemoWorkspace, "--since", "30d")
	t.say("Two of those clients are ours, and one is a stranger. Plan to keep ours and shut the door.")
	t.run(nil, "fix", "plan", door, "--workspace", azuresim.DemoWorkspace, "--since", "30d", "-o", plan)
	t.say("Carry it out. Each line is in the journal before the act.")
	t.run(nil, "fix", "apply", plan, "--yes", journal, quick)
	t.say("What a scan says of %s now:", door)
	t.run(lineAbout(door), "scan")
	t.say("And take it back: everything as it was.")
	t.run(nil, "fix", "undo", door, "--yes", journal, quick)
	t.run(lineAbout(door), "scan")
	t.say(`What to try next (with "go run ./cmd/postern" for "postern" where it is not installed):
  postern rules show mhu-w8j-px0        the rule: why, what closing it breaks, how to close it
  postern sim                           keep a local Azure running, and break it on purpose (--fault)
  postern guard                         the Azure Policy that keeps the door closed
  az login && postern scan              your own Azure: Reader is enough, and a scan changes nothing
docs/close-a-door.md walks through the same on your own Azure.`)
}

func (t *teller) say(format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.env.Out, format+"\n\n", args...)
	}
}

// run runs one command. Only, when set, picks the lines of its output that are shown.
func (t *teller) run(only func(line string) bool, args ...string) {
	if t.err != nil {
		return
	}
	if t.err = t.ctx.Err(); t.err != nil {
		return
	}
	trimmed := ""
	if only != nil {
		trimmed = "   (trimmed)"
	}
	t.say("$ postern %s --cloud %s%s", strings.Join(args, " "), t.cloud, trimmed)
	env := t.env
	var out bytes.Buffer
	if only != nil {
		env.Out = &out
	}
	// What goes to a terminal's stderr elsewhere is part of the story here.
	env.Err = env.Out
	code := exitCode(Run(t.ctx, append(args, "--cloud", t.cloud), env))
	for line := range strings.Lines(out.String()) {
		if only(line) {
			fmt.Fprint(t.env.Out, line)
		}
	}
	if code == ExitError || code == ExitUsage {
		t.err = fmt.Errorf("tell the demo's story: `postern %s` ended with exit code %d", strings.Join(args, " "), int(code))
		return
	}
	t.say("\n(exit code %d: %s)", int(code), meaningOf(code, args))
}

// meaningOf says a code in words. For fix, 0 means more than it does for a scan.
func meaningOf(code exitCode, args []string) string {
	switch {
	case code == ExitOK && args[0] == "fix":
		return "done"
	case code == ExitFailed && args[0] == "usage":
		return "clients would be cut off"
	case code == ExitOK && args[0] != "scan":
		return "all of it is known"
	}
	return exitMeanings[code]
}

// lineAbout picks the lines of a scan that name a server, and its summary.
func lineAbout(server string) func(string) bool {
	return func(line string) bool {
		return strings.Contains(line, " "+server+" ") || strings.Contains(line, " subscriptions: ")
	}
}
