package loganalytics

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/posternhq/postern/azuresim"
	"github.com/posternhq/postern/usage/pglog"
)

// events is what pglog makes of records.
func events(t testing.TB, lines []string) ([]pglog.Event, pglog.Stats) {
	t.Helper()
	var all []pglog.Event
	r, err := pglog.New(pglog.Options{Format: pglog.Azure, Server: azuresim.DemoServer, Now: now}, func(ev pglog.Event) { all = append(all, ev) })
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Read(t.Context(), "workspace", strings.NewReader(strings.Join(lines, "\n")+"\n")); err != nil {
		t.Fatal(err)
	}
	return all, r.Finish()
}

func TestAWorkspaceHoldsWhatTheExportHolds(t *testing.T) {
	var export bytes.Buffer
	if err := azuresim.DemoLog(&export, now); err != nil {
		t.Fatal(err)
	}
	want, wantStats := events(t, strings.Split(strings.TrimSpace(export.String()), "\n"))
	for _, table := range []string{ownTable, sharedTable} {
		e := azuresim.Demo()
		e.Subscriptions[0].Servers[0].Logs.Table = table
		a := estate(t, e, azuresim.Options{})
		a.From = month
		lines, found, err := a.read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got, stats := events(t, lines)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-export +workspace):\n%.2000s", table, diff)
		}
		stats.Bytes, wantStats.Bytes = 0, 0
		if diff := cmp.Diff(wantStats, stats); diff != "" {
			t.Errorf("%s (-export +workspace):\n%s", table, diff)
		}
		if !slices.Equal(found.Tables, []string{table}) || found.Rows != int64(len(lines)) || found.Read != found.Rows || len(found.Missing) > 0 ||
			!found.First.Equal(wantStats.First) || !found.Last.Equal(wantStats.Last) {
			t.Errorf("%s: found %+v, and %d lines", table, found, len(lines))
		}
	}
}

func TestWhatIsTooMuchIsAskedForInHalves(t *testing.T) {
	whole, _, err := demo(t, azuresim.Options{}).read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, a := range map[string]*asked{
		"rows":  demo(t, azuresim.Options{LogRows: 300}),
		"bytes": demo(t, azuresim.Options{LogBytes: 60_000}),
	} {
		lines, found, err := a.read(t.Context())
		if err != nil || len(found.Missing) > 0 {
			t.Fatalf("%s: %v, missing %q", name, err, found.Missing)
		}
		if diff := cmp.Diff(whole, lines); diff != "" {
			t.Errorf("%s: (-whole +halves):\n%.2000s", name, diff)
		}
		if len(a.queries) < 8 {
			t.Errorf("%s: only %d queries", name, len(a.queries))
		}
	}
}

func TestWhatStaysCutOffIsMissing(t *testing.T) {
	e := azuresim.Demo()
	e.Workspaces[0].Tables = map[string][]map[string]any{ownTable: nil}
	for n := range 40 { // one hot second
		e.Workspaces[0].Tables[ownTable] = append(e.Workspaces[0].Tables[ownTable], map[string]any{
			"TimeGenerated": "2026-11-20T08:00:00.5Z", "_ResourceId": strings.ToLower(azuresim.DemoServer), "Message": fmt.Sprintf("line %d", n),
		})
	}
	whole, _, err := estate(t, e, azuresim.Options{}).read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	lines, found, err := estate(t, e, azuresim.Options{LogRows: 30}).read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"Log Analytics gave only a part of its rows, for 1 of the stretches of time asked for, the first at 2026-11-20T08:00:00Z"}
	if diff := cmp.Diff(want, found.Missing); diff != "" || len(lines) != len(whole)-10 {
		t.Errorf("%d of %d lines (-want +got):\n%s", len(lines), len(whole), diff)
	}
	// Where even the first answer is cut off, everything is asked for.
	whole, _, err = demo(t, azuresim.Options{}).read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	lines, found, err = demo(t, azuresim.Options{}, "partial-result,times=1").read(t.Context())
	if diff := cmp.Diff(whole, lines); err != nil || diff != "" || len(found.Missing) != 1 || !strings.Contains(found.Missing[0], "how much the table PGSQLServerLogs has") {
		t.Errorf("error %v, missing %q (-want +got):\n%.1000s", err, found.Missing, diff)
	}
	// A service that cuts off whatever it is asked is not asked for ever.
	a := demo(t, azuresim.Options{}, "partial-result")
	lines, found, err = a.read(t.Context())
	if err != nil || len(found.Missing) == 0 || len(a.queries) > 500 {
		t.Errorf("%d queries gave %d lines, %v, missing %q", len(a.queries), len(lines), err, found.Missing)
	}
}

func TestNoRowIsLostOrDoubledAtTheEdgesOfWindows(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		e := azuresim.Demo()
		e.Subscriptions[0].Servers[0].Logs.Demo = false
		var want []string
		for _, table := range []string{ownTable, sharedTable} {
			var rows []map[string]any
			for n := range rapid.IntRange(0, 30).Draw(rt, "rows") {
				// Whole and half seconds, close together and far apart.
				at := now.Add(-time.Duration(rapid.Int64Range(1, 30).Draw(rt, "half seconds")) * time.Second / 2)
				at = at.Add(-time.Duration(rapid.IntRange(0, 1).Draw(rt, "days")) * 24 * time.Hour)
				message := fmt.Sprintf("%s %d", table, n)
				want = append(want, message)
				rows = append(rows, map[string]any{
					"TimeGenerated": at.Format(time.RFC3339Nano), "_ResourceId": strings.ToLower(azuresim.DemoServer), "Message": message, "Category": category,
				})
			}
			if e.Workspaces[0].Tables == nil {
				e.Workspaces[0].Tables = map[string][]map[string]any{}
			}
			e.Workspaces[0].Tables[table] = rows
		}
		lines, found, err := estate(t, e, azuresim.Options{LogRows: rapid.IntRange(4, 40).Draw(rt, "most")}).read(t.Context())
		if err != nil {
			rt.Fatal(err)
		}
		var got []string
		last := ""
		for _, l := range lines {
			var r struct {
				Time       string
				Properties struct{ Message string }
			}
			if err := json.Unmarshal([]byte(l), &r); err != nil {
				rt.Fatal(err)
			}
			if at, _ := time.Parse(time.RFC3339Nano, r.Time); last != "" && at.Format(time.RFC3339Nano) < last && at.Before(mustParse(last)) {
				rt.Fatalf("%s comes after %s", r.Time, last)
			}
			last = r.Time
			got = append(got, r.Properties.Message)
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" && len(found.Missing) == 0 {
			rt.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

func mustParse(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return t
}

func TestALogThatIsInBothTablesCountsOnce(t *testing.T) {
	a := []entry{{at: now, message: "x"}, {at: now, message: "x"}, {at: now.Add(time.Second), message: "connection authorized: "}}
	b := []entry{{at: now, message: "x"}, {at: now, message: "y"}, {at: now, message: "x"}, {at: now, message: "x"}, {at: now.Add(time.Second), message: "connection received: "}}
	var got []string
	for _, e := range together(a, b) {
		got = append(got, e.message)
	}
	if diff := cmp.Diff([]string{"x", "x", "y", "x", "connection received: ", "connection authorized: "}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestStatementsStayWhereTheyAre(t *testing.T) {
	e := azuresim.Demo()
	e.Subscriptions[0].Servers[0].Logs.Demo = false
	const prefix = "2026-11-20 08:00:00 UTC-691ed0c0.2f-"
	kept := []string{
		prefix + "LOG:  connection authorized: user=statement: database=duration: application_name=LOG:  statement: x",
		prefix + "LOG:  connection authorized: user=a database=b application_name=" + prefix + "LOG:  statement: ",
		prefix + "LOG:  checkpoint starting: time",
		prefix + "LOG:  statement: select 1\n" + prefix + "LOG:  connection authorized: user=a database=b",
		prefix + "FEHLER:  Relation existiert nicht",
		"LOG:  statement: select 1",
		"connection received: host=20.50.1.2 port=1",
		prefix + `FATAL:  no pg_hba.conf entry for host "20.50.1.2", user "x", database "y", no encryption`,
	}
	left := []string{
		prefix + "LOG:  statement: select 'connection authorized: user=a database=b'", prefix + "LOG:  duration: 1.2 ms  statement: select 1",
		prefix + "LOG:  AUDIT: SESSION,1,1,READ", prefix + "ERROR:  relation does not exist", prefix + "STATEMENT:  select 1", prefix + "DETAIL:  x",
	}
	var rows []map[string]any
	for i, m := range append(slices.Clone(kept), left...) {
		rows = append(rows, map[string]any{"TimeGenerated": now.Add(time.Duration(i-100) * time.Minute).Format(time.RFC3339), "_ResourceId": azuresim.DemoServer, "Message": m})
	}
	e.Workspaces[0].Tables = map[string][]map[string]any{ownTable: rows}
	lines, found, err := estate(t, e, azuresim.Options{}).read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range kept {
		text, _ := json.Marshal(m)
		if !slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, string(text)) }) {
			t.Errorf("left out: %q", m)
		}
	}
	if len(lines) != len(kept) || found.Rows != int64(len(rows)) || found.Read != int64(len(kept)) || !found.Last.Equal(now.Add(-87*time.Minute)) {
		t.Errorf("%d lines of %d, found %+v", len(lines), len(kept), found)
	}
}

func TestNamesakesAndAnEmptyWorkspaceAreTold(t *testing.T) {
	a := demo(t, azuresim.Options{})
	a.From = month
	moved := strings.Replace(azuresim.DemoServer, "/shop/", "/old.shop/", 1)
	a.Server = moved
	lines, found, err := a.read(t.Context())
	if err != nil || len(lines) > 0 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	if diff := cmp.Diff(map[string]int64{strings.ToLower(azuresim.DemoServer): 12324}, found.Namesakes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(found.Missing) != 1 || !strings.Contains(found.Missing[0], "az monitor diagnostic-settings create --name postern --resource "+moved) {
		t.Errorf("missing %q", found.Missing)
	}
}

func TestWhatCannotBeReadIsAClearError(t *testing.T) {
	empty := azuresim.Demo()
	empty.Subscriptions[0].Servers[0].Logs = nil
	denied := azuresim.Demo()
	denied.Workspaces[0].Denied = []string{"query/read"}
	elsewhere := demo(t, azuresim.Options{})
	elsewhere.Workspace = strings.Replace(elsewhere.Workspace, "aa-", "bb-", 1)
	named := demo(t, azuresim.Options{})
	named.Workspace = "shop-logs"
	for name, tt := range map[string]struct {
		from *asked
		want string
	}{
		"no table":      {estate(t, empty, azuresim.Options{}), "it has neither the table PGSQLServerLogs nor AzureDiagnostics, so no diagnostic setting sends PostgreSQLLogs there"},
		"denied":        {estate(t, denied, azuresim.Options{}), "it takes Microsoft.OperationalInsights/workspaces/query/read"},
		"no workspace":  {elsewhere, "WorkspaceNotFoundError: The workspace could not be found\ngive the id of a workspace"},
		"a name":        {named, `"shop-logs" is no id of a workspace, which is a GUID`},
		"not JSON":      {demo(t, azuresim.Options{}, "not-json"), "the answer is not what a query gives"},
		"a redirect":    {demo(t, azuresim.Options{}, "redirect"), "not followed with a token in hand"},
		"an echo":       {answering(t, 418, `{"error":{"code":"Odd","message":"you said TOKEN"}}`), "Odd: you said [token]"},
		"no tables":     {answering(t, 200, `{}`), "no table PrimaryResult"},
		"only an error": {answering(t, 200, `{"error":{"code":"PartialError"}}`), `is an error, "PartialError", without a result`},
		"an array":      {answering(t, 200, `[]`), "not what a query gives"},
		"short rows":    {answering(t, 200, `{"tables":[{"name":"PrimaryResult","columns":[{"name":"a"},{"name":"b"}],"rows":[[1]]}]}`), "a row of 1 values for 2 columns"},
		"columns twice": {answering(t, 200, `{"tables":[{"name":"PrimaryResult","columns":[{"name":"a"},{"name":"a"}],"rows":[]}]}`), `the column "a" twice`},
		"no count":      {answering(t, 200, `{"tables":[{"name":"PrimaryResult","columns":[{"name":"_ResourceId"},{"name":"Rows"}],"rows":[["/x",null]]}]}`), "how many rows there are is not one"},
		"no time": {answering(t, 200, `{"tables":[{"name":"PrimaryResult","columns":[{"name":"_ResourceId"},{"name":"Rows"},{"name":"First"},{"name":"Last"}],"rows":[["`+azuresim.DemoServer+`",3,"x",null]]}]}`),
			"a row without a time in First"},
		"another time": {answering(t, 200, `{"tables":[{"name":"PrimaryResult","columns":[{"name":"_ResourceId"},{"name":"Rows"},{"name":"First"},{"name":"Last"},{"name":"TimeGenerated"},{"name":"Message"}],
			"rows":[["`+azuresim.DemoServer+`",3,"2026-11-20T08:00:00Z","2026-11-20T09:00:00Z","2025-01-01T00:00:00Z","x"]]}]}`), "the answer has a row of 2025-01-01T00:00:00Z, and was asked for"},
	} {
		_, _, err := tt.from.read(t.Context())
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), token) {
			t.Errorf("%s: error %v, want %q", name, err, tt.want)
		}
	}
}

