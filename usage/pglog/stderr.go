package pglog

// outcome is what became of a piece of a file.
type outcome int

const (
	// isEntry: it is a log entry.
	isEntry outcome = iota
	// isMore: it goes on with the entry before, or is blank.
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
}

func (d *stderrDecoder) next(e *entry) (outcome, int64, error) {
	l, err := d.lines.next()
	switch {
	case err != nil:
		return 0, 0, err
	case !l.ended:
		// What is cut may still read well: "user=bob" of "user=bobby".
		return isTruncated, 1, nil
	case len(l.text) == 0 || l.text[0] == '\t':
		return isMore, 1, nil
	case !d.match.match(l.text, e):
		return isUnreadable, 1, nil
	}
	switch e.severity {
	case "STATEMENT", "DETAIL", "HINT", "CONTEXT", "QUERY", "LOCATION", "BACKTRACE":
		return isMore, 1, nil
	}
	return isEntry, 1, nil
}
