package pglog

import (
	"bytes"
	"errors"
	"io"
	"slices"
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
)

// csvColumns are how many columns there are: since PostgreSQL 9.0, which brought
// application_name; 13, backend_type; 14, leader_pid and query_id. A record of any
// other number was torn, or two ran together.
var csvColumns = []int{23, 24, 26}

// csvDecoder reads csvlog. It is stricter than encoding/csv, and bounded: a
// record that was torn within a quoted field must not take those after it along.
type csvDecoder struct {
	lines  *lines
	clock  *clock
	record []byte
	fields [][]byte
	// again are lines that were read as part of a record that turned out to be
	// torn, and are read once more.
	again []byte
}

func (d *csvDecoder) next(e *entry) (outcome, int64, error) {
	d.record = d.record[:0]
	state, whole := csvBegin, true
	for taken := int64(1); ; taken++ {
		l, err := d.line()
		switch {
		case errors.Is(err, io.EOF) && taken > 1:
			return d.torn(taken-1, true, e)
		case err != nil:
			return 0, 0, err
		}
		room := MaxEntry - len(d.record)
		kept := l.text[:min(len(l.text), room)]
		switch {
		case !l.whole || len(kept) < len(l.text):
			// Of what is dropped only the quotes are known.
			whole = false
			state = state.skip(l.quotes)
		case !whole:
			state = state.skip(bytes.Count(l.text, []byte{'"'}))
		default:
			state = state.line(l.text)
		}
		d.record = append(d.record, kept...)
		switch {
		case state == csvBroken:
			return d.torn(taken, false, e)
		case !l.ended:
			return d.torn(taken, true, e)
		case state == csvQuoted:
			if len(d.record) < MaxEntry {
				d.record = append(d.record, '\n')
			}
			continue
		case len(d.record) == 0:
			return isMore, taken, nil
		case !d.read(whole, e):
			return d.torn(taken, false, e)
		case e.severity == "":
			e.unreadable(d.record, true)
			return isUnreadable, taken, nil
		}
		return isEntry, taken, nil
	}
}

// line is the next line, one to be read again first.
func (d *csvDecoder) line() (line, error) {
	if len(d.again) == 0 {
		return d.lines.next()
	}
	text, rest, _ := bytes.Cut(d.again, []byte("\n"))
	d.again = rest
	return line{text: text, quotes: bytes.Count(text, []byte{'"'}), whole: true, ended: true}, nil
}

// torn gives up a record that is not whole: at the file's end, or because it
// cannot be read. Where one of its lines begins like a record, reading goes on
// from there, and the lines before are lost. Only the server writes csvlog, so
// there are no lines in it that mean nothing.
func (d *csvDecoder) torn(taken int64, ended bool, e *entry) (outcome, int64, error) {
	for at, lines := 0, int64(0); ; {
		i := bytes.IndexByte(d.record[at:], '\n')
		if i < 0 {
			break
		}
		at += i + 1
		if lines++; beginsCSV(d.record[at:]) {
			e.lost(d.record[:at])
			rest := append([]byte(nil), d.record[at:]...)
			if ended {
				// The last line has no end: it is not read again.
				rest = rest[:bytes.LastIndexByte(rest, '\n')+1]
			} else {
				rest = append(rest, '\n')
			}
			d.again = append(rest, d.again...)
			return isUnreadable, lines, nil
		}
	}
	if ended {
		return isTruncated, taken, nil
	}
	e.lost(d.record)
	return isUnreadable, taken, nil
}

// csvState is where a line of csvlog leaves off.
type csvState int

const (
	// csvBegin: outside of a quoted field.
	csvBegin csvState = iota
	// csvQuoted: within a quoted field.
	csvQuoted
	// csvBroken: a quote stands where PostgreSQL writes none.
	csvBroken
)

// line goes through a line. A quoted field begins after a comma and ends before
// one; within it a quote is written twice.
func (s csvState) line(b []byte) csvState {
	for {
		if s == csvQuoted {
			i := bytes.IndexByte(b, '"')
			switch {
			case i < 0:
				return csvQuoted
			case i+1 < len(b) && b[i+1] == '"':
				b = b[i+2:]
				continue
			case i+1 == len(b):
				return csvBegin
			case b[i+1] != ',':
				return csvBroken
			}
			b = b[i+2:]
		}
		switch i := bytes.IndexByte(b, '"'); {
		case i > 0 && b[i-1] != ',', bytes.IndexByte(b[:max(i, 0)], '\r') >= 0:
			return csvBroken
		case i < 0:
			if bytes.IndexByte(b, '\r') >= 0 {
				return csvBroken
			}
			return csvBegin
		default:
			s, b = csvQuoted, b[i+1:]
		}
	}
}

// skip goes through a text of which only the number of quotes is known.
func (s csvState) skip(quotes int) csvState {
	if quotes%2 == 0 {
		return s
	}
	return csvQuoted - s
}

// read takes a record apart. Of one that was too long to keep, the columns up to
// the message are enough. A severity that is none in English is left empty.
func (d *csvDecoder) read(whole bool, e *entry) bool {
	var ok bool
	d.fields, ok = splitCSV(d.record, d.fields[:0])
	if whole && (!ok || !slices.Contains(csvColumns, len(d.fields))) || len(d.fields) <= csvMessage || bytes.IndexByte(d.record, 0) >= 0 {
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
	e.severity, _ = knownSeverity(d.fields[csvSeverity])
	e.message = d.fields[csvMessage]
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