func TestOneTableThatMayNotBeReadIsMissing(t *testing.T) {
	sim, err := azuresim.New(azuresim.Demo(), azuresim.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	a := workspace(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if bytes.Contains(body, []byte(sharedTable)) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = fmt.Fprint(w, `{"error":{"code":"InsufficientAccessError"}}`)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		sim.ServeHTTP(w, r)
	}))
	a.From = month
	lines, found, err := a.read(t.Context())
	if diff := cmp.Diff([]string{"the table AzureDiagnostics may not be read"}, found.Missing); err != nil || len(lines) != 12324 || diff != "" {
		t.Errorf("%d lines, %v (-want +got):\n%s", len(lines), err, diff)
	}
}

func TestNoIDOfAServerBecomesAPartOfAQuery(t *testing.T) {
	a := demo(t, azuresim.Options{})
	for _, id := range []string{
		`" or true //`, azuresim.DemoServer + `" or 1==1 //`, strings.Replace(azuresim.DemoServer, "/shop/", `/sh"op/`, 1),
		strings.Replace(azuresim.DemoServer, "/shop/", `/sh\op/`, 1), azuresim.DemoServer + "\n| take 1", "", "/subscriptions/x",
	} {
		a.Server = id
		if _, _, err := a.read(t.Context()); err == nil || len(a.queries) > 0 {
			t.Errorf("%q: error %v, queries %q", id, err, a.queries)
		}
	}
	if got := quoted("a\"b\\c"); got != `"a\"b\\c"` {
		t.Errorf("quoted as %s", got)
	}
}

func TestReadingEndsWithItsReader(t *testing.T) {
	enough := errors.New("enough")
	if _, err := Read(t.Context(), demo(t, azuresim.Options{}).Options, func(in io.Reader) error {
		_, _ = in.Read(make([]byte, 10))
		return enough
	}); !errors.Is(err, enough) {
		t.Errorf("error %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	a := demo(t, azuresim.Options{})
	if _, err := Read(ctx, a.Options, func(in io.Reader) error {
		stop()
		_, err := io.Copy(io.Discard, in)
		return err
	}); err == nil {
		t.Skip("it was read before it was interrupted")
	} else if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func FuzzParseAnswer(f *testing.F) {
	f.Add([]byte(`{"tables":[{"name":"PrimaryResult","columns":[{"name":"TimeGenerated"},{"name":"Message"}],"rows":[["2026-11-20T08:00:00Z","x"]]}]}`))
	f.Fuzz(func(_ *testing.T, body []byte) {
		if a, err := parseAnswer(body); err == nil {
			_, _ = a.entries(now.AddDate(-1, 0, 0), now)
		}
	})
}
