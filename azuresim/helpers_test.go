package azuresim

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// sim is a simulation behind HTTP, with a clock of its own.
type sim struct {
	t     testing.TB
	srv   *Server
	http  *httptest.Server
	truth *truth
	clock *clock
	token string
}

// clock is a time that only moves when told to.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// newSim starts a simulation of which every answer is compared with
// Microsoft's documents.
func newSim(t testing.TB, e Estate, o Options) *sim {
	t.Helper()
	s := prepare(t, e, o)
	s.truth = &truth{t: t, next: s.srv, seen: map[string]bool{}}
	s.start(s.truth)
	return s
}

// newLiar starts a simulation that is ordered to answer as no Azure would.
func newLiar(t testing.TB, e Estate, o Options) *sim {
	t.Helper()
	s := prepare(t, e, o)
	s.start(s.srv)
	return s
}

func prepare(t testing.TB, e Estate, o Options) *sim {
	t.Helper()
	c := &clock{at: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	if o.Now == nil {
		o.Now = c.now
	}
	srv, err := New(e, o)
	if err != nil {
		t.Fatal(err)
	}
	return &sim{t: t, srv: srv, clock: c, token: "some-token"}
}

func (s *sim) start(h http.Handler) {
	s.http = httptest.NewServer(h)
	s.t.Cleanup(func() {
		s.http.Client().CloseIdleConnections()
		s.http.Close()
	})
}

// answer is a response that has been read.
type answer struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

func (a answer) code() string {
	e, _ := a.body["error"].(map[string]any)
	c, _ := e["code"].(string)
	return c
}

func (a answer) properties() map[string]any {
	p, _ := a.body["properties"].(map[string]any)
	return p
}

func (a answer) items() []map[string]any {
	list, _ := a.body["value"].([]any)
	items := make([]map[string]any, len(list))
	for i, v := range list {
		items[i] = v.(map[string]any)
	}
	return items
}

func (a answer) names() string {
	var names []string
	for _, item := range a.items() {
		names = append(names, item["name"].(string))
	}
	return strings.Join(names, " ")
}

// do sends a request to a path, or to an absolute address.
func (s *sim) do(method, path, body string, header ...string) answer {
	s.t.Helper()
	a, err := s.try(method, path, body, header...)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

func (s *sim) try(method, path, body string, header ...string) (answer, error) {
	if strings.HasPrefix(path, "/") {
		path = s.http.URL + path
	}
	req, err := http.NewRequest(method, path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	client := *s.http.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	a := answer{status: resp.StatusCode, header: resp.Header, raw: string(raw)}
	_ = json.Unmarshal(raw, &a.body) // what is no object has no body to look into
	return a, err
}

func (s *sim) get(path string) answer { s.t.Helper(); return s.do("GET", path, "") }

const (
	subOne   = "/subscriptions/5b000001-0000-4000-8000-000000000001"
	subTwo   = "/subscriptions/5b000002-0000-4000-8000-000000000002"
	subThree = "/subscriptions/5b000003-0000-4000-8000-000000000003"
	pg       = "/providers/Microsoft.DBforPostgreSQL"

	orders  = subOne + "/resourceGroups/shop" + pg + "/flexibleServers/orders-db"
	billing = subOne + "/resourceGroups/shop" + pg + "/servers/billing-db"
	ledger  = subOne + "/resourceGroups/finance" + pg + "/flexibleServers/ledger-db"
	metrics = subTwo + "/resourceGroups/analytics" + pg + "/serverGroupsv2/metrics-db"
	reports = subTwo + "/resourceGroups/analytics" + pg + "/flexibleServers/reports-db"
	archive = subTwo + "/resourceGroups/analytics" + pg + "/servers/archive-db"
	payroll = subThree + "/resourceGroups/people" + pg + "/flexibleServers/payroll-db"

	single17 = "?api-version=2017-12-01"
	flex22   = "?api-version=2022-12-01"
	flex24   = "?api-version=2024-08-01"
	flex25   = "?api-version=2025-08-01"
	citus22  = "?api-version=2022-11-08"
)

const aRule = `{"properties":{"startIpAddress":"198.51.100.1","endIpAddress":"198.51.100.9"}}`
