package pglog

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// azureDecoder reads what a diagnostic setting exports: records as JSON lines
// (PT1H.json in a storage account), or one document {"records": […]} (an event
// hub's). The fields are those of Microsoft's "PostgreSQLLogs" log format:
// flexible servers put the whole line, prefix included, into the message; Single
// Server puts the prefix into a field of its own.
type azureDecoder struct {
	records  func() (text []byte, result outcome, lines int64, err error)
	clock    *clock
	matchers []matcher
	// server is the ARM id of the server that is asked about, empty for any.
	server string
}

type azureRecord struct {
	Time       string `json:"time"`
	Category   string `json:"category"`
	ResourceID string `json:"resourceId"`
	Properties struct {
		Timestamp string          `json:"timestamp"`
		ProcessID json.RawMessage `json:"processId"`
		Level     string          `json:"errorLevel"`
		Message   string          `json:"message"`
		Prefix    string          `json:"prefix"`
	} `json:"properties"`
}

// azureCategory is the diagnostic category that holds PostgreSQL's own log.
const azureCategory = "PostgreSQLLogs"

func (d *azureDecoder) next(e *entry) (outcome, int64, error) {
	text, result, lines, err := d.records()
	if err != nil || result != isEntry {
		return result, lines, err
	}
	r, ok := parseRecord(text)
	if !ok {
		return isUnreadable, lines, nil
	}
	if !strings.EqualFold(r.Category, azureCategory) ||
		d.server != "" && r.ResourceID != "" && !strings.EqualFold(r.ResourceID, d.server) {
		return isForeign, lines, nil
	}
	return d.read(r, e), lines, nil
}

// parseRecord reads a record. Every diagnostic record has a category.
func parseRecord(text []byte) (azureRecord, bool) {
	var r azureRecord
	err := json.Unmarshal(text, &r)
	return r, err == nil && r.Category != ""
}

// read makes an entry of a record. What the record says beside the message
// counts where the message does not say it.
func (d *azureDecoder) read(r azureRecord, e *entry) outcome {
	p := r.Properties
	first, _, _ := strings.Cut(p.Message, "\n")
	found := false
	for i := range d.matchers {
		if found = d.matchers[i].match([]byte(first), e); found {
			break
		}
	}
	if !found {
		d.bare(r, e)
	}
	t, n := d.clock.read([]byte(p.Timestamp))
	if n == 0 {
		t, n = d.clock.read([]byte(r.Time))
	}
	if n > 0 && e.time.IsZero() {
		e.time = t
	}
	switch {
	case e.time.IsZero() || e.severity == "":
		return isUnreadable
	case e.pid == nil:
		if pid := bytes.Trim(p.ProcessID, `"`); span(pid, "0123456789") == len(pid) {
			e.pid = pid
		}
	}
	return isEntry
}

// bare reads a record whose message has no prefix.
func (d *azureDecoder) bare(r azureRecord, e *entry) {
	*e = entry{}
	message := []byte(r.Properties.Message)
	if !readSeverity(message, e) {
		e.severity, e.message = strings.ToUpper(r.Properties.Level), message
	}
	// The prefix alone lacks the severity that a matcher ends with.
	line := r.Properties.Prefix
	for i := range d.matchers {
		var of entry
		if line != "" && d.matchers[i].match([]byte(line+"LOG:  "), &of) {
			e.time, e.session, e.pid, e.start = of.time, of.session, of.pid, of.start
			return
		}
	}
}

// azureLines reads one record a line.
func azureLines(l *lines) func() ([]byte, outcome, int64, error) {
	return func() ([]byte, outcome, int64, error) {
		line, err := l.next()
		if err != nil {
			return nil, 0, 0, err
		}
		text := bytes.TrimSpace(line.text)
		switch {
		case len(text) == 0:
			return nil, isMore, 1, nil
		case !line.ended && !json.Valid(text):
			return nil, isTruncated, 1, nil
		}
		return text, isEntry, 1, nil
	}
}

// azureDocument reads the records of one document. What follows its list is
// not looked at.
func azureDocument(in *bytesIn) func() ([]byte, outcome, int64, error) {
	o := &objects{in: in}
	done := false
	return func() ([]byte, outcome, int64, error) {
		if done {
			return nil, 0, 0, io.EOF
		}
		text, whole, err := o.next()
		switch {
		case errors.Is(err, errCut):
			done = true
			return nil, isTruncated, 1, nil
		case err != nil:
			return nil, 0, 0, err
		case !whole:
			return nil, isUnreadable, 1, nil
		}
		return text, isEntry, 1, nil
	}
}
