package pglog_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/posternhq/postern/usage/pglog"
)

// told writes events in short: kind, host, user, and what is odd about them.
func told(events []pglog.Event) []string {
	var out []string
	for _, ev := range events {
		text := strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s", ev.Kind, ev.Host, ev.User, ev.Identity)), " ")
		if ev.Unannounced {
			text += " unannounced"
		}
		if ev.Ambiguous {
			text += " ambiguous"
		}
		out = append(out, text)
	}
	return out
}

// azurePrefixed writes an entry with Azure's prefix, pidPrefixed one with a
// process id; at is hh:mm:ss.
func azurePrefixed(at, session, text string) string {
	return "2026-11-01 " + at + " UTC-6909e0c1." + session + "-LOG:  " + text + "\n"
}

func pidPrefixed(at, pid, text string) string {
	return "2026-11-01 " + at + " UTC [" + pid + "] LOG:  " + text + "\n"
}

func received(host string) string { return "connection received: host=" + host + " port=1" }
func authorized(user string) string {
	return "connection authorized: user=" + user + " database=d application_name=x"
}
func ended(user, host string) string {
	return "disconnection: session time: 0:00:01.000 user=" + user + " database=d host=" + host + " port=1"
}

func TestVerboseMessagesAreRead(t *testing.T) {
	verbose := func(line string) string { return strings.Replace(line, "LOG:  ", "LOG:  00000: ", 1) }
	log := verbose(azurePrefixed("08:00:00", "2", received("20.50.1.2"))) +
		"2026-11-01 08:00:00 UTC-6909e0c1.2-LOCATION:  BackendInitialize, postmaster.c:4325\n" +
		verbose(azurePrefixed("08:00:01", "2", authorized("a"))) +
		"2026-11-01 08:00:02 UTC-6909e0c1.3-FATAL:  28000: no pg_hba.conf entry for host \"1.2.3.4\", user \"u\", database \"d\", SSL off\n"
	events, stats := read(t, pglog.Options{}, log)
	if diff := cmp.Diff([]string{"received 20.50.1.2", "authorized 20.50.1.2 a", "refused 1.2.3.4 u"}, told(events)); diff != "" || stats.Unreadable != 0 {
		t.Errorf("events (-want +got):\n%s%+v", diff, stats)
	}
}

func TestOnlyBeingLetInProvesThatConnectionsAreLogged(t *testing.T) {
	log := azurePrefixed("07:00:00", "1", "checkpoint starting: time") + azurePrefixed("08:00:10", "2", received("20.50.1.2")) +
		azurePrefixed("09:00:07", "2", authorized("a")) + azurePrefixed("09:20:00", "3", authorized("b")) + azurePrefixed("12:00:00", "2", ended("a", "20.50.1.2"))
	_, stats := read(t, pglog.Options{}, log)
	want := map[int64]pglog.Hour{at("2026-11-01 09:00:00").Unix() / 3600: {First: 7, Last: 1200}}
	if diff := cmp.Diff(want, stats.Hours); diff != "" {
		t.Errorf("hours (-want +got):\n%s", diff)
	}
	if !stats.First.Equal(at("2026-11-01 07:00:00")) || !stats.Last.Equal(at("2026-11-01 12:00:00")) {
		t.Errorf("from %s to %s", stats.First, stats.Last)
	}
}

func TestAnEntryInAnotherLanguageIsCounted(t *testing.T) {
	ok := azurePrefixed("08:00:00", "2", received("20.50.1.2"))
	for name, log := range map[string]string{
		"stderr": ok + strings.Replace(azurePrefixed("08:00:01", "2", "Verbindung"), "LOG", "PROTOKOLL", 1),
		"csv":    csvLog() + strings.Replace(strings.SplitAfter(csvLog(), "\n")[0], ",LOG,", ",PROTOKOLL,", 1),
		"json":   jsonLog() + strings.Replace(strings.SplitAfter(jsonLog(), "\n")[0], `"LOG"`, `"ПРОТОКОЛ"`, 1),
		"azure":  azureLog(false)[0] + "\n" + strings.ReplaceAll(azureLog(false)[1], `LOG`, `ЖУРНАЛ`) + "\n",
	} {
		if _, stats := read(t, pglog.Options{}, log); stats.OtherLanguage != 1 || stats.Unreadable != 1 {
			t.Errorf("%s: counted %+v", name, stats)
		}
	}
}

