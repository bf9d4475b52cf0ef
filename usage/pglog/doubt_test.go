package pglog_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/posternhq/postern/usage/pglog"
)

// A record that is cut anywhere, or run together with the next one, hides what it
// told: in these formats no line means nothing.
func TestNoRecordIsCutWithoutDoubt(t *testing.T) {
	for name, format := range map[string][]string{
		"csv":   strings.SplitAfter(csvLog(), "\n"),
		"json":  strings.SplitAfter(jsonLog(), "\n"),
		"azure": strings.SplitAfter(strings.Join(azureLog(false), "\n")+"\n", "\n"),
		"stderr": strings.SplitAfter(stderrLog(func(s string) string {
			return "2026-11-01 08:00:00 UTC-" + s + "-"
		}), "\n"),
	} {
		received, authorized, ended := format[0], format[2], format[len(format)-4]
		for _, end := range []string{"\n", ""} {
			for at := 1; at < len(authorized)-1; at++ {
				log := received + authorized[:at] + end + received + ended
				_, s := read(t, pglog.Options{}, log)
				if s.Torn+s.OtherLanguage+s.Embedded+int64(s.Truncated) == 0 && s.Events[pglog.Authorized] == 0 {
					t.Errorf("%s: %q is lost without a word: %+v", name, authorized[:at]+end, s)
				}
			}
		}
		// Its end alone, as far as it is long enough to be told from anything.
		const least = 20
		for at := 1; name != "stderr" && at < len(authorized)-least; at++ {
			if _, s := read(t, pglog.Options{}, received+authorized[at:]+received); s.Torn+s.OtherLanguage == 0 {
				t.Errorf("%s: %q is lost without a word: %+v", name, authorized[at:], s)
			}
		}
	}
}

func TestAnAzureRecordWithoutAMessageIsTorn(t *testing.T) {
	whole := azureLog(false)[0] + "\n"
	for _, properties := range []string{`{}`, `null`, `{"message":""}`, `{"message":null}`, `{"errorLevel":"LOG"}`, `{"errorLevel":"LOG","message":"\u0000"}`} {
		_, s := read(t, pglog.Options{}, whole+`{"time":"2026-11-01T08:00:00Z","category":"PostgreSQLLogs","resourceId":"/S/DB","properties":`+properties+"}\n")
		if s.Torn != 1 {
			t.Errorf("%s: counted %+v", properties, s)
		}
	}
}

func TestOnlyADocumentFollowsADocument(t *testing.T) {
	record := azureLog(false)[0]
	document := `{"records":[` + record + `]}`
	for after, torn := range map[string]int64{
		"":                               0,
		"\n" + document + " " + document: 0,
		"\n[" + record + "]":             0,
		"\n" + record + "\n":             1,
		"x":                              1,
		"\n" + record + "\n" + document:  1,
	} {
		if _, s := read(t, pglog.Options{}, document+after); s.Torn != torn || s.Entries == 0 {
			t.Errorf("after the document %q: counted %+v", after, s)
		}
	}
	for _, list := range []string{record + `,"x",` + record, `ed"}},` + record, record + `,null`} {
		if _, s := read(t, pglog.Options{Format: pglog.Azure}, `{"records":[`+list+`]}`); s.Torn == 0 {
			t.Errorf("in the list %q: counted %+v", list, s)
		}
	}
	if _, s := read(t, pglog.Options{}, `{"records":[`+record+","+strings.Replace(record, "port=", strings.Repeat("x", pglog.MaxEntry), 1)+"]}"); s.Torn != 1 {
		t.Errorf("too long to keep: counted %+v", s)
	}
}

func TestCSVHasAsManyColumnsAsItsVersion(t *testing.T) {
	ok := strings.SplitAfter(csvLog(), "\n")[0]
	fields := strings.Split(strings.TrimSuffix(ok, "\n"), ",")
	for n := range 30 {
		line := strings.Join(append(fields[:min(n, len(fields)):len(fields)], make([]string, max(0, n-len(fields)))...), ",") + "\n"
		_, s := read(t, pglog.Options{}, ok+line)
		if known := n == 23 || n == 24 || n == 26; known != (s.Entries == 2) || n > 0 && known == (s.Torn == 1) {
			t.Errorf("%d columns: counted %+v", n, s)
		}
	}
}

func TestASessionIDIsTwoNumbers(t *testing.T) {
	for id, ok := range map[string]bool{"6909e0c1.2": true, "14331": false, "6909e0c1.": false, ".2": false, "6909e0c1": false} {
		_, s, err := tryRead(t.Context(), pglog.Options{}, "2026-11-01 08:00:00 UTC-"+id+"-LOG:  "+received("1.1.1.1")+"\n")
		if (err == nil) != ok {
			t.Errorf("%q: %v, counted %+v", id, err, s)
		}
	}
}

