package change_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/fix/change"
)

// refusing is a watch that tells of these addresses at one server, a minute in.
func refusing(server string, addresses ...string) func(context.Context, fix.Server, func(change.Refusal)) error {
	return func(ctx context.Context, s fix.Server, emit func(change.Refusal)) error {
		select {
		case <-time.After(time.Minute):
		case <-ctx.Done():
			return ctx.Err()
		}
		if s.Name == server {
			for _, a := range addresses {
				emit(change.Refusal{At: time.Now(), Address: a, User: "app"})
			}
		}
		<-ctx.Done()
		return ctx.Err()
	}
}

func TestWatch(t *testing.T) {
	tests := map[string]struct {
		watch    func(context.Context, fix.Server, func(change.Refusal)) error
		undo     bool
		outcome  string
		alarms   int
		expected int
		note     string
	}{
		"nobody":             {watch: refusing("orders"), outcome: "done"},
		"one that is cut":    {watch: refusing("orders", "40.1.2.3", "40.1.2.3"), undo: true, outcome: "done", expected: 2},
		"one that is kept":   {watch: refusing("orders", kept, "::ffff:"+kept, kept), outcome: "done", alarms: 2},
		"kept, with undo":    {watch: refusing("orders", "40.1.2.3", kept, kept), undo: true, outcome: "undone", alarms: 1, expected: 1},
		"unknown, with undo": {watch: refusing("orders", "8.8.8.8"), undo: true, outcome: "undone", alarms: 1},
		"from before": {watch: func(ctx context.Context, _ fix.Server, emit func(change.Refusal)) error {
			emit(change.Refusal{At: time.Now().Add(-time.Hour), Address: kept})
			<-ctx.Done()
			return nil
		}, undo: true, outcome: "done"},
		"broken": {watch: func(context.Context, fix.Server, func(change.Refusal)) error { return errors.New("no such file") }, outcome: "done", note: "broke off: no such file"},
		"ended":  {watch: func(context.Context, fix.Server, func(change.Refusal)) error { return nil }, outcome: "done", note: "ended early"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, "orders")
				w.o.Watch, w.o.WatchFor, w.o.UndoOnRefusal = tt.watch, 15*time.Minute, tt.undo
				res := w.apply(t)
				w.wants(t, res, "orders: "+tt.outcome)
				got := res.Servers[0]
				if len(got.Alarms) != tt.alarms || got.Expected != tt.expected || !strings.Contains(strings.Join(got.Notes, "\n"), tt.note) {
					t.Errorf("alarms %v, expected %d, notes %q", got.Alarms, got.Expected, got.Notes)
				}
				w.allAre(t, tt.outcome == "done")
				if res.Complete() != (tt.outcome == "done" && tt.alarms == 0 && tt.note == "") {
					t.Error("complete")
				}
			})
		})
	}
}

func TestCanary(t *testing.T) {
	tests := map[string]struct {
		spoil func(*world)
		want  []string
		fault string
	}{
		"is well":   {func(*world) {}, []string{"orders: done", "billing: done", "stock: done"}, ""},
		"watched":   {func(w *world) { w.o.Watch = refusing("orders") }, []string{"orders: done", "billing: done", "stock: done"}, ""},
		"drifts":    {func(w *world) { w.server("orders").access = "Disabled" }, []string{"orders: drifted", "billing: untouched", "stock: untouched"}, `canary "orders" is pending`},
		"refuses":   {func(w *world) { w.o.Watch = refusing("orders", kept) }, []string{"orders: done", "billing: untouched", "stock: untouched"}, "refuses 1 address"},
		"goes back": {func(w *world) { w.o.Watch, w.o.UndoOnRefusal = refusing("orders", kept), true }, []string{"orders: undone", "billing: untouched", "stock: untouched"}, `canary "orders" is undone`},
		"unwatched": {func(w *world) {
			w.o.Watch = func(context.Context, fix.Server, func(change.Refusal)) error { return errors.New("gone") }
		}, []string{"orders: done", "billing: untouched", "stock: untouched"}, "broke off: gone"},
		"door comes back": {func(w *world) {
			w.o.Progress = func(e change.Event) {
				if e.Record != nil && e.Record.Kind == "canary waiting" {
					s := w.server("orders")
					s.rules = append(s.rules, rule(s.ID, "again", "0.0.0.0", "0.0.0.0", ""))
				}
			}
		}, []string{"orders: drifted", "billing: untouched", "stock: untouched"}, "no longer what this change left"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, "orders", "billing", "stock")
				w.o.Canary, w.o.CanaryWait = 1, time.Hour
				tt.spoil(w)
				began := time.Now()
				res := w.apply(t)
				w.wants(t, res, tt.want...)
				if !strings.Contains(res.CanaryFailed, tt.fault) || (tt.fault == "") != (res.CanaryFailed == "") {
					t.Errorf("the canary failed with %q, want %q in it", res.CanaryFailed, tt.fault)
				}
				if tt.fault == "" && time.Since(began) < time.Hour {
					t.Error("nobody waited for the canary")
				}
				if tt.fault != "" {
					for _, e := range w.az.effects {
						if !strings.Contains(e, "orders") {
							t.Errorf("it did %q", e)
						}
					}
				}
				w.az.sound(t)
			})
		})
	}
}

// A run that ends amid the canary's wait leaves the others alone, and the next one
// waits again before it goes on.
func TestTheCanarysWaitIsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "orders", "billing")
		w.o.Canary, w.o.CanaryWait = 1, time.Hour
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
		defer cancel()
		res, err := change.Apply(ctx, w.plan, w.o)
		if err != nil {
			t.Fatal(err)
		}
		w.wants(t, res, "orders: done", "billing: untouched")
		began := time.Now()
		w.o.Canary = 0
		if res, err = change.Resume(t.Context(), res.Change, w.o); err != nil {
			t.Fatal(err)
		}
		w.wants(t, res, "orders: done", "billing: done")
		if time.Since(began) < time.Hour {
			t.Error("the wait was cut short")
		}
	})
}
