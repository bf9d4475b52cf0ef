package pglog_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/posternhq/postern/usage/pglog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// read reads one log and returns its events and what was counted.
func read(t *testing.T, o pglog.Options, text string) ([]pglog.Event, pglog.Stats) {
	t.Helper()
	events, stats, err := tryRead(t.Context(), o, text)
	if err != nil {
		t.Fatal(err)
	}
	return events, stats
}

func tryRead(ctx context.Context, o pglog.Options, text string) ([]pglog.Event, pglog.Stats, error) {
	var events []pglog.Event
	r, err := pglog.New(o, func(ev pglog.Event) { events = append(events, ev) })
	if err != nil {
		return nil, pglog.Stats{}, err
	}
	if err := r.Read(ctx, "a.log", strings.NewReader(text)); err != nil {
		return nil, pglog.Stats{}, err
	}
	return events, r.Finish(), nil
}

func at(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05.999", s)
	if err != nil {
		panic(err)
	}
	return t
}

// session is the story that every format below tells.
func session(ms string) []pglog.Event {
	start := at("2026-11-01 08:00:00" + ms)
	of := func(ev pglog.Event) pglog.Event {
		ev.Time, ev.Session, ev.Host, ev.Port = start, "6909e0c1.2", "20.50.1.2", "50001"
		return ev
	}
	refused := pglog.Event{Kind: pglog.Refused, Time: start, Session: "6909e0c2.3", Host: "2001:db8::7", User: "we, \"ird", Database: "post gres"}
	return []pglog.Event{
		of(pglog.Event{Kind: pglog.Received}),
		of(pglog.Event{Kind: pglog.Authenticated, Identity: "shop", Method: "scram-sha-256"}),
		of(pglog.Event{Kind: pglog.Authorized, User: "shop", Database: "orders", Application: "check out", TLS: "TLSv1.3"}),
		of(pglog.Event{Kind: pglog.Disconnected, User: "shop", Database: "orders", Application: "check out"}),
		refused,
	}
}

var messages = []struct{ severity, session, text string }{
	{"LOG", "6909e0c1.2", "connection received: host=20.50.1.2 port=50001"},
	{"LOG", "6909e0c1.2", `connection authenticated: identity="shop" method=scram-sha-256 (/etc/pg_hba.conf:12)`},
	{"LOG", "6909e0c1.2", "connection authorized: user=shop database=orders application_name=check out SSL enabled (protocol=TLSv1.3, cipher=TLS_AES_256_GCM_SHA384, bits=256)"},
	{"LOG", "6909e0c1.2", "statement: select 'LOG:  connection authorized: user=evil database=orders\nconnection received: host=1.2.3.4 port=5'"},
	{"LOG", "6909e0c1.2", "disconnection: session time: 0:00:00.031 user=shop database=orders host=20.50.1.2 port=50001"},
	{"FATAL", "6909e0c2.3", `no pg_hba.conf entry for host "2001:db8::7", user "we, "ird", database "post gres", no encryption`},
	{"ERROR", "6909e0c2.3", "connection authorized: user=evil database=orders"},
}

// stderrLog writes the messages with a prefix made for each.
func stderrLog(prefix func(session string) string) string {
	var b strings.Builder
	for _, m := range messages {
		b.WriteString(prefix(m.session) + m.severity + ":  " + strings.ReplaceAll(m.text, "\n", "\n\t") + "\n")
	}
	return b.String()
}

func csvLog() string {
	var b strings.Builder
	for _, m := range messages {
		b.WriteString(`2026-11-01 08:00:00.123 UTC,,,2,"",` + m.session + `,1,"",2026-11-01 08:00:00 UTC,3/1,0,` + m.severity +
			`,00000,"` + strings.ReplaceAll(m.text, `"`, `""`) + `",,,,,,,,,"","client backend",,0` + "\n")
	}
	return b.String()
}

