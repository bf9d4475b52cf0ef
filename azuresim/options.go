package azuresim

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Options say how the simulated service behaves. The zero value is a quick,
// generous and honest one that takes any bearer token.
type Options struct {
	// Token, where set, is the only bearer that is taken, beside those that
	// the simulator's own login endpoint issued.
	Token string
	// TokenLife is how long an issued token is good. Zero means an hour.
	TokenLife time.Duration
	// Latency is waited before every answer.
	Latency time.Duration
	// Reads, Writes and Deletes are the token buckets of each subscription, as
	// ARM has them for one principal. ARM's own are 250/25, 200/10 and 200/10.
	// The zero Bucket never runs dry.
	Reads, Writes, Deletes Bucket
	// PageSize is the most items in one page of a list that has pages. Zero
	// means 1000.
	PageSize int
	// OperationTime is how long a change takes from its 202 to its end; real
	// ones take about a minute. Zero means a second.
	OperationTime time.Duration
	// RetryAfter is what answers of a running operation ask a client to wait,
	// rounded up to whole seconds; Azure says 60. Zero means a second.
	RetryAfter time.Duration
	// LogRows and LogBytes are the most rows, and bytes of rows, in one answer
	// of Log Analytics; more are cut off and said to be. Zero means 500,000 and
	// 64,000,000, which are Azure's.
	LogRows, LogBytes int
	// Faults are the ways in which the service misbehaves; see [ParseFault].
	Faults []Fault
	// Now is the clock. Nil means [time.Now]. Latency and delays use real
	// timers whatever the clock says.
	Now func() time.Time
	// Observe, where set, is called once for every request after it is
	// answered, possibly from several goroutines at once.
	Observe func(Request)
}

func (o Options) withDefaults() Options {
	if o.TokenLife == 0 {
		o.TokenLife = time.Hour
	}
	if o.PageSize <= 0 {
		o.PageSize = 1000
	}
	if o.OperationTime == 0 {
		o.OperationTime = time.Second
	}
	if o.RetryAfter == 0 {
		o.RetryAfter = time.Second
	}
	if o.LogRows <= 0 {
		o.LogRows = 500_000
	}
	if o.LogBytes <= 0 {
		o.LogBytes = 64_000_000
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Bucket is a token bucket: a request takes a token, and one that finds none
// is answered 429 and takes none.
type Bucket struct {
	// Size is how many tokens the bucket holds, and starts with. Zero means
	// that it never runs dry.
	Size int
	// Refill is tokens a second.
	Refill float64
}

// ParseBucket reads a bucket written as SIZE/REFILL, such as "250/25": a whole
// number of tokens from 1 and a refill a second from 0.
func ParseBucket(s string) (Bucket, error) {
	size, refill, ok := strings.Cut(s, "/")
	if !ok {
		return Bucket{}, fmt.Errorf("parse bucket %q: want SIZE/REFILL, such as 250/25", s)
	}
	n, err := strconv.Atoi(size)
	if err != nil || n < 1 {
		return Bucket{}, fmt.Errorf("parse bucket %q: size %q is no whole number from 1", s, size)
	}
	f, err := strconv.ParseFloat(refill, 64)
	if err != nil || f < 0 || math.IsInf(f, 0) || math.IsNaN(f) {
		return Bucket{}, fmt.Errorf("parse bucket %q: refill %q is no number from 0", s, refill)
	}
	return Bucket{Size: n, Refill: f}, nil
}

// String is the bucket as [ParseBucket] reads it.
func (b Bucket) String() string {
	return strconv.Itoa(b.Size) + "/" + strconv.FormatFloat(b.Refill, 'f', -1, 64)
}
