package change_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/fix/change"
	"github.com/posternhq/postern/fix/change/changetest"
	"github.com/posternhq/postern/fix/journal"
)

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		child()
		return
	}
	goleak.VerifyTestMain(m)
}

func TestContract(t *testing.T) {
	changetest.Run(t, func(*testing.T) changetest.Subject {
		p := closing("orders")
		return changetest.Subject{Cloud: newAzure(&p), Server: p.Server, Token: "secret"}
	})
}

// world is a plan, its cloud and a folder for journals.
type world struct {
	plan *fix.Plan
	az   *azure
	o    change.Options
}

func newWorld(t testing.TB, names ...string) *world {
	t.Helper()
	w := &world{o: change.Options{Dir: filepath.Join(t.TempDir(), "state", "journal")}}
	var plans []fix.ServerPlan
	var pointers []*fix.ServerPlan
	for _, n := range names {
		plans = append(plans, closing(n))
	}
	for i := range plans {
		pointers = append(pointers, &plans[i])
	}
	w.plan, w.az = planOf(t, plans...), newAzure(pointers...)
	w.o.Cloud = w.az
	return w
}

func (w *world) server(name string) *server {
	for _, s := range w.az.servers {
		if s.Name == name {
			return s
		}
	}
	return nil
}

func (w *world) apply(t testing.TB) change.Result {
	t.Helper()
	res, err := change.Apply(context.Background(), w.plan, w.o)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func (w *world) allAre(t *testing.T, after bool) {
	t.Helper()
	for _, p := range w.plan.Servers {
		if after {
			w.az.is(t, p, p.After)
		} else {
			w.az.is(t, p, p.Before)
		}
	}
	w.az.sound(t)
}

func outcomes(r change.Result) []string {
	var out []string
	for _, s := range r.Servers {
		out = append(out, s.Server.Name+": "+string(s.Outcome))
	}
	return out
}

func (w *world) wants(t *testing.T, r change.Result, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, outcomes(r)); diff != "" {
		for _, s := range r.Servers {
			t.Logf("%s: %s %q", s.Server.Name, s.Reason, s.Differences)
		}
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

func TestApplyThenUndo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "orders", "billing")
		var audit []journal.Record
		w.o.Progress = func(e change.Event) {
			if e.Record != nil {
				audit = append(audit, *e.Record)
			}
		}
		res := w.apply(t)
		w.wants(t, res, "orders: done", "billing: done")
		if !res.Complete() {
			t.Error("the result is not complete")
		}
		w.allAre(t, true)
		if got := res.Servers[0]; got.DoorsBefore[0].State != "open" || got.DoorsAfter[0].State != "closed" || got.InEffect != 4 {
			t.Errorf("the doors are %+v", got)
		}
		s, err := change.Status(w.o.Dir, res.Change)
		if err != nil || s.State != change.Applied {
			t.Fatalf("status %+v, %v", s, err)
		}
		if diff := cmp.Diff(s.Records, audit); diff != "" {
			t.Errorf("progress told otherwise than the journal (-journal +told):\n%s", diff)
		}
		acts := 0
		for _, r := range audit {
			if r.Who != "ops@example.com" || r.At.IsZero() || r.What == "" {
				t.Errorf("no audit line: %+v", r)
			}
			if r.Kind == journal.Outcome {
				acts++
				if (r.Before == nil) != (r.Act == fix.Put) || (r.After == nil) != (r.Act == fix.Delete) || r.Effect != journal.InEffect {
					t.Errorf("before and after are not told: %+v", r)
				}
			}
		}
		if acts != 8 {
			t.Errorf("%d acts are told, want 8", acts)
		}

		if res, err = change.Undo(t.Context(), res.Change, w.o); err != nil {
			t.Fatal(err)
		}
		w.wants(t, res, "orders: undone", "billing: undone")
		w.allAre(t, false)
		if res, err = change.Undo(t.Context(), res.Change, w.o); err != nil || !res.TakenBack() {
			t.Errorf("undone twice: %+v, %v", res, err)
		}
		w.allAre(t, false)
		// What was undone may be applied again.
		w.wants(t, w.apply(t), "orders: done", "billing: done")
		w.allAre(t, true)
	})
}

