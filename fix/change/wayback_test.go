package change_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/fix/change"
)

func (s *server) has(name string) bool {
	return slices.ContainsFunc(s.rules, func(r fix.Rule) bool { return r.Name == name })
}

// lateDelete fails the nth delete and lets it take effect after a while.
func (w *world) lateDelete(nth int, after time.Duration) {
	var at time.Time
	seen := 0
	w.az.fault = func(_ int, call string, s *server) fault {
		if call == "delete" {
			if seen++; seen == nth {
				at = time.Now().Add(after)
				return fault{before: true}
			}
		}
		if s != nil && !at.IsZero() && time.Now().After(at) {
			at = time.Time{}
			return fault{drift: func(s *server) { s.rules = without(s.rules, "azure-too") }}
		}
		return fault{}
	}
}

// A delete that was said to have had no effect takes effect before, during and
// after the undo: gone on with, it is done; undone, or undone again, it is as it was.
func TestALateDeleteIsUndone(t *testing.T) {
	for _, after := range []time.Duration{4 * time.Minute, 5*time.Minute + 20*time.Second, 5*time.Minute + 40*time.Second, 6 * time.Minute, 7 * time.Minute, time.Hour} {
		for _, back := range []bool{true, false} {
			t.Run(fmt.Sprint(after, back), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, "orders")
					w.lateDelete(2, after)
					res := w.apply(t)
					if !back {
						time.Sleep(2 * time.Minute)
						if !res.Complete() {
							res, _ = change.Resume(t.Context(), res.Change, w.o)
						}
						w.wants(t, res, "orders: done")
						w.allAre(t, true)
						return
					}
					for range 2 {
						var err error
						if res, err = change.Undo(t.Context(), "orders", w.o); err != nil {
							t.Fatal(err)
						}
						w.wants(t, res, "orders: undone")
						time.Sleep(2 * time.Hour)
						_, _ = w.az.Server(t.Context(), w.plan.Servers[0].Server) // what is late happens
					}
					w.allAre(t, false)
				})
			})
		}
	}
}

// A rule that is seen there now and gone then is not known to be there.
func TestFlappingReadingsAreUnclear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "orders")
		put, readings := false, 0
		w.az.fault = func(_ int, call string, s *server) fault {
			if call == "put" {
				put = true
				s.old = slices.Clone(s.rules)
			} else if call == "server" && put {
				if readings++; readings%2 == 0 {
					return fault{drift: func(s *server) { s.oldFor = 1 }}
				}
			}
			return fault{}
		}
		res := w.apply(t)
		w.wants(t, res, "orders: failed")
		s, err := change.Status(w.o.Dir, res.Change)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range s.Records {
			if r.Kind == "outcome" && r.Effect != "unclear" {
				t.Errorf("the effect is %q: %s", r.Effect, r.What)
			}
		}
	})
}

// journalLines gives a change's journal, and a way to write it.
func journalLines(t *testing.T, w *world, name string) ([][]byte, func([][]byte)) {
	t.Helper()
	path := filepath.Join(w.o.Dir, name+".jsonl")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	return lines[:len(lines)-1], func(lines [][]byte) {
		if err := os.WriteFile(path, bytes.Join(lines, nil), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Whatever line of an undone change is damaged, nothing is said of a door that was
// not read.
func TestDamageIsNeverDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "orders")
		res := w.apply(t)
		if _, err := change.Undo(t.Context(), res.Change, w.o); err != nil {
			t.Fatal(err)
		}
		lines, write := journalLines(t, w, res.Change)
		for i := 1; i < len(lines); i++ {
			lines, _ = journalLines(t, w, res.Change)
			whole := bytes.Join(lines, nil)
			lines[i] = bytes.Clone(lines[i])
			lines[i][20] ^= 1
			write(lines)
			s, err := change.Status(w.o.Dir, res.Change)
			if err != nil || s.State != change.Unfinished || s.Servers[0].Doors != nil || s.Servers[0].Phase == change.PhaseDone {
				t.Errorf("line %d: %+v, %v", i, s, err)
			}
			read := w.az.calls
			told, err := change.Resume(t.Context(), res.Change, w.o)
			if err != nil || w.az.calls < read+4 {
				t.Fatalf("line %d: %v after %d calls", i, err, w.az.calls-read)
			}
			open := w.server("orders").has("azure-too")
			if doors := told.Servers[0].DoorsAfter; len(doors) == 0 || (doors[0].State == "open") != open {
				t.Errorf("line %d: told %v, and the door is open: %v", i, doors, open)
			}
			w.server("orders").rules = slices.Clone(w.plan.Servers[0].Before)
			write([][]byte{whole})
		}
	})
}

// A journal that was cut at a line's end shows no damage; it can be undone all the
// same.
func TestACutJournalIsUndone(t *testing.T) {
	for cut := 1; ; cut++ {
		more := true
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, "orders")
			res := w.apply(t)
			lines, write := journalLines(t, w, res.Change)
			if more = cut < len(lines); !more {
				return
			}
			write(lines[:cut])
			res, err := change.Undo(t.Context(), res.Change, w.o)
			if err != nil {
				t.Fatal(err)
			}
			w.az.sound(t)
			for _, door := range []string{"azure-too", "AllowAllAzureIps"} {
				if !w.server("orders").has(door) {
					t.Errorf("cut after line %d: %v, and %s is gone", cut, outcomes(res), door)
				}
			}
		})
		if !more {
			return
		}
	}
}

