package change_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/fix/change"
	"github.com/posternhq/postern/fix/journal"
)

// These tests run the engine in a process of its own, against a cloud in this one,
// and kill it with SIGKILL.

const childVariable = "POSTERN_CHANGE_TEST_CHILD"

// orders are what a child process is told to do.
type orders struct {
	URL, Dir, Plan, Verb, Change string
	Canary                       int
	// Limit is the largest file that it may write, in bytes, 0 for any.
	Limit uint64
}

// limit bounds the files that this process may write; nil where that cannot be done.
var limit func(bytes uint64) error

func child() {
	var o orders
	check(json.Unmarshal([]byte(os.Getenv(childVariable)), &o))
	f, err := os.Open(o.Plan)
	check(err)
	plan, err := fix.Read(f)
	check(err)
	if o.Limit > 0 {
		check(limit(o.Limit))
	}
	options := quick(change.Options{Cloud: remote{o.URL}, Dir: o.Dir, Canary: o.Canary, CanaryWait: 5 * time.Millisecond})
	options.Progress = func(e change.Event) {
		if e.Record != nil {
			// What follows the record on disk can be the kill.
			_, _ = remote{o.URL}.ask(context.Background(), question{Call: "event"})
		}
	}
	var res change.Result
	switch o.Verb {
	case "apply":
		res, err = change.Apply(context.Background(), plan, options)
	case "resume":
		res, err = change.Resume(context.Background(), o.Change, options)
	case "undo":
		res, err = change.Undo(context.Background(), o.Change, options)
	}
	check(err)
	for _, s := range res.Servers {
		fmt.Println(s.Server.Name, s.Outcome, s.Reason)
	}
	os.Exit(0)
}

