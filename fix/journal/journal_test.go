package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/fix/journal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	began  = time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC)
	author = journal.Author{Who: "ops@example.com", Now: func() time.Time { return began }}
	plan   = &fix.Plan{
		Version: fix.PlanVersion, Digest: "d1",
		Servers: []fix.ServerPlan{{Server: fix.Server{ID: "/s/orders", Name: "orders"}, Before: []fix.Rule{{ID: "/r", Name: "<b>&", Properties: []byte(`{"a":"\u003c<"}`)}}}},
	}
)

// written is a journal of some records, closed.
func written(t testing.TB, records int) (dir, change string) {
	t.Helper()
	dir, change = filepath.Join(t.TempDir(), "a", "b"), journal.NewID(began)
	j, err := journal.Create(dir, change, plan, journal.Settings{Canary: 2, CanaryWait: time.Hour}, author)
	if err != nil {
		t.Fatal(err)
	}
	for i := range records {
		if _, err := j.Append(journal.Record{Kind: journal.Intent, Server: "/s/orders", Step: i + 1, What: "add rule \"x\"\n", Before: &fix.Rule{ID: "/r"}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, change
}

func file(dir, change string) string { return filepath.Join(dir, change+".jsonl") }

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func overwrite(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestWhatWasWrittenIsRead(t *testing.T) {
	dir, change := written(t, 2)
	c, err := journal.Load(dir, change)
	if err != nil || c.Damage != nil || len(c.Records) != 3 {
		t.Fatalf("%+v, %v", c, err)
	}
	first := c.First()
	if diff := cmp.Diff(plan, first.Plan); diff != "" {
		t.Errorf("the plan (-written +read):\n%s", diff)
	}
	want := journal.Record{Seq: 3, At: began, Change: change, Kind: journal.Intent, Who: "ops@example.com", What: "add rule \"x\"\n", Server: "/s/orders", Step: 2, Before: &fix.Rule{ID: "/r"}}
	if diff := cmp.Diff(want, c.Records[2]); diff != "" {
		t.Errorf("the last record (-want +got):\n%s", diff)
	}
	if first.Version != journal.Version || first.Settings.Canary != 2 {
		t.Errorf("the first record is %+v", first)
	}
	for path, mode := range map[string]os.FileMode{dir: 0o700, filepath.Dir(dir): 0o700, file(dir, change): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s has the mode %v, %v", path, info.Mode(), err)
		}
	}
	if names, err := journal.List(dir); err != nil || !slices.Equal(names, []string{change}) {
		t.Errorf("listed %q, %v", names, err)
	}
	if _, err := journal.Create(dir, change, plan, journal.Settings{}, author); err == nil {
		t.Error("a journal was begun over another")
	}
}

// A file cut anywhere is read up to the last whole record, goes on from there, and
// loses nothing of what was cut off.
func TestCutAnywhere(t *testing.T) {
	dir, change := written(t, 3)
	whole := read(t, file(dir, change))
	ends := lineEnds(whole)
	for size := range whole {
		overwrite(t, file(dir, change), whole[:size])
		j, c, err := journal.Open(dir, change, author)
		sound := 0
		for _, end := range ends {
			if end <= size {
				sound++
			}
		}
		if sound == 0 {
			if err == nil || size > 0 && !strings.Contains(err.Error(), "first record") {
				t.Fatalf("cut at %d: %v", size, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("cut at %d: %v", size, err)
		}
		torn := !slices.Contains(ends, size)
		if (c.Damage != nil) != torn || torn && (!c.Damage.Torn || c.Damage.After != sound || c.Incomplete()) {
			t.Fatalf("cut at %d: %d records, damage %+v", size, len(c.Records), c.Damage)
		}
		if _, err := j.Append(journal.Record{Kind: journal.Ended, What: "done"}); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		again, err := journal.Load(dir, change)
		want := sound + 1
		if torn {
			want++ // the record that tells of it
		}
		if err != nil || again.Damage != nil || len(again.Records) != want {
			t.Fatalf("cut at %d: %d records after going on, want %d; %+v, %v", size, len(again.Records), want, again.Damage, err)
		}
		aside, _ := filepath.Glob(filepath.Join(dir, change+".damaged-*"))
		if torn != (len(aside) == 1) {
			t.Fatalf("cut at %d: set aside %q", size, aside)
		}
		for _, a := range aside {
			if !bytes.HasSuffix(whole[:size], read(t, a)) || len(read(t, a)) != int(c.Damage.Bytes) {
				t.Errorf("cut at %d: %q was set aside", size, read(t, a))
			}
			if err := os.Remove(a); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func lineEnds(data []byte) []int {
	var ends []int
	for i, c := range data {
		if c == '\n' {
			ends = append(ends, i+1)
		}
	}
	return ends
}

// A bit that flips anywhere is found out.
func TestABitFlips(t *testing.T) {
	dir, change := written(t, 3)
	whole := read(t, file(dir, change))
	ends := lineEnds(whole)
	for at := range whole {
		for _, bit := range []byte{1, 0x20, 0x80} {
			bad := bytes.Clone(whole)
			bad[at] ^= bit
			c, err := journal.Decode(bad)
			sound := 0
			for sound < len(ends) && ends[sound] <= at {
				sound++
			}
			if sound == 0 {
				if err == nil {
					t.Fatalf("byte %d: the first record was read", at)
				}
				continue
			}
			// A line end that flips makes the rest one line.
			if err != nil || len(c.Records) != sound || c.Damage == nil || c.Damage.Offset != int64(ends[sound-1]) || c.Damage.Bytes != int64(len(bad)-ends[sound-1]) {
				t.Fatalf("byte %d: %d records, %+v, %v; want %d", at, len(c.Records), c.Damage, err, sound)
			}
			if sound < 3 && at != ends[sound]-1 && (c.Damage.Torn || !c.Incomplete()) {
				t.Fatalf("byte %d: damage in the midst is taken for a torn end", at)
			}
		}
	}
}

func TestDamageInTheMidstIsRemembered(t *testing.T) {
	dir, change := written(t, 3)
	data := read(t, file(dir, change))
	data[lineEnds(data)[1]+30] ^= 1
	overwrite(t, file(dir, change), data)
	for range 2 {
		j, c, err := journal.Open(dir, change, author)
		if err != nil || !c.Incomplete() || len(c.Records) != 3 {
			t.Fatalf("%+v, %v", c, err)
		}
		if last := c.Records[2]; last.Kind != journal.Recovered || !last.LosesSome() || !strings.Contains(last.What, "what the servers show now decides") {
			t.Errorf("it says %+v", last)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Records moved, left out or brought from elsewhere do not fit.
func TestRecordsKeepTheirPlace(t *testing.T) {
	dir, change := written(t, 3)
	lines := bytes.SplitAfter(read(t, file(dir, change)), []byte("\n"))
	other, otherChange := written(t, 3)
	foreign := bytes.SplitAfter(read(t, file(other, otherChange)), []byte("\n"))
	tests := map[string][][]byte{
		"one left out":       {lines[0], lines[2], lines[3]},
		"two swapped":        {lines[0], lines[2], lines[1]},
		"one twice":          {lines[0], lines[1], lines[1]},
		"one of another":     {lines[0], foreign[1], lines[2]},
		"without the first":  {lines[1], lines[2]},
		"an empty line":      {lines[0], []byte("\n"), lines[1]},
		"a line of text":     {lines[0], []byte("hello\n"), lines[1]},
		"zeros at its end":   {lines[0], make([]byte, 512)},
		"the first one more": {lines[0], lines[0]},
	}
	for name, parts := range tests {
		c, err := journal.Decode(bytes.Join(parts, nil))
		if name == "without the first" {
			if err == nil {
				t.Errorf("%s: read", name)
			}
			continue
		}
		want := 1
		if name == "one twice" {
			want = 2
		}
		if err != nil || len(c.Records) != want || c.Damage == nil {
			t.Errorf("%s: %d records, %+v, %v", name, len(c.Records), c.Damage, err)
		}
	}
}

func TestOtherVersions(t *testing.T) {
	dir, change := written(t, 1)
	whole := string(read(t, file(dir, change)))
	_, err := journal.Decode([]byte(strings.Replace(whole, "journal/v1", "journal/v2", 1)))
	if !errors.Is(err, journal.ErrNewer) || !strings.Contains(err.Error(), "journal/v2") {
		t.Errorf("a newer version: %v", err)
	}
	for _, text := range []string{"", "{}", "{}\n", "hello\n", `{"version":"other"}` + "\n"} {
		if _, err := journal.Decode([]byte(text)); err == nil || errors.Is(err, journal.ErrNewer) {
			t.Errorf("%q: %v", text, err)
		}
	}
	j, _, err := journal.Open(dir, change, author)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(journal.Record{Kind: "hired"}); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Load(dir, change); !errors.Is(err, journal.ErrNewer) || !strings.Contains(err.Error(), `"hired"`) {
		t.Errorf("an unknown kind: %v", err)
	}
}

func TestSeveralAppendAtOnce(t *testing.T) {
	dir, change := written(t, 0)
	j, _, err := journal.Open(dir, change, author)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 5 {
				if _, err := j.Append(journal.Record{Kind: journal.Outcome, What: fmt.Sprint(i)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if c, err := journal.Load(dir, change); err != nil || len(c.Records) != 41 || c.Damage != nil {
		t.Errorf("%d records, %+v, %v", len(c.Records), c.Damage, err)
	}
	if _, err := j.Append(journal.Record{Kind: journal.Ended}); err == nil {
		t.Error("a closed journal took a record")
	}
}

func TestLocks(t *testing.T) {
	dir := t.TempDir()
	h := journal.Holder{Change: "20261124-060000-aabbcc", PID: 42, Since: began}
	lock, err := journal.LockServer(dir, "/S/Orders", "orders", h)
	if err != nil {
		t.Fatal(err)
	}
	var held *journal.HeldError
	if _, err := journal.LockServer(dir, "/s/orders", "orders", journal.Holder{PID: 43}); !errors.As(err, &held) || held.Holder != h {
		t.Errorf("the second got %v", err)
	}
	if want := `server "orders" is held by change 20261124-060000-aabbcc (process 42, since 2026-11-24 06:00:00 UTC)`; !strings.Contains(held.Error(), want) {
		t.Errorf("it says %q, want %q in it", held, want)
	}
	other, err := journal.LockServer(dir, "/s/billing", "billing", h)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []*journal.Lock{lock, other} {
		if err := l.Unlock(); err != nil {
			t.Fatal(err)
		}
	}
	plan, err := journal.LockPlan(dir, "d", h)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := journal.Running(dir, "d"); err != nil || got == nil || *got != h {
		t.Errorf("running: %v, %v", got, err)
	}
	if err := plan.Unlock(); err != nil {
		t.Fatal(err)
	}
	if got, err := journal.Running(dir, "d"); err != nil || got != nil {
		t.Errorf("running: %v, %v", got, err)
	}
	if lock, err = journal.LockServer(dir, "/s/orders", "orders", h); err != nil {
		t.Fatal(err)
	}
	if err := lock.Unlock(); err != nil {
		t.Fatal(err)
	}
}

func TestNamesOfChangesAreNoPaths(t *testing.T) {
	for _, name := range []string{"", "..", "../x", "20261124-060000-aabbcc/../x", "20261124-060000-AABBCC", "20261124-060000-aabbcc\n"} {
		if _, err := journal.Load(t.TempDir(), name); err == nil || !strings.Contains(err.Error(), "no name of a change") {
			t.Errorf("%q: %v", name, err)
		}
	}
	if id := journal.NewID(began); !journal.IsID(id) {
		t.Errorf("%q is no name", id)
	}
}

func FuzzDecode(f *testing.F) {
	dir, change := written(f, 3)
	whole := read(f, file(dir, change))
	f.Add(whole)
	f.Add(whole[:len(whole)-7])
	f.Add(append(bytes.Clone(whole), make([]byte, 100)...))
	f.Add([]byte(`{"version":"postern.journal/v9"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := journal.Decode(data)
		if err != nil {
			return
		}
		if len(c.Records) == 0 || c.First().Plan == nil {
			t.Fatal("read without a plan")
		}
		// What is trusted is a whole journal of its own, and the rest is told.
		sound := data
		if c.Damage != nil {
			sound = data[:c.Damage.Offset]
			if c.Damage.Offset+c.Damage.Bytes != int64(len(data)) {
				t.Errorf("damage %+v in %d bytes", c.Damage, len(data))
			}
		}
		again, err := journal.Decode(sound)
		if err != nil || again.Damage != nil || len(again.Records) != len(c.Records) {
			t.Errorf("the sound part: %d of %d records, %+v, %v", len(again.Records), len(c.Records), again.Damage, err)
		}
	})
}