// What is told of a door was read in this run.
func TestDoorsAreToldAsReadNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "orders", "billing")
		w.apply(t)
		s := w.server("orders")
		s.rules = append(slices.Clone(s.rules), rule(s.ID, "again", "0.0.0.0", "0.0.0.0", ""))
		w.az.fault = func(_ int, call string, _ *server) fault { return fault{before: call == "put"} }
		res, err := change.Undo(t.Context(), "orders", w.o)
		if err != nil {
			t.Fatal(err)
		}
		w.wants(t, res, "orders: failed", "billing: done")
		if got := res.Servers[0].DoorsAfter; len(got) == 0 || got[0].State != "open" {
			t.Errorf("the doors of orders are told as %v", got)
		}
		if got := res.Servers[1].DoorsAfter; got != nil {
			t.Errorf("billing was not read, and its doors are told as %v", got)
		}
	})
}

// A watch that broke off is no watch: the change is not complete, and a later run
// watches again.
func TestABrokenWatchIsDoneAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "orders")
		broken := true
		w.o.WatchFor, w.o.UndoOnRefusal = time.Minute, true
		watches := 0
		w.o.Watch = func(ctx context.Context, _ fix.Server, _ func(change.Refusal)) error {
			if watches++; broken {
				return errors.New("no log of a known format")
			}
			<-ctx.Done()
			return nil
		}
		res := w.apply(t)
		if res.Complete() || !strings.Contains(res.Servers[0].Unwatched, "no log of a known format") {
			t.Errorf("complete: %+v", res)
		}
		broken = false
		for want := 2; want < 4; want++ {
			var err error
			if res, err = change.Resume(t.Context(), res.Change, w.o); err != nil || !res.Complete() || watches != 2 {
				t.Errorf("%v, complete %v, %d watches", err, res.Complete(), watches)
			}
		}
	})
}

// A later change that cannot be read is not passed over.
func TestUndoIsSureOfTheLastChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "orders")
		first := w.apply(t)
		later := "20991231-000000-0a0b0c"
		if err := os.WriteFile(filepath.Join(w.o.Dir, later+".jsonl"), []byte("?\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		effects := len(w.az.effects)
		for _, target := range []string{"orders", first.Change} {
			var refused *change.RefusedError
			if _, err := change.Undo(t.Context(), target, w.o); !errors.As(err, &refused) || !strings.Contains(err.Error(), later) {
				t.Errorf("undo %s: %v", target, err)
			}
		}
		if len(w.az.effects) != effects {
			t.Errorf("it did %q", w.az.effects[effects:])
		}
	})
}

// A journal that is taken away amid a run ends it: no act without a record of it.
func TestTheJournalIsTakenAway(t *testing.T) {
	for _, away := range []func(string) error{os.Remove, func(f string) error { return os.Rename(f, f+".bak") }} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, "orders")
			w.az.fault = func(_ int, call string, _ *server) fault {
				if call == "put" && len(w.az.effects) == 0 {
					files, _ := filepath.Glob(filepath.Join(w.o.Dir, "*.jsonl"))
					if err := away(files[0]); err != nil {
						t.Error(err)
					}
				}
				return fault{}
			}
			res, err := change.Apply(t.Context(), w.plan, w.o)
			if err == nil || len(w.az.effects) != 1 || res.Complete() {
				t.Errorf("%v, effects %q", err, w.az.effects)
			}
		})
	}
}

// A stranger's knock in one run does not stop the next.
func TestAlarmsCountInTheirRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "orders", "billing")
		w.o.Canary, w.o.CanaryWait, w.o.Watch = 1, time.Hour, refusing("orders", "8.8.8.8")
		res := w.apply(t)
		w.wants(t, res, "orders: done", "billing: untouched")
		again, err := change.Resume(t.Context(), res.Change, w.o)
		if err != nil {
			t.Fatal(err)
		}
		w.wants(t, again, "orders: done", "billing: untouched")
		if len(again.Servers[0].Alarms) != 1 {
			t.Errorf("alarms %v", again.Servers[0].Alarms)
		}
		w.o.Watch, w.o.UndoOnRefusal = refusing("nobody"), true
		if res, err = change.Resume(t.Context(), res.Change, w.o); err != nil {
			t.Fatal(err)
		}
		w.wants(t, res, "orders: done", "billing: done")
	})
}

func TestEndedBeforeTheFirstServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "orders")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		w.o.Progress = func(e change.Event) {
			if e.Record != nil && e.Record.Kind == "begun" {
				cancel()
			}
		}
		res, err := change.Apply(ctx, w.plan, w.o)
		if err != nil {
			t.Fatal(err)
		}
		w.wants(t, res, "orders: interrupted")
	})
}

// A canary of as many servers as there are is left and checked too.
func TestEveryServerIsTheCanary(t *testing.T) {
	for _, n := range []int{1, 5} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, "orders")
			w.o.Canary, w.o.CanaryWait = n, 15*time.Minute
			w.o.Progress = func(e change.Event) {
				if e.Record != nil && e.Record.Kind == "canary waiting" {
					s := w.server("orders")
					s.rules = append(s.rules, rule(s.ID, "again", "0.0.0.0", "0.0.0.0", ""))
				}
			}
			began := time.Now()
			res := w.apply(t)
			w.wants(t, res, "orders: drifted")
			if res.Complete() || time.Since(began) < 15*time.Minute {
				t.Errorf("after %s: complete %v", time.Since(began), res.Complete())
			}
		})
	}
}

// A plan that was made while the server was busy does not make busy the same as ready.
func TestOnlyReadyIsReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "orders")
		w.plan.Servers[0].Server.State = "Updating"
		w.redo()
		w.server("orders").busy = 1000
		w.wants(t, w.apply(t), "orders: failed")
		if len(w.az.effects) > 0 {
			t.Errorf("it did %q", w.az.effects)
		}
	})
}
