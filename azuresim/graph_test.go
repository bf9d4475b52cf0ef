package azuresim

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const graph22 = "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01"

// graph asks Resource Graph; options is a JSON object, empty for none.
func (s *sim) graph(query, options string, subscriptions ...string) answer {
	s.t.Helper()
	body := map[string]any{"query": query}
	if options != "" {
		body["options"] = json.RawMessage(options)
	}
	if len(subscriptions) > 0 {
		body["subscriptions"] = subscriptions
	}
	return s.do("POST", graph22, string(marshal(body)), "Content-Type", "application/json")
}

// rows are one column of an answer's data, joined.
func (a answer) rows(column string) string {
	data, _ := a.body["data"].([]any)
	var all []string
	for _, row := range data {
		all = append(all, fmt.Sprint(row.(map[string]any)[column]))
	}
	return strings.Join(all, " ")
}

func TestGraphQueries(t *testing.T) {
	e := Demo()
	e.Subscriptions[2].Servers[1].Denied = []string{"read"} // rota-db
	for _, c := range []struct{ query, column, want string }{
		{"resources | where type =~ 'Microsoft.Network/publicIPAddresses' | project id, ip = properties.ipAddress", "ip", "198.51.100.20 <nil>"},
		{"Resources | where type == 'Microsoft.Web/sites'", "name", ""}, // types are in lower case
		{"resources | where type in~ ('microsoft.web/SITES', \"microsoft.network/natGateways\") | project id, name | order by id asc", "name", "shop-nat shop-invoicing"},
		{"resources | where type =~ 'microsoft.web/sites' and properties.outboundIpAddresses has '198.51.100.61' | project name", "name", "shop-invoicing"},
		{"resources | where type =~ 'microsoft.dbforpostgresql/servers' | project name", "name", ""},
		{"resources | where type startswith 'microsoft.dbforpostgresql/' | project id, name | order by name desc | take 3", "name", "search-db reports-db payroll-db"},
		{"resources | where type =~ 'microsoft.dbforpostgresql/servergroupsv2' | where properties.coordinatorEnablePublicIpAccess == true | project name, resourceGroup", "resourceGroup", "analytics analytics"},
		{"resources | where resourceGroup == 'shop' | summarize n = count() by type | where n > 1 | project type", "type",
			"microsoft.dbforpostgresql/flexibleservers microsoft.network/publicipaddresses"},
		{"resources | where isnotempty(tags['team']) and not(type contains 'postgresql') | project id, team = tostring(tags.team)", "team", "checkout checkout billing"},
		{"resources | count", "Count", "13"},
	} {
		a := newSim(t, e, Options{}).graph(c.query, "")
		if a.status != 200 || a.rows(c.column) != c.want {
			t.Errorf("%s: %d %q, want %q\n%s", c.query, a.status, a.rows(c.column), c.want, a.raw)
		}
	}
}

func TestGraphRow(t *testing.T) {
	s := newSim(t, Demo(), Options{})
	a := s.graph("resources | where name == 'orders-db'", "", "5B000001-0000-4000-8000-000000000001")
	row := a.body["data"].([]any)[0].(map[string]any)
	network := row["properties"].(map[string]any)["network"].(map[string]any)
	got := []any{row["id"], row["type"], row["location"], row["resourceGroup"], network["publicNetworkAccess"], row["tags"].(map[string]any)["team"]}
	want := []any{orders, "microsoft.dbforpostgresql/flexibleservers", "westeurope", "shop", "Enabled", "checkout"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("row (-want +got):\n%s", diff)
	}
	if !s.truth.seen["POST graph 2022-10-01 200"] {
		sharedDir(t)
		t.Error("the answer was not compared")
	}
	if a := s.graph("resources", "", strings.TrimPrefix(subThree, "/subscriptions/")); a.rows("name") != "payroll-db rota-db" {
		t.Errorf("one subscription: %s", a.rows("name"))
	}
}

func TestGraphPages(t *testing.T) {
	s := newSim(t, Demo(), Options{})
	const query = "resources | project id, name | order by id asc"
	all := s.graph(query, "").rows("name")
	var pages []string
	options := `{"$top":4,"resultFormat":"objectArray"}`
	for len(pages) < 10 {
		a := s.graph(query, options)
		if a.body["totalRecords"] != 14.0 || a.body["resultTruncated"] != "false" {
			t.Fatalf("page: %s", a.raw)
		}
		pages = append(pages, a.rows("name"))
		token, more := a.body["$skipToken"].(string)
		if !more {
			break
		}
		options = fmt.Sprintf(`{"$skipToken":%q}`, token)
	}
	if got := strings.Join(pages, " "); len(pages) != 4 || got != all {
		t.Errorf("%d pages: %s\nwant %s", len(pages), got, all)
	}
	if a := s.graph("resources | project name", `{"$top":4}`); a.body["resultTruncated"] != "true" || a.body["$skipToken"] != nil {
		t.Errorf("without an id: %s", a.raw)
	}
	if a := s.graph(query, `{"$skip":12}`); strings.Count(a.rows("name"), " ") != 1 {
		t.Errorf("skipped: %s", a.rows("name"))
	}
}

