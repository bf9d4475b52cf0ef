package azuresim

import (
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The recorded changes of live servers, done again on the simulation: the same
// requests must get the same statuses, headers and bodies of the same shape.
func TestRecordedSequences(t *testing.T) {
	dir := sharedDir(t)
	for _, pattern := range []string{"*firewallrule-*.json", "*vnetrule-*.json", "*configuration-p*.json"} {
		sequences, err := readExchanges(dir, "sequences/"+pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range slices.Sorted(maps.Keys(sequences)) {
			t.Run(name, func(t *testing.T) { replay(t, sequences[name]) })
		}
	}
}

func replay(t *testing.T, sequence []exchange) {
	s := newSim(t, estateBefore(t, sequence), Options{})
	var started answer
	for i, e := range sequence {
		a, _ := parseAddress(e.url().Path)
		target := e.url().Path + "?api-version=" + knownVersion(e.url().Query().Get("api-version"))
		if isOperation(a) {
			target = started.header.Get("Azure-AsyncOperation")
			if shape := operationShape(e.url().Path); shape != operationShape(target) {
				t.Errorf("poll address: recorded %s, got %s", shape, operationShape(target))
			}
			if e.Response.Body.(map[string]any)["status"] != "InProgress" {
				s.clock.advance(time.Second)
			}
		}
		got := s.do(e.Request.Method, target, recordedBody(e))
		if got.status == http.StatusAccepted {
			started = got
		}
		if got.status != e.Response.Status {
			t.Fatalf("step %d: got %d, recorded %d\n%s", i+1, got.status, e.Response.Status, got.raw)
		}
		compareShape(t, fmt.Sprintf("step %d, %s %s", i+1, e.Request.Method, target), e, got)
	}
}

// compareShape wants everything of the recorded answer: its headers, the keys of its body, and the values that are not about one moment.
func compareShape(t *testing.T, step string, e exchange, got answer) {
	t.Helper()
	for name := range e.Response.Headers {
		if got.header.Get(name) == "" {
			t.Errorf("%s: no header %s", step, name)
		}
	}
	if diff := cmp.Diff(shape(e.Response.Body, ""), shape(got.body, "")); diff != "" {
		t.Errorf("%s: body (-recorded +got):\n%s", step, diff)
	}
}

// momentary are the values that no two answers share.
var momentary = []string{"startTime", "name", "id", "description", "documentationLink", "allowedValues", "dataType", "defaultValue", "unit"}

// shape is a body with such values left out and the rest as it is. Units are
// recorded for some parameters; the simulation has none.
func shape(v any, key string) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			if k != "unit" {
				out[k] = shape(e, k)
			}
		}
		return out
	case []any:
		if len(v) == 0 {
			return v
		}
		return []any{shape(v[0], key)}
	default:
		if slices.Contains(momentary, key) {
			return "…"
		}
		return v
	}
}

// knownVersion puts an api-version of the simulation in the place of an older
// recorded one.
func knownVersion(recorded string) string {
	if recorded == "2021-06-01" || strings.HasSuffix(recorded, "-preview") {
		return "2022-12-01"
	}
	return recorded
}

// operationShape is a poll address without what differs from one to the next.
func operationShape(address string) string {
	_, rest, _ := strings.Cut(address, "/subscriptions/")
	parts := strings.Split(strings.Split(rest, "?")[0], "/")
	return strings.Join(append(parts[1:len(parts)-3], parts[len(parts)-2]), "/")
}

// recordedBody is a request's body. Some were recorded as Python shows bytes.
func recordedBody(e exchange) string {
	body := string(e.Request.Body)
	if inner, quoted := strings.CutPrefix(body, `"b'`); quoted {
		return strings.ReplaceAll(strings.TrimSuffix(inner, `'"`), `\"`, `"`)
	}
	if body == "null" {
		return ""
	}
	return body
}

// estateBefore is a server as it was before the sequence: with what it deletes
// or changes, and with what its last answer shows beside that.
func estateBefore(t *testing.T, sequence []exchange) Estate {
	first := sequence[0]
	a, ok := parseAddress(first.url().Path)
	if !ok || len(a.names) != 2 {
		t.Fatalf("cannot read %s", first.Request.URL)
	}
	typ, _ := typeNamed(a.types[0])
	srv := DBServer{Kind: typ.kind, Name: a.names[0], ResourceGroup: a.group, Location: recordedLocation(first),
		Configurations: map[string]string{"lock_timeout": "0", "array_nulls": "on"}}
	subnet := "/subscriptions/" + a.subscription + "/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
	if first.Request.Method == http.MethodDelete {
		srv.FirewallRules = append(srv.FirewallRules, Rule{a.names[1], "192.0.2.1", "192.0.2.1", nil})
		if typ.kind == Single {
			srv.VNetRules = append(srv.VNetRules, VNetRule{Name: a.names[1], Subnet: subnet})
		}
	}
	last, _ := sequence[len(sequence)-1].Response.Body.(map[string]any)
	items, _ := last["value"].([]any)
	for _, v := range items {
		item := v.(map[string]any)
		p := item["properties"].(map[string]any)
		if start, isRule := p["startIpAddress"].(string); isRule {
			srv.FirewallRules = append(srv.FirewallRules, Rule{item["name"].(string), start, p["endIpAddress"].(string), nil})
		} else {
			srv.VNetRules = append(srv.VNetRules, VNetRule{item["name"].(string),
				p["virtualNetworkSubnetId"].(string), p["ignoreMissingVnetServiceEndpoint"].(bool)})
		}
	}
	return Estate{Subscriptions: []Subscription{{ID: a.subscription, Servers: []DBServer{srv}}}}
}

// recordedLocation is the region in the poll address of the first answer.
func recordedLocation(e exchange) string {
	poll, _ := e.Response.Headers["azure-asyncoperation"].(string)
	return path.Base(path.Dir(path.Dir(strings.Split(poll, "?")[0])))
}
