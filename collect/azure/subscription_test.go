package azure

import (
	"fmt"
	"strings"
	"testing"
)

func TestSubscriptionsAreChosenByIDOrName(t *testing.T) {
	all := []subscription{{"id-1", "Production"}, {"id-2", "Test"}, {"id-3", "test"}}
	tests := []struct {
		wanted []string
		want   string
	}{
		{nil, "3"},
		{[]string{"ID-1"}, "1"},
		{[]string{"production", "id-1"}, "1"},
		{[]string{"id-2", "id-3"}, "2"},
		{[]string{"test"}, "fits 2 subscriptions: Test (id-2), test (id-3)"},
		{[]string{"Prod"}, `"Prod" is not among those this credential sees: Production (id-1)`},
	}
	for _, tt := range tests {
		chosen, err := choose(all, tt.wanted)
		got := fmt.Sprint(len(chosen))
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, tt.want) {
			t.Errorf("%v gives %s, want %s", tt.wanted, got, tt.want)
		}
	}
}

func FuzzNewAsset(f *testing.F) {
	f.Add([]byte(`{"id":"/subscriptions/s/resourceGroups/g/providers/Microsoft.DBforPostgreSQL/flexibleServers/n"}`))
	f.Fuzz(func(t *testing.T, item []byte) {
		a, err := newAsset(subscription{ID: "s"}, flexibleType, "v", item)
		if err == nil && !strings.HasPrefix(strings.ToLower(a.ID), "/subscriptions/s/resourcegroups/") {
			t.Errorf("took the id %q", a.ID)
		}
	})
}
