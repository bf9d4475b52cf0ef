package azuresim

import (
	"regexp"
	"strconv"
	"strings"
)

// Azure's log_line_prefix, "%t-%c-", before the severity: the session id is the
// start of the session and the process, both in hexadecimal.
var azurePrefix = regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC-[0-9a-f]+\.([0-9a-f]+)-([A-Z0-9]+):  `)

// severity and process are read from the message's prefix; a message without
// one is a LOG of no process.
func (l logRecord) severity() string {
	if m := azurePrefix.FindStringSubmatch(l.message); m != nil {
		return m[2]
	}
	return "LOG"
}

func (l logRecord) process() any {
	m := azurePrefix.FindStringSubmatch(l.message)
	if m == nil {
		return nil
	}
	pid, err := strconv.ParseInt(m[1], 16, 32)
	if err != nil {
		return nil
	}
	return float64(pid)
}

// sqlState is the code of the errors that the simulated log has: PostgreSQL's
// invalid_password and, where pg_hba.conf or Azure's firewall refuses,
// invalid_authorization_specification.
func (l logRecord) sqlState() string {
	switch {
	case strings.Contains(l.message, "password authentication failed"):
		return "28P01"
	case l.severity() == "FATAL":
		return "28000"
	}
	return "00000"
}

// value is a column of the record, in the words of its table.
func (l logRecord) value(column string) any {
	s := l.server
	switch column {
	case "TimeGenerated":
		return l.at
	case "Message":
		return l.message
	case "_ResourceId": // Log Analytics' own column is in lower case,
		return lower(s.id())
	case "ResourceId": // AzureDiagnostics' in capitals
		return strings.ToUpper(s.id())
	case "Type":
		return l.table
	case "SourceSystem":
		return "Azure"
	case "OperationName":
		return "LogEvent"
	case "ErrorLevel", "errorLevel_s":
		return l.severity()
	case "ProcessId", "processId_d":
		return l.process()
	case "SqlErrorCode", "sqlerrcode_s":
		return l.sqlState()
	case "LogicalServerName", "LogicalServerName_s":
		return s.spec.Name
	case "Location", "location_s":
		return regionName(s.location())
	case "BackendType":
		return "client backend"
	case "timestamp_s":
		return l.at.Format("2006-01-02 15:04:05.000 UTC")
	}
	return l.diagnosticsValue(column)
}

// diagnosticsValue is what AzureDiagnostics makes of the server's id.
func (l logRecord) diagnosticsValue(column string) any {
	s := l.server
	switch column {
	case "Category":
		return "PostgreSQLLogs"
	case "ResourceGroup":
		return strings.ToUpper(s.spec.ResourceGroup)
	case "SubscriptionId":
		return lower(s.sub.id)
	case "ResourceProvider":
		return strings.ToUpper(namespace)
	case "Resource":
		return strings.ToUpper(s.spec.Name)
	case "ResourceType":
		return strings.ToUpper(s.typ.name)
	case "TenantId": // the workspace's id, by an old name
		return lower(s.spec.Logs.Workspace)
	}
	return nil
}
