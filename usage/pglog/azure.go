package pglog

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"time"
)

// azureDecoder reads what a diagnostic setting exports: records as JSON lines
// (PT1H.json in a storage account), or one document {"records": […]} (an event
// hub's). The fields are those of Microsoft's "PostgreSQLLogs" log format:
// flexible servers put the whole line, prefix included, into the message; Single
// Server puts the prefix into a field of its own.
type azureDecoder struct {
	records  func() (text []byte, result outcome, lines int64, err error)
	clock    *clock
	matchers []*matcher
	// server is the ARM id of the server that is asked about, empty for any.
	server string
	// within is what of a message is still to be looked through for entries, at
	// the record's time.
	within pieces
	at     time.Time
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
	if result, ok := d.within.next(e, d.matchers...); ok {
		if e.time.IsZero() {
			e.time = d.at
		}
		return result, 0, nil
	}
	text, result, lines, err := d.records()
	if err != nil || result != isEntry {
		if result == isUnreadable {
			e.lost(text)
		}
		return result, lines, err
	}
	r, ok := parseRecord(text)
	if !ok {
		e.lost(text)
		return isUnreadable, lines, nil
	}
	if !strings.EqualFold(r.Category, azureCategory) {
		*e = entry{}
		return isForeign, lines, nil
	}
	if d.server != "" && r.ResourceID != "" && !strings.EqualFold(r.ResourceID, d.server) {
		*e = entry{}
		if namesake(r.ResourceID, d.server) {
			e.namesake = strings.ToLower(r.ResourceID)
		}
		return isForeign, lines, nil
	}
	result = d.read(r, e)
	if result == isUnreadable {
		e.lost(text)
		e.strange = slices.ContainsFunc(d.matchers, func(m *matcher) bool { return m.strange })
		return result, lines, nil
	}
	e.unnamed = d.server != "" && r.ResourceID == ""
	if goesOn(e.severity) {
		e.embedded = holdsEntry(e.message)
		return isMore, lines, nil
	}
	return result, lines, nil
}

// namesake reports whether an id is of a server with the same name: the same one
// before it was moved to another resource group or subscription, it may be.
func namesake(id, server string) bool {
	own := server[strings.LastIndexByte(server, '/')+1:]
	return own != "" && slices.ContainsFunc(strings.Split(id, "/"), func(part string) bool { return strings.EqualFold(part, own) })
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
	message := bytes.TrimLeft([]byte(p.Message), "\r\n")
	if bytes.IndexByte(message, 0) >= 0 {
		return isUnreadable
	}
	d.within = pieces{text: breakIn(message)}
	first := message[:len(message)-len(d.within.text)]
	found := false
	for _, m := range d.matchers {
		if found = m.match(first, e); found {
			break
		}
	}
	if !found && !d.bare(r, first, e) {
		return isUnreadable
	}
	t, n := d.clock.read([]byte(p.Timestamp))
	if n == 0 {
		t, n = d.clock.read([]byte(r.Time))
	}
	if n > 0 && e.time.IsZero() {
		e.time = t
	}
	d.at = e.time
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

// bare reads a record whose message has no prefix. It reports false when the
// message has one that is not known: a severity stands somewhere in its middle.
func (d *azureDecoder) bare(r azureRecord, message []byte, e *entry) bool {
	*e = entry{}
	if len(message) == 0 {
		return false
	}
	if _, ok := readSeverity(message, e); !ok {
		if e.severity, ok = knownSeverity([]byte(strings.ToUpper(r.Properties.Level))); !ok {
			return false
		}
		e.message = message
		if !parseMessage(e.severity, message, false).about && r.Properties.Prefix == "" && bytes.Contains(message, []byte(":  ")) {
			return false
		}
	}
	// The prefix alone lacks the severity that a matcher ends with.
	line := r.Properties.Prefix
	for _, m := range d.matchers {
		var of entry
		if line != "" && m.match([]byte(line+"LOG:  "), &of) {
			e.time, e.session, e.pid, e.start, e.chosen = of.time, of.session, of.pid, of.start, of.chosen
			break
		}
	}
	return true
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

// azureDocument reads the records of documents.
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
