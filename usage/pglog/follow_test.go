package pglog_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/posternhq/postern/usage/pglog"
)

// follow follows a path and returns where its events go, and how to end it.
func follow(t *testing.T, path string, o pglog.Options) (events <-chan pglog.Event, end func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, done := make(chan pglog.Event, 100), make(chan error, 1)
	go func() {
		done <- pglog.Follow(ctx, path, 10*time.Millisecond, o, func(ev pglog.Event) { out <- ev })
	}()
	t.Cleanup(cancel)
	// What is there before the first look is old: let the look happen.
	time.Sleep(100 * time.Millisecond)
	return out, func() error { cancel(); return <-done }
}

func expect(t *testing.T, events <-chan pglog.Event, hosts ...string) {
	t.Helper()
	for _, want := range hosts {
		select {
		case ev := <-events:
			if ev.Host != want {
				t.Fatalf("got %+v, want one from %s", ev, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("nothing came, want an event from %s", want)
		}
	}
	select {
	case ev := <-events:
		t.Fatalf("%+v came besides", ev)
	case <-time.After(50 * time.Millisecond):
	}
}

func refusedLine(host string) string {
	return "2026-11-01 08:00:00 UTC-6909e0c2.3-FATAL:  no pg_hba.conf entry for host \"" + host + "\", user \"shop\", database \"orders\", no encryption\n"
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	check(t, err)
	_, err = f.WriteString(text)
	check(t, err)
	check(t, f.Close())
}

func TestFollowTellsWhatIsAddedAndNotWhatWasThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "postgresql.log")
	appendTo(t, path, refusedLine("1.1.1.1"))
	events, end := follow(t, path, pglog.Options{})
	appendTo(t, path, refusedLine("2.2.2.2"))
	want := pglog.Event{Kind: pglog.Refused, Time: at("2026-11-01 08:00:00"), Session: "6909e0c2.3", Host: "2.2.2.2", User: "shop", Database: "orders"}
	if diff := cmp.Diff(want, <-events); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	line := refusedLine("3.3.3.3")
	appendTo(t, path, line[:40])
	expect(t, events)
	appendTo(t, path, line[40:]+refusedLine("4.4.4.4"))
	expect(t, events, "3.3.3.3", "4.4.4.4")
	if err := end(); err != nil {
		t.Error(err)
	}
}

func TestFollowGoesOnThroughRotation(t *testing.T) {
	rename := func(t *testing.T, path string) {
		check(t, os.Rename(path, path+".1"))
		appendTo(t, path+".1", refusedLine("2.2.2.2")) // the server has it open still
		time.Sleep(20 * time.Millisecond)
		appendTo(t, path, refusedLine("3.3.3.3"))
		time.Sleep(10 * time.Millisecond)
		appendTo(t, path+".1", refusedLine("4.4.4.4"))
	}
	truncate := func(t *testing.T, path string) {
		appendTo(t, path, refusedLine("2.2.2.2"))
		time.Sleep(100 * time.Millisecond)
		check(t, os.Truncate(path, 0))
		time.Sleep(100 * time.Millisecond)
		appendTo(t, path, refusedLine("3.3.3.3"))
	}
	another := func(t *testing.T, path string) {
		appendTo(t, path, refusedLine("2.2.2.2"))
		time.Sleep(100 * time.Millisecond)
		appendTo(t, filepath.Join(filepath.Dir(path), "later.log"), refusedLine("3.3.3.3"))
	}
	tests := []struct {
		name   string
		folder bool
		rotate func(*testing.T, string)
	}{
		{"renamed", false, rename}, {"truncated", false, truncate},
		{"renamed in a folder", true, rename}, {"truncated in a folder", true, truncate}, {"a new file in a folder", true, another},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "postgresql.log")
			appendTo(t, path, refusedLine("1.1.1.1")+refusedLine("1.1.1.2"))
			followed := path
			if tt.folder {
				followed = dir
			}
			events, end := follow(t, followed, pglog.Options{})
			tt.rotate(t, path)
			want := []string{"2.2.2.2", "3.3.3.3"}
			if strings.HasPrefix(tt.name, "renamed") {
				want = append(want, "4.4.4.4")
			}
			got := map[string]bool{}
			for range want {
				select {
				case ev := <-events:
					got[ev.Host] = true
				case <-time.After(10 * time.Second):
					t.Fatalf("got %v, want %v", got, want)
				}
			}
			expect(t, events)
			for _, host := range want {
				if !got[host] {
					t.Errorf("nothing came from %s", host)
				}
			}
			if err := end(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFollowWaitsForWholeRecordsOfEveryFormat(t *testing.T) {
	for name, text := range map[string]string{
		"csv": csvLog(), "json": jsonLog(), "azure": strings.Join(azureLog(false), "\n") + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.log")
			appendTo(t, path, "")
			events, end := follow(t, path, pglog.Options{})
			for piece := range strings.SplitAfterSeq(text, " ") {
				appendTo(t, path, piece)
				time.Sleep(time.Millisecond)
			}
			expect(t, events, "20.50.1.2", "20.50.1.2", "20.50.1.2", "20.50.1.2", "2001:db8::7")
			if err := end(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFollowSaysWhatCannotBeFollowed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	for _, none := range []string{path, pglog.Stdin} {
		if err := pglog.Follow(t.Context(), none, time.Millisecond, pglog.Options{}, nil); err == nil {
			t.Errorf("%s was followed", none)
		}
	}
	appendTo(t, path, "")
	_, end := follow(t, path, pglog.Options{})
	appendTo(t, path, "Nov  1 08:00:00 db hello\n")
	time.Sleep(100 * time.Millisecond)
	var format *pglog.FormatError
	if err := end(); !errors.As(err, &format) {
		t.Errorf("another format gave %v", err)
	}
}
