package azuresim

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseFault(t *testing.T) {
	for text, want := range map[string]Fault{
		"cut": {Action: "cut"},
		"429,path=/firewallRules,times=3,retry-after=2": {Action: "429", Path: "/firewallRules", Times: 3, RetryAfter: 2 * time.Second},
		"403,path=/Billing-DB/firewallRules,method=get": {Action: "403", Path: "/Billing-DB/firewallRules", Method: "GET"},
		"slow,delay=200ms":               {Action: "slow", Delay: 200 * time.Millisecond},
		"redirect,to=http://127.0.0.1:1": {Action: "redirect", To: "http://127.0.0.1:1"},
		"fail-operation,code=ServerBusy": {Action: "fail-operation", Code: "ServerBusy"},
		"late-effect,delay=90s":          {Action: "late-effect", Delay: 90 * time.Second},
		"cut-after,method=DELETE":        {Action: "cut-after", Method: "DELETE"},
	} {
		got, err := ParseFault(text)
		if err != nil {
			t.Errorf("ParseFault(%q): %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("ParseFault(%q) (-want +got):\n%s", text, diff)
		}
		if again, err := ParseFault(got.String()); err != nil || again != got {
			t.Errorf("%q written as %q is read as %v, %v", text, got, again, err)
		}
	}
}

func TestParseFaultSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"":                         `unknown action ""`,
		"explode":                  `unknown action "explode" (want an HTTP status such as 429, or one of cut,`,
		"0429":                     `unknown action "0429"`,
		"200":                      "status 200 is not one that can be ordered",
		"429,times":                `"times" is no KEY=VALUE`,
		"429,times=":               `"times=" is no KEY=VALUE`,
		"429,times=0":              `times "0" is no whole number from 1`,
		"429,times=1,times=2":      "times is given twice",
		"429,retry-after=0":        "is no number of seconds",
		"429,retry-after=soon":     "is no number of seconds",
		"404,retry-after=1":        "retry-after is for 429 and 503, not for 404",
		"429,colour=red":           `unknown key "colour"`,
		"slow":                     "slow needs a delay",
		"late-effect":              "late-effect needs a delay",
		"forget-operation":         "forget-operation needs a delay",
		"no-effect,delay=1s":       "not for no-effect",
		"cut,delay=1s":             "delay is for slow, late-effect and forget-operation, not for cut",
		"slow,delay=-1s":           `delay "-1s" is no duration`,
		"cut,code=X":               "code is for fail-operation, not for cut",
		"429,to=http://x":          "to is for foreign-next and redirect",
		"redirect,to=elsewhere":    "is no scheme and host",
		"redirect,to=ftp://x":      "is no scheme and host",
		"redirect,to=http://x/y?z": "is no scheme and host",
	} {
		_, err := ParseFault(text)
		if !errors.Is(err, ErrFault) || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseFault(%q): %v, want %q", text, err, want)
		}
	}
	if _, err := New(Demo(), Options{Faults: []Fault{{Action: "slow"}}}); !errors.Is(err, ErrFault) {
		t.Errorf("New with a fault that makes no sense: %v", err)
	}
}

func FuzzParseFault(f *testing.F) {
	for _, seed := range []string{
		"cut", "429,path=/firewallRules,times=3,retry-after=2", "slow,delay=1.5s", "redirect,to=https://x", "fail-operation,method=delete,code=X", "403,path=a=b",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		fault, err := ParseFault(text)
		if err != nil {
			if !errors.Is(err, ErrFault) {
				t.Errorf("ParseFault(%q): %v does not wrap ErrFault", text, err)
			}
			return
		}
		if again, err := ParseFault(fault.String()); err != nil || again != fault {
			t.Errorf("%q is %+v, written %q, read again %+v, %v", text, fault, fault, again, err)
		}
	})
}

// mustParse turns text into faults, in the way a command line would.
func mustParse(t *testing.T, texts ...string) []Fault {
	t.Helper()
	faults := make([]Fault, len(texts))
	for i, text := range texts {
		var err error
		if faults[i], err = ParseFault(text); err != nil {
			t.Fatal(err)
		}
	}
	return faults
}

func TestStatusFaults(t *testing.T) {
	for _, c := range []struct {
		fault      string
		status     int
		code       string
		retryAfter string
	}{
		{"400", 400, "BadRequest", ""},
		{"401", 401, "InvalidAuthenticationToken", ""},
		{"403", 403, "AuthorizationFailed", ""},
		{"404", 404, "ResourceNotFound", ""},
		{"408", 408, "RequestTimeout", ""},
		{"409", 409, "ServerIsBusy", ""},
		{"429", 429, "SubscriptionRequestsThrottled", "1"},
		{"429,retry-after=7", 429, "SubscriptionRequestsThrottled", "7"},
		{"500", 500, "InternalServerError", ""},
		{"502", 502, "BadGateway", ""},
		{"503", 503, "ServiceUnavailable", ""},
		{"503,retry-after=3", 503, "ServiceUnavailable", "3"},
		{"504", 504, "GatewayTimeout", ""},
	} {
		s := newSim(t, Demo(), Options{Faults: mustParse(t, c.fault)})
		for _, path := range []string{orders + "/firewallRules" + flex24, subOne + pg + "/servers" + single17, subOne + "?api-version=2022-12-01"} {
			a := s.get(path)
			if a.status != c.status || a.code() != c.code || a.header.Get("Retry-After") != c.retryAfter {
				t.Errorf("%s: %s: %d %s, Retry-After %q", c.fault, path, a.status, a.code(), a.header.Get("Retry-After"))
			}
		}
	}
}

func TestFaultOf403NamesWhatIsMissing(t *testing.T) {
	s := newSim(t, Demo(), Options{Faults: mustParse(t, "403")})
	for path, want := range map[string][2]string{
		orders + "/firewallRules" + flex24:      {"Microsoft.DBforPostgreSQL/flexibleServers/firewallRules/read", orders},
		orders + flex24:                         {"Microsoft.DBforPostgreSQL/flexibleServers/read", orders},
		subOne + pg + "/servers" + single17:     {"Microsoft.DBforPostgreSQL/servers/read", subOne},
		subOne + "?api-version=2022-12-01":      {"Microsoft.Resources/subscriptions/read", subOne},
		"/subscriptions?api-version=2022-12-01": {"Microsoft.Resources/subscriptions/read", "/subscriptions"},
	} {
		a := s.get(path)
		if !strings.Contains(a.raw, "perform action '"+want[0]+"' over scope '"+want[1]+"'") {
			t.Errorf("%s: %s, want %v", path, a.raw, want)
		}
	}
}

func TestFaultsAreMatched(t *testing.T) {
	s := newSim(t, Demo(), Options{Faults: mustParse(t, "500,path=/ORDERS-db/,method=GET,times=2", "503,path=/orders-db/")})
	rules := orders + "/firewallRules" + flex24
	for i, want := range []int{500, 500, 503, 503} {
		if a := s.get(rules); a.status != want {
			t.Errorf("call %d: %d, want %d", i+1, a.status, want)
		}
	}
	if a := s.do("DELETE", orders+"/firewallRules/x"+flex24, ""); a.status != 503 {
		t.Errorf("another method: %d, want the second fault", a.status)
	}
	if a := s.get(ledger + "/firewallRules" + flex24); a.status != 200 {
		t.Errorf("another path: %d", a.status)
	}
	if got := s.srv.Stats().Faulted; got != 5 {
		t.Errorf("%d faulted, want 5", got)
	}
}

func TestCutConnection(t *testing.T) {
	s := newLiar(t, Demo(), Options{Faults: mustParse(t, "cut,times=1")})
	// On its first connection the client does not try again by itself.
	if a, err := s.try("GET", orders+flex24, ""); err == nil {
		t.Errorf("the connection was not cut: %d", a.status)
	}
	if a := s.get(orders + flex24); a.status != 200 {
		t.Errorf("after the fault is over: %d", a.status)
	}
}

