package report_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go4.org/netipx"
	"pgregory.net/rapid"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/report"
	"github.com/posternhq/postern/scan"
	"github.com/posternhq/postern/usage"
	"github.com/posternhq/postern/usage/pglog"
)

const serviceTags = `{"values": [
	{"name": "AzureCloud.westus", "properties": {"region": "westus", "addressPrefixes": ["40.112.0.0/13"]}},
	{"name": "DataFactory.EastUS2", "properties": {"systemService": "DataFactory", "addressPrefixes": ["52.247.8.0/24"]}}]}`

var (
	htmlNow    = time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)
	azureDoor  = asset.FirewallRule{ID: "/door", Name: "AllowAllAzureIps", Start: "0.0.0.0", End: "0.0.0.0"}
	officeRule = asset.FirewallRule{ID: "/office", Name: "office", Start: "203.0.113.0", End: "203.0.113.7"}
)

// evidence is ten days of a log without a break, of a public server with the azure
// door and an office's rule.
func evidence(t testing.TB, clients ...usage.Client) usage.Evidence {
	t.Helper()
	tags, err := usage.ReadTags(strings.NewReader(serviceTags))
	if err != nil {
		t.Fatal(err)
	}
	return usage.Evidence{
		Access: usage.NewAccess(asset.Network{
			Public:           asset.PublicAccess{State: asset.On, Why: "public"},
			FirewallRules:    []asset.FirewallRule{azureDoor, officeRule},
			PrivateEndpoints: []asset.PrivateEndpoint{{Name: "pe", Status: "Approved"}},
		}),
		Sources:   []usage.Source{{Name: "the log", Kind: usage.LogSource, Log: logOf(10 * 24)}},
		Clients:   clients,
		Book:      usage.Book{Tags: tags},
		MinWindow: usage.DefaultMinWindow, Now: htmlNow,
	}
}

// logOf is a log of so many hours up to now, without those that are left out.
func logOf(hours int64, without ...int64) *pglog.Stats {
	end := htmlNow.Unix() / 3600
	s := &pglog.Stats{Files: 1, Entries: 1000, First: htmlNow.Add(-time.Duration(hours) * time.Hour), Last: htmlNow, Hours: map[int64]pglog.Hour{},
		Events: map[pglog.Kind]int64{pglog.Authorized: 500, pglog.Received: 500, pglog.Disconnected: 500}}
	for h := range hours {
		if !slices.Contains(without, h) {
			s.Hours[end-hours+h] = pglog.Hour{First: 0, Last: 3599}
		}
	}
	return s
}

func htmlClient(address, user string) usage.Client {
	return usage.Client{Address: address, User: user, Database: "orders", Application: "psql", Connections: 3, First: htmlNow.Add(-48 * time.Hour), Last: htmlNow.Add(-24 * time.Hour)}
}

// page writes the answer, and reads it back as XML, which is stricter than any
// browser: every element is closed and every attribute quoted.
func page(t testing.TB, e usage.Evidence) *element {
	t.Helper()
	return parse(t, html(t, usage.NewAnswer(e)))
}

func html(t testing.TB, a usage.Answer) []byte {
	t.Helper()
	var out bytes.Buffer
	u := report.Usage{
		Tool: scan.Tool{Name: "postern", Version: "v1.2.3"}, Source: "Azure (AzureCloud)", Now: htmlNow, Answer: a,
		Server: &asset.Asset{ID: "/subscriptions/s/orders-db", Name: "orders-db", Type: "Microsoft.DBforPostgreSQL/flexibleServers", Location: "eastus2"},
	}
	if err := report.UsageHTML(&out, u); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestThePageLeadsWithTheOutcome(t *testing.T) {
	unread := func(e *usage.Evidence) { e.Access = usage.UnreadableAccess("may not list firewall rules") }
	network := func(n asset.Network) func(*usage.Evidence) {
		return func(e *usage.Evidence) { e.Access = usage.NewAccess(n) }
	}
	office, app := htmlClient("203.0.113.7", "analytics"), htmlClient("52.247.8.14", "etl")
	tests := []struct {
		name     string
		evidence usage.Evidence
		change   func(*usage.Evidence)
		heading  string
		tone     string
		line     string
	}{
		{"safe", evidence(t, office), nil, "It is safe to close the azure door of orders-db", "pass", "safe to close: in 10 days"},
		{"one is cut off", evidence(t, office, app), nil, "Closing the azure door of orders-db cuts off 1 client", "open", "cuts off 1 client: "},
		{"two are cut off", evidence(t, app, htmlClient("52.247.8.14", "b")), nil, "Closing the azure door of orders-db cuts off 2 clients", "open", "cuts off 2 clients: "},
		{"not enough", evidence(t, office), unread, "Not enough evidence to close the azure door of orders-db", "unknown", "not enough evidence: not all rules were read: may not list firewall rules"},
		{"closed", evidence(t, office), network(asset.Network{Public: asset.PublicAccess{State: asset.On}, FirewallRules: []asset.FirewallRule{officeRule}}),
			"Nothing to close: the azure door of orders-db is not open", "pass", "closing the azure door cuts nothing off: "},
		{"latent", evidence(t, office), network(asset.Network{Public: asset.PublicAccess{State: asset.Off, Why: "switched off"}, FirewallRules: []asset.FirewallRule{azureDoor}}),
			"Nothing is cut off: the azure door of orders-db is latent", "latent", "closing the azure door cuts nothing off: the azure door is latent"},
		{"nothing was read", usage.Evidence{Now: htmlNow}, nil, "Not enough evidence to close the azure door of orders-db", "unknown", "not enough evidence: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.change != nil {
				tt.change(&tt.evidence)
			}
			root := page(t, tt.evidence)
			sound(t, root)
			if got := root.one("h1").words(); got != tt.heading {
				t.Errorf("the heading is %q, want %q", got, tt.heading)
			}
			if got := root.one("title").words(); got != tt.heading {
				t.Errorf("the title is %q", got)
			}
			if got := root.class("verdict"); len(got) != 1 || got[0].attr("class") != "verdict "+tt.tone {
				t.Errorf("the verdict's tone is not %q", tt.tone)
			}
			// The answer ends with one line, as the text does.
			if got := root.class("line-of-all"); len(got) != 1 || !strings.HasPrefix(got[0].words(), tt.line) {
				t.Errorf("the last line is not %q but %q", tt.line, got[0].words())
			}
			for _, want := range []string{"Azure (AzureCloud)", "postern v1.2.3", "2026-11-24 02:00:00Z", "What this cannot show"} {
				if !strings.Contains(root.words(), want) {
					t.Errorf("the page does not tell %q", want)
				}
			}
		})
	}
}

func TestAnAnswerThatIsNoneMakesAPage(t *testing.T) {
	root := parse(t, html(t, usage.Answer{}))
	sound(t, root)
	if got := root.one("h1").words(); got != "No answer about the azure door of orders-db" {
		t.Errorf("the heading is %q", got)
	}
}

func TestWhatIsMissingIsToldOnce(t *testing.T) {
	e := evidence(t, htmlClient("52.247.8.14", "etl"))
	e.Sources[0].Missing = []string{"a query gave a part of its result"}
	verdict := page(t, e).class("verdict")[0].words()
	if n := strings.Count(verdict, "a query gave a part of its result"); n != 1 || !strings.Contains(verdict, "there may be more, for the evidence is not complete.") {
		t.Errorf("the verdict is %q", verdict)
	}
}

