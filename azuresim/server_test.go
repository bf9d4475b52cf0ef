package azuresim

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
)

func TestStatsAndRequests(t *testing.T) {
	var observed []Request
	var mu sync.Mutex
	s := newSim(t, Demo(), Options{Observe: func(r Request) {
		mu.Lock()
		defer mu.Unlock()
		observed = append(observed, r)
	}})
	put := s.do("PUT", orders+"/firewallRules/r"+flex24, aRule)
	s.finish(put)
	s.get("/subscriptions?api-version=2022-12-01")
	s.get(subOne + pg + "/servers" + single17)
	s.get(orders + flex24)
	s.get(orders + "/firewallRules" + flex24)
	s.get(orders + "/firewallRules/r" + flex24)
	s.do("DELETE", orders+"/firewallRules/none"+flex24, "")
	s.get("/metadata/endpoints?api-version=2022-09-01")
	s.get("/nowhere")
	s.token = ""
	s.get("/adfs/.well-known/openid-configuration")

	want := Stats{Calls: 11, MaxInFlight: 1, ByKind: map[string]int{
		"put": 1, "poll": 1, "subscriptions": 1, "list": 1, "get": 2, "children": 1, "delete": 1, "metadata": 1, "other": 1, "token": 1,
	}}
	if diff := cmp.Diff(want, s.srv.Stats()); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
	all := s.srv.Requests()
	first, last := all[0], all[len(all)-1]
	if first.Method != http.MethodPut || !first.Bearer || first.Status != 202 || first.Path+"?"+first.Query != orders+"/firewallRules/r"+flex24 {
		t.Errorf("first request: %+v", first)
	}
	if last.Bearer || last.Status != 200 || last.Took <= 0 || !last.At.Equal(s.clock.now()) {
		t.Errorf("last request: %+v", last)
	}
	mu.Lock()
	defer mu.Unlock()
	if diff := cmp.Diff(all, observed); diff != "" {
		t.Errorf("observed (-kept +seen):\n%s", diff)
	}
}

func TestRequestsAreARing(t *testing.T) {
	s := prepare(t, Estate{}, Options{})
	for i := range keptRequests + 10 {
		r := httptest.NewRequest(http.MethodGet, "/nowhere", nil)
		r.Header.Set("X-N", string(rune(i)))
		if i == keptRequests+9 {
			r.Method = http.MethodPut
		}
		s.srv.ServeHTTP(httptest.NewRecorder(), r)
	}
	all := s.srv.Requests()
	if len(all) != keptRequests || all[keptRequests-1].Method != http.MethodPut || all[0].Method != http.MethodGet {
		t.Errorf("%d kept, the last %s", len(all), all[len(all)-1].Method)
	}
}