func TestGraphRefuses(t *testing.T) {
	s := newSim(t, Demo(), Options{})
	for query, want := range map[string]string{
		"resources | join kind=inner (resources) on id": `{"characterPositionInLine":12,"code":"ParserFailure","line":1,"message":"ParserFailure","token":"join"}`,
		"resources\n| where type =~ 'unclosed":          `"characterPositionInLine":16,"code":"ParserFailure","line":2,"message":"ParserFailure","token":"'"`,
		"where type =~ 'x'":                             `"token":"type"`,
		"securityresources":                             `"ParserFailure"`,
		"resources | where colour == 'red'":             `"code":"SemanticFailure","message":"'where' operator: Failed to resolve column or scalar expression named 'colour'"`,
		"":                                              `"ParserFailure"`,
		"resources | project a = b = c":                 `"token":"="`,
	} {
		s.clock.advance(graphWindow)
		a := s.graph(query, "")
		if a.status != 400 || a.code() != "BadRequest" || !strings.Contains(a.raw, `"code":"InvalidQuery"`) || !strings.Contains(a.raw, want) {
			t.Errorf("%q: %d %s, want %s", query, a.status, a.raw, want)
		}
	}
	for _, options := range []string{`{"$top":1001}`, `{"$top":0}`, `{"$skipToken":"x"}`, `{"resultFormat":"table"}`, `{"$skip":-1}`, `[]`} {
		s.clock.advance(graphWindow)
		if a := s.graph("resources", options); a.status != 400 {
			t.Errorf("%s: %d", options, a.status)
		}
	}
	if a := s.get(graph22); a.status != 405 {
		t.Errorf("GET: %d", a.status)
	}
	if a := s.do("POST", strings.Replace(graph22, "2022", "2000", 1), "{}"); a.code() != "NoRegisteredProviderFound" {
		t.Errorf("version: %s", a.raw)
	}
	if a := s.get("/providers/Microsoft.Nothing/things?api-version=2022-10-01"); a.status != 404 {
		t.Errorf("another provider: %d", a.status)
	}
}

func TestGraphQuota(t *testing.T) {
	s := newSim(t, Demo(), Options{})
	for i := range 15 {
		a := s.graph("resources | count", "")
		if a.status != 200 || a.header.Get("X-Ms-User-Quota-Remaining") != fmt.Sprint(14-i) || a.header.Get("X-Ms-User-Quota-Resets-After") != "00:00:05" {
			t.Fatalf("query %d: %d %v", i+1, a.status, a.header)
		}
	}
	s.clock.advance(3 * time.Second)
	a := s.graph("resources | count", "")
	if a.status != 429 || a.code() != "RateLimiting" || a.header.Get("Retry-After") != "2" || a.header.Get("X-Ms-User-Quota-Resets-After") != "00:00:02" {
		t.Errorf("query 16: %d %v %s", a.status, a.header, a.raw)
	}
	s.clock.advance(2 * time.Second)
	if a := s.graph("resources | count", ""); a.status != 200 {
		t.Errorf("after the window: %d", a.status)
	}
}

func TestGraphDenied(t *testing.T) {
	e := Demo()
	e.Subscriptions[0].Denied = []string{"resources/read"}
	s := newSim(t, e, Options{Faults: mustParse(t, "429,path=/providers/Microsoft.ResourceGraph,times=1,retry-after=4")})
	if a := s.graph("resources", ""); a.code() != "RateLimiting" || a.header.Get("Retry-After") != "4" {
		t.Errorf("fault: %s", a.raw)
	}
	if a := s.graph("resources | where type =~ 'microsoft.web/sites'", ""); a.status != 200 || a.rows("name") != "" {
		t.Errorf("all subscriptions: %d %s", a.status, a.rows("name"))
	}
	for _, id := range []string{"5b000001-0000-4000-8000-000000000001", "5b0000ff-0000-4000-8000-000000000001"} {
		if a := s.graph("resources", "", id); a.status != 403 || a.code() != "AccessDenied" {
			t.Errorf("%s: %d %s", id, a.status, a.raw)
		}
	}
}