func quoteJSON(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

func jsonLog() string {
	var b strings.Builder
	for _, m := range messages {
		b.WriteString(`{"timestamp":"2026-11-01 08:00:00.123 UTC","pid":2,"session_id":"` + m.session + `","error_severity":"` + m.severity + `","message":` + quoteJSON(m.text) + "}\n")
	}
	return b.String()
}

// azureLog writes the messages as flexible servers do, or with the prefix apart.
func azureLog(apart bool) []string {
	var records []string
	for _, m := range messages {
		prefix := "2026-11-01 08:00:00 UTC-" + m.session + "-"
		fields := `"message":` + quoteJSON(prefix+m.severity+":  "+m.text)
		if apart {
			fields = `"prefix":` + quoteJSON(prefix) + `,"message":` + quoteJSON(m.text)
		}
		records = append(records, `{"time":"2026-11-01T08:00:00Z","category":"PostgreSQLLogs","resourceId":"/S/DB","properties":{"errorLevel":"`+m.severity+`",`+fields+`}}`)
	}
	return records
}

func TestEveryFormatTellsTheSame(t *testing.T) {
	const when = "2026-11-01 08:00:00 UTC"
	plain := func(session string) string { return when + "-" + session + "-" }
	tests := []struct {
		name, prefix, log, ms string
	}{
		{"Azure's prefix", "", stderrLog(plain), ""},
		{"CRLF", "", strings.ReplaceAll(stderrLog(plain), "\n", "\r\n"), ""},
		{"a byte order mark", "", "\xef\xbb\xbf" + stderrLog(plain), ""},
		{"a prefix that is given", "%t [%c] ", stderrLog(func(s string) string { return when + " [" + s + "] " }), ""},
		{"milliseconds", "%m %c: ", stderrLog(func(s string) string { return "2026-11-01 08:00:00.123 UTC " + s + ": " }), ".123"},
		{"an epoch", "%n %c ", stderrLog(func(s string) string { return "1793520000.123 " + s + " " }), ".123"},
		{"a zone as numbers", "%t-%c-", stderrLog(func(s string) string { return "2026-11-01 13:30:00 +0530-" + s + "-" }), ""},
		{"everything", "%a|%b|%p|%P|%t|%i|%e|%c|%l|%s|%v|%x|%%|%q", stderrLog(func(s string) string {
			return "[unknown]|client backend|2||" + when + "|authentication|00000|" + s + "|1|2026-11-01 07:59:59 UTC|3/1|0|%|"
		}), ""},
		{"padding", "%-12p|%12c|%-30t|%8e|%-10a|", stderrLog(func(s string) string {
			return "2           |" + strings.Repeat(" ", max(0, 12-len(s))) + s + "|" + when + strings.Repeat(" ", 30-len(when)) + "|   00000|[unknown] |"
		}), ""},
		{"csvlog", "", csvLog(), ".123"},
		{"csvlog, CRLF", "", strings.ReplaceAll(csvLog(), "\n", "\r\n"), ".123"},
		{"jsonlog", "", jsonLog(), ".123"},
		{"an Azure export", "", strings.Join(azureLog(false), "\n") + "\n", ""},
		{"an Azure export, prefix apart", "", strings.Join(azureLog(true), "\n"), ""},
		{"an Azure document", "", `{"records": [` + strings.Join(azureLog(false), ",\n  ") + `]}`, ""},
		{"an Azure document a record", "", `{"records":[` + strings.Join(azureLog(false), "]}\n{\"records\":[") + "]}\n", ""},
		{"Azure lists one after the other", "", "[" + strings.Join(azureLog(false), "]\n[") + "]\n", ""},
		{"an Azure document with lists in its list", "", `{"records": [[],[[]],` + strings.Join(azureLog(false), ",[],") + `]}`, ""},
		{"an Azure document on many lines", "", "{\n \"records\":\n[\n" + strings.ReplaceAll(strings.Join(azureLog(true), ","), ",\"", ",\n\"") + "\n]\n}\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			events, stats := read(t, pglog.Options{Prefix: tt.prefix}, tt.log)
			if diff := cmp.Diff(session(tt.ms), events); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if stats.Entries != int64(len(messages)) || stats.Unreadable+stats.Foreign != 0 || stats.Truncated != 0 {
				t.Errorf("counted %+v", stats)
			}
		})
	}
}