// Many clients read and change at once; the race detector watches, and in the
// end every change that was accepted is there.
func TestManyClientsAtOnce(t *testing.T) {
	s := prepare(t, Generate(40, Shape{}), Options{OperationTime: time.Nanosecond, Now: time.Now, Latency: time.Millisecond})
	s.truth = &truth{t: t, next: s.srv, seen: map[string]bool{}}
	s.start(s.truth)
	const base = "/subscriptions/5b000000-0000-4000-8000-000000000000"
	var g errgroup.Group
	for _, srv := range s.srv.Snapshot().Subscriptions[0].Servers {
		g.Go(func() error {
			id := base + "/resourceGroups/" + srv.ResourceGroup + pg + "/flexibleServers/" + srv.Name
			for _, step := range []struct{ method, path, body string }{
				{http.MethodGet, base + pg + "/flexibleServers" + flex24, ""},
				{http.MethodPut, id + "/firewallRules/new" + flex24, aRule},
				{http.MethodGet, id + "/firewallRules" + flex24, ""},
				{"DELETE", id + "/firewallRules/range-000" + flex24, ""},
				{http.MethodGet, id + flex24, ""},
			} {
				if _, err := s.try(step.method, step.path, step.body); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, srv := range s.srv.Snapshot().Subscriptions[0].Servers {
		for _, r := range srv.FirewallRules {
			if r.Name == "range-000" {
				t.Errorf("%s still has the rule that was deleted", srv.Name)
			}
		}
		if srv.FirewallRules[len(srv.FirewallRules)-1].Name != "new" {
			t.Errorf("%s has not the rule that was made", srv.Name)
		}
	}
	if st := s.srv.Stats(); st.Calls != 200 || st.MaxInFlight < 2 {
		t.Errorf("%d calls, %d at once", st.Calls, st.MaxInFlight)
	}
}

func TestLatencyEndsWithTheRequest(t *testing.T) {
	s := prepare(t, Demo(), Options{Latency: time.Hour, Faults: mustParse(t, "slow,delay=1h")})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	rec := httptest.NewRecorder()
	s.srv.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/subscriptions", nil).WithContext(ctx))
	if rec.Body.Len() != 0 || s.srv.Requests()[0].Status != 0 {
		t.Errorf("answered %d %s", rec.Code, rec.Body)
	}
}

func TestCorrelationIDIsEchoed(t *testing.T) {
	s := newSim(t, Demo(), Options{})
	const id = "11111111-2222-4333-8444-555555555555"
	a := s.do(http.MethodGet, orders+flex24, "", "X-Ms-Correlation-Request-Id", id)
	if a.header.Get("X-Ms-Correlation-Request-Id") != id || !strings.HasSuffix(a.header.Get("X-Ms-Routing-Request-Id"), id) {
		t.Errorf("headers: %v", a.header)
	}
}

func TestSelfSignedCertificateIsTrusted(t *testing.T) {
	cert, pem, err := SelfSigned("127.0.0.1", "localhost")
	if err != nil {
		t.Fatal(err)
	}
	s := prepare(t, Demo(), Options{PageSize: 1})
	s.http = httptest.NewUnstartedServer(s.srv)
	s.http.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	s.http.StartTLS()
	defer s.http.Close()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatal("the PEM has no certificate")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	defer transport.CloseIdleConnections()
	for _, host := range []string{"127.0.0.1", "localhost"} {
		base := strings.Replace(s.http.URL, "127.0.0.1", host, 1)
		req, err := http.NewRequest(http.MethodGet, base+"/subscriptions?api-version=2022-12-01", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer t")
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatalf("%s: %v", host, err)
		}
		var list struct{ NextLink string }
		err = json.NewDecoder(resp.Body).Decode(&list)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || !strings.HasPrefix(list.NextLink, base+"/") {
			t.Errorf("%s: %d, %v, next page %s", host, resp.StatusCode, err, list.NextLink)
		}
	}
}

// BenchmarkReadRules is what the simulation itself costs a measurement of a
// client: one answer with five rules.
func BenchmarkReadRules(b *testing.B) {
	sim, err := New(Generate(1000, Shape{Rules: 5}), Options{})
	if err != nil {
		b.Fatal(err)
	}
	const path = "/subscriptions/5b000000-0000-4000-8000-000000000000/resourceGroups/group-000" + pg +
		"/flexibleServers/db-000000/firewallRules" + flex25
	for b.Loop() {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Authorization", "Bearer t")
		rec := httptest.NewRecorder()
		if sim.ServeHTTP(rec, r); rec.Code != http.StatusOK {
			b.Fatal(rec.Body)
		}
	}
}

// BenchmarkListServers is one page of a thousand.
func BenchmarkListServers(b *testing.B) {
	sim, err := New(Generate(1000, Shape{}), Options{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		r := httptest.NewRequest(http.MethodGet, "/subscriptions/5b000000-0000-4000-8000-000000000000"+pg+"/flexibleServers"+flex25, nil)
		r.Header.Set("Authorization", "Bearer t")
		sim.ServeHTTP(httptest.NewRecorder(), r)
	}
}
