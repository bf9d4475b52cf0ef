package pglog_test

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/posternhq/postern/usage/pglog"
)

func TestSessionsAreJoinedWhateverTheOrder(t *testing.T) {
	line := func(session, text string) string {
		return "2026-11-01 08:00:00 UTC-6909e0c1." + session + "-LOG:  " + text + "\n"
	}
	received := line("2", "connection received: host=20.50.1.2 port=50001")
	authorized := line("2", "connection authorized: user=a database=b application_name=c")
	ended := line("2", "disconnection: session time: 0:00:01.000 user=a database=b host=20.50.1.2 port=50001")
	tests := []struct {
		name, log string
		want      []string
	}{
		{"in order", received + authorized + ended, []string{"received 20.50.1.2", "authorized 20.50.1.2", "disconnected 20.50.1.2"}},
		{"interleaved", received + line("3", "connection received: host=[local]") + authorized + line("3", "connection authorized: user=a database=b"),
			[]string{"received 20.50.1.2", "received [local]", "authorized 20.50.1.2", "authorized [local]"}},
		{"the wrong way round", authorized + received, []string{"received 20.50.1.2", "authorized 20.50.1.2"}},
		// Whoever may run SQL can log such an end: it lends no address.
		{"received is missing", authorized + ended, []string{"authorized ", "disconnected 20.50.1.2 unannounced"}},
		{"all but the end is missing", ended, []string{"disconnected 20.50.1.2 unannounced"}},
		{"only authorized", authorized, []string{"authorized "}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			events, _ := read(t, pglog.Options{}, tt.log)
			var got []string
			for _, ev := range events {
				text := string(ev.Kind) + " " + ev.Host
				if ev.Unannounced {
					text += " unannounced"
				}
				got = append(got, text)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

// A log makes lines that are asked for, and never holds them all.
type endless struct {
	line func(n int) string
	left int
	rest string
}

func (e *endless) Read(p []byte) (int, error) {
	if e.rest == "" {
		if e.left == 0 {
			return 0, io.EOF
		}
		e.left--
		e.rest = e.line(e.left)
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// heapOf returns the most heap that reading a log took, in bytes.
func heapOf(t testing.TB, in *endless) (peak uint64, stats pglog.Stats) {
	t.Helper()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before := m.HeapAlloc
	n := 0
	r, err := pglog.New(pglog.Options{}, func(pglog.Event) {
		if n++; n%50_000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapAlloc-min(before, m.HeapAlloc))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Read(t.Context(), "endless", in); err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&m)
	return max(peak, m.HeapAlloc-min(before, m.HeapAlloc)), r.Finish()
}

func TestOpenSessionsAreBounded(t *testing.T) {
	never := func(n int) string {
		return fmt.Sprintf("2026-11-01 08:00:00 UTC-%x.%x-LOG:  connection received: host=20.50.1.2 port=50001\n", n, n)
	}
	peak, stats := heapOf(t, &endless{line: never, left: 5 * pglog.MaxSessions})
	const most = 48 << 20
	if peak > most || stats.Events[pglog.Received] != 5*pglog.MaxSessions {
		t.Errorf("%d sessions that never end took %d MB", stats.Events[pglog.Received], peak>>20)
	}
}

func TestALineOfAnyLengthIsRead(t *testing.T) {
	const first = "2026-11-01 08:00:00 UTC-6909e0c1.2-LOG:  connection received: host=20.50.1.2 port=50001\n"
	long := strings.Repeat("x", 1<<20)
	pieces := []string{first, "2026-11-01 08:00:00 UTC-6909e0c1.2-LOG:  statement: "}
	for range 64 {
		pieces = append(pieces, long)
	}
	pieces = append(pieces, "\n", strings.Replace(first, "6909e0c1.2", "6909e0c1.3", 1))
	in := &endless{left: len(pieces), line: func(n int) string { return pieces[len(pieces)-1-n] }}
	peak, stats := heapOf(t, in)
	if stats.Entries != 3 || stats.Events[pglog.Received] != 2 || stats.Unreadable != 0 {
		t.Errorf("counted %+v", stats)
	}
	if peak > 8*pglog.MaxEntry {
		t.Errorf("a line of 64 MB took %d MB", peak>>20)
	}
}

func TestAHostileLineCannotMakeMatchingLong(t *testing.T) {
	const prefix = "%a|%d|%u|%h|%b|%i|%t "
	line := strings.Repeat("|", 400) + strings.Repeat("x", 1<<20) + "\n"
	good := "a|d|u|1.2.3.4|b|i|2026-11-01 08:00:00 UTC LOG:  x\n"
	start := time.Now()
	_, stats := read(t, pglog.Options{Prefix: prefix}, good+strings.Repeat(line, 20))
	if took := time.Since(start); took > 5*time.Second || stats.Unreadable != 20 || stats.Entries != 1 {
		t.Errorf("20 lines took %s: %+v", took, stats)
	}
}
