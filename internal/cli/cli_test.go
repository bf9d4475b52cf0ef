package cli_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"github.com/posternhq/postern/azuresim"
	"github.com/posternhq/postern/internal/cli"
)

func TestMain(m *testing.M) {
	leaks := leakChecked{m}
	testscript.Main(leaks, map[string]func(){
		"postern": func() { os.Exit(cli.Run(context.Background(), os.Args[1:], system())) },
	})
}

// leakChecked fails the test run when goroutines are left behind.
type leakChecked struct{ m *testing.M }

// Run implements [testscript.TestingM].
func (l leakChecked) Run() int {
	code := l.m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return code
}

// The transcripts in testdata run the real command against a local Azure.
// `UPDATE=1 go test ./internal/cli` refreshes what they expect.
func TestTranscripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata",
		UpdateScripts: os.Getenv("UPDATE") != "",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"azure":     startAzure,
			"normalise": normalise,
			"code":      exitCode,
			"change":    nameChange,
		},
		Setup: func(env *testscript.Env) error {
			// No test may find a credential of whoever runs it.
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
			env.Setenv("NO_COLOR", "1")
			return nil
		},
	})
}

// startAzure starts a local Azure and sets AZURE to its address and
// AZURE_ACCESS_TOKEN to a token it takes:
//
//	azure [estate=FILE] [now=TIME] [FAULT]...
func startAzure(ts *testscript.TestScript, _ bool, args []string) {
	estate := azuresim.Demo()
	options := azuresim.Options{Token: "the-secret-token"}
	for _, arg := range args {
		if name, ok := strings.CutPrefix(arg, "estate="); ok {
			file, err := os.Open(ts.MkAbs(name))
			ts.Check(err)
			estate, err = azuresim.LoadEstate(file)
			ts.Check(err)
			ts.Check(file.Close())
			continue
		}
		if text, ok := strings.CutPrefix(arg, "now="); ok {
			now, err := time.Parse(time.RFC3339, text)
			ts.Check(err)
			options.Now = func() time.Time { return now }
			continue
		}
		fault, err := azuresim.ParseFault(arg)
		ts.Check(err)
		options.Faults = append(options.Faults, fault)
	}
	sim, err := azuresim.New(estate, options)
	ts.Check(err)
	server := httptest.NewServer(sim)
	ts.Defer(server.Close)
	ts.Setenv("AZURE", server.URL)
	ts.Setenv("AZURE_ACCESS_TOKEN", "the-secret-token")
}

var (
	address  = regexp.MustCompile(`127\.0\.0\.1:\d+`)
	duration = regexp.MustCompile(`\b\d+(\.\d+)?(ms|µs|s)\b`)
	instant  = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)`)
	change   = regexp.MustCompile(`\b\d{8}-\d{6}-[0-9a-f]{6}\b`)
	digest   = regexp.MustCompile(`\b[0-9a-f]{64}\b`)
)

// normalise writes what the last command printed to a file, with addresses,
// durations and times replaced, which differ from run to run:
//
//	normalise stdout|stderr|FILE OUT
func normalise(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	text = address.ReplaceAllString(text, "127.0.0.1:PORT")
	text = duration.ReplaceAllString(text, "TIME")
	text = instant.ReplaceAllString(text, "WHEN")
	text = change.ReplaceAllString(text, "CHANGE")
	text = digest.ReplaceAllString(text, "DIGEST")
	text = strings.ReplaceAll(text, ts.Getenv("WORK"), "WORK")
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

// nameChange sets CHANGE to the name of the one change in a folder of journals:
//
//	change DIR
func nameChange(ts *testscript.TestScript, _ bool, args []string) {
	journals, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "*.jsonl"))
	ts.Check(err)
	if len(journals) != 1 {
		ts.Fatalf("%s holds %d changes, want 1", args[0], len(journals))
	}
	ts.Setenv("CHANGE", strings.TrimSuffix(filepath.Base(journals[0]), ".jsonl"))
}

// exitCode runs postern and demands one exit code: code 3 scan --format json.
func exitCode(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec("postern", args[1:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("postern %s: exit code %s, want %s", strings.Join(args[1:], " "), got, args[0])
	}
	for _, stream := range []string{"stdout", "stderr"} {
		if strings.Contains(ts.ReadFile(stream), "the-secret-token") {
			ts.Fatalf("postern %s: the token is on %s", strings.Join(args[1:], " "), stream)
		}
	}
}

func TestEveryCommandHasItsManualPage(t *testing.T) {
	dir := t.TempDir()
	if code := cli.Run(t.Context(), []string{"man", dir}, cli.Env{Out: os.Stdout, Err: os.Stderr}); code != cli.ExitOK {
		t.Fatalf("exit code %d", code)
	}
	for _, name := range []string{"postern", "postern-scan", "postern-snapshot", "postern-explain", "postern-rules-show", "postern-sim", "postern-demo", "postern-usage", "postern-guard", "postern-fix", "postern-fix-plan", "postern-fix-apply"} {
		if _, err := os.Stat(filepath.Join(dir, name+".1")); err != nil {
			t.Error(err)
		}
	}
}
