package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Contents is what a journal tells.
type Contents struct {
	// Records are the whole ones, in order; at least the first.
	Records []Record
	// Damage is nil when the file is sound.
	Damage *Damage

	size int64
	sum  []byte
}

// First is the record that holds the plan.
func (c Contents) First() Record { return c.Records[0] }

// Damage is what could not be read at the end of a journal.
type Damage struct {
	// Offset is where the damage begins, and Bytes how much is lost to it.
	Offset int64 `json:"offset"`
	Bytes  int64 `json:"bytes"`
	// Torn is set when it is the beginning of a single record: a run was killed,
	// or the disk was full, while that record was written.
	Torn bool `json:"torn"`
	// After is the last whole record's number.
	After int `json:"after"`
}

// String says what happened and what that means.
func (d Damage) String() string {
	if d.Torn {
		return fmt.Sprintf("the last record of the journal was not written to its end (%d bytes after record %d); "+
			"nothing is lost by it, for no act is begun before its record is on disk", d.Bytes, d.After)
	}
	return fmt.Sprintf("the journal is damaged after record %d: %d bytes cannot be trusted, and what was done after that record is not known from it; "+
		"what the servers show now decides", d.After, d.Bytes)
}

// ErrNewer is wrapped by errors about a journal that a newer Postern wrote.
var ErrNewer = errors.New("a newer Postern wrote it")

// Incomplete reports whether records may be missing: the file is damaged by more
// than a torn end, or was once.
func (c Contents) Incomplete() bool {
	return (c.Damage != nil && !c.Damage.Torn) || slices.ContainsFunc(c.Records, Record.LosesSome)
}

// LosesSome reports whether records may be missing just before this one.
func (r Record) LosesSome() bool {
	return r.Kind == Recovered && r.Damage != nil && !r.Damage.Torn
}

// errBroken is a line that is not the record that must follow.
var errBroken = errors.New("not a whole record")

// Decode reads a journal as far as it can be trusted. It fails when not even the
// first record is whole, and with [ErrNewer].
func Decode(data []byte) (Contents, error) {
	if err := checkVersion(data); err != nil {
		return Contents{}, err
	}
	var c Contents
	for rest := data; len(rest) > 0; rest = data[c.size:] {
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			c.Damage = &Damage{Offset: c.size, Bytes: int64(len(rest)), Torn: true, After: len(c.Records)}
			break
		}
		r, sum, err := decodeLine(rest[:end], c.sum)
		if err == nil {
			err = c.follows(r)
		}
		if errors.Is(err, ErrNewer) {
			return Contents{}, err
		}
		if err != nil {
			c.Damage = &Damage{Offset: c.size, Bytes: int64(len(rest)), After: len(c.Records)}
			break
		}
		c.Records, c.sum, c.size = append(c.Records, r), sum, c.size+int64(end)+1
	}
	if len(c.Records) == 0 {
		return Contents{}, errors.New("not even its first record is whole, so it does not tell what was planned")
	}
	return c, nil
}

// checkVersion looks at the first line before its checksum: another version may
// reckon that differently.
func checkVersion(data []byte) error {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	var head struct {
		Version string `json:"version"`
	}
	err := json.Unmarshal(line, &head)
	switch {
	case err != nil:
		// A first line that is damaged is found out by its checksum.
		head.Version = Version
	case head.Version == "":
		return errors.New("its first line names no version: it is no journal")
	}
	if head.Version == Version {
		return nil
	}
	if strings.HasPrefix(head.Version, versionPrefix) {
		return fmt.Errorf("it has the version %q and this Postern reads %s: %w; use that one", head.Version, Version, ErrNewer)
	}
	return fmt.Errorf("its version is %q and not %s: it is no journal", head.Version, Version)
}

// follows holds a record whose checksum fits to its place.
func (c *Contents) follows(r Record) error {
	first := len(c.Records) == 0
	switch {
	case !kinds[r.Kind]:
		return fmt.Errorf("record %d is of the kind %q, which this Postern does not know: %w; use that one", r.Seq, r.Kind, ErrNewer)
	case r.Seq != len(c.Records)+1, first != (r.Kind == Begun), first != (r.Version == Version), first != (r.Plan != nil):
		return errBroken
	case !first && r.Change != c.Records[0].Change:
		return errBroken
	}
	return nil
}

// The end of every line: the checksum is the last member of its object.
const (
	sumOpen  = `,"sum":"`
	sumClose = `"}`
	sumSize  = len(sumOpen) + 2*sha256.Size + len(sumClose)
)

// encodeLine is a record as a line, and its checksum: of the checksum before it
// and the record without one.
func encodeLine(r Record, previous []byte) (line, sum []byte, err error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil {
		return nil, nil, fmt.Errorf("encode record %d: %w", r.Seq, err)
	}
	body := bytes.TrimRight(b.Bytes(), "\n")
	sum = chain(previous, body)
	line = append(line, body[:len(body)-1]...)
	line = append(line, sumOpen...)
	line = hex.AppendEncode(line, sum)
	line = append(line, sumClose+"\n"...)
	return line, sum, nil
}

func decodeLine(line, previous []byte) (Record, []byte, error) {
	var r Record
	if len(line) < sumSize {
		return r, nil, errBroken
	}
	head, tail := line[:len(line)-sumSize], line[len(line)-sumSize:]
	body := append(bytes.Clone(head), '}')
	sum := chain(previous, body)
	// Compared as text, so that there is one way only to write a record.
	if string(tail) != sumOpen+hex.EncodeToString(sum)+sumClose || json.Unmarshal(body, &r) != nil {
		return r, nil, errBroken
	}
	return r, sum, nil
}

func chain(previous, body []byte) []byte {
	h := sha256.New()
	h.Write(previous)
	h.Write(body)
	return h.Sum(nil)
}
