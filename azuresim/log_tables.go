package azuresim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// workspace is a Log Analytics workspace at work.
type workspace struct {
	spec   Workspace
	tables map[string]*logTable
}

// logTable is a table of a workspace, guarded by the simulator's mutex.
type logTable struct {
	name    string
	records []record
	// extra are the columns that rows have brought, in order of name.
	extra []string
	// pending writes rows that are made when they are first asked for.
	pending []func() []record
}

// logRecord is a line of PostgreSQL's log in a table.
type logRecord struct {
	server  *instance
	table   string
	at      time.Time
	message string
}

var (
	// serverLogColumns are those of PGSQLServerLogs that say something about a
	// connection; Microsoft's reference of the table has more.
	serverLogColumns = []column{
		{"TenantId", "string"}, {"TimeGenerated", "datetime"}, {"BackendType", "string"}, {"Detail", "string"},
		{"ErrorLevel", "string"}, {"Location", "string"}, {"LogicalServerName", "string"}, {"Message", "string"},
		{"OperationName", "string"}, {"ProcessId", "int"}, {"ResourceGroup", "string"}, {"SqlErrorCode", "string"},
		{"SourceSystem", "string"}, {"Type", "string"}, {"_ResourceId", "string"},
	}
	// diagnosticsColumns are those of AzureDiagnostics that PostgreSQL's log
	// brings. The ones with a type's letter at the end are there only once a log
	// has come.
	diagnosticsColumns = []column{
		{"TenantId", "string"}, {"TimeGenerated", "datetime"}, {"ResourceId", "string"}, {"Category", "string"},
		{"ResourceGroup", "string"}, {"SubscriptionId", "string"}, {"ResourceProvider", "string"}, {"Resource", "string"},
		{"ResourceType", "string"}, {"OperationName", "string"}, {"Message", "string"}, {"SourceSystem", "string"},
		{"Type", "string"}, {"_ResourceId", "string"},
	}
	diagnosticsOwn = []column{
		{"LogicalServerName_s", "string"}, {"errorLevel_s", "string"}, {"processId_d", "real"},
		{"sqlerrcode_s", "string"}, {"timestamp_s", "string"}, {"location_s", "string"},
	}
)

func newWorkspace(spec Workspace) *workspace {
	w := &workspace{spec: spec.clone(), tables: map[string]*logTable{}}
	for name, rows := range w.spec.Tables {
		t := w.table(name)
		for _, row := range rows {
			rec := mapRecord(maps.Clone(row))
			text, _ := rec["TimeGenerated"].(string)
			rec["TimeGenerated"], _ = time.Parse(time.RFC3339, text) // which check has seen
			t.records = append(t.records, rec)
			t.bring(slices.Sorted(maps.Keys(row)))
		}
	}
	return w
}

func (s *Server) workspace(id string) *workspace {
	i := slices.IndexFunc(s.workspaces, func(w *workspace) bool { return strings.EqualFold(w.spec.ID, id) })
	if i < 0 {
		return nil
	}
	return s.workspaces[i]
}

// table is a table by name, made if it is not there.
func (w *workspace) table(name string) *logTable {
	t := w.tables[name]
	if t == nil {
		t = &logTable{name: name}
		w.tables[name] = t
	}
	return t
}

func (t *logTable) bring(columns []string) {
	for _, name := range columns {
		isKnown := slices.ContainsFunc(t.fixed(), func(c column) bool { return c.name == name })
		if !isKnown && !slices.Contains(t.extra, name) {
			t.extra = append(t.extra, name)
			slices.Sort(t.extra)
		}
	}
}

// fixed are the columns that the table has without any row.
func (t *logTable) fixed() []column {
	switch t.name {
	case tableServerLogs:
		return serverLogColumns
	case tableDiagnostics:
		return diagnosticsColumns
	}
	return []column{{"TimeGenerated", "datetime"}}
}

func (t *logTable) columns() []column {
	all := slices.Clone(t.fixed())
	for _, name := range t.extra {
		typ := "string"
		if i := slices.IndexFunc(diagnosticsOwn, func(c column) bool { return c.name == name }); i >= 0 {
			typ = diagnosticsOwn[i].typ
		}
		all = append(all, column{name, typ})
	}
	return all
}

// relation is a table with the rows of a span of time.
func (w *workspace) relation(name string, span timespan) (relation, *kqlError) {
	t := w.tables[name]
	if t == nil {
		return relation{}, &kqlError{semantic: true, token: name,
			message: fmt.Sprintf("'where' operator: Failed to resolve table or column expression named '%s'", name)}
	}
	for _, write := range t.pending {
		t.records = append(t.records, write()...)
	}
	t.pending = nil
	r := relation{columns: t.columns()}
	for _, rec := range t.records {
		if at, _ := rec.value("TimeGenerated").(time.Time); span.holds(at) {
			r.records = append(r.records, rec)
		}
	}
	return r, nil
}

// logTable is where the server's log goes, nil if nowhere.
func (s *Server) logTable(srv *instance) *logTable {
	if srv.spec.Logs == nil {
		return nil
	}
	w := s.workspace(srv.spec.Logs.Workspace)
	name := tableDiagnostics
	if srv.typ.kind == Flexible {
		name = tableServerLogs
	}
	t := w.table(withDefault(srv.spec.Logs.Table, name))
	if t.name == tableDiagnostics {
		for _, c := range diagnosticsOwn {
			t.bring([]string{c.name})
		}
	}
	return t
}

// connectLogs makes the tables that servers write to, and puts the demo's month
// into those that want it.
func (s *Server) connectLogs(now time.Time) {
	for _, sub := range s.subs {
		for _, srv := range sub.servers {
			t := s.logTable(srv)
			if t == nil || !srv.spec.Logs.Demo {
				continue
			}
			t.pending = append(t.pending, func() []record {
				var all []record
				for _, l := range demoLines(now) {
					all = append(all, logRecord{srv, t.name, l.at, l.text})
				}
				return all
			})
		}
	}
}

// AddLog writes a line of a server's log: the message as PostgreSQL writes it,
// its prefix included ("2026-11-24 08:00:00 UTC-6925c0a0.2f-LOG:  connection
// received: …"). It arrives at once, in the workspace and table that the estate
// names for the server; an error says that the estate names none.
func (s *Server) AddLog(serverID string, at time.Time, message string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	srv := s.serverByID(serverID)
	if srv == nil {
		return fmt.Errorf("add to the log of %s: there is no such server", serverID)
	}
	t := s.logTable(srv)
	if t == nil {
		return fmt.Errorf("add to the log of %s: the estate says nowhere that its log goes (logs: {workspace: ID})", serverID)
	}
	t.records = append(t.records, logRecord{srv, t.name, at.UTC(), message})
	return nil
}
