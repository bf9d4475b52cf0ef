package azuresim

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

const logs = "/v1/workspaces/" + DemoWorkspace + "/query"

// query asks Log Analytics with POST.
func (s *sim) query(kql string, timespan ...string) answer {
	s.t.Helper()
	body := map[string]any{"query": kql}
	if len(timespan) > 0 {
		body["timespan"] = timespan[0]
	}
	return s.do("POST", logs, string(marshal(body)), "Content-Type", "application/json")
}

// table is an answer's one table, a row a line.
func (a answer) table() string {
	tables, _ := a.body["tables"].([]any)
	if len(tables) != 1 {
		return a.raw
	}
	var all []string
	for _, row := range tables[0].(map[string]any)["rows"].([]any) {
		var cells []string
		for _, cell := range row.([]any) {
			cells = append(cells, fmt.Sprint(cell))
		}
		all = append(all, strings.Join(cells, "; "))
	}
	return strings.Join(all, "\n")
}

func (a answer) partial() string {
	if e, _ := a.body["error"].(map[string]any); e["code"] == "PartialError" {
		return a.raw[strings.Index(a.raw, `"error"`):]
	}
	return ""
}

func TestLogQueries(t *testing.T) {
	s := newSim(t, Demo(), Options{})
	month := s.query("PGSQLServerLogs | summarize count(), min(TimeGenerated), max(TimeGenerated)").table()
	if want := "12324; 2026-10-24T12:01:11Z; 2026-11-23T11:56:11Z"; month != want {
		t.Errorf("the month: %s, want %s", month, want)
	}
	const stranger = "PGSQLServerLogs | where TimeGenerated >= datetime(2026-11-01) and TimeGenerated < datetime('2026-11-23T12:00:00Z')\n" +
		"| where _ResourceId =~ '" + orders + "'\n" +
		"| where Message has_any ('connection received', 'authorized') | where Message contains \"198.51.100.200\" or Message has 'reporting'\n" +
		"| project TimeGenerated, Message, ErrorLevel | order by TimeGenerated asc | take 2"
	want := "2026-11-04T03:00:35Z; 2026-11-04 03:00:35 UTC-"
	if got := s.query(stranger).table(); !strings.HasPrefix(got, want) || strings.Count(got, "\n") != 1 {
		t.Errorf("stranger: %s, want %s…", got, want)
	}
	get := s.do("GET", logs+"?timespan=PT1H&query="+url.QueryEscape("PGSQLServerLogs | where Message has 'azuresu' | count"), "")
	if get.table() != "8" {
		t.Errorf("GET of an hour: %s", get.table())
	}
	for span, rows := range map[string]string{
		"P1D": "411", "P30D": "12324", "2026-11-23T11:00:00Z/2026-11-23T12:00:00Z": get.wholeHour(s), "2026-11-23T11:00:00Z/PT1H": get.wholeHour(s),
		"2020-01-01/2020-01-02": "0",
	} {
		if got := s.query("PGSQLServerLogs | count", span).table(); got != rows {
			t.Errorf("%s: %s rows, want %s", span, got, rows)
		}
	}
	if got := s.query("PGSQLServerLogs | where TimeGenerated > ago(2h) | where ErrorLevel != 'LOG'").table(); got != "" {
		t.Errorf("errors of two hours: %s", got)
	}
	if got := s.srv.Stats().ByKind["logs"]; got != 11 {
		t.Errorf("%d queries counted", got)
	}
}

// wholeHour counts the last hour by a condition instead of a timespan.
func (answer) wholeHour(s *sim) string {
	return s.query("PGSQLServerLogs | where TimeGenerated between (datetime(2026-11-23 11:00) .. now()) | count").table()
}

