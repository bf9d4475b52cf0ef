// Package jsonkeys finds keys that a JSON object says twice. Go's decoder takes
// the last of them, in any case of letters: a second publicNetworkAccess would
// quietly replace the first, and what was not read would be judged.
package jsonkeys

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Twice returns a key that some object of the document says twice, regardless of
// case, and an empty string when there is none. Depth bounds how far down it
// looks: 1 is the document's own object, 0 is everything. Keys of an object
// called tags are names that people chose and are not looked at. The document
// must be valid JSON; of anything else it says nothing.
func Twice(doc []byte, depth int) string {
	w := walker{rest: doc}
	if depth == 0 {
		depth = everything
	}
	w.value(depth, false)
	return w.found
}

const everything = 1 << 30

// walker goes through a document that is known to be valid. It is written out
// because json.Decoder's tokens cost several times what decoding itself does,
// and every document that is judged passes here.
type walker struct {
	rest  []byte
	found string
}

// value walks over one value. Objects are looked at down to depth; the keys of
// one that is free may repeat.
func (w *walker) value(depth int, free bool) {
	switch w.peek() {
	case '{':
		w.rest = w.rest[1:]
		w.object(depth, free)
	case '[':
		w.rest = w.rest[1:]
		for c := w.peek(); c != ']' && c != 0 && w.found == ""; c = w.peek() {
			w.value(depth, free)
		}
		w.skip()
	case '"':
		w.text()
	default:
		w.scalar()
	}
}

func (w *walker) object(depth int, free bool) {
	var keys []string
	for c := w.peek(); c == '"' && w.found == ""; c = w.peek() {
		key := w.text()
		if depth > 0 && !free {
			for _, other := range keys {
				if strings.EqualFold(key, other) {
					w.found = key
					return
				}
			}
			keys = append(keys, key)
		}
		w.value(depth-1, strings.EqualFold(key, "tags"))
	}
	w.skip()
}

// peek returns the next byte that means something, 0 at the end. Commas and
// colons mean nothing in a document that is valid.
func (w *walker) peek() byte {
	for len(w.rest) > 0 {
		switch c := w.rest[0]; c {
		case ' ', '\t', '\n', '\r', ',', ':':
			w.rest = w.rest[1:]
		default:
			return c
		}
	}
	return 0
}

func (w *walker) skip() {
	if len(w.rest) > 0 {
		w.rest = w.rest[1:]
	}
}

// text walks over a string and returns what it says.
func (w *walker) text() string {
	end, escaped := 1, false
	for end < len(w.rest) && w.rest[end] != '"' {
		if w.rest[end] == '\\' {
			escaped = true
			end++
		}
		end++
	}
	end = min(end+1, len(w.rest))
	quoted := w.rest[:end]
	w.rest = w.rest[end:]
	if escaped {
		var text string
		// Of a string that is none, nothing is said.
		_ = json.Unmarshal(quoted, &text)
		return text
	}
	return string(bytes.Trim(quoted, `"`))
}

// scalar walks over a number, true, false or null.
func (w *walker) scalar() {
	end := bytes.IndexAny(w.rest, ",]} \t\n\r")
	if end < 0 {
		end = len(w.rest)
	}
	w.rest = w.rest[max(end, min(1, len(w.rest))):]
}
