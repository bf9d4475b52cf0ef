package pglog

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
)

// jsonDecoder reads jsonlog (PostgreSQL 15 and later): one object a line.
type jsonDecoder struct {
	lines *lines
	clock *clock
}

// jsonEntry is the part of an entry that is read here, from PostgreSQL's
// documentation of error reporting and logging.
type jsonEntry struct {
	Timestamp   string `json:"timestamp"`
	User        string `json:"user"`
	Database    string `json:"dbname"`
	PID         int64  `json:"pid"`
	RemoteHost  string `json:"remote_host"`
	RemotePort  int64  `json:"remote_port"`
	SessionID   string `json:"session_id"`
	Severity    string `json:"error_severity"`
	Message     string `json:"message"`
	Application string `json:"application_name"`
}

func (d *jsonDecoder) next(e *entry) (outcome, int64, error) {
	l, err := d.lines.next()
	if err != nil {
		return 0, 0, err
	}
	text := bytes.TrimSpace(l.text)
	if len(text) == 0 {
		return isMore, 1, nil
	}
	var j jsonEntry
	if err := json.Unmarshal(text, &j); err != nil {
		if !l.ended {
			return isTruncated, 1, nil
		}
		e.lost(text)
		return isUnreadable, 1, nil
	}
	t, n := d.clock.read([]byte(j.Timestamp))
	if _, known := knownSeverity([]byte(j.Severity)); n == 0 || !known {
		e.lost(text)
		e.strange = n > 0 && j.Severity != ""
		return isUnreadable, 1, nil
	}
	*e = entry{
		quoted: true, time: t, session: []byte(j.SessionID), user: []byte(j.User), database: []byte(j.Database),
		app: []byte(j.Application), host: []byte(j.RemoteHost), port: number(j.RemotePort), pid: number(j.PID),
		severity: j.Severity, message: []byte(j.Message),
	}
	return isEntry, 1, nil
}

// number writes a number that may be absent, which is 0 here: no process and no
// port has it.
func number(n int64) []byte {
	if n == 0 {
		return nil
	}
	return strconv.AppendInt(nil, n, 10)
}

// objects splits JSON documents, one after the other, into the objects of the
// first list in each, such as those of {"records": [ … ]}, whatever line breaks
// there are.
type objects struct {
	in *bytesIn
	// inList is set within a list, amiss when something was met in it that is
	// none of its objects.
	inList, amiss bool
	// nested is how many lists within the list are open.
	nested int
	buf    []byte
}

// next returns the text of the next object, and false for whole when it was too
// long to keep or when something that is no object stood in its place. It returns
// io.EOF after the last list, and errCut when the document stops before the list
// does.
func (o *objects) next() (text []byte, whole bool, err error) {
	for {
		if !o.inList {
			// Captures of an event hub hold one document after the other.
			switch known, err := o.begin(); {
			case err != nil && known:
				return nil, false, err
			case !known:
				return nil, false, nil
			}
		}
		c, err := o.in.byte()
		switch {
		case err != nil:
			return nil, false, cut(err)
		case c == '{':
			o.amiss = false
			return o.object()
		case c == '[':
			o.nested++
		case c == ']' && o.nested > 0:
			o.nested--
		case c == ']':
			o.inList = false
		case strings.IndexByte(", \t\r\n", c) < 0 && !o.amiss:
			o.amiss = true
			return nil, false, nil
		}
	}
}

// begin reads up to the beginning of the next list, and returns io.EOF when there
// is none. It reports false when there is anything but the end of the document
// before and the beginning of another: lines that were put behind a document, say.
func (o *objects) begin() (known bool, err error) {
	const most = 64
	var met []byte
	inText, escaped := false, false
	for {
		c, err := o.in.byte()
		switch {
		case err != nil && !errors.Is(err, io.EOF):
			return true, err
		case err != nil:
			known = len(bytes.TrimLeft(met, "}")) == 0
			return known, io.EOF
		case escaped:
			escaped = false
		case inText:
			escaped, inText = c == '\\', c != '"'
		case c == '"':
			inText = true
		case c == '[':
			o.inList, o.amiss = true, false
			start := string(bytes.TrimLeft(met, "}"))
			return start == "" || start == `{"records":`, nil
		}
		if len(met) < most && (inText || strings.IndexByte(" \t\r\n", c) < 0) {
			met = append(met, c)
		}
	}
}

var errCut = errors.New("the document stops in the middle of its list")

func cut(err error) error {
	if errors.Is(err, io.EOF) {
		return errCut
	}
	return err
}

// object reads the rest of an object whose brace has been read.
func (o *objects) object() (text []byte, whole bool, err error) {
	o.buf, whole = append(o.buf[:0], '{'), true
	inText, escaped := false, false
	for depth := 1; depth > 0; {
		c, err := o.in.byte()
		switch {
		case err != nil:
			return nil, false, cut(err)
		case escaped:
			escaped = false
		case inText:
			escaped, inText = c == '\\', c != '"'
		case c == '"':
			inText = true
		case c == '{':
			depth++
		case c == '}':
			depth--
		}
		if len(o.buf) < MaxEntry {
			o.buf = append(o.buf, c)
		} else {
			whole = false
		}
	}
	return o.buf, whole, nil
}