func TestLogRefusals(t *testing.T) {
	e := Demo()
	e.Workspaces = append(e.Workspaces, Workspace{ID: "5b0000aa-0000-4000-8000-000000000002", Denied: []string{"query/read"}})
	s := newSim(t, e, Options{})
	for _, c := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"POST", logs, `{"query":"AzureDiagnostics | take 1"}`, 400, `"SemanticError","innererror":{"code":"SEM0100","message":"'where' operator: Failed to resolve table or column expression named 'AzureDiagnostics'"`},
		{"POST", logs, `{"query":"PGSQLServerLogs | where errorLevel_s == 'LOG'"}`, 400, "Failed to resolve column or scalar expression named 'errorLevel_s'"},
		{"POST", logs, `{"query":"pgsqlserverlogs"}`, 400, "named 'pgsqlserverlogs'"},
		{"POST", logs, `{"query":"PGSQLServerLogs | parse Message with *"}`, 400, `"SyntaxError"`},
		{"POST", logs, `{"query":""}`, 400, `"code":"BadArgumentError"`},
		{"POST", logs, `{"query":"PGSQLServerLogs","timespan":"soon"}`, 400, "The timespan 'soon' could not be read"},
		{"POST", logs, `{"query":`, 400, `"InvalidJsonBody"`},
		{"PUT", logs, `{}`, 405, `"MethodNotAllowed"`},
		{"POST", strings.Replace(logs, "aa-", "ab-", 1), `{"query":"T"}`, 404, `"WorkspaceNotFoundError"`},
		{"POST", strings.Replace(logs, "000001/q", "000002/q", 1), `{"query":"T"}`, 403, `"InsufficientAccessError"`},
	} {
		if a := s.do(c.method, c.path, c.body); a.status != c.status || !strings.Contains(a.raw, c.want) {
			t.Errorf("%s %s %s: %d %s, want %d %s", c.method, c.path, c.body, a.status, a.raw, c.status, c.want)
		}
	}
}

func TestLogFaults(t *testing.T) {
	for fault, want := range map[string]struct {
		status int
		code   string
	}{
		"401": {403, "InvalidAuthenticationToken"}, "403": {403, "InsufficientAccessError"}, "404": {404, "WorkspaceNotFoundError"},
		"429,retry-after=3": {429, "ThrottledError"}, "504": {504, "GatewayTimeout"}, "503": {503, "ServiceUnavailable"},
	} {
		s := newSim(t, Demo(), Options{Faults: mustParse(t, fault+",path=/query,times=1")})
		a := s.query("PGSQLServerLogs | take 1")
		if a.status != want.status || a.code() != want.code || (a.header.Get("Retry-After") == "3") != (a.status == 429) {
			t.Errorf("%s: %d %s %v", fault, a.status, a.raw, a.header)
		}
		if a := s.query("PGSQLServerLogs | take 1"); a.status != 200 {
			t.Errorf("%s: after it: %d", fault, a.status)
		}
	}
}

// A result that is too large is a 200 with an error beside its rows.
func TestPartialLogResults(t *testing.T) {
	s := newSim(t, Demo(), Options{LogRows: 100})
	a := s.query("PGSQLServerLogs | order by TimeGenerated asc")
	if a.status != 200 || strings.Count(a.table(), "\n") != 99 ||
		!strings.Contains(a.partial(), "exceed the set limit of 100 records, so not all records were returned (E_QUERY_RESULT_SET_TOO_LARGE, 0x80DA0003") {
		t.Errorf("too many rows: %d %s", a.status, a.partial())
	}
	if a := s.query("PGSQLServerLogs | take 100"); a.partial() != "" {
		t.Errorf("as many as there may be: %s", a.partial())
	}
	s = newSim(t, Demo(), Options{LogBytes: 1000})
	if a := s.query("PGSQLServerLogs | project Message"); !strings.Contains(a.partial(), "limit of 1000 bytes") || len(a.table()) > 1000 {
		t.Errorf("too many bytes: %s", a.partial())
	}
	s = newSim(t, Demo(), Options{Faults: mustParse(t, "partial-result,times=1")})
	if a := s.query("PGSQLServerLogs | take 10"); a.partial() == "" || strings.Count(a.table(), "\n") != 4 {
		t.Errorf("by a fault: %s", a.raw)
	}
}