// Any SQL user can log such an end in the name of his own session.
func TestAForgedEndEndsNothing(t *testing.T) {
	one := azurePrefixed("08:00:00", "2", received("1.1.1.1"))
	in := azurePrefixed("08:00:01", "2", authorized("a"))
	tests := []struct {
		name, log           string
		want                []string
		unjoined, contested int64
	}{
		{"with another address", one + in + azurePrefixed("08:00:02", "2", ended("a", "2.2.2.2")) + azurePrefixed("08:00:03", "2", ended("a", "1.1.1.1")),
			[]string{"received 1.1.1.1", "authorized 1.1.1.1 a", "disconnected 2.2.2.2 a unannounced", "disconnected 1.1.1.1 a unannounced"}, 0, 1},
		{"while it waits", in + azurePrefixed("08:00:02", "2", ended("a", "2.2.2.2")) + one,
			[]string{"authorized a", "disconnected 2.2.2.2 a unannounced", "received 1.1.1.1"}, 1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			events, stats := read(t, pglog.Options{}, tt.log)
			if diff := cmp.Diff(tt.want, told(events)); diff != "" || stats.Unjoined != tt.unjoined || stats.Contested != tt.contested {
				t.Errorf("events (-want +got):\n%s%+v", diff, stats)
			}
		})
	}
}

// What may be a part of the log and is not read is named, whatever it is called.
func TestAFolderLeavesNothingOutInSilence(t *testing.T) {
	line := azurePrefixed("08:00:00", "2", received("20.50.1.2"))
	wide := func(text string) string { return strings.Join(strings.Split(text, ""), "\x00") + "\x00" }
	for name, content := range map[string]string{
		"a.txt": wide(line), "b.avro": "Obj\x01" + wide(line), "c.bin": strings.Repeat("\x00", 70_000) + line,
		"d.txt": strings.Repeat("\tcontinued\n", 6000) + line, "e.log.old": "\x1f\x8b\x08garbage", "f.log": "\x1f\x8b\x01garbage, and more of it",
		"g.json": "", "h.gz": "", "i.log.gz": "", "j.txt": "[x] " + line,
	} {
		dir := t.TempDir()
		check(t, os.WriteFile(filepath.Join(dir, "a.log"), []byte(line), 0o600))
		check(t, os.WriteFile(filepath.Join(dir, "empty.log"), nil, 0o600))
		check(t, os.WriteFile(filepath.Join(dir, "readme.txt"), []byte("hello\n"), 0o600))
		check(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
		if s := readFolder(t, dir); s.UnreadFiles != 1 || !strings.Contains(strings.Join(s.Unread, ""), name) || s.Skipped != 1 {
			t.Errorf("%s: counted %+v", name, s)
		}
	}
	dir := t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, "a.log"), []byte(line), 0o600))
	for _, name := range []string{"b.log", "control"} {
		socket, err := net.Listen("unix", filepath.Join(dir, name))
		check(t, err)
		defer func() { check(t, socket.Close()) }()
	}
	if s := readFolder(t, dir); s.UnreadFiles != 1 || s.Skipped != 1 {
		t.Errorf("a socket: counted %+v", s)
	}
}

func readFolder(t *testing.T, dir string) pglog.Stats {
	t.Helper()
	r, err := pglog.New(pglog.Options{}, func(pglog.Event) {})
	check(t, err)
	check(t, r.ReadPath(t.Context(), dir, nil))
	return r.Finish()
}

// The time that one entry takes is bounded, whatever its lines look like.
func TestManyLinesWithinALineTakeNoTime(t *testing.T) {
	for name, piece := range map[string]string{
		"prefixes":    "\r2026-11-20 08:00:00 UTC" + strings.Repeat(":@", 130) + ":[",
		"connections": "\r2026-11-20 08:00:00 UTC" + strings.Repeat(":@", 130) + ":[connection received: host=",
		"line ends":   "\r",
	} {
		message := quoteJSON("2026-11-01 08:00:00 UTC-6909e0c1.2-LOG:  statement: " + strings.Repeat(piece, 500_000/len(piece)))
		log := azureLog(false)[0] + "\n" + `{"time":"2026-11-01T08:00:00Z","category":"PostgreSQLLogs","properties":{"message":` + strings.ReplaceAll(message, "\r", `\r`) + "}}\n"
		start := time.Now()
		_, s := read(t, pglog.Options{}, log)
		if took := time.Since(start); took > 2*time.Second || s.Entries != 2 {
			t.Errorf("%s took %s: %+v", name, took, s)
		}
	}
}
