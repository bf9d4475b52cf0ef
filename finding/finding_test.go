package finding_test

import (
	"testing"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/finding"
	"github.com/posternhq/postern/rule"
)

// The fingerprint is a promise to everybody who keeps findings: this value must
// never change.
func TestTheFingerprintIsStable(t *testing.T) {
	const id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.DBforPostgreSQL/flexibleServers/db"
	const want = "ca00c20d6bbce878669f5b4779060050"
	got := finding.Fingerprint("mhu-w8j-px0", id)
	if got != want {
		t.Errorf("the fingerprint is %s, was %s", got, want)
	}
	if finding.Fingerprint("MHU-w8j-px0", "/SUBSCRIPTIONS/s/resourcegroups/G/providers/microsoft.dbforpostgresql/flexibleservers/DB") != got {
		t.Error("the fingerprint depends on the case of the id")
	}
	if finding.Fingerprint("other", id) == got || finding.Fingerprint("mhu-w8j-px0", id+"2") == got {
		t.Error("two findings share a fingerprint")
	}
}

func TestListsAreNeverNull(t *testing.T) {
	page := &rule.Page{ID: "r"}
	a := &asset.Asset{ID: "/x"}
	f := finding.New(page, rule.Prepare(a, exposure.Exposure{}), rule.Result{Verdict: rule.Pass})
	if f.Evidence == nil || f.Resource.Tags == nil {
		t.Errorf("a list or map of the finding is null: %+v", f)
	}
}