func TestHalfABody(t *testing.T) {
	s := newLiar(t, Demo(), Options{Faults: mustParse(t, "cut-body,path=/firewallRules,times=1")})
	a, err := s.try("GET", orders+"/firewallRules"+flex24, "")
	if err == nil || a.status != 200 || a.body != nil || a.raw == "" {
		t.Errorf("half a body: %d, %v, %q", a.status, err, a.raw)
	}
	whole := s.get(orders + "/firewallRules" + flex24)
	if !strings.HasPrefix(whole.raw, a.raw) || len(a.raw) != len(whole.raw)/2 {
		t.Errorf("%q is no half of %q", a.raw, whole.raw)
	}
}

func TestSlowAndNotJSON(t *testing.T) {
	s := newLiar(t, Demo(), Options{Faults: mustParse(t, "not-json,path=/servers", "slow,path=/servers,delay=30ms")})
	start := time.Now()
	a := s.get(subOne + pg + "/servers" + single17)
	if took := time.Since(start); took < 30*time.Millisecond {
		t.Errorf("answered after %v", took)
	}
	if a.status != 200 || a.header.Get("Content-Type") != "text/html" || !strings.HasPrefix(a.raw, "<!DOCTYPE html>") {
		t.Errorf("not json: %d %v %q", a.status, a.header, a.raw)
	}
}

func TestVanishedServer(t *testing.T) {
	s := newSim(t, Demo(), Options{Faults: mustParse(t, "vanish,path=/orders-db")})
	if names := s.get(subOne + pg + "/flexibleServers" + flex24).names(); !strings.Contains(names, "orders-db") {
		t.Errorf("not listed: %s", names)
	}
	if a := s.get(orders + flex24); a.status != 404 || a.code() != "ResourceNotFound" {
		t.Errorf("the server: %d %s", a.status, a.code())
	}
	if a := s.get(orders + "/firewallRules" + flex24); a.status != 404 || a.code() != "ParentResourceNotFound" {
		t.Errorf("its rules: %d %s", a.status, a.code())
	}
	if a := s.get(ledger + flex24); a.status != 200 {
		t.Errorf("another server: %d", a.status)
	}
}

func TestBentLinks(t *testing.T) {
	other := newSim(t, Demo(), Options{})
	for _, c := range []struct{ fault, host string }{
		{"foreign-next", "elsewhere.invalid"},
		{"foreign-next,to=" + other.http.URL, strings.TrimPrefix(other.http.URL, "http://")},
		{"self-next", ""},
	} {
		s := newLiar(t, Demo(), Options{Faults: mustParse(t, c.fault)})
		path := subOne + pg + "/flexibleServers" + flex24
		link, err := url.Parse(s.get(path).body["nextLink"].(string))
		want := withDefault(c.host, strings.TrimPrefix(s.http.URL, "http://"))
		if err != nil || link.Host != want || link.Path != strings.Split(path, "?")[0] {
			t.Errorf("%s: nextLink %v, %v", c.fault, link, err)
		}
		if c.host == "" && link.RequestURI() != path {
			t.Errorf("%s: nextLink %v, want the page itself", c.fault, link)
		}
	}
	s := newLiar(t, Demo(), Options{Faults: mustParse(t, "redirect")})
	a := s.get(orders + flex24)
	if a.status != 307 || a.header.Get("Location") != "https://elsewhere.invalid"+orders+flex24 {
		t.Errorf("redirect: %d %q", a.status, a.header.Get("Location"))
	}
}

// A fault without a path leaves signing in alone, or nobody would come far
// enough to meet it.
func TestFaultsAndSigningIn(t *testing.T) {
	s := newSim(t, Demo(), Options{Faults: mustParse(t, "500")})
	if a := s.get("/metadata/endpoints?api-version=2022-09-01"); a.status != 200 {
		t.Errorf("metadata: %d", a.status)
	}
	s = newSim(t, Demo(), Options{Faults: mustParse(t, "503,path=/metadata")})
	if a := s.get("/metadata/endpoints?api-version=2022-09-01"); a.status != 503 {
		t.Errorf("metadata with a fault of its own: %d", a.status)
	}
}
