package azure

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/posternhq/postern/arm"
	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/azuresim"
)

// tally counts what a benchmark collects and keeps nothing.
type tally struct{ assets, gaps int }

func (s *tally) Asset(a *asset.Asset) error { s.assets++; s.gaps += len(a.Gaps()); return nil }
func (s *tally) Gap(asset.Gap) error        { s.gaps++; return nil }

func collectOnce(b *testing.B, s *httptest.Server) (*tally, time.Duration) {
	b.Helper()
	endpoint, err := url.Parse(s.URL)
	if err != nil {
		b.Fatal(err)
	}
	transport := arm.NewTransport()
	defer transport.CloseIdleConnections()
	c, err := New(Options{
		Cloud:      arm.Cloud{Name: "sim", ARM: endpoint, Audience: s.URL, Custom: true},
		Credential: testCredential(b), Transport: transport,
	})
	if err != nil {
		b.Fatal(err)
	}
	sink := &tally{}
	start := time.Now()
	if _, err := c.Collect(context.Background(), sink); err != nil {
		b.Fatal(err)
	}
	return sink, time.Since(start)
}

// bare fetches the same addresses with net/http at the same concurrency and
// does nothing else: the ratio to it is what collecting costs.
func bare(b *testing.B, s *httptest.Server) time.Duration {
	b.Helper()
	transport := arm.NewTransport()
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	get := func(path string) []byte {
		req, err := http.NewRequest(http.MethodGet, path, nil)
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+testToken)
		resp, err := client.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			b.Fatalf("%s: %d, %v", path, resp.StatusCode, err)
		}
		return body
	}
	type list struct {
		Value []struct {
			ID             string
			SubscriptionID string
		}
	}
	parse := func(body []byte) (l list) {
		if err := json.Unmarshal(body, &l); err != nil {
			b.Fatal(err)
		}
		return l
	}
	start := time.Now()
	var types, servers errgroup.Group
	servers.SetLimit(arm.DefaultConcurrency)
	for _, sub := range parse(get(s.URL + "/subscriptions?api-version=2022-12-01")).Value {
		for path, version := range map[string]string{"flexibleServers": "2025-08-01", "servers": "2017-12-01", "serverGroupsv2": "2022-11-08"} {
			types.Go(func() error {
				for _, srv := range parse(get(s.URL + "/subscriptions/" + sub.SubscriptionID + "/providers/Microsoft.DBforPostgreSQL/" + path + "?api-version=" + version)).Value {
					servers.Go(func() error {
						get(s.URL + srv.ID + "/firewallRules?api-version=" + version)
						return nil
					})
				}
				return nil
			})
		}
	}
	_ = types.Wait()
	_ = servers.Wait()
	return time.Since(start)
}

// The numbers of docs/numbers.md: 200 flexible servers, 30 ms a call.
func BenchmarkCollect200Servers30ms(b *testing.B) {
	const n, latency = 200, 30 * time.Millisecond
	sim, s := newSim(b, azuresim.Generate(n, azuresim.Shape{}), azuresim.Options{Latency: latency})
	var ours, theirs time.Duration
	rounds := 0
	for b.Loop() {
		before := sim.Stats().Calls
		sink, took := collectOnce(b, s)
		if calls := sim.Stats().Calls - before; calls != n+4 || sink.assets != n || sink.gaps != 0 {
			b.Fatalf("%d calls, %d servers, %d gaps", calls, sink.assets, sink.gaps)
		}
		ours += took
		theirs += bare(b, s)
		rounds++
	}
	// Two lists one after the other, then the servers in rounds of what may be
	// in flight.
	floor := latency * (2 + (n+arm.DefaultConcurrency-1)/arm.DefaultConcurrency)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(n+4), "calls")
	b.ReportMetric((ours / time.Duration(rounds)).Seconds(), "s/scan")
	b.ReportMetric((theirs / time.Duration(rounds)).Seconds(), "s/bare")
	b.ReportMetric(floor.Seconds(), "s/floor")
	b.ReportMetric(float64(ours)/float64(theirs), "x-bare")
}

// A bucket of 50 refilled at 25 a second, and 300 servers.
func BenchmarkCollectThrottled(b *testing.B) {
	const n, size, inflow = 300, 50, 25
	var took, own time.Duration
	throttled := 0
	for b.Loop() {
		sim, s := newSim(b, azuresim.Generate(n, azuresim.Shape{}), azuresim.Options{Reads: azuresim.Bucket{Size: size, Refill: inflow}})
		sink, d := collectOnce(b, s)
		if sink.assets != n || sink.gaps != 0 {
			b.Fatalf("%d servers, %d gaps", sink.assets, sink.gaps)
		}
		took += d
		own += time.Duration(float64(n+3-size) / inflow * float64(time.Second))
		throttled += sim.Stats().Throttled
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(took.Seconds(), "s/scan")
	b.ReportMetric(own.Seconds(), "s/bucket")
	b.ReportMetric(float64(took)/float64(own), "x-bucket")
	b.ReportMetric(float64(throttled), "429s")
}

// Concurrency must not make many subscriptions slower than one.
func BenchmarkCollect300Subscriptions(b *testing.B) {
	const n, subscriptions, latency = 600, 300, 10 * time.Millisecond
	_, s := newSim(b, azuresim.Generate(n, azuresim.Shape{Subscriptions: subscriptions}), azuresim.Options{Latency: latency})
	for b.Loop() {
		if sink, _ := collectOnce(b, s); sink.assets != n {
			b.Fatalf("%d servers", sink.assets)
		}
	}
}
