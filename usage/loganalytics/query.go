package loganalytics

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

var workspaceID = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// CheckWorkspace reports what is wrong with the id of a workspace.
func CheckWorkspace(id string) error {
	if workspaceID.MatchString(id) {
		return nil
	}
	return fmt.Errorf("%q is no id of a workspace, which is a GUID (its customerId): "+
		"az monitor log-analytics workspace show --resource-group GROUP --workspace-name NAME --query customerId -o tsv", id)
}

// serverID is the form of a server's ARM id. It goes into queries: what has another
// form is refused, and what has this one is quoted.
var serverID = regexp.MustCompile(`(?i)^/subscriptions/[0-9a-f-]{36}/resourceGroups/[\pL\pN_.()-]{1,90}/providers/[a-z.]+/[a-z0-9]+/([a-z0-9._-]{1,128})$`)

// quoted is a text as a string literal of KQL.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func datetime(t time.Time) string {
	return "datetime(" + t.UTC().Format("2006-01-02T15:04:05.0000000Z") + ")"
}

// table is one of the tables that may hold the log.
type table struct {
	name string
	// rows is how many rows of the server it has.
	rows int64
	// columns are those it has.
	columns []string
}

// from is how each query begins: half-open, so that no row is in two windows or
// between two.
func (t *table) from(from, to time.Time) string {
	q := fmt.Sprintf("%s\n| where TimeGenerated >= %s and TimeGenerated < %s", t.name, datetime(from), datetime(to))
	if t.name == sharedTable {
		q += "\n| where Category == " + quoted(category)
	}
	return q
}

// survey asks how much there is of the server, and of others that have its name.
func (t *table) survey(server string, from, to time.Time) string {
	return t.from(from, to) + "\n| where _ResourceId has " + quoted(lastPart(server)) +
		"\n| summarize Rows = count(), First = min(TimeGenerated), Last = max(TimeGenerated) by _ResourceId"
}

// look asks for one row, by whose columns the others are asked for.
func (t *table) look(server string, from, to time.Time) string {
	return t.from(from, to) + "\n| where _ResourceId =~ " + quoted(server) + "\n| take 1"
}

// noise are the messages that are left where they are, because there may be very
// many and none is about a connection: statements, and what is said of them. It
// takes Azure's log_line_prefix, %t-%c-, which holds nothing that a client chose,
// and a single line: nobody can make an entry about a connection look like this.
const noise = `^[0-9-]{10} [0-9:.]{8,12} [A-Z]{3,5}-[0-9a-f]+\.[0-9a-f]+-` +
	`(LOG:  (statement: |duration: |execute |AUDIT: )|(DEBUG[1-5]|INFO|NOTICE|WARNING|ERROR|DETAIL|HINT|QUERY|CONTEXT|LOCATION|STATEMENT):  )[^\r\n]*$`

// wanted are the columns that a record is made of, those of the one table and of
// the other. Not every workspace has them all.
var wanted = []string{"TimeGenerated", "Message", "ErrorLevel", "errorLevel_s", "ProcessId", "processId_d", "Prefix", "prefix_s"}

// page asks for the rows of a window.
func (t *table) page(server string, from, to time.Time) string {
	var columns []string
	for _, c := range wanted {
		if slices.Contains(t.columns, c) {
			columns = append(columns, c)
		}
	}
	return t.from(from, to) + "\n| where _ResourceId =~ " + quoted(server) +
		"\n| where not(Message matches regex @" + `"` + noise + `")` +
		"\n| project " + strings.Join(columns, ", ") + "\n| order by TimeGenerated asc"
}

func lastPart(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }
