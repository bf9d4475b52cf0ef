package arm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/posternhq/postern/internal/sharedtest"
)

const secret = "secret-token-of-the-test"

// speak returns a client for a handler, and what it was asked.
func speak(t *testing.T, handler http.HandlerFunc) (*Client, *asked) {
	t.Helper()
	a := &asked{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.note(r)
		w.Header().Set("retry-after-ms", "1")
		handler(w, r)
	}))
	t.Cleanup(s.Close)
	endpoint, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := NewTransport()
	t.Cleanup(transport.CloseIdleConnections)
	return NewClient(Options{
		Endpoint: endpoint, Scope: "x/.default", Credential: staticToken{secret, time.Now().Add(time.Hour)}, Transport: transport,
	}), a
}

type asked struct {
	mu    sync.Mutex
	lines []string
}

func (a *asked) note(r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lines = append(a.lines, r.Method+" "+r.URL.Path)
}

// steps answers one after the other, and the last for ever.
func steps(answers ...func(http.ResponseWriter, *http.Request)) http.HandlerFunc {
	var mu sync.Mutex
	n := 0
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		next := answers[min(n, len(answers)-1)]
		n++
		mu.Unlock()
		next(w, r)
	}
}

func say(status int, body string, header ...string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], strings.ReplaceAll(header[i+1], "SELF", "http://"+r.Host))
		}
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, body)
	}
}

func TestAChangeIsFollowedToItsEnd(t *testing.T) {
	async := []string{"Azure-AsyncOperation", "SELF/operations/1?x=1", "Location", "SELF/results/1"}
	accepted := say(202, `{"operation":"Upsert"}`, async...)
	busy := say(409, `{"error":{"code":"ServerIsBusy","message":"busy"}}`)
	for _, tt := range []struct {
		name    string
		method  string
		answers []func(http.ResponseWriter, *http.Request)
		want    string // what the error holds; empty for none
		calls   int
	}{
		{"to success", "PUT", fns(accepted, say(200, `{"status":"InProgress"}`), say(200, `{"status":"Succeeded"}`)), "", 3},
		{"a failure in HTTP 200", "PUT", fns(accepted, say(200, `{"status":"Failed","error":{"code":"InternalServerError","message":"no"}}`)),
			"the operation ended as Failed: InternalServerError: no", 2},
		{"a failure that says nothing", "PUT", fns(accepted, say(200, `{"status":"Canceled"}`)), "the operation ended as Canceled: it does not say why", 2},
		{"by Location alone", "PUT", fns(say(202, "", "Location", "SELF/results/1"), say(202, ""), say(200, `{}`)), "", 3},
		{"done at once", "PUT", fns(say(201, `{}`)), "", 1},
		{"nothing to delete", "DELETE", fns(say(204, "")), "", 1},
		{"nothing to delete, as an error", "DELETE", fns(say(404, `{"error":{"code":"ResourceNotFound"}}`)), "", 1},
		{"no server to delete from", "DELETE", fns(say(404, `{"error":{"code":"ParentResourceNotFound"}}`)), "ParentResourceNotFound", 1},
		{"after being busy", "DELETE", fns(busy, busy, say(200, "")), "", 3},
		{"another conflict", "PUT", fns(say(409, `{"error":{"code":"ScopeLocked","message":"locked"}}`)), "ScopeLocked", 1},
		{"nowhere to ask", "PUT", fns(say(202, "")), "does not say where to ask", 1},
		{"an operation that is forgotten", "PUT", fns(accepted, say(404, `{"error":{"code":"NotFound"}}`)), "ask how the operation went", 2},
		{"no JSON", "PUT", fns(accepted, say(200, "<html>")), "the answer is no JSON", 2},
		{"no status", "PUT", fns(accepted, say(200, `{}`)), "the answer has no status", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, asked := speak(t, steps(tt.answers...))
			var err error
			if tt.method == "PUT" {
				err = c.Put(t.Context(), c.Address("/rule", "v"), []byte(`{}`))
			} else {
				err = c.Delete(t.Context(), c.Address("/rule", "v"))
			}
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("error %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if len(asked.lines) != tt.calls {
				t.Errorf("%d calls, want %d: %v", len(asked.lines), tt.calls, asked.lines)
			}
		})
	}
}

func fns(f ...func(http.ResponseWriter, *http.Request)) []func(http.ResponseWriter, *http.Request) {
	return f
}

// An answer to a change may name any address: the token goes to none but its own.
func TestTheOperationOfAnotherHostIsNotFollowed(t *testing.T) {
	trap := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the other host was asked for %s with %q", r.URL, r.Header.Get("Authorization"))
	}))
	defer trap.Close()
	for _, header := range []string{"Azure-AsyncOperation", "Location"} {
		for _, to := range []string{trap.URL + "/operations/1", strings.Replace(trap.URL, "http:", "https:", 1), "//" + strings.TrimPrefix(trap.URL, "http://") + "/x"} {
			c, _ := speak(t, say(202, "", header, to))
			err := c.Put(t.Context(), c.Address("/rule", "v"), []byte(`{}`))
			if err == nil || !strings.Contains(err.Error(), "refuse the address of the operation") {
				t.Errorf("%s: %s: error %v", header, to, err)
			}
		}
	}
}

