package pglog

import "bytes"

// phrases are the beginnings of the messages about connections.
var phrases = [][]byte{sayReceived, sayAuthenticated, sayAuthorized, sayReplication, sayNoEntry, sayRejects, sayDisconnection}

// isCut reports whether a message is the beginning of one about a connection, of
// which the rest was lost. So is an empty one, and one that stops within the
// SQLSTATE of a verbose log.
func isCut(m []byte) bool {
	const state = len("00000:")
	if len(m) <= state && span(m, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ:") == len(m) {
		return true
	}
	for _, p := range phrases {
		if len(m) < len(p) && bytes.HasPrefix(p, m) {
			return true
		}
	}
	return false
}

var (
	traceConnection = []byte("onnection")
	traceConf       = []byte("pg_hba.conf ")
	afterSeverity   = []byte(":  ")
	severityLog     = []byte("LOG")
	severityFatal   = []byte("FATAL")
)

// mayConnect reports whether a text can hold a message about a connection at all.
func mayConnect(b []byte) bool {
	return bytes.Contains(b, traceConnection) || bytes.Contains(b, traceConf)
}

// holdsPhrase reports whether one of the phrases stands in a text.
func holdsPhrase(b []byte) bool {
	if !mayConnect(b) {
		return false
	}
	for _, p := range phrases {
		if bytes.Contains(b, p) {
			return true
		}
	}
	return false
}

// holdsEntry reports whether another entry stands in the first line of a message:
// a phrase, or a severity as it follows a prefix. Such a line has lost the line
// end between two, or somebody wrote it.
func holdsEntry(m []byte) bool {
	if i := bytes.IndexByte(m, '\n'); i >= 0 {
		m = m[:i]
	}
	for b := m; ; {
		i := bytes.Index(b, afterSeverity)
		if i < 0 {
			return holdsPhrase(m)
		}
		if bytes.HasSuffix(b[:i], severityLog) || bytes.HasSuffix(b[:i], severityFatal) {
			return true
		}
		b = b[i+1:]
	}
}

// holdsConnection reports whether a whole message about a connection, with its
// severity, stands in a line that goes on with an entry. A statement may speak of
// such messages; only those that read like an entry count.
func holdsConnection(line []byte) bool {
	if !mayConnect(line) {
		return false
	}
	for b := line; ; {
		i := bytes.Index(b, afterSeverity)
		if i < 0 {
			return false
		}
		severity, rest := b[:i], withoutState(b[i+len(afterSeverity):])
		b = b[i+1:]
		if !bytes.HasSuffix(severity, severityLog) && !bytes.HasSuffix(severity, severityFatal) {
			continue
		}
		for _, p := range phrases {
			if bytes.HasPrefix(rest, p) {
				return true
			}
		}
	}
}

// maxPieces is how many pieces of one entry are matched: the work on an entry is
// bounded, whoever wrote it.
const maxPieces = 64

// pieces are the lines of an entry that follow its first.
type pieces struct {
	text  []byte
	tried int
}

// next takes the next line out of the text that reads like an entry about a
// connection. A log that was joined wrongly holds such lines, and so does one to
// which a client gave a name with a line break in it. It reports false when there
// is none, and gives up on an entry that has too many.
func (p *pieces) next(e *entry, matchers ...*matcher) (outcome, bool) {
	for len(p.text) > 0 {
		line, rest := bytes.TrimLeft(p.text, "\r\n"), []byte(nil)
		if i := bytes.IndexAny(line, "\r\n"); i >= 0 {
			line, rest = line[:i], line[i:]
		}
		p.text = rest
		if len(line) == 0 || line[0] == '\t' || !mayConnect(line) {
			continue
		}
		if p.tried++; p.tried > maxPieces {
			p.text = nil
			e.lost(line)
			return isUnreadable, true
		}
		for _, m := range matchers {
			if m.match(line, e) && !goesOn(e.severity) {
				e.embedded = true
				return isEntry, true
			}
		}
	}
	return 0, false
}