func TestNothingIsTouchedWhenRefused(t *testing.T) {
	tests := map[string]struct {
		spoil func(*world)
		want  string
	}{
		"another tenant":       {func(w *world) { w.az.tenant = "elsewhere" }, "for the tenant"},
		"no tenant known":      {func(w *world) { w.az.tenant = "" }, "for the tenant"},
		"another cloud":        {func(w *world) { w.plan.Cloud.Endpoint = "https://other.example"; w.redo() }, "for the cloud"},
		"a plan edited":        {func(w *world) { w.plan.Servers[0].Before[0].Start = "1.2.3.4" }, "cannot be carried out"},
		"a digest edited":      {func(w *world) { w.plan.Digest = "00" }, "cannot be carried out"},
		"a missing permission": {func(w *world) { w.az.missing = []string{armType + "/firewallRules/delete"} }, "firewallRules/delete at /subscriptions/"},
		"no reading of locks":  {func(w *world) { w.az.missing = []string{"Microsoft.Authorization/locks/read"} }, "locks/read at"},
		"no following": {func(w *world) {
			w.az.missing = []string{"Microsoft.DBforPostgreSQL/locations/azureAsyncOperation/read"}
		}, "azureAsyncOperation/read at"},
		"permissions unreadable": {func(w *world) { w.az.fault = failing("missing", 1) }, "see what is permitted"},
		"all blocked":            {func(w *world) { w.plan.Servers[0].Blocked = "a lock"; w.redo() }, "leaves every server alone"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "orders")
			tt.spoil(w)
			_, err := change.Apply(t.Context(), w.plan, w.o)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("the error is %v, want %q in it", err, tt.want)
			}
			if len(w.az.effects) > 0 {
				t.Errorf("it did %q", w.az.effects)
			}
			if changes, err := journal.List(w.o.Dir); err != nil || len(changes) > 0 {
				t.Errorf("it began %v, %v", changes, err)
			}
		})
	}
}

// redo gives the plan a fitting digest.
func (w *world) redo() {
	p, err := fix.New(w.plan.Tool, w.plan.Cloud, w.plan.Keep, w.plan.Servers, w.plan.CreatedAt)
	if err != nil {
		panic(err)
	}
	w.plan = p
}

// failing fails the nth call of a kind.
func failing(call string, nth int) func(int, string, *server) fault {
	seen := 0
	return func(_ int, c string, _ *server) fault {
		if c == call {
			seen++
		}
		return fault{before: c == call && seen == nth}
	}
}

func TestAPlanIsAppliedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "orders")
		res := w.apply(t)
		_, err := change.Apply(t.Context(), w.plan, w.o)
		if err == nil || !strings.Contains(err.Error(), "applied already, as change "+res.Change) {
			t.Errorf("applied twice: %v", err)
		}
		w2 := newWorld(t, "billing")
		w2.server("billing").locks = []fix.Lock{{ID: "/l", Name: "freeze", Level: "ReadOnly"}}
		res = w2.apply(t)
		w2.wants(t, res, "billing: drifted")
		if _, err := change.Apply(t.Context(), w2.plan, w2.o); err == nil || !strings.Contains(err.Error(), "resume "+res.Change) {
			t.Errorf("begun twice: %v", err)
		}
	})
}

