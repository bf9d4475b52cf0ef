package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/posternhq/postern/arm"
	"github.com/posternhq/postern/fix"
	fixazure "github.com/posternhq/postern/fix/azure"
	"github.com/posternhq/postern/fix/change"
	"github.com/posternhq/postern/fix/journal"
	"github.com/posternhq/postern/report"
	"github.com/posternhq/postern/rule/shell"
)

func newFix(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fix",
		Short: "Close a door without an outage: plan, apply, verify, undo",
		Long: `Plan how a door is closed, look at the plan, carry it out, and take it back.

Nothing is changed but by ` + "`fix apply`, `fix resume` and `fix undo`" + `. Each writes down
what it is about to do before it does it, so that whatever was interrupted can be
told, gone on with, or taken back. docs/close-a-door.md walks through it.`,
	}
	cmd.AddCommand(newFixPlan(env), newFixShow(env), newFixApply(env), newFixStatus(env), newFixVerify(env), newFixResume(env), newFixUndo(env))
	return cmd
}

// journalDir is where journals are kept: the flag's folder, or the place that the
// XDG base directory specification has for what a program must remember.
func journalDir(env Env, flag string) (string, error) {
	if flag != "" {
		return flag, nil
	}
	if state := env.getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "postern", "journal"), nil
	}
	if home := env.getenv("HOME"); home != "" {
		return filepath.Join(home, ".local", "state", "postern", "journal"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", errors.New("find a place for the journal: there is no home directory; give one with --journal")
	}
	return filepath.Join(home, ".local", "state", "postern", "journal"), nil
}

// readPlan reads and checks a plan's file.
func readPlan(path string, stdin io.Reader) (*fix.Plan, error) {
	in := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("open the plan: %w", err)
		}
		defer func() { _ = f.Close() }() // nothing was written
		in = f
	}
	plan, err := fix.Read(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return plan, nil
}

// acting holds the flags of the commands that change Azure.
type acting struct {
	source   source
	journal  string
	yes      bool
	format   string
	parallel int
	// poll, settle and deadline are lengths of time, as they were given.
	poll, settle, deadline string
	follow                 follow
}

// addReading adds the flags of a command that changes nothing.
func (a *acting) addReading(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&a.source.cloud, "cloud", "public", "which Azure: public, usgov, china, or the URL of an ARM endpoint")
	a.source.concurrency = arm.DefaultConcurrency
	f.StringVar(&a.journal, "journal", "", "the folder of journals (default ~/.local/state/postern/journal)")
	f.StringVarP(&a.format, "format", "f", "text", "how to write the result: text, json")
	a.parallel, a.poll, a.settle, a.deadline = 4, "5s", "5m", "10m"
}

func (a *acting) addFlags(cmd *cobra.Command) {
	a.addReading(cmd)
	f := cmd.Flags()
	f.BoolVarP(&a.yes, "yes", "y", false, "do not ask")
	f.IntVar(&a.parallel, "parallel", 4, "how many servers are changed at once, 1 to 64; one server is changed by one step at a time")
	f.StringVar(&a.poll, "poll", "5s", "the pause between two looks at a server")
	f.StringVar(&a.settle, "settle", "5m", "how long a change may take to show; Azure says five minutes")
	f.StringVar(&a.deadline, "deadline", "10m", "how long one step may take, a busy server included")
}

func (a *acting) check(env Env) error {
	if !slices.Contains([]string{"text", "json"}, a.format) {
		return usagef("--format %q is not one of text, json", a.format)
	}
	if a.parallel < 1 || a.parallel > 64 {
		return usagef("--parallel %d is not between 1 and 64", a.parallel)
	}
	for name, value := range map[string]string{"poll": a.poll, "settle": a.settle, "deadline": a.deadline} {
		if _, err := parseSpan(value); err != nil {
			return usagef("--%s %w", name, err)
		}
	}
	return a.follow.check(env)
}

