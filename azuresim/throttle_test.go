package azuresim

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestBucketRunsDryAndFills(t *testing.T) {
	s := newSim(t, Demo(), Options{Reads: Bucket{Size: 3, Refill: 0.5}})
	list := subOne + pg + "/flexibleServers" + flex24
	for i, want := range []string{"2", "1", "0"} {
		a := s.get(list)
		if got := a.header.Get("X-Ms-Ratelimit-Remaining-Subscription-Reads"); a.status != 200 || got != want {
			t.Fatalf("call %d: %d, %s reads left, want %s", i+1, a.status, got, want)
		}
	}
	dry := s.get(list)
	if dry.status != 429 || dry.code() != "SubscriptionRequestsThrottled" || dry.header.Get("Retry-After") != "2" {
		t.Errorf("a dry bucket: %d, Retry-After %q, %s", dry.status, dry.header.Get("Retry-After"), dry.raw)
	}
	const operation = "operation 'GET/SUBSCRIPTIONS/PROVIDERS/MICROSOFT.DBFORPOSTGRESQL/FLEXIBLESERVERS'"
	if !strings.Contains(dry.raw, operation) {
		t.Errorf("the refusal does not name %s: %s", operation, dry.raw)
	}
	if got := dry.header.Get("X-Ms-Ratelimit-Remaining-Subscription-Reads"); got != "0" {
		t.Errorf("a dry bucket has %s reads left", got)
	}
	for range 5 {
		s.get(list) // a refused request takes nothing from the bucket
	}
	s.clock.advance(2 * time.Second)
	if a := s.get(list); a.status != 200 {
		t.Errorf("after the wait that was asked for: %d", a.status)
	}
	if a := s.get(subTwo + pg + "/flexibleServers" + flex24); a.status != 200 {
		t.Errorf("another subscription has its own bucket: %d", a.status)
	}
	if st := s.srv.Stats(); st.Throttled != 6 {
		t.Errorf("%d throttled, want 6", st.Throttled)
	}
}

func TestEachKindOfOperationHasItsBucket(t *testing.T) {
	one := Bucket{Size: 1, Refill: 0.01}
	s := newSim(t, Demo(), Options{Reads: one, Writes: one, Deletes: one})
	for _, c := range []struct{ method, path, body, header string }{
		{"GET", orders + flex24, "", "Subscription-Reads"},
		{"PUT", orders + "/firewallRules/r" + flex24, aRule, "Subscription-Writes"},
		{"DELETE", orders + "/firewallRules/none" + flex24, "", "Subscription-Deletes"},
		{"GET", "/subscriptions?api-version=2022-12-01", "", "Tenant-Reads"},
	} {
		first, second := s.do(c.method, c.path, c.body), s.do(c.method, c.path, c.body)
		left := first.header.Get("X-Ms-Ratelimit-Remaining-" + c.header)
		if first.status == 429 || second.status != 429 || left != "0" {
			t.Errorf("%s %s: %d (%s left), then %d; want one to pass", c.method, c.path, first.status, left, second.status)
		}
	}
}

func TestUnlimitedBucketsStillShowWhatIsLeft(t *testing.T) {
	s := newSim(t, Demo(), Options{})
	for method, header := range map[string]string{
		"GET": "Subscription-Reads", "PUT": "Subscription-Writes", "DELETE": "Subscription-Deletes",
	} {
		a := s.do(method, orders+"/firewallRules/r"+flex24, aRule)
		for _, name := range []string{header, strings.Replace(header, "Subscription", "Subscription-Global", 1)} {
			if n, err := strconv.Atoi(a.header.Get("X-Ms-Ratelimit-Remaining-" + name)); err != nil || n < 1000 {
				t.Errorf("%s: %s is %q", method, name, a.header.Get("X-Ms-Ratelimit-Remaining-"+name))
			}
		}
	}
}

// Whoever waits as long as a 429 asks gets through at the first try, whatever
// the bucket.
func TestRetryAfterIsEnough(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		size := rapid.IntRange(1, 5).Draw(r, "size")
		refill := rapid.Float64Range(0.01, 50).Draw(r, "refill")
		s := prepare(t, Demo(), Options{Reads: Bucket{Size: size, Refill: refill}})
		for range size + 3 {
			_, wait := s.srv.take(bucketKey{"s", "reads"}, s.srv.opts.Reads)
			if wait == 0 {
				continue
			}
			seconds, err := strconv.Atoi(wholeSeconds(wait))
			if err != nil || seconds < 1 {
				r.Fatalf("wait of %v is %q seconds", wait, wholeSeconds(wait))
			}
			s.clock.advance(time.Duration(seconds) * time.Second)
			if _, wait := s.srv.take(bucketKey{"s", "reads"}, s.srv.opts.Reads); wait != 0 {
				r.Fatalf("refused again after %d seconds", seconds)
			}
		}
	})
}

func TestBucketThatNeverFills(t *testing.T) {
	s := newSim(t, Demo(), Options{Reads: Bucket{Size: 1}})
	s.get(orders + flex24)
	if a := s.get(orders + flex24); a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") != "3600" {
		t.Errorf("%d, Retry-After %q", a.status, a.header.Get("Retry-After"))
	}
}

func TestParseBucket(t *testing.T) {
	for text, want := range map[string]Bucket{"250/25": {250, 25}, "1/0.5": {1, 0.5}, "9/0": {9, 0}} {
		if got, err := ParseBucket(text); err != nil || got != want || got.String() != text {
			t.Errorf("ParseBucket(%q) = %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "250", "0/1", "-1/1", "1/-1", "1/x", "x/1", "1/NaN", "1/Inf", "1/2/3"} {
		if got, err := ParseBucket(text); err == nil {
			t.Errorf("ParseBucket(%q) = %v, want an error", text, got)
		}
	}
}

func FuzzParseBucket(f *testing.F) {
	for _, seed := range []string{"250/25", "1/0.5", "x", "1/NaN", "10/1e3"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := ParseBucket(text)
		if err != nil {
			return
		}
		if again, err := ParseBucket(b.String()); err != nil || again != b {
			t.Errorf("%q is %v, written %q, read again %v, %v", text, b, b, again, err)
		}
	})
}
