package azure

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/posternhq/postern/collect/collecttest"
)

// A next page on another host, or a redirect to one, is refused with a clear
// message, and that host never hears from us.
func TestTheTokenStaysWithItsHost(t *testing.T) {
	other := trap(t)
	tests := []struct {
		name   string
		answer func(w http.ResponseWriter, r *http.Request)
		want   string
	}{
		{"next page elsewhere", text(`{"value":[` + server("one") + `],"nextLink":"` + other.URL + `/more"}`), "nothing is sent there, the token least of all"},
		{"next page over another scheme", func(w http.ResponseWriter, r *http.Request) {
			text(`{"value":[`+server("one")+`],"nextLink":"https://`+r.Host+`/more"}`)(w, r)
		}, "nothing is sent there"},
		{"next page with a user in it", func(w http.ResponseWriter, r *http.Request) {
			text(`{"value":[`+server("one")+`],"nextLink":"http://`+r.Host+`@`+strings.TrimPrefix(other.URL, "http://")+`/more"}`)(w, r)
		}, "nothing is sent there"},
		{"redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) }, "is a redirect to"},
		{"redirect of the same host", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, "is a redirect to"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := newTest(t, answers{flexible: tt.answer})
			sink, _ := run(t, c)
			if gap := onlyGap(t, sink); !strings.Contains(gap.Message, tt.want) {
				t.Errorf("the gap says %q, want %q", gap.Message, tt.want)
			}
		})
	}
}

func TestAListThatCannotBeReadToItsEnd(t *testing.T) {
	circle := func(w http.ResponseWriter, r *http.Request) {
		next := "a"
		if r.URL.Query().Get("page") == "a" {
			next = "b"
		}
		text(fmt.Sprintf(`{"value":[%s],"nextLink":"http://%s%s?page=%s"}`, server("on-page-"+next), r.Host, r.URL.Path, next))(w, r)
	}
	tests := []struct {
		name    string
		answer  func(w http.ResponseWriter, r *http.Request)
		want    string
		servers int
	}{
		{"links to itself", func(w http.ResponseWriter, r *http.Request) {
			text(fmt.Sprintf(`{"value":[%s],"nextLink":"http://%s%s"}`, server("one"), r.Host, r.URL))(w, r)
		}, "links back to one that was read already", 1},
		{"links in a circle", circle, "links back to one that was read already", 2},
		{"not JSON", text(`<html>proxy says hello</html>`), `it begins "<html>proxy`, 0},
		{"half a page", text(`{"value":[` + server("one") + `,{"id":"/subscr`), "no JSON list", 0},
		{"no value", text(`{}`), "it has no value", 0},
		{"null", text(`null`), "it has no value", 0},
		{"two values", text(`{"value":[` + server("one") + `],"Value":[]}`), `says "Value" twice`, 0},
		{"two links", text(`{"value":[],"nextLink":"/more","nextLink":null}`), `says "nextLink" twice`, 0},
		{"an error that is 200", text(`{"value":[],"error":{"code":"Oops"}}`), "carries an error", 0},
		{"an item without an id", text(`{"value":[{"name":"x"},` + server("one") + `]}`), `the id "" is not one`, 1},
		{"an item of another subscription", text(`{"value":[{"id":"/subscriptions/other/resourceGroups/rg/providers/Microsoft.DBforPostgreSQL/flexibleServers/x"}]}`), "is not one of a", 0},
		{"an item that climbs", text(`{"value":[{"id":"/subscriptions/` + sub + `/resourceGroups/../providers/Microsoft.DBforPostgreSQL/flexibleServers/x"}]}`), "is not one of a", 0},
		{"denied", status(403, `{"error":{"code":"AuthorizationFailed","message":"no authorization"}}`), "AuthorizationFailed: no authorization", 0},
		{"an error without a body", status(418, ``), "teapot", 0},
		{"an error in other letters", status(400, `{"Code":"BadRequest","Message":"odd"}`), "BadRequest: odd", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := newTest(t, answers{flexible: tt.answer})
			sink, _ := run(t, c)
			gap := onlyGap(t, sink)
			if !strings.Contains(gap.Message, tt.want) || gap.Permission != "Microsoft.DBforPostgreSQL/flexibleServers/read" {
				t.Errorf("the gap is %v, want it to say %q", gap, tt.want)
			}
			if len(sink.Assets) != tt.servers {
				t.Errorf("%d servers, want %d: what was read is lost or invented", len(sink.Assets), tt.servers)
			}
		})
	}
}