func TestAnAzureRecordWithAnUnknownPrefixIsUnreadable(t *testing.T) {
	other := strings.ReplaceAll(azureLog(false)[2], "2026-11-01 08:00:00 UTC-6909e0c1.2-", "[shop@orders] ")
	_, stats := read(t, pglog.Options{}, azureLog(false)[0]+"\n"+other+"\n")
	if stats.Entries != 1 || stats.Unreadable != 1 || stats.Torn != 1 {
		t.Errorf("counted %+v", stats)
	}
	// A message without any prefix is read, by the level of the record.
	bare := strings.ReplaceAll(azureLog(false)[2], "2026-11-01 08:00:00 UTC-6909e0c1.2-LOG:  ", "")
	events, stats := read(t, pglog.Options{}, bare+"\n")
	if len(events) != 1 || stats.Unreadable != 0 || stats.Unjoined != 1 {
		t.Errorf("%v, counted %+v", events, stats)
	}
}

func TestAProcessIDJoinsOnlyWhatCanBelongTogether(t *testing.T) {
	const unknown = "authorized a"
	knock := pidPrefixed("08:00:00", "7", received("1.1.1.1"))
	tests := []struct {
		name  string
		files []string
		want  []string
	}{
		{"at once", []string{knock + pidPrefixed("08:00:01", "7", authorized("a"))}, []string{"received 1.1.1.1", "authorized 1.1.1.1 a"}},
		{"too late to be the same", []string{knock + pidPrefixed("08:02:00", "7", authorized("a"))}, []string{"received 1.1.1.1", unknown}},
		{"before it", []string{knock + pidPrefixed("07:59:59", "7", authorized("a"))}, []string{"received 1.1.1.1", unknown}},
		{"in another file", []string{knock, pidPrefixed("08:00:01", "7", authorized("a"))}, []string{"received 1.1.1.1", unknown}},
		{"two nodes", []string{knock + pidPrefixed("08:00:00", "7", received("2.2.2.2")) + pidPrefixed("08:00:01", "7", authorized("a"))},
			[]string{"received 1.1.1.1", "received 2.2.2.2", unknown}},
		{"the id is used again", []string{knock + pidPrefixed("08:00:00", "7", authorized("a")) + pidPrefixed("08:00:01", "7", received("2.2.2.2")) + pidPrefixed("08:00:01", "7", authorized("b"))},
			[]string{"received 1.1.1.1", "authorized 1.1.1.1 a", "received 2.2.2.2", "authorized 2.2.2.2 b"}},
		{"let in twice", []string{knock + pidPrefixed("08:00:00", "7", authorized("b")) + pidPrefixed("08:00:01", "7", authorized("a"))},
			[]string{"received 1.1.1.1", "authorized 1.1.1.1 b", unknown}},
		{"the end of another", []string{knock + pidPrefixed("08:00:00", "7", authorized("a")) + pidPrefixed("08:00:01", "7", ended("a", "2.2.2.2"))},
			[]string{"received 1.1.1.1", "authorized 1.1.1.1 a", "disconnected 2.2.2.2 a unannounced"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var events []pglog.Event
			r, err := pglog.New(pglog.Options{Prefix: "%t [%p] "}, func(ev pglog.Event) { events = append(events, ev) })
			check(t, err)
			for _, file := range tt.files {
				check(t, r.Read(t.Context(), "a", strings.NewReader(file)))
			}
			stats := r.Finish()
			if diff := cmp.Diff(tt.want, told(events)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if slices.Contains(tt.want, unknown) != (stats.Unjoined == 1) {
				t.Errorf("counted %+v", stats)
			}
		})
	}
}

func TestASessionOfTwoAddressesIsNeverOneSilently(t *testing.T) {
	in := azurePrefixed("08:00:01", "2", authorized("a"))
	one, two := azurePrefixed("08:00:00", "2", received("1.1.1.1")), azurePrefixed("08:00:00", "2", received("2.2.2.2"))
	tests := []struct {
		name, log           string
		want                []string
		unjoined, contested int64
	}{
		{"before", one + two + in, []string{"received 1.1.1.1", "received 2.2.2.2", "authorized a"}, 1, 0},
		{"after", one + in + two, []string{"received 1.1.1.1", "authorized 1.1.1.1 a", "received 2.2.2.2"}, 0, 1},
		{"while it waits", in + one + two, []string{"received 1.1.1.1", "authorized 1.1.1.1 a", "received 2.2.2.2"}, 0, 1},
		{"the same twice", one + one + in, []string{"received 1.1.1.1", "received 1.1.1.1", "authorized 1.1.1.1 a"}, 0, 0},
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

// A record that lost the end of a quoted field must not take the next ones along,
// and one that holds such a line in its message is not torn.
func TestATornCSVRecordTakesNoOtherAlong(t *testing.T) {
	records := strings.SplitAfter(csvLog(), "\n")
	torn := records[5][:strings.Index(records[5], "session time")] + "\n"
	quoted := strings.Replace(records[0], `host=20.50.1.2 port=50001`, `host=20.50.1.2 port=50001`+"\n"+strings.ReplaceAll(strings.TrimSuffix(records[2], "\n"), `"`, `""`), 1)
	tests := []struct {
		name, log                       string
		events, entries, unread, broken int64
	}{
		{"torn within a field", records[0] + torn + csvLog(), 6, 8, 1, 1},
		{"torn over two lines", records[0] + strings.TrimSuffix(torn, "\n") + "\nmore\n" + csvLog(), 6, 8, 2, 2},
		{"torn at the end", csvLog() + torn + records[0] + torn, 6, 8, 1, 1},
		{"a record within a message", quoted + csvLog(), 6, 8, 0, 0},
		{"two records on one line", strings.TrimSuffix(records[0], "\n") + "\r" + records[2] + csvLog(), 5, 7, 1, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			events, s := read(t, pglog.Options{Format: pglog.CSV}, tt.log)
			if int64(len(events)) != tt.events || s.Entries != tt.entries || s.Unreadable != tt.unread || s.Torn != tt.broken {
				t.Errorf("%d events, counted %+v", len(events), s)
			}
		})
	}
}

func TestASessionFromBeforeSinceIsToldWhenItLasted(t *testing.T) {
	start := azurePrefixed("08:00:00", "2", received("20.50.1.2")) + azurePrefixed("08:00:00", "2", authorized("a"))
	other := azurePrefixed("09:00:00", "3", "checkpoint starting: time")
	stops := azurePrefixed("09:30:00", "4", received("1.1.1.1")) + azurePrefixed("09:30:00", "4", authorized("b")) + azurePrefixed("09:30:01", "4", ended("b", "1.1.1.1"))
	tests := []struct {
		name, log string
		want      []string
		unended   int64
	}{
		{"it ended after", start + other + azurePrefixed("09:10:00", "2", ended("a", "20.50.1.2")), []string{"disconnected 20.50.1.2 a unannounced"}, 0},
		{"it ended before", start + azurePrefixed("08:10:00", "2", ended("a", "20.50.1.2")) + other, nil, 0},
		{"it goes on", start + other + stops, []string{"received 1.1.1.1", "authorized 1.1.1.1 b", "disconnected 1.1.1.1 b", "authorized 20.50.1.2 a"}, 0},
		{"ends are not logged", start + other, nil, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			events, stats := read(t, pglog.Options{Since: at("2026-11-01 09:00:00")}, tt.log)
			if diff := cmp.Diff(tt.want, told(events)); diff != "" || stats.Unended != tt.unended {
				t.Errorf("events (-want +got):\n%s%+v", diff, stats)
			}
		})
	}
}

func TestANameThatLooksLikeAMessageIsAmbiguous(t *testing.T) {
	for _, message := range []string{
		"connection authorized: user=azuresu database=x database=y application_name=z",
		"connection authorized: user=azuresu database=x application_name=y database=real application_name=z",
		"connection authorized: user=azuresu",
		"replication connection authorized: user=azuresu application_name=y application_name=z",
		"disconnection: session time: 0:00:01.000 user=azuresu database=x database=y host=1.2.3.4 port=5",
	} {
		events, _ := read(t, pglog.Options{}, azurePrefixed("08:00:00", "2", message))
		if len(events) != 1 || !events[0].Ambiguous {
			t.Errorf("%s gave %v", message, told(events))
		}
	}
	// csvlog tells the user apart.
	log := strings.ReplaceAll(csvLog(), "user=shop database=orders application_name", "user=azuresu database=x database=y application_name")
	log = strings.ReplaceAll(log, "UTC,,,2", `UTC,"azuresu database=x","y",2`)
	events, _ := read(t, pglog.Options{}, log)
	if got := events[2]; got.User != "azuresu database=x" || got.Database != "y" || got.Ambiguous {
		t.Errorf("csvlog gave %+v", got)
	}
}

func TestARecordOfANamesakeIsCounted(t *testing.T) {
	record := func(id string) string { return strings.ReplaceAll(azureLog(false)[0], "/S/DB", id) + "\n" }
	const own = "/subscriptions/1/resourceGroups/now/providers/M/servers/db"
	log := record(own) + record("/SUBSCRIPTIONS/1/RESOURCEGROUPS/THEN/PROVIDERS/M/SERVERS/DB") + record("/subscriptions/1/resourceGroups/now/providers/M/servers/other") + record("")
	_, stats := read(t, pglog.Options{Server: own}, log)
	want := map[string]int64{"/subscriptions/1/resourcegroups/then/providers/m/servers/db": 1}
	if diff := cmp.Diff(want, stats.Namesakes); diff != "" || stats.Foreign != 2 || stats.Unnamed != 1 || stats.Entries != 2 {
		t.Errorf("namesakes (-want +got):\n%s%+v", diff, stats)
	}
}

func TestImplausibleTimesStretchNothing(t *testing.T) {
	now := at("2026-11-02 00:00:00")
	ok := azurePrefixed("08:00:00", "2", authorized("a"))
	for _, year := range []string{"2031", "9999", "1999", "0001"} {
		events, stats := read(t, pglog.Options{Now: now, Since: at("2026-10-01 00:00:00")}, ok+strings.Replace(azurePrefixed("08:00:00", "3", authorized("b")), "2026", year, 1))
		if stats.Implausible != 1 || !stats.First.Equal(stats.Last) || len(stats.Hours) != 1 || len(events) != 2 || !events[1].Time.IsZero() {
			t.Errorf("%s: %v, counted %+v", year, events, stats)
		}
	}
	events, stats := read(t, pglog.Options{Prefix: "%n %c ", Now: now}, "99999999999999.123 6909e0c1.2 LOG:  "+authorized("a")+"\n")
	if stats.Implausible != 1 || len(events) != 1 || events[0].Time.Year() > 9999 {
		t.Errorf("%v, counted %+v", events, stats)
	}
}

func TestAPrefixWithNamesIsForgeable(t *testing.T) {
	for prefix, lines := range map[string]string{
		"%t %u@%d ":         "2026-11-01 08:00:00 UTC [unknown]@[unknown] LOG:  " + received("1.1.1.1"),
		"%m [%p] %q%u@%d ":  "2026-11-01 08:00:00.1 UTC [7] a@b LOG:  " + authorized("a"),
		"%t [%p] %q app=%a": "2026-11-01 08:00:00 UTC [7]  app=xLOG:  " + authorized("a"),
	} {
		if _, stats := read(t, pglog.Options{Prefix: prefix}, lines+"\n"); stats.ForgeablePrefix != prefix {
			t.Errorf("%q: counted %+v", prefix, stats)
		}
	}
	for name, log := range map[string]string{
		"Azure's": azurePrefixed("08:00:00", "2", received("1.1.1.1")), "the default": pidPrefixed("08:00:00.1", "7", received("1.1.1.1")),
		"csvlog": csvLog(), "jsonlog": jsonLog(),
	} {
		if _, stats := read(t, pglog.Options{}, log); stats.ForgeablePrefix != "" {
			t.Errorf("%s: counted %+v", name, stats)
		}
	}
}

func TestLinesWithinALineAreLookedAt(t *testing.T) {
	inner := strings.TrimSuffix(azurePrefixed("08:00:01", "3", received("2.2.2.2")), "\n")
	outer := azurePrefixed("08:00:00", "2", "statement: select 1")
	message := func(text string) string {
		return `{"time":"2026-11-01T08:00:00Z","category":"PostgreSQLLogs","properties":{"errorLevel":"LOG","message":` +
			strings.NewReplacer("\r", `\r`, "\t", `\t`).Replace(quoteJSON(text)) + "}}\n"
	}
	tests := []struct {
		name, log string
		want      []string
	}{
		{"an Azure message of two lines", message(outer + inner), []string{"received 2.2.2.2"}},
		{"an Azure message of two lines, CR", message(strings.ReplaceAll(outer, "\n", "\r") + inner), []string{"received 2.2.2.2"}},
		{"an Azure message that goes on", message(outer + "\t" + inner), nil},
		{"a file with CR line ends", strings.ReplaceAll(outer+inner+"\n", "\n", "\r") + outer, []string{"received 2.2.2.2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			events, stats := read(t, pglog.Options{}, tt.log)
			if diff := cmp.Diff(tt.want, told(events)); diff != "" || stats.Embedded != int64(len(tt.want)) || stats.Unreadable != 0 {
				t.Errorf("events (-want +got):\n%s%+v", diff, stats)
			}
		})
	}
	long := outer + strings.ReplaceAll(strings.Repeat(outer, pglog.MaxEntry/len(outer)+2), "\n", "\r") + "\n"
	if _, stats := read(t, pglog.Options{}, long); stats.Torn != 1 {
		t.Errorf("more than can be kept: counted %+v", stats)
	}
}

func TestFilesAreReadInTheOrderOfTheirTimesAndNoneIsLeftOutSilently(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		check(t, os.MkdirAll(filepath.Dir(path), 0o755))
		check(t, os.WriteFile(path, []byte(text), 0o600))
	}
	n := 0
	line := func() string {
		n++
		return azurePrefixed(fmt.Sprintf("08:00:%02d", n), "2", received(fmt.Sprintf("10.0.0.%d", n)))
	}
	// In the order of their times, which is not that of their names.
	for _, name := range []string{"z.log-20261101", "y.log.1", "x/PT1H.json", "w.csv.2", "v.out", "u.LOG"} {
		host := fmt.Sprintf("10.0.0.%d", n+1)
		switch filepath.Ext(name) {
		case ".json":
			line()
			write(name, strings.NewReplacer("08:00:00", fmt.Sprintf("08:00:%02d", n), "20.50.1.2", host).Replace(azureLog(false)[0])+"\n")
		case ".2":
			line()
			write(name, strings.NewReplacer("08:00:00.123", fmt.Sprintf("08:00:%02d.5", n), "20.50.1.2", host).Replace(strings.SplitAfter(csvLog(), "\n")[0]))
		default:
			write(name, line())
		}
	}
	write("readme.txt", "hello\n")
	write("old.log.xz", "\xfd7zXZ\x00")
	write("old.log.zst", "x")
	check(t, os.Symlink(filepath.Join(dir, "u.LOG"), filepath.Join(dir, "current.log")))
	check(t, os.Symlink(os.TempDir(), filepath.Join(dir, "elsewhere")))
	var hosts []string
	r, err := pglog.New(pglog.Options{}, func(ev pglog.Event) { hosts = append(hosts, ev.Host) })
	check(t, err)
	check(t, r.ReadPath(t.Context(), dir, nil))
	want := []string{"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"}
	if diff := cmp.Diff(want, hosts); diff != "" {
		t.Errorf("hosts (-want +got):\n%s", diff)
	}
	s := r.Finish()
	if s.Skipped != 2 || s.UnreadFiles != 3 || len(s.Unread) != 3 || !strings.Contains(strings.Join(s.Unread, ","), "old.log.zst (packed") {
		t.Errorf("counted %+v", s)
	}
}

// Half a line of a connection is a connection that nobody reads of.
func TestATraceOfAConnectionInALostLineIsCounted(t *testing.T) {
	whole := azurePrefixed("08:00:00", "2", authorized("a"))
	for at := 8; at < len(whole)-8; at += 9 {
		if _, stats := read(t, pglog.Options{}, whole+whole[:at]+"\n"+whole[at:]); stats.Entries == 1 && stats.Torn == 0 {
			t.Errorf("%q is lost without a word: %+v", whole[at:], stats)
		}
	}
	if _, stats := read(t, pglog.Options{}, whole+"2026-11-01 08:0\n"); stats.Unreadable != 1 || stats.Torn != 1 {
		t.Errorf("the beginning of a line: counted %+v", stats)
	}
	if _, stats := read(t, pglog.Options{}, whole+"sh: 1: wal-g: not found\n"); stats.Unreadable != 1 || stats.Torn != 0 {
		t.Errorf("another program's line: counted %+v", stats)
	}
}
