package resourcetype

import (
	"encoding/json"
	"fmt"

	"github.com/posternhq/postern/asset"
)

// FlexibleServer is Azure Database for PostgreSQL Flexible Server, the current
// generation; elastic clusters are of this type too.
func FlexibleServer() Type {
	return Type{
		Name:        "Microsoft.DBforPostgreSQL/flexibleServers",
		Label:       "Flexible Server",
		APIVersions: []string{"2025-08-01", "2024-08-01", "2022-12-01"},
		Children:    flexibleChildren,
		Document:    flexibleServer{},
		Network:     flexibleNetwork,
	}
}

var flexibleChildren = []Child{firewallRules}

type flexibleServer struct {
	Resource
	Properties *struct {
		State   *string `json:"state"`
		Version *string `json:"version"`
		Network *struct {
			PublicNetworkAccess         *string `json:"publicNetworkAccess"`
			DelegatedSubnetResourceID   *string `json:"delegatedSubnetResourceId"`
			PrivateDNSZoneArmResourceID *string `json:"privateDnsZoneArmResourceId"`
		} `json:"network"`
		PrivateEndpointConnections []privateEndpointConnection `json:"privateEndpointConnections"`
	} `json:"properties"`
}

type flexibleSettings struct {
	Properties *struct {
		Network *struct {
			PublicNetworkAccess       *string `json:"publicNetworkAccess"`
			DelegatedSubnetResourceID *string `json:"delegatedSubnetResourceId"`
		} `json:"network"`
		PrivateEndpointConnections json.RawMessage `json:"privateEndpointConnections"`
	} `json:"properties"`
}

func flexibleNetwork(a *asset.Asset) (asset.Network, error) {
	doc, err := decode[flexibleSettings](a)
	if err != nil {
		return asset.Network{}, err
	}
	n := networkOfChildren(a, flexibleChildren)
	n.Public = unclear("properties.network.publicNetworkAccess")
	if p := doc.Properties; p != nil {
		if p.Network != nil {
			n.Public = enabledOrDisabled("properties.network.publicNetworkAccess", p.Network.PublicNetworkAccess)
			switch subnet := text(p.Network.DelegatedSubnetResourceID); {
			case isSubnetID(subnet):
				n.InjectedSubnet = subnet
			case subnet != "" && n.Public.State != asset.Off:
				n.Public = asset.PublicAccess{State: asset.Unclear, Why: fmt.Sprintf("properties.network.delegatedSubnetResourceId is %q, which is no subnet", subnet)}
			}
		}
		n.PrivateEndpoints = privateEndpoints(p.PrivateEndpointConnections)
	}
	return n, nil
}