func TestStrangersInsideAzureAreTheAlarm(t *testing.T) {
	stranger := htmlClient("40.119.3.201", "postgres")
	holding := func(address string, certainty usage.Certainty) *usage.Own {
		ip := netip.MustParseAddr(address)
		return usage.NewOwn([]usage.Holding{{Range: netipx.IPRangeFrom(ip, ip), Name: "app-billing", Certainty: certainty, Kind: "App Service", Resource: "/sites/app-billing", Note: "others share it"}})
	}
	tests := []struct {
		name         string
		client       usage.Client
		change       func(*usage.Evidence)
		alarm, doubt string
		whose        string
	}{
		{"nobody's", stranger, nil, "Let in from inside Azure: 1 address that nobody has claimed", "", "unclaimed"},
		{"no resource has it", stranger, func(e *usage.Evidence) { e.Book.Resources = usage.NewOwn(nil) }, "Let in from inside Azure: 1 address that no resource of yours has", "", "unknown tenant"},
		{"resources were read in part", stranger, func(e *usage.Evidence) {
			e.Book.Resources, e.Book.ResourceGaps = usage.NewOwn(nil), []string{"a subscription was not read"}
		}, "", "1 client: the address is inside Azure, and your own resources were not all read.", "not known"},
		{"a candidate", stranger, func(e *usage.Evidence) { e.Book.Resources = holding("40.119.3.201", usage.Candidate) }, "", "1 client: a resource of yours has the address", "may be yours"},
		{"owned", stranger, func(e *usage.Evidence) { e.Book.Resources = holding("40.119.3.201", usage.Owned) }, "", "", "yours"},
		{"no tags", stranger, func(e *usage.Evidence) { e.Book.Tags = nil }, "", "1 client: nothing is known of the address", "not known"},
		{"no address", htmlClient("", "postgres"), nil, "", "1 client: nothing is known of the address", "not known"},
		{"outside Azure", htmlClient("198.51.100.1", "postgres"), nil, "", "", "outside Azure"},
		{"refused", usage.Client{Address: "40.119.3.201", Refused: 7}, nil, "", "", "inside Azure"},
		{"let in before public access went off", stranger, func(e *usage.Evidence) {
			e.Access = usage.NewAccess(asset.Network{Public: asset.PublicAccess{State: asset.Off, Why: "off"}, FirewallRules: []asset.FirewallRule{azureDoor}})
		}, "Let in from inside Azure: 1 address that nobody has claimed", "", "unclaimed"},
		{"a rule of its own admits it", stranger, func(e *usage.Evidence) {
			e.Access = usage.NewAccess(asset.Network{Public: asset.PublicAccess{State: asset.On}, FirewallRules: []asset.FirewallRule{azureDoor, {ID: "/r", Name: "r", Start: "40.119.3.201", End: "40.119.3.201"}}})
		}, "", "", "inside Azure"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := evidence(t, tt.client)
			if tt.change != nil {
				tt.change(&e)
			}
			root := page(t, e)
			sound(t, root)
			alarm := ""
			if found := root.class("alarm"); len(found) > 0 {
				alarm = found[0].one("h2").words()
				if row := found[0].one("tbody").words(); !strings.Contains(row, "40.119.3.201") || !strings.Contains(row, "AzureCloud.westus") || !strings.Contains(row, "postgres") {
					t.Errorf("the alarm tells %q", row)
				}
			}
			if alarm != tt.alarm {
				t.Errorf("the alarm is %q, want %q", alarm, tt.alarm)
			}
			doubt := ""
			if found := root.class("doubt"); len(found) > 0 {
				doubt = found[0].one("li").words()
			}
			if !strings.HasPrefix(doubt, tt.doubt) || tt.doubt == "" && doubt != "" {
				t.Errorf("the doubt is %q, want %q", doubt, tt.doubt)
			}
			whose := root.class("clients")[0].one("tbody").all("td")[0]
			if got := whose.class("pill")[0].words(); got != tt.whose {
				t.Errorf("the address is said to be %q, want %q", got, tt.whose)
			}
			if held := len(e.Book.Resources.Holdings()) > 0; held && !strings.Contains(whose.words(), "/sites/app-billing") {
				t.Errorf("the resource is not named: %q", whose.words())
			}
		})
	}
}

// The structure of a page does not depend on what clients call themselves.
func TestNamesCannotChangeThePage(t *testing.T) {
	shape := func(user, database, application string) []string {
		clients := []usage.Client{htmlClient("40.119.3.201", user), htmlClient("203.0.113.7", user)}
		for i := range clients {
			clients[i].Database, clients[i].Application = database, application
		}
		e := evidence(t, clients...)
		e.Sources[0].Name = application + "x"
		out := html(t, usage.NewAnswer(e))
		if i := bytes.IndexFunc(out, unsafe); i >= 0 {
			t.Fatalf("the page holds a control character at %q", out[max(0, i-20):i+10])
		}
		root := parse(t, out)
		sound(t, root)
		var names []string
		root.walk(func(e *element) { names = append(names, e.name) })
		return names
	}
	want := shape("u", "d", "a")
	for _, name := range []string{
		hostile, `</td></tr></table><script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</style><style>*{}`,
		`</title><base href="//evil">`, `{{.}}`, `<!--`, `]]>`, `&lt;script&gt;`, "\u2067x\u2069", `@style@`, `javascript:alert(1)`,
	} {
		if diff := cmp.Diff(want, shape(name, name, name)); diff != "" {
			t.Errorf("%q changes the page:\n%s", name, diff)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.StringMatching(`[a-z<>&"'/\x00-\x1f\x{202a}-\x{202e}\x{2066}-\x{2069}{}!-]{1,40}`)
		if diff := cmp.Diff(want, shape(text.Draw(rt, "user"), text.Draw(rt, "database"), text.Draw(rt, "application"))); diff != "" {
			rt.Errorf("the page changed:\n%s", diff)
		}
	})
}

