package pglog_test

import (
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/posternhq/postern/usage/pglog"
)

// fuzzFormat demands of any bytes in a format what holds for all: no panic, an
// error that is one of the format, and events within their bounds.
func fuzzFormat(f *testing.F, format pglog.Format, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		events, stats, err := tryRead(t.Context(), pglog.Options{Format: format}, string(data))
		if err != nil {
			var other *pglog.FormatError
			if !errors.As(err, &other) && (len(data) < 2 || data[0] != 0x1f) {
				t.Fatalf("reading gave %v", err)
			}
			return
		}
		var counted int64
		for _, n := range stats.Events {
			counted += n
		}
		if counted != int64(len(events)) || counted > stats.Entries {
			t.Fatalf("%d events, counted %+v", len(events), stats)
		}
		for _, ev := range events {
			for _, text := range []string{ev.Session, ev.Host, ev.Port, ev.User, ev.Database, ev.Application, ev.TLS, ev.Identity, ev.Method} {
				if !utf8.ValidString(text) || len(text) > 3*pglog.MaxName {
					t.Fatalf("a field is %q", text)
				}
			}
		}
	})
}

func FuzzStderr(f *testing.F) {
	fuzzFormat(f, pglog.Stderr, stderrLog(func(s string) string { return "2026-11-01 08:00:00 UTC-" + s + "-" }),
		"2026-11-01 08:00:00.123 UTC [7] u@d LOG:  disconnection: session time: 0 user= database= host=[local]\n")
}

func FuzzCSV(f *testing.F)  { fuzzFormat(f, pglog.CSV, csvLog()) }
func FuzzJSON(f *testing.F) { fuzzFormat(f, pglog.JSON, jsonLog()) }
func FuzzAuto(f *testing.F) {
	fuzzFormat(f, pglog.Auto, csvLog(), jsonLog(), `{"records":[]}`, "\x1f\x8b\x08")
}
func FuzzAzure(f *testing.F) {
	fuzzFormat(f, pglog.Azure, azureLog(false)[0]+"\n"+azureLog(true)[1], `{"records":[`+azureLog(false)[2]+`]}`)
}

// Whatever the prefix, it is refused or it reads any line in bounded time.
func FuzzPrefix(f *testing.F) {
	f.Add("%t-%c-", "2026-11-01 08:00:00 UTC-6909e0c1.2-LOG:  connection received: host=a port=1")
	f.Add("%m [%p] %q%u@%d/%a ", "2026-11-01 08:00:00.1 UTC [1] a@b/c LOG:  x")
	f.Add("%-10u|%5p|%%|%a %d %h %r %b", "          |    1|%|     ")
	f.Fuzz(func(t *testing.T, prefix, line string) {
		if prefix == "" {
			return
		}
		_, _, err := tryRead(t.Context(), pglog.Options{Format: pglog.Stderr, Prefix: prefix}, line+"\n"+line)
		var other *pglog.FormatError
		_, bad := pglog.New(pglog.Options{Prefix: prefix}, nil)
		if err != nil && bad == nil && !errors.As(err, &other) && line[:min(1, len(line))] != "\x1f" {
			t.Fatalf("%q gave %v", prefix, err)
		}
	})
}
