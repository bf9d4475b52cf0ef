// Package snapshot writes what a collector found to a file and reads it back as
// a collector of its own, so that an estate can be judged later, elsewhere, and
// without Azure, with the same verdicts.
//
// A snapshot is JSON Lines: a header that names the format, one line for each
// asset and gap, one for what the collecting cost and how far it got, and a last
// line with a checksum of all that stands before it. A file without a sound last line is refused whole: a report
// on half an estate would read as one on all of it. The package knows no rules.
package snapshot

import (
	"fmt"
	"hash"
	"time"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/collect"
)

// Format is the version that this package writes and the only one it reads.
const Format = "postern.snapshot/v1"

const formatPrefix = "postern.snapshot/v"

// header is the first line.
type header struct {
	Format      string    `json:"format"`
	Tool        string    `json:"tool"`
	Source      string    `json:"source"`
	CollectedAt time.Time `json:"collected_at"`
}

// record is any later line: exactly one of its fields is set. The stats come
// once, after everything that was found.
type record struct {
	Asset *asset.Asset   `json:"asset,omitempty"`
	Gap   *asset.Gap     `json:"gap,omitempty"`
	Stats *collect.Stats `json:"stats,omitempty"`
	End   *end           `json:"end,omitempty"`
}

// end is the last line.
type end struct {
	// SHA256 is the checksum of every byte before this line, in hexadecimal.
	SHA256 string `json:"sha256"`
}

// newEnd is the last line after bytes with this checksum, newline included.
func newEnd(sum hash.Hash) []byte {
	return fmt.Appendf(nil, "{\"end\":{\"sha256\":\"%x\"}}\n", sum.Sum(nil))
}

// maxLine bounds one line, in bytes: the largest answer of Azure that a
// collector takes, with room for its envelope.
const maxLine = 80 << 20
