package resourcetype

import (
	"encoding/json"
	"testing"

	"github.com/posternhq/postern/asset"
)

// mySQLFlexibleServer is what a sibling service takes: this much, in a file of
// its own, and a line in All. It is here to keep that true.
func mySQLFlexibleServer() Type {
	type document struct {
		Resource
		Properties *struct {
			Network *struct {
				PublicNetworkAccess       *string `json:"publicNetworkAccess"`
				DelegatedSubnetResourceID *string `json:"delegatedSubnetResourceId"`
			} `json:"network"`
		} `json:"properties"`
	}
	children := []Child{firewallRules}
	return Type{
		Name: "Microsoft.DBforMySQL/flexibleServers", Label: "MySQL Flexible Server",
		APIVersions: []string{"2023-12-30"}, Children: children, Document: document{},
		Network: func(a *asset.Asset) (asset.Network, error) {
			doc, err := decode[document](a)
			if err != nil {
				return asset.Network{}, err
			}
			n := networkOfChildren(a, children)
			n.Public = unclear("properties.network.publicNetworkAccess")
			if p := doc.Properties; p != nil && p.Network != nil {
				n.Public = enabledOrDisabled("properties.network.publicNetworkAccess", p.Network.PublicNetworkAccess)
				n.InjectedSubnet = text(p.Network.DelegatedSubnetResourceID)
			}
			return n, nil
		},
	}
}

func TestASiblingIsOneFile(t *testing.T) {
	typ := mySQLFlexibleServer()
	n, err := typ.Network(&asset.Asset{
		ID: "/x", Type: typ.Name, Body: json.RawMessage(`{"properties":{"network":{"publicNetworkAccess":"Enabled"}}}`),
		Children: map[string]asset.Children{"firewallRules": {Items: []json.RawMessage{
			json.RawMessage(`{"name":"AllowAllAzureServicesAndResourcesWithinAzureIps","properties":{"startIpAddress":"0.0.0.0","endIpAddress":"0.0.0.0"}}`),
		}}},
	})
	if err != nil || n.Public.State != asset.On || len(n.FirewallRules) != 1 || n.FirewallGap != nil {
		t.Errorf("the sibling's network is %+v, %v", n, err)
	}
}