func check(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// quick are options for a cloud that answers at once.
func quick(o change.Options) change.Options {
	o.Poll, o.Settle, o.Parallel = time.Millisecond, time.Second, 1
	return o
}

type question struct {
	Call, Rule  string
	Server      fix.Server
	Permissions []string
	Properties  json.RawMessage
}

type answer struct {
	Error    string
	Identity change.Identity
	Asset    *asset.Asset
	Locks    []fix.Lock
	Missing  []string
}

// remote is the cloud of the parent process.
type remote struct{ url string }

func (r remote) ask(ctx context.Context, q question) (answer, error) {
	var a answer
	body, err := json.Marshal(q)
	if err != nil {
		return a, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(body))
	if err != nil {
		return a, err
	}
	rep, err := http.DefaultClient.Do(req)
	if err != nil {
		return a, err
	}
	defer rep.Body.Close()
	if err := json.NewDecoder(rep.Body).Decode(&a); err != nil {
		return a, err
	}
	if a.Error != "" {
		return a, errors.New(a.Error)
	}
	return a, nil
}

func (r remote) Identity(ctx context.Context) (change.Identity, error) {
	a, err := r.ask(ctx, question{Call: "identity"})
	return a.Identity, err
}

func (r remote) Server(ctx context.Context, s fix.Server) (*asset.Asset, error) {
	a, err := r.ask(ctx, question{Call: "server", Server: s})
	return a.Asset, err
}

func (r remote) Locks(ctx context.Context, s fix.Server) ([]fix.Lock, error) {
	a, err := r.ask(ctx, question{Call: "locks", Server: s})
	return a.Locks, err
}

func (r remote) Missing(ctx context.Context, s fix.Server, permissions []string) ([]string, error) {
	a, err := r.ask(ctx, question{Call: "missing", Server: s, Permissions: permissions})
	return a.Missing, err
}

func (r remote) PutRule(ctx context.Context, s fix.Server, id string, properties json.RawMessage) error {
	_, err := r.ask(ctx, question{Call: "put", Server: s, Rule: id, Properties: properties})
	return err
}

func (r remote) DeleteRule(ctx context.Context, s fix.Server, id string) error {
	_, err := r.ask(ctx, question{Call: "delete", Server: s, Rule: id})
	return err
}

// host answers children, and may do something before and after a question.
type host struct {
	*world
	*httptest.Server
	plan string

	mu    sync.Mutex
	asked int
	// around is called with the number of the question.
	around func(number int, q question, do func())
	// killed is the question at which the last child was killed.
	killed question
}

func serve(t *testing.T, w *world) *host {
	h := &host{world: w, plan: t.TempDir() + "/plan.json"}
	var b bytes.Buffer
	if err := fix.Write(&b, w.plan); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(h.plan, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	h.Server = httptest.NewServer(http.HandlerFunc(h.answer))
	t.Cleanup(h.Close)
	return h
}

func (h *host) answer(w http.ResponseWriter, req *http.Request) {
	var q question
	body, err := io.ReadAll(req.Body)
	if err != nil || json.Unmarshal(body, &q) != nil {
		http.Error(w, "no question", http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	h.asked++
	number, around := h.asked, h.around
	h.mu.Unlock()
	var a answer
	do := func() { a = h.do(q) }
	if around == nil {
		do()
	} else {
		around(number, q, do)
	}
	_ = json.NewEncoder(w).Encode(a)
}

func (h *host) do(q question) (a answer) {
	var err error
	ctx := context.Background()
	switch q.Call {
	case "identity":
		a.Identity, err = h.az.Identity(ctx)
	case "server":
		a.Asset, err = h.az.Server(ctx, q.Server)
	case "locks":
		a.Locks, err = h.az.Locks(ctx, q.Server)
	case "missing":
		a.Missing, err = h.az.Missing(ctx, q.Server, q.Permissions)
	case "put":
		err = h.az.PutRule(ctx, q.Server, q.Rule, q.Properties)
	case "delete":
		err = h.az.DeleteRule(ctx, q.Server, q.Rule)
	}
	if err != nil {
		a.Error = err.Error()
	}
	return a
}

// start begins a child process; wait gives its output and whether it was killed.
func (h *host) start(t *testing.T, o orders) (cmd *exec.Cmd, wait func() (string, bool)) {
	t.Helper()
	o.URL, o.Dir, o.Plan = h.URL, h.o.Dir, h.plan
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+string(text))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, func() (string, bool) {
		_ = cmd.Wait() // Its end is in ProcessState.
		return out.String(), cmd.ProcessState.ExitCode() == -1
	}
}

// meanwhile sets what is done around every question from now on.
func (h *host) meanwhile(around func(number int, q question, do func())) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked, h.around = 0, around
}

// killAt runs a child and kills it at a question, before or after its effect. It
// reports false when the child ended first.
func (h *host) killAt(t *testing.T, o orders, at int, after bool) bool {
	t.Helper()
	began := make(chan struct{})
	var cmd *exec.Cmd
	h.meanwhile(func(number int, q question, do func()) {
		<-began
		if number > at {
			return
		}
		if number < at || after {
			do()
		}
		if number == at {
			h.killed = q
			_ = cmd.Process.Kill() // Wait tells whether it was.
		}
	})
	var wait func() (string, bool)
	cmd, wait = h.start(t, o)
	close(began)
	out, killed := wait()
	h.Close() // What was asked last is answered, to nobody.
	if !killed && (strings.Contains(out, "drifted") || strings.Contains(out, "failed")) {
		t.Errorf("the run said %s", out)
	}
	return killed
}

// TestKilledAtEveryStep kills a run at every call that it makes and after every
// record that it writes, and finishes it, forward and back.
func TestKilledAtEveryStep(t *testing.T) {
	for _, first := range []string{"apply", "undo"} {
		for _, then := range []string{"resume", "undo"} {
			t.Run(first+" then "+then, func(t *testing.T) {
				stride, servers := 1, []string{"orders"}
				if first == "apply" && then == "resume" {
					servers = []string{"orders", "billing"} // a canary, and one that follows
				}
				if testing.Short() {
					stride = 9
				}
				points := 0
				for at, alive := 1, true; alive; at += stride {
					for _, after := range []bool{false, true} {
						w := newWorld(t, servers...)
						h := serve(t, w)
						o := orders{Verb: first, Canary: 1}
						if first == "undo" {
							res, err := change.Apply(t.Context(), w.plan, quick(w.o))
							if err != nil {
								t.Fatal(err)
							}
							o.Change = res.Change
						}
						alive = h.killAt(t, o, at, after)
						if !alive {
							break
						}
						points++
						finish(t, w, first == "undo", then, fmt.Sprintf("killed at call %d, %s (after its effect: %v)", at, h.killed.Call, after))
						if h.killed.Call != "put" && h.killed.Call != "delete" {
							break // It has no effect to be before or after.
						}
					}
				}
				t.Logf("%d kills", points)
				if points < 5 {
					t.Errorf("only %d kills", points)
				}
			})
		}
	}
}

// finish takes a change to its end after a kill.
func finish(t *testing.T, w *world, undoing bool, then, when string) {
	t.Helper()
	changes, err := change.List(w.o.Dir)
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	if len(changes) == 0 {
		if len(w.az.effects) > 0 {
			t.Errorf("%s: no journal, and it did %q", when, w.az.effects)
		}
		return
	}
	if changes[0].State == change.Running {
		t.Errorf("%s: a dead run is said to be running", when)
	}
	for _, s := range changes[0].Servers {
		k := inEffect(w, s.Server.Name)
		if k != s.InEffect && (!s.Unclear || k != s.InEffect+1) {
			t.Errorf("%s: %s has %d steps in effect, and the status says %d (unclear: %v)", when, s.Server.Name, k, s.InEffect, s.Unclear)
		}
	}
	wasUndoing := false
	for _, s := range changes[0].Servers {
		wasUndoing = wasUndoing || s.Phase == change.PhaseUndoing || s.Phase == change.PhaseUndone
	}
	var res change.Result
	if then == "undo" {
		res, err = change.Undo(context.Background(), changes[0].Change, quick(w.o))
	} else {
		res, err = change.Resume(context.Background(), changes[0].Change, quick(w.o))
	}
	if err != nil && (!undoing || !strings.Contains(err.Error(), "undone")) {
		t.Fatalf("%s: %v", when, err)
	}
	if then == "undo" || wasUndoing {
		// The record that marks a server may have been the last: then only it went back.
		for i, p := range w.plan.Servers {
			if then == "undo" || changes[0].Servers[i].Phase == change.PhaseUndoing || changes[0].Servers[i].Phase == change.PhaseUndone {
				w.az.is(t, p, p.Before)
			}
		}
	} else {
		w.allAre(t, true)
		if !res.Complete() {
			t.Errorf("%s: %v", when, outcomes(res))
		}
	}
	w.az.sound(t)
	if t.Failed() {
		t.Fatalf("%s: %v", when, outcomes(res))
	}
}

func inEffect(w *world, name string) int {
	at := -1
	for _, p := range w.plan.Servers {
		for k := range len(p.Steps) + 1 {
			if p.Server.Name == name && describe(applied(p, k)) == describe(w.server(name).rules) {
				at = k
			}
		}
	}
	return at
}

func TestTwoProcessesOnOnePlan(t *testing.T) {
	w := newWorld(t, "orders")
	h := serve(t, w)
	reached, release := make(chan bool, 1), make(chan bool)
	h.meanwhile(func(_ int, q question, do func()) {
		if q.Call == "put" {
			select {
			case reached <- true:
				<-release
			default:
			}
		}
		do()
	})
	cmd, wait := h.start(t, orders{Verb: "apply"})
	<-reached
	_, other := h.start(t, orders{Verb: "apply"})
	out, _ := other()
	if want := fmt.Sprintf("process %d", cmd.Process.Pid); !strings.Contains(out, want) || !strings.Contains(out, "this plan is held by change") {
		t.Errorf("the second run said %q, want %q in it", out, want)
	}
	changes, err := change.List(w.o.Dir)
	if err != nil || len(changes) != 1 || changes[0].State != change.Running || changes[0].Holder.PID != cmd.Process.Pid {
		t.Errorf("status: %+v, %v", changes, err)
	}
	close(release)
	if out, _ := wait(); !strings.Contains(out, "orders done") {
		t.Errorf("the first run said %q", out)
	}
	w.allAre(t, true)
}

// TestDiskFull lets the disk be full at every length of the journal: no act is done
// that is not on record, and with room the change can be finished.
func TestDiskFull(t *testing.T) {
	if limit == nil {
		t.Skip("file sizes cannot be limited here")
	}
	w := newWorld(t, "orders")
	res, err := change.Apply(t.Context(), w.plan, quick(w.o))
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(w.o.Dir + "/" + res.Change + ".jsonl")
	if err != nil {
		t.Fatal(err)
	}
	stride := info.Size() / 40
	if testing.Short() {
		stride *= 8
	}
	for size := stride; size < info.Size(); size += stride {
		w := newWorld(t, "orders")
		h := serve(t, w)
		_, wait := h.start(t, orders{Verb: "apply", Limit: uint64(size)})
		out, killed := wait()
		if killed || strings.Contains(out, "orders done") {
			t.Errorf("limit %d: the run said %q", size, out)
		}
		changes, err := journal.List(w.o.Dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(changes) == 0 {
			if len(w.az.effects) > 0 {
				t.Errorf("limit %d: without a journal it did %q", size, w.az.effects)
			}
			continue
		}
		c, err := journal.Load(w.o.Dir, changes[0])
		if err != nil {
			t.Fatal(err)
		}
		intents := 0
		for _, r := range c.Records {
			if r.Kind == journal.Intent {
				intents++
			}
		}
		if len(w.az.effects) > intents {
			t.Errorf("limit %d: %d intents, and it did %q", size, intents, w.az.effects)
		}
		if !strings.Contains(out, "journal") {
			t.Errorf("limit %d: the run said %q", size, out)
		}
		if _, err := change.Resume(t.Context(), changes[0], quick(w.o)); err != nil {
			t.Errorf("limit %d: %v", size, err)
		}
		w.allAre(t, true)
	}
}