// options are those of a run, with its audit lines going to stderr as they come.
func (a *acting) options(cmd *cobra.Command, env Env, plan *fix.Plan) (change.Options, error) {
	dir, err := journalDir(env, a.journal)
	if err != nil {
		return change.Options{}, err
	}
	l, err := a.source.live(cmd.Context(), env)
	if err != nil {
		return change.Options{}, err
	}
	var mu sync.Mutex
	o := change.Options{
		Cloud: fixazure.New(l.cloud, l.client()), Dir: dir, Now: env.Now, Parallel: a.parallel,
		Progress: func(e change.Event) {
			mu.Lock()
			defer mu.Unlock()
			tellEvent(env.Err, e)
		},
	}
	// They were checked.
	o.Poll, _ = parseSpan(a.poll)
	o.Settle, _ = parseSpan(a.settle)
	o.Deadline, _ = parseSpan(a.deadline)
	a.follow.into(&o, plan, func(s fix.Server, text string) { o.Progress(change.Event{At: env.Now(), Server: &s, Text: text}) })
	return o, nil
}

// tellEvent tells what happens. What is worth a record is an audit line; who acts is
// the same in all of a run, and said with its first.
func tellEvent(out io.Writer, e change.Event) {
	r := journal.Record{At: e.At, What: e.Text}
	if e.Server != nil {
		r.Server = e.Server.ID
	}
	if e.Record != nil {
		r = *e.Record
		if r.Kind != journal.Begun && r.Kind != journal.Resumed {
			r.Who = ""
		}
	}
	fmt.Fprintln(out, report.AuditLine(r))
}

// approve asks once, on a terminal. Anywhere else it takes --yes.
func (a *acting) approve(cmd *cobra.Command, env Env, question string, show func(io.Writer) error) error {
	if a.yes {
		return nil
	}
	in, terminal := cmd.InOrStdin().(*os.File)
	if !terminal || !isTerminal(in) {
		return usagef("this changes Azure, and nobody can be asked here: look at it with `postern fix show` or `postern fix status`, then give --yes")
	}
	if err := show(env.styled(env.Err)); err != nil {
		return err
	}
	fmt.Fprintf(env.Err, "%s Type yes to go on: ", question)
	var answer string
	if _, err := fmt.Fscanln(in, &answer); err != nil || !strings.EqualFold(answer, "yes") {
		return errors.New("nothing was changed: the answer was not yes")
	}
	return nil
}

// tell writes the result, and turns it into an exit code, nil for 0.
func (a *acting) tell(env Env, res change.Result, complete bool) (told, code error) {
	if a.format == "json" {
		told = report.ChangeJSON(env.Out, res)
	} else {
		told = report.ChangeText(env.styled(env.Out), width(env.Out), res, a.flags())
	}
	switch {
	case complete:
		return told, nil
	case unclear(res):
		return told, exitCode(ExitUnknown)
	default:
		return told, exitCode(ExitFailed)
	}
}

// allDone reports whether every server is done, those that could not be changed too.
func allDone(res change.Result) bool {
	return res.Complete() && !slices.ContainsFunc(res.Servers, func(s change.ServerResult) bool { return s.Outcome == change.Blocked })
}

// settled reports whether every server is where its change, or undoing it, leads.
func settled(res change.Result) bool {
	return allDone(res) || res.TakenBack() || !slices.ContainsFunc(res.Servers, func(s change.ServerResult) bool {
		return s.Outcome != change.Done && s.Outcome != change.Undone || len(s.Alarms) > 0
	})
}

// takenBack reports whether what was asked to be undone is: one server, or all.
func takenBack(target string) func(change.Result) bool {
	return func(res change.Result) bool {
		for _, s := range res.Servers {
			if strings.EqualFold(s.Server.Name, target) || strings.EqualFold(s.Server.ID, target) {
				return s.Outcome == change.Undone
			}
		}
		return res.TakenBack()
	}
}

// flags are those that a later command needs to find the same cloud and journals.
func (a *acting) flags() string {
	var b strings.Builder
	if a.source.cloud != "public" {
		b.WriteString(" --cloud " + shell.Bash.Quote(a.source.cloud))
	}
	if a.journal != "" {
		b.WriteString(" --journal " + shell.Bash.Quote(a.journal))
	}
	return b.String()
}

// unclear reports whether some server's state is not known, or a run was cut short.
func unclear(res change.Result) bool {
	return slices.ContainsFunc(res.Servers, func(s change.ServerResult) bool { return s.Unclear || s.Outcome == change.Interrupted })
}
