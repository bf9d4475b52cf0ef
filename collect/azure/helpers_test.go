package azure

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"go.uber.org/goleak"

	"github.com/posternhq/postern/arm"
	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/collect"
	"github.com/posternhq/postern/collect/collecttest"
	"github.com/posternhq/postern/resourcetype"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testToken = "test-token-that-must-not-travel"
	sub       = "00000000-0000-0000-0000-00000000000a"
	flexible  = "/subscriptions/" + sub + "/providers/Microsoft.DBforPostgreSQL/flexibleServers"
)

var flexibleType = resourcetype.FlexibleServer()

// answers is a hand-made ARM: by path and query a function that answers, for
// what a simulator would be too well-behaved to say. The paths of one
// subscription without any server answer by themselves.
type answers map[string]func(w http.ResponseWriter, r *http.Request)

func text(body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, body) }
}

func status(code int, body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = fmt.Fprint(w, body)
	}
}

// ServeHTTP implements [http.Handler].
func (a answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for path, answer := range a {
		if strings.EqualFold(r.URL.Path, path) {
			answer(w, r)
			return
		}
	}
	if r.URL.Path == "/subscriptions" {
		text(`{"value":[{"subscriptionId":"`+sub+`","displayName":"Test"}]}`)(w, r)
		return
	}
	text(`{"value":[]}`)(w, r)
}

func server(name string) string {
	return `{"id":"/subscriptions/` + sub + `/resourceGroups/rg/providers/Microsoft.DBforPostgreSQL/flexibleServers/` + name +
		`","properties":{"network":{"publicNetworkAccess":"Enabled"}}}`
}

func rulesOf(name string) string {
	return "/subscriptions/" + sub + "/resourceGroups/rg/providers/Microsoft.DBforPostgreSQL/flexibleServers/" + name + "/firewallRules"
}

// newTest returns a collector for a handler, with a transport of its own that
// is closed with the test.
func newTest(t *testing.T, handler http.Handler, change ...func(*Options)) (*Collector, *httptest.Server) {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	endpoint, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := arm.NewTransport()
	t.Cleanup(transport.CloseIdleConnections)
	o := Options{
		Cloud:      arm.Cloud{Name: "test", ARM: endpoint, Audience: s.URL + "/", Custom: true},
		Credential: testCredential(t), Transport: transport,
	}
	for _, c := range change {
		c(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c, s
}

// run collects and returns what was found; the collecting must not fail.
func run(t *testing.T, c *Collector) (*collecttest.Sink, collect.Stats) {
	t.Helper()
	sink := &collecttest.Sink{T: t}
	stats, err := c.Collect(t.Context(), sink)
	if err != nil {
		t.Fatal(err)
	}
	return sink, stats
}

// onlyGap returns the one gap there must be, of an asset or of the scan.
func onlyGap(t *testing.T, sink *collecttest.Sink) asset.Gap {
	t.Helper()
	gaps := sink.Gaps
	for _, a := range sink.Assets {
		gaps = append(gaps, a.Gaps()...)
	}
	if len(gaps) != 1 {
		t.Fatalf("%d gaps, want one: %v", len(gaps), gaps)
	}
	return gaps[0]
}

// trap is a host that must never hear of anything.
func trap(t *testing.T) *httptest.Server {
	t.Helper()
	var mu sync.Mutex
	var heard []string
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, fmt.Sprintf("%s %s, Authorization %q", r.Method, r.URL, r.Header.Get("Authorization")))
	}))
	t.Cleanup(func() {
		s.Close()
		if len(heard) > 0 {
			t.Errorf("another host was asked: %v", heard)
		}
	})
	return s
}

func sorted(s []string) []string {
	slices.Sort(s)
	return s
}

func only(name string) func(*asset.Asset) bool {
	return func(a *asset.Asset) bool { return a.Name == name }
}

// testCredential gives out testToken.
func testCredential(t testing.TB) azcore.TokenCredential {
	t.Helper()
	c, err := arm.NewCredential(arm.Cloud{}, testToken, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return c
}
