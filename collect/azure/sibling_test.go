package azure

import (
	"testing"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/resourcetype"
)

// The collector is driven by the table of types and knows none by name.
func TestATypeThatIsNewToTheTableIsCollected(t *testing.T) {
	sql := resourcetype.Type{
		Name: "Microsoft.Sql/servers", Label: "SQL server", APIVersions: []string{"2021-11-01"},
		Children: []resourcetype.Child{{Name: "firewallRules", Label: "firewall rule"}},
		Network:  func(*asset.Asset) (asset.Network, error) { return asset.Network{}, nil },
	}
	const server = "/subscriptions/" + sub + "/resourceGroups/rg/providers/Microsoft.Sql/servers/sql1"
	c, _ := newTest(t, answers{
		"/subscriptions/" + sub + "/providers/Microsoft.Sql/servers": text(`{"value":[{"id":"` + server + `"}]}`),
		server + "/firewallRules":                                    text(`{"value":[{"name":"r"}]}`),
	}, func(o *Options) { o.Types = []resourcetype.Type{sql} })
	sink, stats := run(t, c)
	if len(sink.Assets) != 1 || len(sink.Assets[0].Children["firewallRules"].Items) != 1 || stats.Calls != 3 {
		t.Errorf("assets %+v in %d calls", sink.Assets, stats.Calls)
	}
}
