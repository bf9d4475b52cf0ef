package loganalytics

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// answer is the one table that a query gives.
type answer struct {
	columns []string
	rows    [][]any
	// cut is set where the service gave a part of the rows.
	cut bool
}

// result is a table as the service writes it.
type result struct {
	Name    string `json:"name"`
	Columns []struct {
		Name string `json:"name"`
	} `json:"columns"`
	Rows [][]any `json:"rows"`
}

// parseAnswer reads {tables: [{name, columns: [{name, type}], rows}], error}. An
// error beside the rows, with HTTP 200, means that they are not all.
func parseAnswer(body []byte) (answer, error) {
	var doc struct {
		Tables []result `json:"tables"`
		Error  *struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return answer{}, fmt.Errorf("the answer is not what a query gives: %w", err)
	}
	at := slices.IndexFunc(doc.Tables, func(t result) bool { return t.Name == "PrimaryResult" })
	switch {
	case at < 0 && doc.Error != nil:
		return answer{}, fmt.Errorf("the answer is an error, %q, without a result", doc.Error.Code)
	case at < 0:
		return answer{}, errors.New("the answer is not what a query gives: it has no table PrimaryResult")
	}
	a := answer{rows: doc.Tables[at].Rows, cut: doc.Error != nil}
	for _, c := range doc.Tables[at].Columns {
		if slices.Contains(a.columns, c.Name) {
			return answer{}, fmt.Errorf("the answer has the column %q twice", c.Name)
		}
		a.columns = append(a.columns, c.Name)
	}
	for _, row := range a.rows {
		if len(row) != len(a.columns) {
			return answer{}, fmt.Errorf("the answer has a row of %d values for %d columns", len(row), len(a.columns))
		}
	}
	return a, nil
}

// value finds a column of a row by its name, nil where there is none.
func (a answer) value(row []any, column string) any {
	if i := slices.Index(a.columns, column); i >= 0 {
		return row[i]
	}
	return nil
}

// instant reads a time of the answer, which is always UTC.
func (a answer) instant(row []any, column string) (time.Time, error) {
	text, _ := a.value(row, column).(string)
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("the answer has a row without a time in %s", column)
	}
	return t.UTC(), nil
}

// entry is one row of the log.
type entry struct {
	at                              time.Time
	message, level, process, prefix string
}

// entries reads the rows of a window.
func (a answer) entries(from, to time.Time) ([]entry, error) {
	out := make([]entry, 0, len(a.rows))
	// Each field is in one of two columns, by the table.
	text := func(one, other string) func(row []any) string {
		i, j := slices.Index(a.columns, one), slices.Index(a.columns, other)
		at := max(i, j)
		if i >= 0 {
			at = i
		}
		return func(row []any) string {
			if at < 0 {
				return ""
			}
			switch v := row[at].(type) {
			case string:
				return v
			case float64:
				return strconv.FormatInt(int64(v), 10)
			}
			return ""
		}
	}
	message, level := text("Message", ""), text("ErrorLevel", "errorLevel_s")
	process, prefix := text("ProcessId", "processId_d"), text("Prefix", "prefix_s")
	for _, row := range a.rows {
		at, err := a.instant(row, "TimeGenerated")
		if err != nil {
			return nil, err
		}
		if at.Before(from) || !at.Before(to) {
			return nil, fmt.Errorf("the answer has a row of %s, and was asked for %s to %s", at.Format(time.RFC3339), from.Format(time.RFC3339), to.Format(time.RFC3339))
		}
		out = append(out, entry{at: at, message: message(row), level: level(row), process: process(row), prefix: prefix(row)})
	}
	return out, nil
}

// together puts what two tables have of one window together, in the order of time.
// A server may send to both: an entry that both have counts once. Within an instant
// the order of a session is restored, which neither the table nor an export keeps.
func together(a, b []entry) []entry {
	type key struct {
		second  int64
		message string
	}
	have := map[key]int{}
	if len(b) > 0 {
		for _, e := range a {
			have[key{e.at.Unix(), e.message}]++
		}
	}
	for _, e := range b {
		if k := (key{e.at.Unix(), e.message}); have[k] > 0 {
			have[k]--
			continue
		}
		a = append(a, e)
	}
	slices.SortStableFunc(a, func(x, y entry) int {
		if c := x.at.Compare(y.at); c != 0 {
			return c
		}
		return stage(x.message) - stage(y.message)
	})
	return a
}

// stage is how far a session has got that a message is about.
func stage(message string) int {
	switch {
	case strings.Contains(message, "connection received: "):
		return 0
	case strings.Contains(message, "disconnection: "):
		return 2
	default:
		return 1
	}
}

// record writes an entry as a diagnostic setting exports it, on a line.
func (e entry) record(out *bytes.Buffer, server string) error {
	type properties struct {
		Process string `json:"processId,omitempty"`
		Level   string `json:"errorLevel,omitempty"`
		Prefix  string `json:"prefix,omitempty"`
		Message string `json:"message"`
	}
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	return lines.Encode(struct {
		Time       time.Time  `json:"time"`
		Category   string     `json:"category"`
		ResourceID string     `json:"resourceId"`
		Properties properties `json:"properties"`
	}{e.at, category, server, properties{e.process, e.level, e.prefix, e.message}})
}