// Whatever a server echoes, and wherever a text is cut, no part of the token shows.
func TestAnEchoedTokenIsNotQuoted(t *testing.T) {
	for name, body := range map[string]string{
		"no JSON":   "Bearer " + secret + strings.Repeat("x", 100),
		"no list":   `{"token":"` + secret + strings.Repeat("x", 100) + `"}`,
		"an error":  `{"error":{"code":"X","message":"` + secret + `"}}`,
		"no status": `{"x":"` + secret + strings.Repeat("x", 100) + `"}`,
	} {
		for status := range map[int]bool{200: true, 400: true, 202: true} {
			c, _ := speak(t, say(status, body, "Azure-AsyncOperation", "SELF/1"))
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			errs := []error{
				c.List(ctx, c.Address("/list", "v"), func(json.RawMessage) error { return nil }),
				c.Put(ctx, c.Address("/rule", "v"), []byte("{}")),
			}
			cancel()
			for _, err := range errs {
				if err != nil && strings.Contains(err.Error(), secret[:12]) {
					t.Errorf("%s, HTTP %d: %v", name, status, err)
				}
			}
		}
	}
}

func TestAnEndlessOperationEndsWithItsContext(t *testing.T) {
	for name, answers := range map[string][]func(http.ResponseWriter, *http.Request){
		"in progress": fns(say(202, "", "Azure-AsyncOperation", "SELF/1"), say(200, `{"status":"InProgress"}`)),
		"busy":        fns(say(409, `{"error":{"code":"ServerIsBusy"}}`)),
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		c, _ := speak(t, steps(answers...))
		if err := c.Put(ctx, c.Address("/rule", "v"), []byte(`{}`)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// The recorded sequences of Azure are followed as Microsoft's own clients did.
func TestRecordedChangesAreFollowed(t *testing.T) {
	shared := sharedtest.Dir(t)
	paths, err := filepath.Glob(filepath.Join(shared, "azure", "recordings", "sequences", "*firewallrule-*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) { followRecorded(t, path) })
	}
}

type exchange struct {
	Request struct {
		Method, URL string
		Body        json.RawMessage
	}
	Response struct {
		Status  int
		Headers map[string]string
		Body    json.RawMessage
	}
}

func followRecorded(t *testing.T, path string) {
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []exchange
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	// The change and the looks at its operation; what comes after is other calls.
	n := 1
	for n < len(all) && strings.Contains(strings.ToLower(all[n].Request.URL), "azureasyncoperation") {
		n++
	}
	all = all[:n]
	var answers []func(http.ResponseWriter, *http.Request)
	var want []string
	for _, e := range all {
		u, err := url.Parse(e.Request.URL)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, e.Request.Method+" "+u.Path)
		var header []string
		for k, v := range e.Response.Headers {
			if !strings.EqualFold(k, "retry-after") { // the test has no minutes
				header = append(header, k, strings.ReplaceAll(v, "https://management.azure.com", "SELF"))
			}
		}
		answers = append(answers, say(e.Response.Status, string(e.Response.Body), header...))
	}
	c, asked := speak(t, steps(answers...))
	first, err := url.Parse(all[0].Request.URL)
	if err != nil {
		t.Fatal(err)
	}
	address := c.Address(first.Path, first.Query().Get("api-version"))
	if all[0].Request.Method == http.MethodPut {
		err = c.Put(t.Context(), address, all[0].Request.Body)
	} else {
		err = c.Delete(t.Context(), address)
	}
	if err != nil {
		t.Errorf("error %v", err)
	}
	if diff := cmp.Diff(want, asked.lines); diff != "" {
		t.Errorf("calls (-recorded +made):\n%s", diff)
	}
}

func TestWhoATokenSpeaksFor(t *testing.T) {
	for token, want := range map[string]Principal{
		"opaque": {Name: "(not named by the token)"},
		jwt(`{"tid":"t","oid":"o","upn":"anna@contoso.example"}`): {Tenant: "t", Name: "anna@contoso.example (object o)"},
		jwt(`{"tid":"t","appid":"a"}`):                            {Tenant: "t", Name: "application a"},
		jwt(`{"oid":"o"}`):                                        {Name: "object o"},
		jwt(`{}`):                                                 {Name: "(not named by the token)"},
		jwt(`[]`):                                                 {Name: "(not named by the token)"},
		"a.!.c":                                                   {Name: "(not named by the token)"},
	} {
		if diff := cmp.Diff(want, principalOf(token)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", token, diff)
		}
	}
}

func FuzzPrincipal(f *testing.F) {
	f.Add(jwt(`{"upn":"x"}`))
	f.Fuzz(func(t *testing.T, token string) {
		if principalOf(token).Name == "" {
			t.Error("nobody")
		}
	})
}
