package asset_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/posternhq/postern/asset"
)

func TestAGapSaysWhatIsMissing(t *testing.T) {
	tests := []struct {
		gap  asset.Gap
		want string
	}{
		{asset.Gap{Scope: "/s", Operation: "list firewall rules", Permission: "p/read", Status: 403, Message: "long words"}, "p/read denied at /s: HTTP 403"},
		{asset.Gap{Scope: "/s", Operation: "list firewall rules", Permission: "p/read", Status: 401, Message: "expired"}, "could not list firewall rules at /s: HTTP 401: expired"},
		{asset.Gap{Scope: "/s", Operation: "list firewall rules", Permission: "p/read", Status: 429, Message: "slow down"}, "could not list firewall rules at /s: HTTP 429: slow down"},
		{asset.Gap{Scope: "/s", Operation: "list firewall rules", Permission: "p/read", Message: "cut"}, "could not list firewall rules at /s: cut"},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, tt.gap.String()); diff != "" {
			t.Errorf("gap (-want +got):\n%s", diff)
		}
	}
}

func TestGapsAreThoseOfTheChildren(t *testing.T) {
	a := &asset.Asset{Children: map[string]asset.Children{
		"z": {Gap: &asset.Gap{Scope: "z"}}, "m": {}, "a": {Gap: &asset.Gap{Scope: "a"}},
	}}
	if diff := cmp.Diff([]asset.Gap{{Scope: "a"}, {Scope: "z"}}, a.Gaps()); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
}

func TestIDsCompareWithoutCase(t *testing.T) {
	if !asset.SameID("/subscriptions/A/resourceGroups/B", "/SUBSCRIPTIONS/a/resourcegroups/b") || asset.SameID("/a", "/b") {
		t.Error("ids must compare without case and with nothing else")
	}
}
