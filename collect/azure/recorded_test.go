package azure

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/internal/sharedtest"
	"github.com/posternhq/postern/resourcetype"
)

// recorded is one exchange with a live Azure, as its test suites recorded it.
type recorded struct {
	Request struct {
		Method string
		URL    string
	}
	Response struct {
		Status  int
		Headers map[string]string
		Body    json.RawMessage
	}
}

func readRecorded[T any](t *testing.T, path string) T {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var r T
	if err := json.Unmarshal(content, &r); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return r
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s fits nothing, %v", pattern, err)
	}
	return files
}

// onHost rewrites Azure's address in a body to the test server's.
func onHost(body json.RawMessage, r *http.Request) string {
	return strings.ReplaceAll(string(body), "https://management.azure.com", "http://"+r.Host)
}

func replay(e recorded) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		for name, value := range e.Response.Headers {
			w.Header().Set(name, value)
		}
		w.Header().Set("Retry-After", "0")
		status(e.Response.Status, onHost(e.Response.Body, r))(w, r)
	}
}

const recordedSubscription = "00000000-0000-0000-0000-000000000000"

// recordedEstate answers as the recorded subscription did: its list of
// subscriptions, its servers, and the rules of those that were recorded with
// rules; the others have none.
func recordedEstate(t *testing.T, dir string) answers {
	a := answers{"/subscriptions": text(`{"value":[{"subscriptionId":"` + recordedSubscription + `","displayName":"Recorded"}]}`)}
	for _, file := range glob(t, filepath.Join(dir, "exchanges", "*-list-get-200-*.json")) {
		e := readRecorded[recorded](t, file)
		u, err := url.Parse(e.Request.URL)
		if err != nil {
			t.Fatal(err)
		}
		path := u.Path
		// The CLI lists by resource group; a scan asks the same of the subscription.
		if group := strings.Index(path, "/resourceGroups/"); group > 0 && strings.Count(path, "/") == 7 {
			path = path[:group] + path[strings.Index(path, "/providers/"):]
		}
		if _, full := a[path]; full && len(e.Response.Body) < 100 {
			continue // an empty recording does not replace a full one
		}
		a[path] = replay(e)
	}
	return a
}

func TestRecordedServersAndRulesAreReadWhole(t *testing.T) {
	dir := sharedtest.Dir(t, "azure", "recordings")
	c, _ := newTest(t, recordedEstate(t, dir))
	sink, _ := run(t, c)

	byType := map[string]int{}
	rules := 0
	for _, a := range sink.Assets {
		byType[a.Type]++
		typ, _ := resourcetype.Lookup(a.Type)
		network, err := typ.Network(a)
		if err != nil {
			t.Errorf("%s: %v", a.ID, err)
		}
		if network.Public.State == asset.Unclear {
			t.Errorf("%s: public access is unclear: %s", a.ID, network.Public.Why)
		}
		rules += len(network.FirewallRules)
		for _, r := range network.FirewallRules {
			if r.Fault != "" || r.ID == "" || r.Start == "" {
				t.Errorf("%s: rule %+v", a.ID, r)
			}
		}
		for _, gap := range a.Gaps() {
			t.Errorf("gap: %s", gap)
		}
	}
	for _, gap := range sink.Gaps {
		t.Errorf("gap: %s", gap)
	}
	if byType["Microsoft.DBforPostgreSQL/servers"] != 36 || byType["Microsoft.DBforPostgreSQL/flexibleServers"] != 1 {
		t.Errorf("servers by type: %v, want 36 single and 1 flexible", byType)
	}
	if rules == 0 {
		t.Error("no recorded firewall rule was read")
	}
}

func TestRecordedErrorsAreTold(t *testing.T) {
	dir := sharedtest.Dir(t, "azure", "recordings", "errors")
	for _, file := range glob(t, filepath.Join(dir, "*.json")) {
		e := readRecorded[recorded](t, file)
		if e.Response.Status < 400 {
			continue // the failure of a long-running operation, which a scan never sees
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			var body struct {
				Error   struct{ Code, Message string }
				Code    string
				Message string
			}
			if err := json.Unmarshal(e.Response.Body, &body); err != nil {
				t.Fatal(err)
			}
			code := body.Error.Code + body.Code
			c, _ := newTest(t, answers{flexible: replay(e)})
			sink, _ := run(t, c)
			if code == "MissingSubscriptionRegistration" {
				if len(sink.Gaps) != 0 {
					t.Errorf("a provider that was never registered is a gap: %v", sink.Gaps)
				}
				return
			}
			if gap := onlyGap(t, sink); gap.Status != e.Response.Status || !strings.Contains(gap.Message, code+": "+start(body.Error.Message+body.Message)) {
				t.Errorf("the gap is %+v, want status %d and code %s", gap, e.Response.Status, code)
			}
		})
	}
}

// The recorded pages are of other resources; how they link is the same.
func TestRecordedPagesAreFollowedToTheirEnd(t *testing.T) {
	dir := sharedtest.Dir(t, "azure", "recordings", "sequences")
	for _, name := range []string{"paging-resources-4-pages-last-empty.json", "c7n-paging-2-pages-second-empty.json"} {
		t.Run(name, func(t *testing.T) {
			pages := readRecorded[[]recorded](t, filepath.Join(dir, name))
			want, asked := 0, 0
			for _, p := range pages {
				var body struct{ Value []json.RawMessage }
				if err := json.Unmarshal(p.Response.Body, &body); err != nil {
					t.Fatal(err)
				}
				want += len(body.Value)
			}
			c, s := newTest(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if asked == len(pages) {
					t.Errorf("asked for a page more than there are: %s", r.URL)
					return
				}
				recordedURL, err := url.Parse(pages[asked].Request.URL)
				if err != nil {
					t.Fatal(err)
				}
				if token := recordedURL.Query().Get("$skiptoken"); token != r.URL.Query().Get("$skiptoken") {
					t.Errorf("page %d was asked with another token than Azure gave", asked)
				}
				replay(pages[asked])(w, r)
				asked++
			}))
			first, err := url.Parse(pages[0].Request.URL)
			if err != nil {
				t.Fatal(err)
			}
			got := 0
			err = c.client.List(t.Context(), s.URL+first.RequestURI(), func(json.RawMessage) error { got++; return nil })
			if err != nil || got != want || asked != len(pages) {
				t.Errorf("%d items of %d in %d pages of %d, %v", got, want, asked, len(pages), err)
			}
		})
	}
}

// start is as much of a message as surely fits into a gap.
func start(s string) string {
	const enough = 60
	return s[:min(len(s), enough)]
}
