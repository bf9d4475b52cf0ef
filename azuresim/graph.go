package azuresim

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// graphVersions are the api-versions of Resource Graph that can be held to
// Microsoft's documents.
var graphVersions = []string{"2021-03-01", "2022-10-01"}

// Resource Graph lets a caller ask 15 times in 5 seconds, and answers at most
// 1000 rows at once.
const (
	graphQueries = 15
	graphWindow  = 5 * time.Second
	graphPage    = 1000
)

// quota counts the queries of a window that opens with the first of them.
type quota struct {
	opened time.Time
	used   int
}

// take says how many queries are left after this one, -1 if it is one too many,
// and when the count begins anew.
func (q *quota) take(now time.Time) (left int, reset time.Duration) {
	if now.Sub(q.opened) >= graphWindow {
		*q = quota{opened: now}
	}
	q.used++
	return max(graphQueries-q.used, -1), q.opened.Add(graphWindow).Sub(now)
}

func (a address) isGraph() bool {
	return a.subscription == "" && strings.EqualFold(a.provider, "Microsoft.ResourceGraph") &&
		len(a.types) == 1 && strings.EqualFold(a.types[0], "resources")
}

type graphRequest struct {
	Subscriptions []string `json:"subscriptions"`
	Query         string   `json:"query"`
	Options       struct {
		Top       *int   `json:"$top"`
		Skip      int    `json:"$skip"`
		SkipToken string `json:"$skipToken"`
		Format    string `json:"resultFormat"`
	} `json:"options"`
}

// resourceGraph answers a query over what is in the caller's subscriptions.
func (c *call) resourceGraph() reply {
	switch {
	case c.version == "":
		return noAPIVersion().reply()
	case !slices.Contains(graphVersions, c.version):
		return badAPIVersion("resources", c.version, regions[0], graphVersions).reply()
	case c.req.Method != http.MethodPost:
		return noVerb(c.req.Method).reply()
	}
	if f := c.readContent(); f != nil {
		return f.reply()
	}
	c.sim.mu.Lock()
	defer c.sim.mu.Unlock()
	left, reset := c.sim.graph.take(c.now)
	var rep reply
	if left < 0 {
		rep = c.graphThrottled(reset).reply()
	} else {
		rep = c.graphAnswer()
	}
	rep.header.Set("X-Ms-User-Quota-Remaining", strconv.Itoa(max(left, 0)))
	seconds := int((reset + time.Second - 1) / time.Second)
	rep.header.Set("X-Ms-User-Quota-Resets-After", fmt.Sprintf("00:00:%02d", seconds))
	return rep
}

func (c *call) graphAnswer() reply {
	var r graphRequest
	if err := json.Unmarshal(c.content, &r); err != nil {
		return c.graphFail(http.StatusBadRequest, "BadRequest", "InvalidRequestBody", err.Error()).reply()
	}
	top, from := graphPage, r.Options.Skip
	if r.Options.SkipToken != "" {
		var valid bool
		if top, from, valid = parseGraphToken(r.Options.SkipToken); !valid {
			return c.graphFail(http.StatusBadRequest, "BadRequest", "InvalidSkipToken", "The skip token is not one that was handed out.").reply()
		}
	}
	if r.Options.Top != nil {
		top = *r.Options.Top
	}
	if top < 1 || top > graphPage || from < 0 || !known(r.Options.Format, "", "objectArray") {
		return c.graphFail(http.StatusBadRequest, "BadRequest", "InvalidQueryOptions",
			"$top is from 1 to 1000, $skip from 0, and the simulator's resultFormat objectArray.").reply()
	}
	rows, f := c.graphRows(r.Subscriptions)
	if f != nil {
		return f.reply()
	}
	q, err := parseKQL(r.Query, c.now)
	if err == nil && lower(q.table) != "resources" {
		err = &kqlError{message: "InvalidQuery", token: q.table, line: 1, at: 1}
	}
	var result relation
	if err == nil {
		result, err = q.run(rows)
	}
	if err != nil {
		return c.graphUnreadable(err).reply()
	}
	return ok(graphPageOf(result, from, top))
}

// graphPageOf is a page of a result. Without an id in it there is no way to the
// next, and the result is cut off.
func graphPageOf(r relation, from, top int) map[string]any {
	from = min(from, len(r.records))
	to := min(from+top, len(r.records))
	data := make([]any, 0, to-from)
	for _, rec := range r.records[from:to] {
		row := map[string]any{}
		for _, col := range r.columns {
			row[col.name] = rec.value(col.name)
		}
		data = append(data, row)
	}
	body := map[string]any{
		"totalRecords": len(r.records), "count": len(data), "resultTruncated": "false", "facets": []any{}, "data": data,
	}
	_, hasID := r.column("id")
	switch {
	case to == len(r.records):
	case hasID:
		body["$skipToken"] = graphToken(top, to)
	default:
		body["resultTruncated"] = "true"
	}
	return body
}

func graphToken(top, from int) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%d from %d", top, from))
}

func parseGraphToken(token string) (top, from int, valid bool) {
	raw, err := base64.StdEncoding.DecodeString(token)
	if err != nil {
		return 0, 0, false
	}
	before, after, found := strings.Cut(string(raw), " from ")
	top, errTop := strconv.Atoi(before)
	from, errFrom := strconv.Atoi(after)
	return top, from, found && errTop == nil && errFrom == nil
}

// graphFail is a refusal in Resource Graph's own form, as many reports quote it.
func (c *call) graphFail(status int, code, detail, message string) *fail {
	return &fail{status: status, code: code,
		message: fmt.Sprintf("Please provide below info when asking for support: timestamp = %s, correlationId = %s.",
			c.now.UTC().Format("2006-01-02T15:04:05.0000000Z"), newGUID()),
		more: map[string]any{"details": []any{map[string]any{"code": detail, "message": message}}},
	}
}

func (c *call) graphThrottled(wait time.Duration) *fail {
	f := c.graphFail(http.StatusTooManyRequests, "RateLimiting", "RateLimiting",
		"Client application has been throttled and should not attempt to repeat the request until an amount of time has elapsed. "+
			"Please see https://aka.ms/resourcegraph-throttling for help.")
	f.retryAfter = wait
	return f
}

func (c *call) graphDenied() *fail {
	return c.graphFail(http.StatusForbidden, "AccessDenied", "AccessDenied",
		"Please make sure you have permission to access at least one of the subscriptions.")
}

// graphUnreadable refuses a query. What is said of a column that is not there
// is the simulator's own; of one that cannot be parsed, as quoted.
func (c *call) graphUnreadable(e *kqlError) *fail {
	f := c.graphFail(http.StatusBadRequest, "BadRequest", "InvalidQuery",
		"Query is invalid. Please refer to the documentation for the Azure Resource Graph service and fix the error before retrying.")
	detail := map[string]any{"code": "ParserFailure", "message": "ParserFailure",
		"line": e.line, "characterPositionInLine": e.at - 1, "token": e.token}
	if e.semantic {
		detail = map[string]any{"code": "SemanticFailure", "message": e.message, "token": e.token}
	}
	f.more["details"] = append(f.more["details"].([]any), detail)
	return f
}
