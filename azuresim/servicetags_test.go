package azuresim

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const tags25 = "/providers/Microsoft.Network/locations/westeurope/serviceTags?api-version=2025-05-01"

func TestServiceTags(t *testing.T) {
	s := newSim(t, Demo(), Options{PageSize: 4})
	var names []string
	path := subOne + tags25
	for path != "" {
		a := s.do("GET", path, "")
		if a.status != 200 || a.body["cloud"] != "Public" || a.body["id"] != subOne+"/providers/Microsoft.Network/serviceTags/Public" {
			t.Fatalf("%d %s", a.status, a.raw)
		}
		for _, v := range a.body["values"].([]any) {
			tag := v.(map[string]any)
			names = append(names, tag["name"].(string))
			if tag["name"] == "AzureCloud.northeurope" {
				want := map[string]any{
					"changeNumber": "1", "region": "northeurope", "state": "GA", "systemService": "",
					"networkFeatures": []any{"API", "NSG", "UDR", "FW"}, "addressPrefixes": []any{"198.51.100.128/25"},
				}
				if diff := cmp.Diff(want, tag["properties"]); diff != "" {
					t.Errorf("a tag (-want +got):\n%s", diff)
				}
			}
		}
		path, _ = a.body["nextLink"].(string)
	}
	want := "AppService.westeurope AzureCloud AzureCloud.northeurope AzureCloud.westeurope DataFactory.northeurope PowerBI"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("tags %s, want %s", got, want)
	}
	for path, status := range map[string]int{
		strings.Replace(tags25, "2025-05-01", "2020-04-01", 1): 200, strings.Replace(tags25, "2025-05-01", "new", 1): 400,
		strings.Replace(tags25, "westeurope", "atlantis", 1): 400,
	} {
		if a := s.get(subOne + path); a.status != status {
			t.Errorf("%s: %d, want %d", path, a.status, status)
		}
	}
	if a := s.do("PUT", subOne+tags25, "{}"); a.status != 405 {
		t.Errorf("PUT: %d", a.status)
	}
}

func TestDeniedServiceTags(t *testing.T) {
	e := Demo()
	e.Subscriptions[0].Denied = []string{"serviceTags/read"}
	s := newSim(t, e, Options{})
	if a := s.get(subOne + tags25); a.status != 403 || !strings.Contains(a.raw, "action 'Microsoft.Network/locations/serviceTags/read' over scope '"+subOne+"'") {
		t.Errorf("%d %s", a.status, a.raw)
	}
	if a := s.get(subTwo + tags25); a.status != 200 {
		t.Errorf("another subscription: %d", a.status)
	}
}
