package pglog

import (
	"bytes"
	"errors"
	"io"
)

// The columns of csvlog that are read here, from PostgreSQL's documentation of
// error reporting and logging. Later versions add columns at the end.
const (
	csvTime        = 0
	csvUser        = 1
	csvDatabase    = 2
	csvPID         = 3
	csvFrom        = 4
	csvSession     = 5
	csvSeverity    = 11
	csvMessage     = 13
	csvApplication = 22
	// csvColumns is how many there were in PostgreSQL 9.0, the fewest of all
	// versions with application_name.
	csvColumns = 23
)

// csvDecoder reads csvlog. It is stricter than encoding/csv, and bounded: a
// quote that is never closed must not take the rest of the file with it unseen.
type csvDecoder struct {
	lines  *lines
	clock  *clock
	record []byte
	fields [][]byte
}

func (d *csvDecoder) next(e *entry) (outcome, int64, error) {
	d.record = d.record[:0]
	whole, open := true, false
	for taken := int64(1); ; taken++ {
		l, err := d.lines.next()
		switch {
		case errors.Is(err, io.EOF) && taken > 1:
			return cutOff(taken - 1)
		case err != nil:
			return 0, 0, err
		}
		room := MaxEntry - len(d.record)
		if !l.whole || len(l.text)+1 > room {
			whole = false
		}
		d.record = append(d.record, l.text[:min(len(l.text), room)]...)
		if l.quotes%2 == 1 {
			open = !open
		}
		switch {
		case !l.ended:
			return cutOff(taken)
		case open:
			if len(d.record) < MaxEntry {
				d.record = append(d.record, '\n')
			}
			continue
		case len(d.record) == 0:
			return isMore, taken, nil
		case !d.read(whole, e):
			return isUnreadable, taken, nil
		}
		return isEntry, taken, nil
	}
}

// cutOff is a record that the file's end cuts off. When it goes over many lines,
// a quote was lost somewhere and those lines are not what they seem.
func cutOff(taken int64) (outcome, int64, error) {
	const longest = 1000
	if taken > longest {
		return isUnreadable, taken, nil
	}
	return isTruncated, taken, nil
}

// read takes a record apart. Of one that was too long to keep, the columns up to
// the message are enough.
func (d *csvDecoder) read(whole bool, e *entry) bool {
	var ok bool
	d.fields, ok = splitCSV(d.record, d.fields[:0])
	if whole && (!ok || len(d.fields) < csvColumns) || len(d.fields) <= csvMessage {
		return false
	}
	*e = entry{quoted: true}
	t, n := d.clock.read(d.fields[csvTime])
	if n == 0 || n != len(d.fields[csvTime]) {
		return false
	}
	e.time = t
	e.user, e.database, e.pid, e.session = d.fields[csvUser], d.fields[csvDatabase], d.fields[csvPID], d.fields[csvSession]
	e.host, e.port = splitFrom(d.fields[csvFrom])
	e.severity, e.message = string(d.fields[csvSeverity]), d.fields[csvMessage]
	if len(d.fields) > csvApplication {
		e.app = d.fields[csvApplication]
	}
	return true
}

// splitFrom parts "IP:port". An IPv6 address is written without brackets.
func splitFrom(b []byte) (host, port []byte) {
	i := bytes.LastIndexByte(b, ':')
	if i < 0 {
		return b, nil
	}
	return b[:i], b[i+1:]
}

// splitCSV parts a record into its fields, unquoting them in place. It reports
// false when a closing quote is not followed by a comma or the end, and returns
// the fields before that.
func splitCSV(b []byte, fields [][]byte) ([][]byte, bool) {
	for {
		if len(b) == 0 || b[0] != '"' {
			i := bytes.IndexByte(b, ',')
			if i < 0 {
				return append(fields, b), bytes.IndexByte(b, '"') < 0
			}
			if bytes.IndexByte(b[:i], '"') >= 0 {
				return fields, false
			}
			fields, b = append(fields, b[:i]), b[i+1:]
			continue
		}
		field, rest, ok := unquote(b[1:])
		if !ok {
			return append(fields, field), false
		}
		fields = append(fields, field)
		switch {
		case len(rest) == 0:
			return fields, true
		case rest[0] != ',':
			return fields[:len(fields)-1], false
		}
		b = rest[1:]
	}
}

// unquote reads a quoted field without its opening quote, in place: "" stands
// for one quote.
func unquote(b []byte) (field, rest []byte, ok bool) {
	field = b[:0]
	for {
		i := bytes.IndexByte(b, '"')
		if i < 0 {
			return append(field, b...), nil, false
		}
		field = append(field, b[:i]...)
		if i+1 < len(b) && b[i+1] == '"' {
			field, b = append(field, '"'), b[i+2:]
			continue
		}
		return field, b[i+1:], true
	}
}