func TestDriftStopsOneServerOnly(t *testing.T) {
	stranger := func(s *server) {
		s.rules = append(slices.Clone(s.rules), rule(s.ID, "theirs", "198.51.100.1", "198.51.100.1", ""))
	}
	tests := map[string]struct {
		do   func(*server)
		want string
	}{
		"a rule more":     {stranger, `rule "theirs" ("198.51.100.1" to "198.51.100.1") is there and was not`},
		"a rule less":     {func(s *server) { s.rules = without(s.rules, "office") }, `rule "office" ("203.0.113.8" to "203.0.113.15") is gone`},
		"another address": {func(s *server) { s.rules = replace(s.rules, rule(s.ID, "office", "203.0.113.8", "203.0.113.9", "")) }, `rule "office" is now`},
		"an unknown property": {func(s *server) {
			s.rules = replace(s.rules, rule(s.ID, "office", "203.0.113.8", "203.0.113.15", `,"x":1`))
		}, `rule "office" has changed: "x" is 1 and was absent`},
		"public access": {func(s *server) { s.access = "Disabled" }, "public access was"},
		"a lock":        {func(s *server) { s.locks = []fix.Lock{{ID: "/l", Name: "freeze", Level: "CanNotDelete"}} }, `the lock "freeze" (CanNotDelete) is there and was not`},
	}
	for name, tt := range tests {
		for _, when := range []int{1, 4} { // before the first reading, and after the first step
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, "orders", "billing")
					readings := 0
					w.az.fault = func(_ int, call string, s *server) fault {
						if call == "server" && s.Name == "orders" {
							if readings++; readings == when {
								return fault{drift: tt.do}
							}
						}
						return fault{}
					}
					res := w.apply(t)
					w.wants(t, res, "orders: drifted", "billing: done")
					if got := strings.Join(res.Servers[0].Differences, "\n"); !strings.Contains(got, tt.want) {
						t.Errorf("the difference is\n%s\nwant %q in it", got, tt.want)
					}
					w.az.sound(t)
					if when == 1 && slices.ContainsFunc(w.az.effects, func(e string) bool { return strings.Contains(e, "orders") }) {
						t.Errorf("it did %q", w.az.effects)
					}
				})
			})
		}
	}
}

func replace(rules []fix.Rule, with fix.Rule) []fix.Rule {
	out := slices.Clone(rules)
	for i, r := range out {
		if r.Name == with.Name {
			out[i] = with
		}
	}
	return out
}

func without(rules []fix.Rule, name string) []fix.Rule {
	return slices.DeleteFunc(slices.Clone(rules), func(r fix.Rule) bool { return r.Name == name })
}

func TestUnreadableStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "orders")
		w.server("orders").missing = true
		res := w.apply(t)
		w.wants(t, res, "orders: failed")
		if !strings.Contains(res.Servers[0].Reason, "firewallRules/read denied") || len(w.az.effects) > 0 {
			t.Errorf("reason %q, effects %q", res.Servers[0].Reason, w.az.effects)
		}
	})
}

func TestABusyServerIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "orders")
		w.az.fault = func(_ int, call string, _ *server) fault {
			if call == "put" || call == "delete" {
				return fault{busy: 10}
			}
			return fault{}
		}
		w.wants(t, w.apply(t), "orders: done")
		w.allAre(t, true)

		w = newWorld(t, "orders")
		w.server("orders").busy = 1000
		res := w.apply(t)
		w.wants(t, res, "orders: failed")
		if !strings.Contains(res.Servers[0].Reason, `"Updating" for longer than 10m`) {
			t.Errorf("reason %q", res.Servers[0].Reason)
		}
	})
}

// What counts is what the server shows in the end, not that every step succeeded.
func TestADoorThatIsStillOpenIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "orders")
		w.az.means = []string{"AzureCloud"}
		res := w.apply(t)
		w.wants(t, res, "orders: failed")
		if got := res.Servers[0].Reason; !strings.Contains(got, "every step is in effect, and the azure door is open") {
			t.Errorf("reason %q", got)
		}
	})
}

// A replica that lags behind shows what was, after another has shown what is.
func TestAReadingThatLagsIsWaitedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "orders")
		readings := 0
		w.az.fault = func(_ int, call string, s *server) fault {
			if call == "server" {
				// The first is before any step; two show each effect, one precedes the next.
				if readings++; readings == 7 {
					return fault{drift: func(s *server) { s.old, s.oldFor = w.plan.Servers[0].Before, 20 }}
				}
			}
			return fault{}
		}
		w.wants(t, w.apply(t), "orders: done")
		w.allAre(t, true)
	})
}

func TestBlockedServersAreLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "orders", "billing")
		w.plan.Servers[1].Blocked = "the lock \"x\" (ReadOnly)"
		w.redo()
		res := w.apply(t)
		w.wants(t, res, "orders: done", "billing: blocked")
		w.az.is(t, w.plan.Servers[1], w.plan.Servers[1].Before)
		if !res.Complete() {
			t.Error("not complete")
		}
		if res, _ = change.Undo(t.Context(), res.Change, w.o); !slices.Equal(outcomes(res), []string{"orders: undone", "billing: blocked"}) {
			t.Errorf("undo: %v", outcomes(res))
		}
	})
}

func TestCancelled(t *testing.T) {
	for n := 1; n < 60; n++ {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, "orders", "billing")
			w.o.Parallel = 1
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			w.az.fault = func(number int, _ string, _ *server) fault {
				if number == n {
					cancel()
				}
				return fault{}
			}
			res, err := change.Apply(ctx, w.plan, w.o)
			if err != nil {
				if len(w.az.effects) > 0 {
					t.Errorf("call %d: %v after %q", n, err, w.az.effects)
				}
				return
			}
			w.az.fault = nil
			if !res.Complete() {
				if len(res.Next()) != 3 {
					t.Errorf("what to do next: %q", res.Next())
				}
				if res, err = change.Resume(t.Context(), res.Change, w.o); err != nil {
					t.Fatal(err)
				}
			}
			if !res.Complete() {
				t.Errorf("call %d: %v", n, outcomes(res))
			}
			w.allAre(t, true)
		})
	}
}

func TestTwoRunsDoNotCollide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "orders")
		reached, release := make(chan bool), make(chan bool)
		first := true
		w.az.fault = func(_ int, call string, _ *server) fault {
			if call == "put" && first {
				first = false
				w.az.mu.Unlock()
				reached <- true
				<-release
				w.az.mu.Lock()
			}
			return fault{}
		}
		done := make(chan change.Result)
		go func() { done <- w.apply(t) }()
		<-reached
		var held *journal.HeldError
		_, err := change.Apply(t.Context(), w.plan, w.o)
		if !errors.As(err, &held) || held.Holder.PID != os.Getpid() || !journal.IsID(held.Holder.Change) {
			t.Errorf("the same plan: %v", err)
		}
		if s, err := change.Status(w.o.Dir, held.Holder.Change); err != nil || s.State != change.Running || s.Holder.PID != os.Getpid() {
			t.Errorf("status %+v, %v", s, err)
		}
		if _, err := change.Undo(t.Context(), "orders", w.o); !errors.As(err, &held) {
			t.Errorf("undo of what is running: %v", err)
		}
		other := newWorld(t, "orders", "billing")
		other.o.Dir = w.o.Dir
		res := other.apply(t)
		other.wants(t, res, "orders: held by another run", "billing: done")
		if !strings.Contains(res.Servers[0].Reason, held.Holder.Change) {
			t.Errorf("reason %q", res.Servers[0].Reason)
		}
		close(release)
		w.wants(t, <-done, "orders: done")
		w.allAre(t, true)
	})
}

func TestJournalCannotBeWritten(t *testing.T) {
	w := newWorld(t, "orders")
	// A file stands where the folder should be.
	if err := os.MkdirAll(filepath.Dir(w.o.Dir), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.o.Dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := change.Apply(t.Context(), w.plan, w.o); err == nil || len(w.az.effects) > 0 {
		t.Errorf("%v, effects %q", err, w.az.effects)
	}
}

func TestStatusOfAnUnknownChange(t *testing.T) {
	for _, target := range []string{"20261124-093000-1a2b3c", "../../etc/passwd", ""} {
		if _, err := change.Status(t.TempDir(), target); err == nil {
			t.Errorf("%q has a status", target)
		}
		if _, err := change.Undo(t.Context(), target, change.Options{Dir: t.TempDir()}); err == nil {
			t.Errorf("%q can be undone", target)
		}
		if _, err := change.Resume(t.Context(), target, change.Options{Dir: t.TempDir()}); err == nil {
			t.Errorf("%q can be resumed", target)
		}
	}
}