func TestAnOddTagDoesNotCostTheServer(t *testing.T) {
	for _, odd := range []string{`"tags":["a"]`, `"tags":{"n":7,"s":"x"}`, `"location":5`, `"tags":null`} {
		c, _ := newTest(t, answers{flexible: text(`{"value":[` + strings.Replace(server("one"), `{`, `{`+odd+`,`, 1) + `]}`)})
		if sink, _ := run(t, c); len(sink.Assets) != 1 || len(sink.Gaps) != 0 {
			t.Errorf("%s: %d servers, gaps %v", odd, len(sink.Assets), sink.Gaps)
		}
	}
}

func TestAnEchoedTokenIsNotPassedOn(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"in an error":   status(403, `{"error":{"code":"Denied","message":"you sent Bearer `+testToken+`"}}`),
		"in a body":     text("<html>" + testToken),
		"in a redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/?t="+testToken, http.StatusFound) },
		"in a link":     text(`{"value":[],"nextLink":"https://elsewhere.example/` + testToken + `"}`),
	} {
		c, _ := newTest(t, answers{flexible: answer})
		sink, _ := run(t, c)
		if gap := onlyGap(t, sink); strings.Contains(fmt.Sprint(gap), testToken) {
			t.Errorf("%s: %v", name, gap)
		}
	}
	c, _ := newTest(t, answers{"/subscriptions": status(401, `{"error":{"code":"X","message":"`+testToken+`"}}`)})
	_, err := c.Collect(t.Context(), &collecttest.Sink{T: t})
	if err == nil || strings.Contains(err.Error(), testToken) || !strings.Contains(err.Error(), "[token]") {
		t.Errorf("error %v", err)
	}
}

func TestAnAnswerWithoutEndIsCut(t *testing.T) {
	c, _ := newTest(t, answers{flexible: func(w http.ResponseWriter, _ *http.Request) {
		chunk := []byte(strings.Repeat(" ", 1<<20))
		for range 64 + 8 { // arm takes 64 MiB at most
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}})
	sink, _ := run(t, c)
	if gap := onlyGap(t, sink); !strings.Contains(gap.Message, "larger than 64 MiB") {
		t.Errorf("the gap says %q", gap.Message)
	}
}

func TestServersThatShowTwiceAreReadOnce(t *testing.T) {
	var calls atomic.Int32
	c, _ := newTest(t, answers{
		flexible: func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Has("page") {
				text(`{"value":[`+server("ONE")+`]}`)(w, r)
				return
			}
			text(fmt.Sprintf(`{"value":[%s],"nextLink":"http://%s%s?page=2"}`, server("one"), r.Host, r.URL.Path))(w, r)
		},
		rulesOf("one"): func(w http.ResponseWriter, r *http.Request) { calls.Add(1); text(`{"value":[]}`)(w, r) },
	})
	sink, _ := run(t, c)
	if len(sink.Assets) != 1 || calls.Load() != 1 {
		t.Errorf("%d servers and %d calls for their rules, want one each", len(sink.Assets), calls.Load())
	}
}

