package arm

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name, value string
		want        time.Duration
	}{
		{"Retry-After", "7", 7 * time.Second},
		{"Retry-After", "0", 0},
		{"Retry-After", "Mon, 23 Nov 2026 12:00:30 GMT", 30 * time.Second},
		{"Retry-After", "Mon, 23 Nov 2026 11:00:00 GMT", 0},
		{"Retry-After", "soon", defaultPause},
		{"Retry-After", "-5", defaultPause},
		{"Retry-After", "9223372037", 24 * time.Hour},
		{"retry-after-ms", "9223372036854775807", 24 * time.Hour},
		{"retry-after-ms", "250", 250 * time.Millisecond},
		{"x-ms-retry-after-ms", "300", 300 * time.Millisecond},
		{"X-Other", "1", defaultPause},
	}
	for _, tt := range tests {
		h := http.Header{}
		h.Set(tt.name, tt.value)
		if got := retryAfter(h, now); got != tt.want {
			t.Errorf("%s: %s waits %s, want %s", tt.name, tt.value, got, tt.want)
		}
	}
}

func TestThePaceFollowsWhatAzureSays(t *testing.T) {
	answer := func(code int, remaining string) *http.Response {
		h := http.Header{}
		if remaining != "" {
			h.Set("x-ms-ratelimit-remaining-subscription-reads", remaining)
		}
		h.Set("Retry-After", "1")
		return &http.Response{StatusCode: code, Header: h}
	}
	b := newBudget(4)
	var paces []int
	for _, a := range []*http.Response{
		answer(200, ""),    // nothing said: as fast as it goes
		answer(200, "249"), // plenty
		answer(200, "24"),  // low: what flows in and a share of the rest
		answer(200, "0"),   // empty: what flows in
		answer(429, "9"),   // one resource is throttled: no matter of the subscription
		answer(429, "0"),   // overdrawn although paced: the inflow is less than thought
		answer(429, "0"),   // the same pause, told to another call
		answer(200, "200"), // plenty again
	} {
		b.observe(a)
		pace := float64(b.limiter.Limit())
		if pace > 1e6 {
			pace = -1
		}
		paces = append(paces, int(pace))
	}
	if diff := cmp.Diff([]int{-1, -1, 37, 25, 25, 20, 20, -1}, paces); diff != "" {
		t.Errorf("calls per second, -1 for no limit (-want +got):\n%s", diff)
	}
}
