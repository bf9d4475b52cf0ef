package pglog

import (
	"bytes"
	"strings"
	"time"
)

// entry is one log entry with what its format says beside the message. Its
// byte slices are valid until the next entry is read.
type entry struct {
	time     time.Time
	session  []byte // %c
	pid      []byte // %p
	start    []byte // %s, when the process started
	user     []byte
	database []byte
	app      []byte
	host     []byte
	port     []byte
	severity string
	message  []byte
	// quoted is set where the format keeps user and database apart from the
	// message, so that nothing in a name can look like the end of it.
	quoted bool
	// chosen is the prefix when names that clients choose stand in it.
	chosen string
	// embedded is set for a line that stands within another entry's message.
	embedded bool
	// torn is set on an unreadable line that surely hides something, strange on
	// one that reads like an entry in another language than English. The text of
	// an unreadable line is in message.
	torn, strange bool
	// unnamed is set on a record that does not name its server; namesake is the
	// id of another server with the same name, whose record was left out.
	unnamed  bool
	namesake string
}

// unreadable makes an entry stand for a line that cannot be read.
func (e *entry) unreadable(text []byte, strange bool) { *e = entry{message: text, strange: strange} }

// lost makes an entry stand for something that cannot be read and may tell of a
// connection, whatever is left of it.
func (e *entry) lost(text []byte) { *e = entry{message: text, torn: true} }

// severities are the words that can follow a prefix. Those that begin an entry
// come first; the others go on with it (src/backend/utils/error/elog.c).
var severities = []string{
	"LOG", "STATEMENT", "DETAIL", "ERROR", "FATAL", "HINT", "CONTEXT", "WARNING",
	"NOTICE", "INFO", "DEBUG", "PANIC", "QUERY", "LOCATION", "BACKTRACE",
}

// maxSteps bounds the work on one line. Free text is matched by trying where it
// may end, and a hostile line could make that long.
const maxSteps = 20_000

// matcher matches lines against a prefix.
type matcher struct {
	prefix *prefix
	clock  *clock
	steps  int
	// strange is set when what follows the prefix looks like a severity that is
	// none in English.
	strange bool
}

// match reads a line that begins with the prefix and then a severity. It
// reports false when the line does not.
func (m *matcher) match(line []byte, e *entry) bool {
	m.steps, m.strange = maxSteps, false
	*e = entry{}
	return m.from(m.prefix.parts, line, e)
}

// from matches the parts of the prefix that are left. A part of free text ends
// at the nearest place from which the rest matches.
func (m *matcher) from(parts []part, b []byte, e *entry) bool {
	for i, p := range parts {
		if m.steps--; m.steps < 0 {
			return false
		}
		switch {
		case p.escape == 0:
			if !bytes.HasPrefix(b, []byte(p.literal)) {
				return false
			}
			b = b[len(p.literal):]
		case p.escape == 'q':
			// Processes that serve no session stop here; sessions go on.
			if m.severity(b, e) {
				return true
			}
		case isText(p.escape):
			return m.text(p, parts[i+1:], b, e)
		default:
			n, ok := m.fixed(p, b, e)
			if !ok {
				return false
			}
			b = b[n:]
		}
	}
	return m.severity(b, e)
}

// text matches free text by trying every end.
func (m *matcher) text(p part, rest []part, b []byte, e *entry) bool {
	limit := min(len(b), max(MaxName, p.width, -p.width))
	for n := max(p.width, -p.width, 0); n <= limit; n++ {
		if next := nextLiteral(rest); next != "" {
			// Jump to where the text can end at all.
			i := bytes.Index(b[n:min(len(b), limit+len(next))], []byte(next))
			if i < 0 {
				return false
			}
			n += i
		}
		if m.steps < 0 {
			return false
		}
		try := *e
		if m.from(rest, b[n:], &try) {
			*e = try
			if strings.IndexByte(chosenEscapes, p.escape) >= 0 {
				e.chosen = m.prefix.text
			}
			e.keep(p.escape, bytes.Trim(b[:n], " "))
			return true
		}
	}
	return false
}

