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
// must be valid JSON.
func Twice(doc []byte, depth int) string {
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.UseNumber()
	return twice(dec, depth, "")
}

func twice(dec *json.Decoder, depth int, name string) string {
	token, err := dec.Token()
	if err != nil {
		return ""
	}
	switch token {
	case json.Delim('{'):
		return inObject(dec, depth, name)
	case json.Delim('['):
		for dec.More() {
			if key := twice(dec, depth, name); key != "" {
				return key
			}
		}
		_, _ = dec.Token() // the bracket that More has seen
	}
	return ""
}

func inObject(dec *json.Decoder, depth int, name string) string {
	var keys []string
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return ""
		}
		key, _ := token.(string)
		if !strings.EqualFold(name, "tags") {
			for _, other := range keys {
				if strings.EqualFold(key, other) {
					return key
				}
			}
			keys = append(keys, key)
		}
		if depth == 1 {
			var skipped json.RawMessage
			if dec.Decode(&skipped) != nil {
				return ""
			}
			continue
		}
		if found := twice(dec, depth-1, key); found != "" {
			return found
		}
	}
	_, _ = dec.Token() // the brace that More has seen
	return ""
}