func TestAHostileAnswerMakesASoundPage(t *testing.T) {
	var out bytes.Buffer
	if err := report.UsageHTML(&out, hostileUsage(3)); err != nil {
		t.Fatal(err)
	}
	if i := bytes.IndexFunc(out.Bytes(), unsafe); i >= 0 {
		t.Errorf("the page holds a control character at %q", out.Bytes()[max(0, i-20):i+10])
	}
	sound(t, parse(t, out.Bytes()))
}

func TestOneStyleSheetIsAllowedAndNothingElse(t *testing.T) {
	root := page(t, evidence(t))
	sum := sha256.Sum256([]byte(root.one("style").text))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; img-src data:; base-uri 'none'; form-action 'none'"
	for _, meta := range root.all("meta") {
		if meta.attr("http-equiv") == "Content-Security-Policy" {
			if got := meta.attr("content"); got != want {
				t.Errorf("the policy is %q, want %q", got, want)
			}
			return
		}
	}
	t.Error("the page has no policy for content")
}

func TestManyClientsAreAllListedAndFewAreDrawn(t *testing.T) {
	const n = 2300
	e := evidence(t)
	for i := range n {
		e.Clients = append(e.Clients, htmlClient(fmt.Sprintf("40.112.%d.%d", i/256, i%256), "postgres"))
	}
	root := page(t, e)
	sound(t, root)
	listed := map[string]bool{}
	var parts []int
	for _, table := range root.class("clients") {
		rows := table.one("tbody").all("tr")
		parts = append(parts, len(rows))
		for _, row := range rows {
			listed[row.one("th").words()] = true
		}
	}
	if len(listed) != n || !slices.Equal(parts, []int{200, 1000, 1000, 100}) {
		t.Errorf("%d clients are listed, in parts of %v", len(listed), parts)
	}
	if got := len(root.class("seen")); got != 200 {
		t.Errorf("%d clients are drawn", got)
	}
	if got := root.all("summary"); len(got) != 3 || got[0].words() != "201 to 1,200 of 2,300 clients" || got[2].words() != "2,201 to 2,300 of 2,300 clients" {
		t.Errorf("the parts are called %q", got[0].words())
	}
	if !strings.Contains(root.words(), "is drawn for the first 200 of each way. All are listed") {
		t.Error("the page does not say that not all are drawn")
	}
	if alarm := root.class("alarm")[0]; len(alarm.one("tbody").all("tr")) != 12 || !strings.Contains(alarm.words(), "And 2,288 more addresses") {
		t.Errorf("the alarm tells %q", alarm.words())
	}
}

