package azuresim

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// bucketKey names a bucket: ARM has one for each subscription and kind of
// operation, and for what is asked outside of any subscription.
type bucketKey struct{ subscription, kind string }

// globalShare is how many principals' buckets the ceiling of a whole
// subscription is worth. With one caller it is never reached, so it is shown
// and not enforced.
const globalShare = 15

// Remaining tokens to show where a bucket never runs dry, as seen in
// recordings.
var plenty = map[string]int{"reads": 11999, "writes": 1199, "deletes": 14999}

// throttle takes a token for the request. It returns the headers that tell how
// many are left, and the refusal if there was none to take.
func (c *call) throttle() (http.Header, *fail) {
	kind, size := c.bucketKind()
	left, wait := plenty[kind], time.Duration(0)
	if size.Size > 0 {
		left, wait = c.sim.take(bucketKey{lower(c.addr.subscription), kind}, size)
	}
	h := http.Header{}
	if c.addr.subscription == "" {
		h.Set("X-Ms-Ratelimit-Remaining-Tenant-"+kind, strconv.Itoa(left))
	} else {
		h.Set("X-Ms-Ratelimit-Remaining-Subscription-"+kind, strconv.Itoa(left))
		global := left + (globalShare-1)*size.Size
		h.Set("X-Ms-Ratelimit-Remaining-Subscription-Global-"+kind, strconv.Itoa(global))
	}
	if wait == 0 {
		return h, nil
	}
	return h, c.tooMany(wait)
}

func (c *call) bucketKind() (string, Bucket) {
	switch c.req.Method {
	case http.MethodGet, http.MethodHead:
		return "reads", c.sim.opts.Reads
	case http.MethodDelete:
		return "deletes", c.sim.opts.Deletes
	default:
		return "writes", c.sim.opts.Writes
	}
}

// take takes a token from a bucket, made full on first use, and says how many
// are left. If there is none it says when the next one comes.
func (s *Server) take(key bucketKey, size Bucket) (left int, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.opts.Now() // here, so that a bucket never sees time go back
	b := s.buckets[key]
	if b == nil {
		b = rate.NewLimiter(rate.Limit(size.Refill), size.Size)
		s.buckets[key] = b
	}
	if b.AllowN(now, 1) {
		return int(b.TokensAt(now)), 0
	}
	if size.Refill == 0 {
		return 0, time.Hour // never, but a header cannot say so
	}
	missing := 1 - b.TokensAt(now)
	return 0, max(time.Nanosecond, time.Duration(missing/size.Refill*float64(time.Second)))
}

// tooMany is the refusal of an empty bucket, in the words that users quote.
func (c *call) tooMany(wait time.Duration) *fail {
	f := &fail{status: http.StatusTooManyRequests, gateway: true, retryAfter: wait}
	if c.addr.subscription == "" {
		f.code = "ResourceRequestsThrottled"
		f.message = fmt.Sprintf("Number of requests for action 'Microsoft.Resources/subscriptions/read' exceeded the limit. "+
			"Please try again after '%s' seconds.", wholeSeconds(wait))
		return f
	}
	f.code = "SubscriptionRequestsThrottled"
	f.message = fmt.Sprintf("Number of requests for subscription '%s' and operation '%s' exceeded the backend storage limit. "+
		"Please try again after '%s' seconds.", c.addr.subscription, c.operationName(), wholeSeconds(wait))
	return f
}

// operationName is the request without what is particular to it:
// "GET/SUBSCRIPTIONS/PROVIDERS/MICROSOFT.DBFORPOSTGRESQL/SERVERS".
func (c *call) operationName() string {
	parts := []string{c.req.Method, "subscriptions"}
	if c.addr.group != "" {
		parts = append(parts, "resourceGroups")
	}
	if c.addr.provider != "" {
		parts = append(parts, "providers", c.addr.provider)
	}
	return strings.ToUpper(strings.Join(append(parts, c.addr.types...), "/"))
}
