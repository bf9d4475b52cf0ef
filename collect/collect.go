// Package collect is the contract between sources of assets and whoever judges
// them. A live Azure and a snapshot file are both collectors; neither knows a
// rule, and nothing behind the contract can tell them apart.
package collect

import (
	"context"
	"time"

	"github.com/posternhq/postern/asset"
)

// Collector reads assets from one source.
type Collector interface {
	// Source names the source for a person: "Azure (public)", "snapshot of …".
	Source() string
	// Collect hands every asset and every gap to the sink and returns what the
	// reading cost. An asset is handed over once. A part of the source that
	// cannot be read is a gap and leaves the rest whole; an error means that
	// nothing could be read at all or that the sink refused, and the stats are
	// then those of what had been done.
	//
	// When the context ends, Collect stops soon, reports what it had found but
	// not finished as gaps, and returns with Stats.Partial set and no error.
	Collect(ctx context.Context, sink Sink) (Stats, error)
}

// Sink takes what a collector finds. Its methods are called one at a time, in
// no particular order. An error ends the collecting.
type Sink interface {
	Asset(*asset.Asset) error
	Gap(asset.Gap) error
}

// Stats is what a collection cost and how far it got.
type Stats struct {
	// Source names the source, and for a snapshot the one it was taken from.
	Source string `json:"source"`
	// Subscriptions is how many were in scope.
	Subscriptions int `json:"subscriptions"`
	// Calls counts requests sent, retries included; Throttled those of them
	// that Azure turned away with 429.
	Calls     int `json:"calls"`
	Throttled int `json:"throttled"`
	// Waited is how long calls stood still because Azure asked for it, summed
	// over all calls.
	Waited time.Duration `json:"waited_ns"`
	// Vanished counts resources that were listed and gone a moment later.
	Vanished int `json:"vanished"`
	// Partial is set when the collecting was cut short.
	Partial bool `json:"partial"`
	// CollectedAt is when the collecting began.
	CollectedAt time.Time `json:"collected_at"`
}
