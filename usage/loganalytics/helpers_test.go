package loganalytics

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/posternhq/postern/arm"
	"github.com/posternhq/postern/azuresim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const token = "the-secret-token"

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// asked is a workspace that is asked, and the queries that it was asked.
type asked struct {
	Options
	queries []string
}

// month is how far the demo's log reaches back.
var month = now.AddDate(0, 0, -30)

// workspace serves a handler and makes options that read four days of the demo's
// log from it.
func workspace(t testing.TB, h http.Handler) *asked {
	t.Helper()
	a := &asked{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		a.queries = append(a.queries, string(body))
		r.Body = io.NopCloser(bytes.NewReader(body))
		h.ServeHTTP(w, r)
	}))
	transport := arm.NewTransport()
	t.Cleanup(func() { transport.CloseIdleConnections(); server.Close() })
	endpoint, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	credential, err := arm.NewCredential(arm.Cloud{}, token, now)
	if err != nil {
		t.Fatal(err)
	}
	a.Options = Options{
		Client:   arm.NewClient(arm.Options{Endpoint: endpoint, Scope: server.URL + "/.default", Credential: credential, Transport: transport}),
		Endpoint: endpoint, Workspace: azuresim.DemoWorkspace, Server: azuresim.DemoServer,
		From: now.AddDate(0, 0, -4), To: now,
	}
	return a
}

// demo is the demo's workspace; faults are written as for `postern sim --fault`.
func demo(t testing.TB, o azuresim.Options, faults ...string) *asked {
	t.Helper()
	return estate(t, azuresim.Demo(), o, faults...)
}

func estate(t testing.TB, e azuresim.Estate, o azuresim.Options, faults ...string) *asked {
	t.Helper()
	o.Now = func() time.Time { return now }
	for _, text := range faults {
		f, err := azuresim.ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		o.Faults = append(o.Faults, f)
	}
	sim, err := azuresim.New(e, o)
	if err != nil {
		t.Fatal(err)
	}
	return workspace(t, sim)
}

// read returns what was read, its lines among it.
func (a *asked) read(ctx context.Context) (lines []string, found Found, err error) {
	var all []byte
	found, err = Read(ctx, a.Options, func(in io.Reader) (err error) {
		all, err = io.ReadAll(in)
		return err
	})
	if text := strings.TrimSpace(string(all)); text != "" {
		lines = strings.Split(text, "\n")
	}
	return lines, found, err
}

// answering is a workspace that says the same whatever it is asked.
func answering(t testing.TB, status int, body string) *asked {
	t.Helper()
	return workspace(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, strings.ReplaceAll(body, "TOKEN", strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")))
	}))
}
