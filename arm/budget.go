package arm

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
)

const (
	// refill is the rate at which ARM documents its read bucket to fill, in
	// calls per second and subscription. It is where pacing starts from: the
	// headers and the 429s correct it.
	refill = 25.0
	// lowWater is how many remaining reads make pacing begin: more than are in
	// flight, whose cost the headers do not show yet.
	lowWater = 24
	// patience is how long one call waits for 429 to pass, in all, and
	// maxThrottles how often it asks again.
	patience     = 10 * time.Minute
	maxThrottles = 12
	// perSubscription times totalFactor calls may be in flight over all.
	totalFactor = 4
)

// budgets holds one budget per subscription, as ARM does: what one subscription
// has used up costs the others nothing. As a policy it stands before the
// retries.
type budgets struct {
	concurrency int
	total       *semaphore.Weighted
	mu          sync.Mutex
	byKey       map[string]*budget

	throttled atomic.Int64
	waiting   atomic.Int64
	waitedNS  atomic.Int64
}

func newBudgets(concurrency int) *budgets {
	return &budgets{
		concurrency: concurrency,
		total:       semaphore.NewWeighted(int64(concurrency) * totalFactor),
		byKey:       map[string]*budget{},
	}
}

// Do implements [policy.Policy].
func (b *budgets) Do(req *policy.Request) (*http.Response, error) {
	ctx := req.Raw().Context()
	budget := b.of(req.Raw().URL.Path)
	var waited time.Duration
	for throttles := 1; ; throttles++ {
		if err := b.hold(ctx, budget.wait); err != nil {
			return nil, err
		}
		resp, err := b.once(ctx, budget, req)
		if err != nil {
			return nil, err
		}
		budget.observe(resp)
		if resp.StatusCode != http.StatusTooManyRequests {
			return resp, nil
		}
		b.throttled.Add(1)
		pause := retryAfter(resp.Header, time.Now())
		waited += pause
		if throttles == maxThrottles || waited > patience {
			return resp, nil
		}
		runtime.Drain(resp)
		if err := b.hold(ctx, func(ctx context.Context) error { return sleep(ctx, pause) }); err != nil {
			return nil, err
		}
	}
}

// once sends the request within the limits on calls in flight.
func (b *budgets) once(ctx context.Context, budget *budget, req *policy.Request) (*http.Response, error) {
	if err := budget.slots.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer budget.slots.Release(1)
	if err := b.total.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer b.total.Release(1)
	return req.Clone(ctx).Next()
}

// hold runs a wait and accounts for it.
func (b *budgets) hold(ctx context.Context, wait func(context.Context) error) error {
	start := time.Now()
	b.waiting.Add(1)
	defer func() {
		b.waiting.Add(-1)
		b.waitedNS.Add(int64(time.Since(start)))
	}()
	return wait(ctx)
}

// of finds the budget that a path is charged to.
func (b *budgets) of(path string) *budget {
	var key string
	if rest, ok := strings.CutPrefix(strings.ToLower(path), "/subscriptions/"); ok {
		key, _, _ = strings.Cut(rest, "/")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.byKey[key] == nil {
		b.byKey[key] = newBudget(b.concurrency)
	}
	return b.byKey[key]
}

// budget paces the calls of one subscription. While Azure says there is plenty
// it does not slow anything. As the bucket runs low, the pace goes down to what
// flows in, plus a share of what is left, so that the bucket is used up without
// ever being overdrawn.
type budget struct {
	slots *semaphore.Weighted

	mu      sync.Mutex
	limiter *rate.Limiter
	inflow  float64   // calls per second that the bucket is believed to gain
	until   time.Time // nobody calls before this
}

func newBudget(concurrency int) *budget {
	return &budget{slots: semaphore.NewWeighted(int64(concurrency)), limiter: rate.NewLimiter(rate.Inf, 1), inflow: refill}
}

func (b *budget) wait(ctx context.Context) error {
	for {
		b.mu.Lock()
		left := time.Until(b.until)
		b.mu.Unlock()
		switch {
		case left <= 0:
			return b.limiter.Wait(ctx)
		case left > patience:
			return &Failure{
				Status: http.StatusTooManyRequests, Code: "SubscriptionRequestsThrottled",
				Message: fmt.Sprintf("Azure asked this subscription to wait %s, longer than a scan does", left.Round(time.Second)),
			}
		}
		if err := sleep(ctx, left); err != nil {
			return err
		}
	}
}

// observe learns from an answer how much is left.
func (b *budget) observe(resp *http.Response) {
	remaining, said := remainingReads(resp.Header)
	b.mu.Lock()
	defer b.mu.Unlock()
	if resp.StatusCode == http.StatusTooManyRequests {
		if said && remaining > 0 {
			return // one resource is throttled, not the subscription
		}
		now := time.Now()
		// Once per pause, however many calls were turned away by it: having been
		// paced and still overdrawn means that the inflow was overrated.
		if b.until.Before(now) && b.limiter.Limit() != rate.Inf {
			b.inflow = max(1, b.inflow*0.8)
		}
		if until := now.Add(retryAfter(resp.Header, now)); until.After(b.until) {
			b.until = until
		}
		b.limiter.SetLimit(rate.Limit(b.inflow))
		return
	}
	switch {
	case !said:
	case remaining > 2*lowWater:
		b.limiter.SetLimit(rate.Inf)
	case remaining <= lowWater:
		b.limiter.SetLimit(rate.Limit(b.inflow * (1 + float64(remaining)/(2*lowWater))))
	case b.limiter.Limit() != rate.Inf:
		// More came in than went out although calls were paced.
		b.inflow *= 1.05
		b.limiter.SetLimit(rate.Limit(b.inflow * (1 + float64(remaining)/(2*lowWater))))
	}
}

// remainingReads is the smallest of the counts that Azure sends back: of the
// subscription, of the subscription over all principals, of the tenant.
func remainingReads(h http.Header) (int, bool) {
	least, said := 0, false
	for _, name := range []string{
		"x-ms-ratelimit-remaining-subscription-reads",
		"x-ms-ratelimit-remaining-subscription-global-reads",
		"x-ms-ratelimit-remaining-tenant-reads",
	} {
		n, err := strconv.Atoi(h.Get(name))
		if err == nil && n >= 0 && (!said || n < least) {
			least, said = n, true
		}
	}
	return least, said
}

// defaultPause is the wait after a 429 that does not say how long.
const defaultPause = 5 * time.Second

// maxTold bounds what is taken for a wait, in seconds: a day is already for ever.
const maxTold = 24 * 60 * 60

// retryAfter reads how long Azure asks to wait, in any of the spellings that it
// uses: milliseconds, seconds, or a date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	for _, name := range []string{"retry-after-ms", "x-ms-retry-after-ms"} {
		if ms, err := strconv.Atoi(h.Get(name)); err == nil && ms >= 0 {
			return time.Duration(min(ms, maxTold*1000)) * time.Millisecond
		}
	}
	value := h.Get("Retry-After")
	if s, err := strconv.Atoi(value); err == nil && s >= 0 {
		return time.Duration(min(s, maxTold)) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(0, date.Sub(now))
	}
	return defaultPause
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