func TestTimeIsDrawnOnOneScale(t *testing.T) {
	// Hours 100 to 119 of 240 are missing: the log pauses from 99:59:59 to 120:00.
	var without []int64
	for h := range int64(20) {
		without = append(without, 100+h)
	}
	begin := htmlNow.Add(-240 * time.Hour)
	seen := func(from, to time.Duration) usage.Client {
		return usage.Client{Address: "203.0.113.7", User: fmt.Sprint(from), Connections: 1, First: begin.Add(from), Last: begin.Add(to)}
	}
	e := evidence(t, seen(0, 24*time.Hour), seen(120*time.Hour, 240*time.Hour), seen(240*time.Hour, 240*time.Hour), seen(-50*time.Hour, -40*time.Hour), seen(-50*time.Hour, 24*time.Hour), usage.Client{Address: "203.0.113.6", Connections: 1})
	e.Sources[0].Log = logOf(240, without...)
	root := page(t, e)
	rects := func(e *element) (out []string) {
		for _, r := range e.all("rect") {
			out = append(out, r.attr("class")+" "+r.attr("x")+"+"+r.attr("width"))
		}
		return out
	}
	var bars []string
	for _, s := range root.class("seen") {
		bars = append(bars, strings.Join(rects(s), ","))
	}
	want := []string{"pass 0+100", "pass 500+500", "pass 994+6", "", "pass 0+100", ""}
	if diff := cmp.Diff(want, bars); diff != "" {
		t.Errorf("the clients are drawn otherwise:\n%s", diff)
	}
	want = []string{"pass 0+1000", "back 416+84", "floor 416+84", "rests 500+500"}
	if diff := cmp.Diff(want, rects(root.class("strip")[0])); diff != "" {
		t.Errorf("the window is drawn otherwise:\n%s", diff)
	}
	if got := root.class("gaps")[0].words(); got != "From 2026-11-18 05:59:59Z to 2026-11-19 02:00:00Z (20 hours)." {
		t.Errorf("the gaps are %q", got)
	}
	if !strings.Contains(root.words(), "the log does not tell when") {
		t.Error("a client without a time is not told")
	}
}

// A thousand pauses on a thousand units: they are drawn as one gap, and none is lost.
func TestGapsThatTouchAreDrawnAsOne(t *testing.T) {
	const hours = 5000
	var without []int64
	for h := int64(2); h < hours; h += 5 {
		without = append(without, h, h+1, h+2)
	}
	e := evidence(t)
	e.Sources[0].Log = logOf(hours, without...)
	root := page(t, e)
	var floors []string
	for _, r := range root.class("strip")[0].class("floor") {
		floors = append(floors, r.attr("x")+"+"+r.attr("width"))
	}
	if len(floors) != 1 || !strings.HasPrefix(floors[0], "0+") {
		t.Errorf("the gaps are drawn as %v", floors)
	}
	if got := root.class("gaps")[0].all("li"); len(got) != 9 || got[8].words() != "992 shorter ones." {
		t.Errorf("%d gaps are told, and last %q", len(got), got[len(got)-1].words())
	}
}

func TestWhoMattersMostComesFirst(t *testing.T) {
	busy := htmlClient("40.119.3.202", "etl")
	busy.Connections = 90
	proved := usage.Client{Address: "198.51.100.9", User: "p", Authenticated: 2, First: htmlNow, Last: htmlNow}
	e := evidence(t, htmlClient("20.0.0.1", "mine"), proved, htmlClient("40.119.3.201", "postgres"), busy)
	own, err := usage.ReadOwn(strings.NewReader("20.0.0.1 my app"))
	if err != nil {
		t.Fatal(err)
	}
	e.Book.Own = own
	root := page(t, e)
	addresses := func(table *element) (out []string) {
		for _, row := range table.one("tbody").all("tr") {
			out = append(out, row.one("th").words())
		}
		return out
	}
	if diff := cmp.Diff([]string{"40.119.3.202", "40.119.3.201"}, addresses(root.class("alarm")[0])); diff != "" {
		t.Errorf("the alarm is in another order:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"40.119.3.201", "40.119.3.202", "198.51.100.9", "20.0.0.1"}, addresses(root.class("clients")[0])); diff != "" {
		t.Errorf("the clients are in another order:\n%s", diff)
	}
	if !strings.Contains(root.class("clients")[0].words(), "proved who it is 2 times, not seen let in") {
		t.Error("the page does not tell how often a client came that was not seen let in")
	}
}

type brokenWriter struct{ after int }

var errBroken = errors.New("broken pipe")

func (w *brokenWriter) Write(p []byte) (int, error) {
	if w.after -= len(p); w.after < 0 {
		return 0, errBroken
	}
	return len(p), nil
}

func TestAPageThatCannotBeWrittenIsAnError(t *testing.T) {
	e := evidence(t)
	for i := range 2000 {
		e.Clients = append(e.Clients, htmlClient("203.0.113.7", fmt.Sprint(i)))
	}
	for _, after := range []int{0, 100_000} {
		err := report.UsageHTML(&brokenWriter{after}, report.Usage{Server: &asset.Asset{}, Answer: usage.NewAnswer(e)})
		if !errors.Is(err, errBroken) {
			t.Errorf("after %d bytes the error is %v", after, err)
		}
	}
}
