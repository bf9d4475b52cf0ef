package azuresim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The Log Analytics query API, which in Azure is another host with a token
// audience of its own. The simulation has it at its one address, below
// /v1/workspaces/ID/query, and says in its metadata that the audience is that
// address. Its errors are not ARM's: a code, and what went wrong inside it.

var logsPath = regexp.MustCompile(`(?i)^/v1/workspaces/([^/]+)/query/?$`)

func (c *call) isLogs() bool { return logsPath.MatchString(c.req.URL.Path) }

// answerLogs takes a query through the same stations as call.answer.
func (c *call) answerLogs() reply {
	if rep, hit := c.misbehave(false); hit {
		return rep
	}
	c.now = c.sim.opts.Now() // a slow answer is as of its end
	query, span, f := c.logsQuery()
	if f != nil {
		return f.reply()
	}
	c.sim.mu.Lock()
	defer c.sim.mu.Unlock()
	w := c.sim.workspace(logsPath.FindStringSubmatch(c.req.URL.Path)[1])
	switch {
	case w == nil:
		return (&fail{status: http.StatusNotFound, code: "WorkspaceNotFoundError", message: "The workspace could not be found"}).reply()
	case len(w.spec.Denied) > 0:
		return logsDenied().reply()
	}
	q, err := parseKQL(query, c.now)
	var table relation
	if err == nil {
		table, err = w.relation(q.table, span)
	}
	if err == nil {
		table, err = q.run(table)
	}
	if err != nil {
		return badLogsQuery(err).reply()
	}
	return c.damage(c.logsAnswer(table))
}

// logsQuery reads the request: POST with a document, GET with the same in the
// address.
func (c *call) logsQuery() (string, timespan, *fail) {
	var body struct {
		Query    string `json:"query"`
		Timespan string `json:"timespan"`
	}
	switch c.req.Method {
	case http.MethodGet:
		body.Query, body.Timespan = c.req.URL.Query().Get("query"), c.req.URL.Query().Get("timespan")
	case http.MethodPost:
		if f := c.readContent(); f != nil {
			return "", timespan{}, f
		}
		if err := json.Unmarshal(c.content, &body); err != nil {
			return "", timespan{}, badLogsArgument("InvalidJsonBody", "The request body is no JSON: "+err.Error())
		}
	default:
		return "", timespan{}, noVerb(c.req.Method)
	}
	span, ok := parseTimespan(body.Timespan, c.now)
	switch {
	case !ok:
		return "", timespan{}, badLogsArgument("InvalidTimespan", fmt.Sprintf("The timespan '%s' could not be read", body.Timespan))
	case strings.TrimSpace(body.Query) == "":
		return "", timespan{}, badLogsArgument("QueryMissing", "The query is missing")
	}
	return body.Query, span, nil
}

// logsAnswer is a result, cut off at the most rows and bytes that there may be:
// that is no error, but a 200 with an error beside the rows.
func (c *call) logsAnswer(r relation) reply {
	var columns []any
	for _, col := range r.columns {
		columns = append(columns, map[string]any{"name": col.name, "type": col.typ})
	}
	rows, size := make([]any, 0, len(r.records)), 0
	limit := ""
	most := c.sim.opts.LogRows
	if _, hit := c.strike(false, func(f Fault) bool { return f.Action == faultPartial }); hit {
		most = min(most, len(r.records)/2)
	}
	for _, rec := range r.records {
		row := make([]any, len(r.columns))
		for i, col := range r.columns {
			row[i] = logsValue(rec.value(col.name))
		}
		size += len(marshal(row))
		switch {
		case len(rows) == most:
			limit = fmt.Sprintf("%d records", most)
		case size > c.sim.opts.LogBytes:
			limit = fmt.Sprintf("%d bytes", c.sim.opts.LogBytes)
		}
		if limit != "" {
			break
		}
		rows = append(rows, row)
	}
	body := map[string]any{"tables": []any{map[string]any{"name": "PrimaryResult", "columns": columns, "rows": rows}}}
	if limit != "" {
		body["error"] = partialError(limit)
	}
	return ok(body)
}

// partialError is what the service says of a result that was cut off.
func partialError(limit string) map[string]any {
	return map[string]any{
		"code": "PartialError", "message": "There were some errors when processing your query.",
		"details": []any{map[string]any{
			"code": "EngineError", "message": "Something went wrong processing your query on the server.",
			"innererror": map[string]any{
				"code": "-2133196797",
				"message": "The results of this query exceed the set limit of " + limit + ", so not all records were returned " +
					"(E_QUERY_RESULT_SET_TOO_LARGE, 0x80DA0003, see https://aka.ms/kustoquerylimits for more information and possible solutions).",
				"severity": 2, "severityName": "Error",
			},
		}},
	}
}

// logsValue is a value as the API writes it: a dynamic one as text.
func logsValue(v any) any {
	switch v := v.(type) {
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case map[string]any, []any:
		return textOf(v)
	}
	return v
}

func badLogsArgument(code, message string) *fail {
	return &fail{status: http.StatusBadRequest, code: "BadArgumentError", message: "The request had some invalid properties",
		more: map[string]any{"innererror": map[string]any{"code": code, "message": message}}}
}

func badLogsQuery(e *kqlError) *fail {
	if e.semantic {
		f := badLogsArgument("SemanticError", "A semantic error occurred.")
		f.more["innererror"].(map[string]any)["innererror"] = map[string]any{"code": "SEM0100", "message": e.message}
		return f
	}
	f := badLogsArgument("SyntaxError", "A recognition error occurred in the query.")
	f.more["innererror"].(map[string]any)["innererror"] = map[string]any{
		"code": "SYN0002", "message": e.message, "line": e.line, "pos": e.at, "token": e.token,
	}
	return f
}

func logsDenied() *fail {
	return &fail{status: http.StatusForbidden, code: "InsufficientAccessError",
		message: "The provided credentials have insufficient access to perform the requested operation"}
}

// timespan is what a request limits TimeGenerated to; zero ends are open.
type timespan struct{ from, to time.Time }

func (s timespan) holds(at time.Time) bool {
	return (s.from.IsZero() || !at.Before(s.from)) && (s.to.IsZero() || !at.After(s.to))
}

var isoDuration = regexp.MustCompile(`^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$`)

// parseTimespan reads ISO 8601: a duration up to now, or two times, or a time
// and a duration, with a slash between.
func parseTimespan(s string, now time.Time) (timespan, bool) {
	if s == "" {
		return timespan{}, true
	}
	first, second, two := strings.Cut(s, "/")
	if !two {
		d, ok := parseISODuration(first)
		return timespan{now.Add(-d), now}, ok
	}
	from, ok := readTime(first)
	if d, isDuration := parseISODuration(second); isDuration {
		return timespan{from, from.Add(d)}, ok
	}
	to, okTo := readTime(second)
	return timespan{from, to}, ok && okTo
}

func parseISODuration(s string) (time.Duration, bool) {
	m := isoDuration.FindStringSubmatch(s)
	if m == nil || s == "P" || strings.HasSuffix(s, "T") {
		return 0, false
	}
	var d time.Duration
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		n, _ := strconv.Atoi(m[i+1]) // absent is none
		d += time.Duration(n) * unit
	}
	return d, true
}
