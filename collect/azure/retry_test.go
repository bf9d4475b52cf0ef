package azure

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

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
	if stats.Throttled != 12 || stats.Waited == 0 {
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
