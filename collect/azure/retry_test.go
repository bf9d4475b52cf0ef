package azure

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/collect/collecttest"
)

// flaky answers badly n times, then well.
func flaky(n int32, bad, good func(http.ResponseWriter, *http.Request)) func(http.ResponseWriter, *http.Request) {
	var calls atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) <= n {
			bad(w, r)
			return
		}
		good(w, r)
	}
}

func hangUp(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

func halfABody(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = w.Write([]byte(`{"value":[`))
}

func throttledFor(ms string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("retry-after-ms", ms)
		status(429, `{"error":{"code":"SubscriptionRequestsThrottled","message":"slow down"}}`)(w, r)
	}
}

func TestTransientFaultsArePassing(t *testing.T) {
	good := text(`{"value":[` + server("one") + `]}`)
	for name, bad := range map[string]func(http.ResponseWriter, *http.Request){
		"408": status(408, ""), "500": status(500, ""), "502": status(502, ""), "503": status(503, ""), "504": status(504, ""),
		"hung up": hangUp, "cut in the body": halfABody, "429": throttledFor("20"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := newTest(t, answers{flexible: flaky(2, bad, good)})
			sink, _ := run(t, c)
			if len(sink.Assets) != 1 || len(sink.Gaps) != 0 {
				t.Errorf("%d servers, gaps %v", len(sink.Assets), sink.Gaps)
			}
		})
	}
}

func TestThrottledToTheEndIsAGap(t *testing.T) {
	c, _ := newTest(t, answers{flexible: text(`{"value":[` + server("one") + `]}`), rulesOf("one"): throttledFor("5")})
	sink, stats := run(t, c)
	gap := onlyGap(t, sink)
	if gap.Status != 429 || !strings.Contains(gap.Message, "slow down") || len(sink.Assets) != 1 {
		t.Errorf("gap %v, %d assets", gap, len(sink.Assets))
	}
	if stats.Throttled != maxThrottles || stats.Waited == 0 {
		t.Errorf("throttled %d times, waited %s", stats.Throttled, stats.Waited)
	}
}

func TestAWaitBeyondPatienceIsNotBegun(t *testing.T) {
	c, _ := newTest(t, answers{flexible: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "3600")
		status(429, "")(w, r)
	}})
	sink, _ := run(t, c)
	// The other types of the subscription may have been read before or not.
	if len(sink.Gaps) == 0 {
		t.Error("there is no gap")
	}
	for _, gap := range sink.Gaps {
		if gap.Status != 429 || !strings.Contains(gap.Message, "wait") {
			t.Errorf("the gap is %+v", gap)
		}
	}
}

func TestAnInterruptedScanKeepsWhatItKnows(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c, _ := newTest(t, answers{
		flexible:       text(`{"value":[` + server("one") + `,` + server("two") + `]}`),
		rulesOf("two"): func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() },
	})
	sink := &collecttest.Sink{T: t}
	stats, err := c.Collect(ctx, sink)
	if err != nil || !stats.Partial {
		t.Fatalf("error %v, partial %t", err, stats.Partial)
	}
	var two *asset.Asset
	for _, a := range sink.Assets {
		if a.Name == "two" {
			two = a
		}
	}
	if two == nil || len(two.Gaps()) != 1 || !strings.Contains(two.Gaps()[0].Message, "interrupted") {
		t.Errorf("the server that was being read is %+v", two)
	}
}

func TestAScanThatIsInterruptedAtOnceSaysThatItReadNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c, _ := newTest(t, answers{"/subscriptions": func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() }})
	sink := &collecttest.Sink{T: t}
	stats, err := c.Collect(ctx, sink)
	if err != nil || !stats.Partial || !strings.Contains(onlyGap(t, sink).Message, "interrupted") {
		t.Errorf("error %v, partial %t, gaps %v", err, stats.Partial, sink.Gaps)
	}

	sink = &collecttest.Sink{T: t}
	if stats, err := c.Collect(ctx, sink); err != nil || !stats.Partial || len(sink.Gaps) != 1 {
		t.Errorf("interrupted before it began: error %v, partial %t, gaps %v", err, stats.Partial, sink.Gaps)
	}
}

func TestAScanThatIsInterruptedAmongTheSubscriptionsTellsOfNoneThatWereNotAskedFor(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c, _ := newTest(t, answers{"/subscriptions": func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("page") {
			cancel()
			<-r.Context().Done()
			return
		}
		text(`{"value":[{"subscriptionId":"`+sub+`"},{"subscriptionId":"another"}],"nextLink":"?page=2"}`)(w, r)
	}}, func(o *Options) { o.Subscriptions = []string{sub} })
	sink := &collecttest.Sink{T: t}
	stats, err := c.Collect(ctx, sink)
	if err != nil || !stats.Partial || onlyGap(t, sink).Scope != "/subscriptions" {
		t.Errorf("error %v, partial %t, gaps %v", err, stats.Partial, sink.Gaps)
	}
}

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