// A 404 on the rules is a vanished server only if the server is gone too.
func TestNotFoundIsGoneOnlyWhenTheServerIs(t *testing.T) {
	list := text(`{"value":[` + server("one") + `]}`)
	missing := status(404, `{"error":{"code":"ResourceNotFound","message":"not found"}}`)
	self := strings.TrimSuffix(rulesOf("one"), "/firewallRules")

	c, _ := newTest(t, answers{flexible: list, rulesOf("one"): missing, self: missing})
	sink, stats := run(t, c)
	if len(sink.Assets) != 0 || len(sink.Gaps) != 0 || stats.Vanished != 1 {
		t.Errorf("gone: %d assets, gaps %v, %d vanished", len(sink.Assets), sink.Gaps, stats.Vanished)
	}

	proxy := status(404, `<html>no such page</html>`)
	begun := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("page") {
			missing(w, r)
			return
		}
		text(`{"value":[{"name":"r"}],"nextLink":"?page=2"}`)(w, r)
	}
	for name, a := range map[string]answers{
		"still there":             {flexible: list, rulesOf("one"): missing, self: text(server("one"))},
		"a proxy's word":          {flexible: list, rulesOf("one"): proxy, self: proxy},
		"rules that were read":    {flexible: list, rulesOf("one"): begun, self: missing},
		"another kind of missing": {flexible: list, rulesOf("one"): missing, self: status(404, `{"error":{"code":"InvalidResourceType"}}`)},
	} {
		c, _ = newTest(t, a)
		sink, stats = run(t, c)
		if gap := onlyGap(t, sink); gap.Status != 404 || len(sink.Assets) != 1 || stats.Vanished != 0 {
			t.Errorf("%s: gap %v, %d assets, %d vanished", name, gap, len(sink.Assets), stats.Vanished)
		}
	}
}

func TestACloudThatTrailsIsAskedInItsOwnVersion(t *testing.T) {
	var versions []string
	c, _ := newTest(t, answers{flexible: func(w http.ResponseWriter, r *http.Request) {
		version := r.URL.Query().Get("api-version")
		versions = append(versions, version)
		if version != "2022-12-01" {
			status(400, `{"error":{"code":"NoRegisteredProviderFound","message":"supported api-versions are …"}}`)(w, r)
			return
		}
		text(`{"value":[`+server("one")+`]}`)(w, r)
	}})
	sink, _ := run(t, c)
	if len(sink.Assets) != 1 || sink.Assets[0].Origin.APIVersion != "2022-12-01" {
		t.Errorf("asked in %v, found %d servers", versions, len(sink.Assets))
	}
}

func TestAProviderThatIsNotThereHoldsNothing(t *testing.T) {
	failed := func(code, message string) string {
		return `{"error":{"code":"` + code + `","message":"` + message + `"}}`
	}
	missing, unknown := failed("MissingSubscriptionRegistration", "not registered"), failed("InvalidResourceType", "could not be found in the namespace")
	tests := []struct {
		name   string
		answer func(http.ResponseWriter, *http.Request)
		gap    bool
	}{
		{"never registered", status(409, missing), false},
		{"not offered", status(404, unknown), false},
		{"registered, by a status that means something else", status(403, missing), true},
		{"offered in other versions", status(400, failed("InvalidResourceType", "The supported api-versions are '2030-01-01'.")), true},
		{"said of a later page", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Has("page") {
				status(409, missing)(w, r)
				return
			}
			text(`{"value":[],"nextLink":"?page=2"}`)(w, r)
		}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := newTest(t, answers{flexible: tt.answer})
			if sink, _ := run(t, c); (len(sink.Gaps) > 0) != tt.gap {
				t.Errorf("gaps %v", sink.Gaps)
			}
		})
	}
}

func TestAServerThatChangesWhileItIsListedIsToldOf(t *testing.T) {
	c, _ := newTest(t, answers{flexible: text(`{"value":[` + strings.Replace(server("one"), "Enabled", "Disabled", 1) + `,` + server("one") + `]}`)})
	sink, _ := run(t, c)
	if gap := onlyGap(t, sink); len(sink.Assets) != 1 || !strings.Contains(gap.Message, "listed twice with different settings") {
		t.Errorf("%d servers, gap %v", len(sink.Assets), gap)
	}
}