func nextLiteral(rest []part) string {
	if len(rest) == 0 {
		return ""
	}
	return rest[0].literal
}

// keep stores the value of an escape of free text.
func (e *entry) keep(escape byte, value []byte) {
	if string(value) == "[unknown]" {
		return
	}
	switch escape {
	case 'u':
		e.user = value
	case 'd':
		e.database = value
	case 'a':
		e.app = value
	case 'h':
		e.host = value
	case 'r':
		e.host, e.port = value, nil
		if i := bytes.LastIndexByte(value, '('); i >= 0 && bytes.HasSuffix(value, []byte(")")) {
			e.host, e.port = value[:i], value[i+1:len(value)-1]
		}
	}
}

// fixed matches an escape whose value has a form of its own, and returns how
// many bytes it takes with its padding.
func (m *matcher) fixed(p part, b []byte, e *entry) (int, bool) {
	lead := 0
	if p.width > 0 {
		for lead < len(b) && lead < p.width && b[lead] == ' ' {
			lead++
		}
	}
	n := m.value(p.escape, b[lead:], e)
	if n < 0 {
		return 0, false
	}
	end := lead + n
	for p.width < 0 && end < -p.width {
		if end >= len(b) || b[end] != ' ' {
			return 0, false
		}
		end++
	}
	return end, true
}

// value reads the value of an escape at the front of b and returns its length,
// negative when there is none.
func (m *matcher) value(escape byte, b []byte, e *entry) int {
	switch escape {
	case 't', 'm':
		t, n := m.clock.read(b)
		e.time = t
		return orNone(n)
	case 's':
		var own clock // must not disturb the cached time of the entries
		_, n := own.read(b)
		e.start = b[:n]
		return orNone(n)
	case 'n':
		n := span(b, "0123456789.")
		e.time = epoch(b[:n])
		return orNone(n)
	case 'c':
		// Two numbers: a process id alone is no session id.
		start := span(b, "0123456789abcdef")
		if start == 0 || start == len(b) || b[start] != '.' {
			return -1
		}
		pid := span(b[start+1:], "0123456789abcdef")
		if pid == 0 {
			return -1
		}
		e.session = b[:start+1+pid]
		return len(e.session)
	case 'p':
		n := span(b, "0123456789")
		e.pid = b[:n]
		return orNone(n)
	case 'e':
		const sqlstate = 5
		if span(b, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") < sqlstate {
			return -1
		}
		return sqlstate
	case 'v':
		return span(b, "0123456789/")
	default: // P, x and l are numbers, the first empty outside parallel workers
		return span(b, "0123456789")
	}
}

func orNone(n int) int {
	if n == 0 {
		return -1
	}
	return n
}

func span(b []byte, set string) int {
	n := 0
	for n < len(b) && strings.IndexByte(set, b[n]) >= 0 {
		n++
	}
	return n
}

// severity reads "LOG:  message" and keeps both.
func (m *matcher) severity(b []byte, e *entry) bool {
	word, ok := readSeverity(b, e)
	if !ok && word {
		m.strange = true
	}
	return ok
}

// readSeverity reads "LOG:  message" and keeps both. When there is none it says
// whether some other word stands in its place.
func readSeverity(b []byte, e *entry) (word, ok bool) {
	const longest = 48 // the longest translation is far shorter
	i := bytes.IndexByte(b[:min(len(b), longest)], ':')
	if i <= 0 || !bytes.HasPrefix(b[i+1:], []byte("  ")) {
		return false, false
	}
	if known, ok := knownSeverity(b[:i]); ok {
		e.severity, e.message = known, b[i+3:]
		return true, true
	}
	return bytes.IndexByte(b[:i], ' ') < 0, false
}

func knownSeverity(b []byte) (string, bool) {
	for _, s := range severities {
		if s == string(b) {
			return s, true
		}
	}
	return "", false
}