func TestAPrefixGivesWhatTheMessageDoesNot(t *testing.T) {
	tests := []struct {
		name, prefix, line string
		want               pglog.Event
	}{
		{
			"address and port by %r", "%t %r %p ", "2026-11-01 08:00:00 UTC 20.50.1.2(50001) 7 LOG:  connection authorized: user=shop database=orders",
			pglog.Event{Kind: pglog.Authorized, Time: at("2026-11-01 08:00:00"), Session: "7", Host: "20.50.1.2", Port: "50001", User: "shop", Database: "orders", TLS: "none"},
		},
		{
			"an IPv6 address by %h", "%t h=%h,u=%u ", "2026-11-01 08:00:00 UTC h=2001:db8::1,u=[unknown] LOG:  connection authorized: user=shop database=orders",
			pglog.Event{Kind: pglog.Authorized, Time: at("2026-11-01 08:00:00"), Host: "2001:db8::1", User: "shop", Database: "orders", TLS: "none"},
		},
		{
			"a user name with a space", "%t %p %u@%d ", "2026-11-01 08:00:00 UTC 9 we ird@ord ers FATAL:  pg_hba.conf rejects connection for host \"1.2.3.4\", user \"we ird\", database \"ord ers\", no encryption",
			pglog.Event{Kind: pglog.Refused, Time: at("2026-11-01 08:00:00"), Session: "9", Host: "1.2.3.4", User: "we ird", Database: "ord ers"},
		},
		{
			"a replication connection", "%t-%c-", "2026-11-01 08:00:00 UTC-6909e0c1.2-LOG:  replication connection authorized: user=repl application_name=standby",
			pglog.Event{Kind: pglog.Authorized, Time: at("2026-11-01 08:00:00"), Session: "6909e0c1.2", User: "repl", Application: "standby", TLS: "none", Ambiguous: true},
		},
		{
			"an application that looks like a message", "%t-%c-", "2026-11-01 08:00:00 UTC-6909e0c1.2-LOG:  connection authorized: user=a database=b application_name=x database=c application_name=d",
			pglog.Event{Kind: pglog.Authorized, Time: at("2026-11-01 08:00:00"), Session: "6909e0c1.2", User: "a", Database: "b", Application: "x database=c application_name=d", TLS: "none", Ambiguous: true},
		},
		{
			"a name that is no UTF-8", "%t-%c-", "2026-11-01 08:00:00 UTC-6909e0c1.2-LOG:  connection authorized: user=a\xff\xfe database=b",
			pglog.Event{Kind: pglog.Authorized, Time: at("2026-11-01 08:00:00"), Session: "6909e0c1.2", User: "a\uFFFD", Database: "b", TLS: "none"},
		},
		{
			"GSS after SSL", "%t-%c-", "2026-11-01 08:00:00 UTC-6909e0c1.2-LOG:  connection authorized: user=a database=b SSL enabled (protocol=TLSv1.2, bits=256) GSS (authenticated=yes, encrypted=no)",
			pglog.Event{Kind: pglog.Authorized, Time: at("2026-11-01 08:00:00"), Session: "6909e0c1.2", User: "a", Database: "b", TLS: "TLSv1.2"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			events, _ := read(t, pglog.Options{Prefix: tt.prefix}, tt.line+"\n")
			if diff := cmp.Diff([]pglog.Event{tt.want}, events); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUsualPrefixesAreFoundOut(t *testing.T) {
	for _, line := range []string{
		"2026-11-01 08:00:00 UTC-6909e0c1.2-",
		"2026-11-01 08:00:00.123 UTC [7] ",
		"2026-11-01 08:00:00.123 UTC [7] [unknown]@[unknown] ",
		"2026-11-01 08:00:00.123 UTC [7] [unknown]@[unknown]/[unknown] ",
		"2026-11-01 08:00:00 UTC [7]: [1-1] user=[unknown],db=[unknown],app=[unknown],client=20.50.1.2 ",
		"2026-11-01 08:00:00 UTC:20.50.1.2(50001):[unknown]@[unknown]:[7]:",
	} {
		background := line[:strings.Index(line, " UTC")+4] + " [6] LOG:  checkpoint starting: time\n"
		if !strings.Contains(line, "UTC [7] ") {
			background = ""
		}
		events, stats := read(t, pglog.Options{}, background+line+"LOG:  connection received: host=20.50.1.2 port=50001\n")
		if len(events) != 1 || events[0].Host != "20.50.1.2" || stats.Unreadable != 0 {
			t.Errorf("%q gave %+v, %+v", line, events, stats)
		}
	}
}

func TestABadPrefixIsRefused(t *testing.T) {
	for prefix, want := range map[string]string{
		"%t %z":     "escape %z",
		"%t %":      "middle of an escape",
		"%t %-10":   "middle of an escape",
		"%t %u%d ":  "nothing between them",
		"%99999u ":  "the most is",
		"%-99999p ": "the most is",
	} {
		if _, err := pglog.New(pglog.Options{Prefix: prefix}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gave %v, want %q", prefix, err, want)
		}
	}
	if _, err := pglog.New(pglog.Options{Format: "xml"}, nil); err == nil {
		t.Error("a format that is none was taken")
	}
}

func TestAnotherFormatIsAnErrorThatShowsTheFirstLine(t *testing.T) {
	for _, o := range []pglog.Options{{}, {Format: pglog.Stderr}, {Format: pglog.CSV}, {Format: pglog.JSON}, {Format: pglog.Azure}} {
		_, _, err := tryRead(t.Context(), o, "\nNov  1 08:00:00 db postgres[12]: \x1b[1-1] hello\nworld\n")
		var format *pglog.FormatError
		if !errors.As(err, &format) || format.First != "Nov  1 08:00:00 db postgres[12]: \x1b[1-1] hello" || !strings.Contains(err.Error(), "it is not ") {
			t.Errorf("%s gave %v", o.Format, err)
		}
	}
	for _, empty := range []string{"", "\n\r\n\n"} {
		if events, stats := read(t, pglog.Options{}, empty); len(events) != 0 || stats.Files != 1 {
			t.Errorf("an empty log gave %v, %+v", events, stats)
		}
	}
}

func TestNothingIsDroppedSilently(t *testing.T) {
	const ok = "2026-11-01 08:00:00 UTC-6909e0c1.2-LOG:  connection received: host=20.50.1.2 port=50001\n"
	open := strings.Replace(strings.SplitAfter(csvLog(), "\n")[0], `50001"`, `50001`, 1)
	tests := []struct {
		name, log           string
		entries, unreadable int64
		truncated           int
	}{
		{"a line of another program", ok + "sh: 1: wal-g: not found\n" + ok, 2, 1, 0},
		{"a line that was cut", ok + ok[:len(ok)-10], 1, 0, 1},
		{"a severity in another language", ok + strings.Replace(ok, "LOG", "PROTOKOLL", 1), 1, 1, 0},
		{"a date that is none", ok + strings.Replace(ok, "2026-11-01", "2026-13-01", 1), 1, 1, 0},
		{"csvlog whose quote was lost", csvLog() + open + csvLog(), 14, 1, 0},
		{"csvlog that was cut", csvLog() + csvLog()[:300], 8, 0, 1},
		{"csvlog with a column too few", csvLog() + "2026-11-01 08:00:00.123 UTC,,\n", 7, 1, 0},
		{"jsonlog that was cut", jsonLog() + jsonLog()[:100], 7, 0, 1},
		{"jsonlog with a line that is none", jsonLog() + "{\"timestamp\n" + jsonLog(), 14, 1, 0},
		{"an Azure document that was cut", `{"records":[` + azureLog(false)[0] + "," + azureLog(false)[1][:50], 1, 0, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, s := read(t, pglog.Options{}, tt.log)
			if s.Entries != tt.entries || s.Unreadable != tt.unreadable || s.Truncated != tt.truncated {
				t.Errorf("counted %+v", s)
			}
		})
	}
}

func TestOtherServersAndCategoriesAreLeftOut(t *testing.T) {
	log := strings.Join(azureLog(false), "\n") + "\n" + strings.ReplaceAll(strings.Join(azureLog(false), "\n"), "/S/DB", "/S/OTHER") + "\n" +
		`{"time":"2026-11-01T08:00:00Z","category":"PostgreSQLFlexSessions","resourceId":"/S/DB","properties":{}}` + "\n"
	events, stats := read(t, pglog.Options{Server: "/s/db"}, log)
	if len(events) != 5 || stats.Foreign != 8 {
		t.Errorf("%d events, %+v", len(events), stats)
	}
}

func TestSinceLeavesOutWhatCameBefore(t *testing.T) {
	log := "2026-11-01 08:00:00 UTC-6909e0c1.2-LOG:  connection received: host=20.50.1.2 port=50001\n" +
		"2026-11-01 08:00:01 UTC-6909e0c1.2-LOG:  connection authorized: user=a database=b\n"
	events, stats := read(t, pglog.Options{Since: at("2026-11-01 08:00:01")}, log)
	if len(events) != 1 || events[0].Kind != pglog.Authorized || events[0].Host != "20.50.1.2" || stats.Earlier != 1 || stats.Entries != 1 {
		t.Errorf("%+v, %+v", events, stats)
	}
}

func TestPathsAreReadInOrder(t *testing.T) {
	dir := t.TempDir()
	line := func(host string) string {
		return "2026-11-01 08:00:00 UTC-6909e0c1.2-LOG:  connection received: host=" + host + " port=1\n"
	}
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var packed bytes.Buffer
	for _, half := range []string{line("10.0.0.2"), line("10.0.0.3")} { // two members, as gzip -c a b makes them
		z := gzip.NewWriter(&packed)
		if _, err := z.Write([]byte(half)); err != nil || z.Close() != nil {
			t.Fatal("gzip")
		}
	}
	write("logs/b.log", line("10.0.0.4"))
	write("logs/a/x.log.1", line("10.0.0.1"))
	write("logs/a/y.gz", packed.String())
	write("logs/readme.txt", "no log")
	write("empty/readme.txt", "no log")
	write("cut.log", packed.String()[:packed.Len()-12])
	if err := os.Symlink(filepath.Join(dir, "logs"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	var hosts []string
	r, err := pglog.New(pglog.Options{}, func(ev pglog.Event) { hosts = append(hosts, ev.Host) })
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"link", "logs/a/y.gz"} {
		if err := r.ReadPath(t.Context(), filepath.Join(dir, path), nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.ReadPath(t.Context(), pglog.Stdin, strings.NewReader(line("10.0.0.9"))); err != nil {
		t.Fatal(err)
	}
	want := []string{"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.2", "10.0.0.3", "10.0.0.9"}
	if diff := cmp.Diff(want, hosts); diff != "" {
		t.Errorf("hosts (-want +got):\n%s", diff)
	}
	if s := r.Finish(); s.Files != 5 || s.Skipped != 1 {
		t.Errorf("counted %+v", s)
	}
	for path, want := range map[string]string{"empty": "holds no log", "nowhere": "no such file", "cut.log": "cut short"} {
		if err := r.ReadPath(t.Context(), filepath.Join(dir, path), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gave %v, want %q", path, err, want)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := r.ReadPath(ended, filepath.Join(dir, "logs"), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted reading gave %v", err)
	}
}
