package pglog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Format is how a log is written.
type Format string

// The formats of a log.
const (
	// Auto finds the format out, from the content of each file.
	Auto   Format = "auto"
	Stderr Format = "stderr"
	CSV    Format = "csv"
	JSON   Format = "json"
	// Azure is what a diagnostic setting exports.
	Azure Format = "azure"
)

// Formats are all formats in the order in which they are shown.
var Formats = []Format{Auto, Stderr, CSV, JSON, Azure}

// sampleSize is how much of a file its format is found from, in bytes.
const sampleSize = 64 << 10

// FormatError is a file in another format than was expected.
type FormatError struct {
	// Name is the file's.
	Name string
	// Expected says what was looked for, in words.
	Expected string
	// First is the beginning of the first line.
	First string
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("read %s: it is not %s; its first line is %q", e.Name, e.Expected, e.First)
}

// firstLine is the first line that is not blank, shortened for a message.
func firstLine(sample []byte) string {
	const most = 160
	line, _, _ := bytes.Cut(bytes.TrimLeft(sample, "\r\n"), []byte("\n"))
	text := strings.ToValidUTF8(string(chomp(line[:min(len(line), most)])), "\uFFFD")
	if len(line) > most {
		text += "…"
	}
	return text
}

// detect finds the format of a sample from the beginning of a file, and reports
// false when nothing fits. What the first line says counts before what a later
// one says: that may be part of a statement, and so of anybody's making. Yet a
// file may begin in the middle of an entry that goes over several lines.
func detect(sample []byte, prefixes []*prefix) (Format, bool) {
	trimmed := bytes.TrimSpace(sample)
	if len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') {
		if format, ok := detectJSON(trimmed); ok {
			return format, true
		}
	}
	first, _, _ := bytes.Cut(trimmed, []byte("\n"))
	if _, hits := bestPrefix(first, prefixes); hits > 0 {
		return Stderr, true
	}
	for line := range bytes.SplitSeq(trimmed, []byte("\n")) {
		if beginsCSV(line) {
			return CSV, true
		}
	}
	if _, hits := bestPrefix(sample, prefixes); hits > 0 {
		return Stderr, true
	}
	return "", false
}

// beginsCSV reports whether a line begins as csvlog does: a time and a comma.
func beginsCSV(line []byte) bool {
	var c clock
	_, n := c.read(line)
	return n > 0 && n < len(line) && line[n] == ','
}

// detectJSON tells PostgreSQL's own JSON from Azure's by the fields that each
// must have.
func detectJSON(sample []byte) (Format, bool) {
	if isDocument(sample) {
		return Azure, true
	}
	for line := range bytes.SplitSeq(sample, []byte("\n")) {
		var fields map[string]json.RawMessage
		if json.Unmarshal(line, &fields) != nil {
			continue
		}
		if fields["properties"] != nil || fields["category"] != nil {
			return Azure, true
		}
		if fields["error_severity"] != nil {
			return JSON, true
		}
	}
	// One line may be longer than the sample: its beginning must do.
	switch {
	case bytes.Contains(sample, []byte(`"error_severity":`)):
		return JSON, true
	case bytes.Contains(sample, []byte(azureCategory)):
		return Azure, true
	}
	return "", false
}

// isDocument reports whether a JSON text is one list of records, or an object
// that begins with one, and not one record a line.
func isDocument(sample []byte) bool {
	sample = bytes.TrimSpace(sample)
	inner := bytes.TrimSpace(sample[min(1, len(sample)):])
	return bytes.HasPrefix(sample, []byte("[")) && bytes.HasPrefix(inner, []byte("{")) ||
		bytes.HasPrefix(sample, []byte("{")) && bytes.HasPrefix(inner, []byte(`"records"`))
}

// bestPrefix returns the prefix that fits the most lines of a sample, the first
// of several, and how many it fits.
func bestPrefix(sample []byte, prefixes []*prefix) (best *prefix, hits int) {
	if len(prefixes) > 0 {
		best = prefixes[0]
	}
	for _, p := range prefixes {
		m := matcher{prefix: p, clock: &clock{}}
		n := 0
		var e entry
		for line := range bytes.SplitSeq(sample, []byte("\n")) {
			if m.match(chomp(line), &e) {
				n++
			}
		}
		if n > hits {
			best, hits = p, n
		}
	}
	return best, hits
}
