// Package loganalytics reads a server's log from a Log Analytics workspace, over
// its query API ("Azure Monitor Log Analytics API", POST /v1/workspaces/ID/query),
// and hands it on as the records that a diagnostic setting exports. It asks and
// pages; what a record means is for pglog to say. It knows nothing of firewalls,
// clients or reports.
//
// The API has no pages. A long time is asked for in windows, and one whose answer
// was cut off is asked for again in halves. What stays cut off is said, and so is
// a table that may not be read: no part of a log passes for the whole.
package loganalytics

import "time"

// Where PostgreSQL's log is in a workspace, by Microsoft's table reference: in a
// table of its own, or among what all resources send.
const (
	ownTable    = "PGSQLServerLogs"
	sharedTable = "AzureDiagnostics"
	category    = "PostgreSQLLogs"
)

const (
	// pageRows is for how many rows a window is made. The service cuts an answer
	// off at 500,000 rows, at some 64 MB, and after three minutes; rows of a
	// kilobyte stay well below all three.
	pageRows = 50_000
	// shortest is the shortest window, and what all begin and end with: a whole
	// second.
	shortest = time.Second
	// maxCut is how many of the shortest windows may be cut off before no more
	// windows are halved: the service then cuts off whatever it is asked.
	maxCut = 16
)
