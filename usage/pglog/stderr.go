package pglog

import "bytes"

// outcome is what became of a piece of a file.
type outcome int

const (
	// isEntry: it is a log entry.
	isEntry outcome = iota
	// isMore: it goes on with the entry before, or is blank. The entry's embedded
	// says whether a message about a connection stands in it.
	isMore
	// isUnreadable: it is in another format, or damaged.
	isUnreadable
	// isForeign: it is a record about something else.
	isForeign
	// isTruncated: the file stops in the middle of it.
	isTruncated
)

// decoder takes a file apart in one format.
type decoder interface {
	// next reads the next piece into e, and says how many lines it took. It
	// returns io.EOF at the end of the file. When the piece is an entry, e is
	// valid until the next call.
	next(e *entry) (outcome, int64, error)
}

// stderrDecoder reads what PostgreSQL writes to standard error: each entry
// begins with the prefix, and a line that begins with a tab goes on with the
// entry before (append_with_tabs in src/backend/utils/error/elog.c).
type stderrDecoder struct {
	lines *lines
	match matcher
	// within is what of the line is still to be looked through for entries.
	within pieces
}

func (d *stderrDecoder) next(e *entry) (outcome, int64, error) {
	if result, ok := d.within.next(e, &d.match); ok {
		return result, 0, nil
	}
	l, err := d.lines.next()
	switch {
	case err != nil:
		return 0, 0, err
	case !l.ended:
		// What is cut may still read well: "user=bob" of "user=bobby".
		return isTruncated, 1, nil
	case len(l.text) == 0:
		return isMore, 1, nil
	}
	d.within = pieces{text: breakIn(l.text)}
	switch {
	case !l.whole && d.within.text != nil, bytes.IndexByte(l.text, 0) >= 0:
		// Lines that end in another way than "\n", and too many to keep; or what
		// a crash left, for PostgreSQL writes no NUL.
		e.lost(l.text)
		return isUnreadable, 1, nil
	case l.text[0] == '\t':
		// It goes on with the entry. One that reads like an entry about a connection
		// was indented by a tool, or somebody wrote it.
		e.embedded = holdsConnection(l.text)
		return isMore, 1, nil
	case !d.match.match(l.text, e):
		e.unreadable(l.text, d.match.strange)
		return isUnreadable, 1, nil
	case goesOn(e.severity):
		e.embedded = holdsEntry(e.message)
		return isMore, 1, nil
	}
	return isEntry, 1, nil
}

// goesOn reports whether a severity goes on with the entry before.
func goesOn(severity string) bool {
	switch severity {
	case "STATEMENT", "DETAIL", "HINT", "CONTEXT", "QUERY", "LOCATION", "BACKTRACE":
		return true
	}
	return false
}

// breakIn returns what follows the first line break within a text, nil where
// there is none.
func breakIn(text []byte) []byte {
	at := bytes.IndexByte(text, '\n')
	if at < 0 {
		at = len(text)
	}
	if i := bytes.IndexByte(text[:at], '\r'); i >= 0 {
		at = i
	}
	if at == len(text) {
		return nil
	}
	return text[at:]
}