func TestTokenForAnotherAudience(t *testing.T) {
	s := newSim(t, Demo(), Options{Token: "only-issued-ones"})
	const good = "grant_type=client_credentials&client_id=app&client_secret=pw"
	for form, status := range map[string]int{
		good: 200, good + "&scope=" + url.QueryEscape(s.http.URL+"/.default"): 200,
		good + "&resource=" + url.QueryEscape(s.http.URL+"/"):                       200,
		good + "&scope=" + url.QueryEscape("https://management.azure.com/.default"): 403,
	} {
		s.token = s.signIn("/tenant/oauth2/v2.0/token", form).body["access_token"].(string)
		if a := s.query("PGSQLServerLogs | take 1"); a.status != status || status == 403 && a.code() != "InvalidAuthenticationTokenAudience" {
			t.Errorf("%s: %d %s", form, a.status, a.raw)
		}
	}
	s.token = ""
	if a := s.query("PGSQLServerLogs"); a.status != 401 || a.code() != "AuthenticationFailed" {
		t.Errorf("without a token: %d %s", a.status, a.raw)
	}
	if doc := s.get("/metadata/endpoints?api-version=2022-09-01").body; doc["logAnalyticsResourceId"] != s.http.URL {
		t.Errorf("metadata names %v", doc["logAnalyticsResourceId"])
	}
}

func TestAddLog(t *testing.T) {
	e := Demo()
	e.Subscriptions[0].Servers[0].Logs.Demo = false
	e.Subscriptions[0].Servers[1].Logs = &LogSetting{Workspace: DemoWorkspace} // billing-db, a single server
	e.Workspaces[0].Tables = map[string][]map[string]any{tableDiagnostics: {
		{"TimeGenerated": "2026-11-20T08:00:00Z", "Category": "AuditEvent", "Message": "something else", "colour_s": "red"},
	}}
	s := newSim(t, e, Options{})
	at := time.Date(2026, 11, 23, 11, 59, 0, 0, time.UTC)
	const line = `2026-11-23 11:59:00 UTC-6922f7c4.2f-FATAL:  no pg_hba.conf entry for host "198.51.100.20", user "checkout", database "orders"`
	for _, server := range []string{strings.ToUpper(orders), billing} {
		if err := s.srv.AddLog(server, at, line); err != nil {
			t.Fatal(err)
		}
	}
	got := s.query("PGSQLServerLogs | project TimeGenerated, _ResourceId, ErrorLevel, ProcessId, SqlErrorCode, LogicalServerName, Message").table()
	if want := "2026-11-23T11:59:00Z; " + lower(orders) + "; FATAL; 47; 28000; orders-db; " + line; got != want {
		t.Errorf("flexible: %s, want %s", got, want)
	}
	got = s.query("AzureDiagnostics | where Category == 'PostgreSQLLogs' | where ResourceId =~ '" + billing + "' | project errorLevel_s, LogicalServerName_s, ResourceId, Resource, colour_s, Message").table()
	if want := "FATAL; billing-db; " + strings.ToUpper(billing) + "; BILLING-DB; <nil>; " + line; got != want {
		t.Errorf("single: %s, want %s", got, want)
	}
	if got := s.query("AzureDiagnostics | where Message !has 'pg_hba' | project TimeGenerated, colour_s").table(); got != "2026-11-20T08:00:00Z; red" {
		t.Errorf("a row of the estate: %s", got)
	}
	for server, want := range map[string]string{ledger: "says nowhere that its log goes", orders + "x": "there is no such server"} {
		if err := s.srv.AddLog(server, at, line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("AddLog to %s: %v, want %q", server, err, want)
		}
	}
}

func TestTokenNamesItsPrincipal(t *testing.T) {
	s := newSim(t, Demo(), Options{Token: "only-issued-ones"})
	for principal, claim := range map[string]string{"anna@shop.example": "upn", "deploy-bot": "appid"} {
		s.token = s.srv.Token(s.http.URL, principal)
		if a := s.get("/subscriptions?api-version=2022-12-01"); a.status != http.StatusOK {
			t.Errorf("%s: %d", principal, a.status)
		}
		claims := claimsOf(t, s.token)
		if claims[claim] != principal || claims["oid"] != objectID || claims["tid"] != defaultTenant {
			t.Errorf("%s: claims %v", principal, claims)
		}
	}
}
