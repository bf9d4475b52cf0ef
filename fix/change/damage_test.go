package change_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/posternhq/postern/fix/change"
)

// A journal that is damaged anywhere after its first record is gone on with from
// what the servers show, forward and back.
func TestADamagedJournal(t *testing.T) {
	for _, back := range []bool{false, true} {
		for line := 1; line < 9; line++ {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, "orders")
				puts := 0
				w.az.fault = func(_ int, call string, _ *server) fault {
					if call == "delete" {
						puts++
					}
					return fault{before: call == "delete" && puts == 1}
				}
				res := w.apply(t)
				w.wants(t, res, "orders: failed")
				path := filepath.Join(w.o.Dir, res.Change+".jsonl")
				data, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				lines := bytes.SplitAfter(data, []byte("\n"))
				if line >= len(lines)-1 {
					return
				}
				lines[line][20] ^= 1
				if err := os.WriteFile(path, bytes.Join(lines, nil), 0o600); err != nil {
					t.Fatal(err)
				}
				s, err := change.Status(w.o.Dir, res.Change)
				if err != nil || !s.Servers[0].Unknown || !strings.Contains(s.Damage, "what the servers show now decides") {
					t.Errorf("line %d: status %+v, %v", line, s, err)
				}
				if back {
					res, err = change.Undo(t.Context(), res.Change, w.o)
				} else {
					res, err = change.Resume(t.Context(), res.Change, w.o)
				}
				if err != nil {
					t.Fatal(err)
				}
				w.allAre(t, !back)
				if s, err = change.Status(w.o.Dir, res.Change); err != nil || s.Servers[0].Unknown || s.Damage == "" {
					t.Errorf("line %d: status afterwards %+v, %v", line, s, err)
				}
			})
		}
	}
}
