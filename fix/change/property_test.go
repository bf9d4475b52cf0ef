package change_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/posternhq/postern/fix/change"
	"github.com/posternhq/postern/fix/journal"
)

// Whatever fails, hangs, lags or kills a run, and however often: gone on with, the
// change is done; taken back, everything is as it was; and at no instant is a kept
// client shut out or a rule touched that the plan does not name.
func TestWhateverHappensItCanBeFinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// rapid asks for the deadline, which a bubble of synctest does not tell.
		rapid.Check(struct{ rapid.TB }{t}, func(rt *rapid.T) {
			names := []string{"orders", "billing"}[:rapid.IntRange(1, 2).Draw(rt, "servers")]
			w := newWorld(t, names...)
			w.o.Canary = rapid.IntRange(0, 1).Draw(rt, "canary")
			w.o.Parallel = rapid.IntRange(1, 2).Draw(rt, "parallel")
			name, back := "", false
			for round := range 8 {
				last := round == 7
				disk := w.schedule(rt, last)
				var res change.Result
				var err error
				changes, listed := journal.List(w.o.Dir)
				if listed != nil {
					rt.Fatal(listed)
				}
				if len(changes) > 0 {
					name = changes[0]
				}
				switch {
				case name == "":
					res, err = change.Apply(context.Background(), w.plan, w.o)
				case back || rapid.Bool().Draw(rt, "undo"):
					back = true
					res, err = change.Undo(context.Background(), name, w.o)
				default:
					res, err = change.Resume(context.Background(), name, w.o)
				}
				killed := w.az.frozen
				w.az.frozen = false
				w.restore(rt, disk)
				w.az.sound(rt)
				if name != "" {
					w.tellsTheTruth(rt, name)
				}
				if err == nil && !killed && (res.Complete() || back && res.TakenBack()) {
					break
				}
				if last && err != nil && strings.Contains(err.Error(), "undone already") {
					break
				}
				if last {
					for _, s := range res.Servers {
						rt.Logf("%s: %s, %s, %q", s.Server.Name, s.Outcome, s.Reason, s.Differences)
					}
					rt.Fatalf("without faults it did not come to an end: %v", err)
				}
			}
			for _, p := range w.plan.Servers {
				if back {
					w.az.is(rt, p, p.Before)
				} else {
					w.az.is(rt, p, p.After)
				}
			}
		})
	})
}

// disk is the folder of journals at the instant of a kill.
type disk map[string][]byte

// schedule draws the faults of one run. In the last one there are none.
func (w *world) schedule(rt *rapid.T, last bool) *disk {
	w.az.fault, w.az.calls = nil, 0
	if last {
		return nil
	}
	at := rapid.MapOfN(rapid.IntRange(1, 40), rapid.SampledFrom([]fault{
		{before: true}, {after: true}, {hang: true}, {hangAfter: true}, {busy: 3}, {stale: 3}, {stale: 2, after: true},
	}), 0, 5).Draw(rt, "faults")
	kill := rapid.IntRange(0, 60).Draw(rt, "kill at")
	killAfter := rapid.Bool().Draw(rt, "kill after the effect")
	stale := rapid.IntRange(0, 3).Draw(rt, "stale")
	cut := rapid.IntRange(0, 400).Draw(rt, "torn bytes")
	taken := &disk{}
	w.az.fault = func(number int, call string, _ *server) fault {
		f := at[number]
		if number == kill {
			*taken = tear(readDisk(w.o.Dir), cut)
			f = fault{kill: !killAfter, killAfter: killAfter, stale: stale}
		}
		if (call == "put" || call == "delete") && f.stale == 0 {
			f.stale = stale
		}
		return f
	}
	return taken
}

func readDisk(dir string) disk {
	d := disk{}
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, f := range files {
		if data, err := os.ReadFile(f); err == nil && !strings.HasSuffix(f, ".lock") {
			d[f] = data
		}
	}
	return d
}

// tear cuts into the last record, as a kill amid its writing does: not one that
// announces an act, for that is on disk before the act is begun.
func tear(d disk, cut int) disk {
	for f, data := range d {
		if !strings.HasSuffix(f, ".jsonl") {
			continue
		}
		lines := bytes.SplitAfter(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
		tail := lines[len(lines)-1]
		if len(lines) > 1 && !bytes.Contains(tail, []byte(`"kind":"intent"`)) {
			d[f] = data[:len(data)-min(cut, len(tail))]
		}
	}
	return d
}

// restore makes the disk what it was when the run was killed, if it was.
func (w *world) restore(rt *rapid.T, d *disk) {
	if d == nil || *d == nil || len(*d) == 0 {
		return
	}
	for f := range readDisk(w.o.Dir) {
		if err := os.Remove(f); err != nil {
			rt.Fatal(err)
		}
	}
	for f, data := range *d {
		if err := os.WriteFile(f, data, 0o600); err != nil {
			rt.Fatal(err)
		}
	}
}

// tellsTheTruth holds the status to what the servers really are.
func (w *world) tellsTheTruth(rt *rapid.T, name string) {
	s, err := change.Status(w.o.Dir, name)
	if err != nil {
		rt.Fatal(err)
	}
	for _, told := range s.Servers {
		actual, p := -1, w.plan.Servers[0]
		for _, candidate := range w.plan.Servers {
			if candidate.Server.ID == told.Server.ID {
				p = candidate
			}
		}
		rules := describe(w.server(told.Server.Name).rules)
		for k := range len(p.Steps) + 1 {
			if describe(applied(p, k)) == rules {
				actual = k
			}
		}
		// Where an undo stopped amid putting back, what is in effect need not be the
		// first steps; and what it says is unclear may be any later one.
		if actual != told.InEffect && (!told.Unclear || actual >= 0 && actual < told.InEffect) {
			rt.Errorf("server %s has %d steps in effect, and the status says %d (unclear: %v)", told.Server.Name, actual, told.InEffect, told.Unclear)
		}
		if told.Phase == change.PhaseUndone && actual != 0 || told.Phase == change.PhaseDone && actual != len(p.Steps) {
			rt.Errorf("server %s is said to be %s with %d steps in effect", told.Server.Name, told.Phase, actual)
		}
	}
}
