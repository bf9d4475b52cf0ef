package resourcetype

import (
	"encoding/json"

	"github.com/posternhq/postern/asset"
)

// SingleServer is Azure Database for PostgreSQL Single Server, retired on
// 2025-03-28. Servers may linger, and they are the ones nobody looks at.
func SingleServer() Type {
	return Type{
		Name:        "Microsoft.DBforPostgreSQL/servers",
		Label:       "Single Server",
		APIVersions: []string{"2017-12-01"},
		Children:    singleChildren,
		Document:    singleServer{},
		Network:     singleNetwork,
	}
}

var singleChildren = []Child{firewallRules, virtualNetworkRules}

type singleServer struct {
	Resource
	Properties *struct {
		UserVisibleState           *string                     `json:"userVisibleState"`
		Version                    *string                     `json:"version"`
		PublicNetworkAccess        *string                     `json:"publicNetworkAccess"`
		SSLEnforcement             *string                     `json:"sslEnforcement"`
		MinimalTLSVersion          *string                     `json:"minimalTlsVersion"`
		InfrastructureEncryption   *string                     `json:"infrastructureEncryption"`
		PrivateEndpointConnections []privateEndpointConnection `json:"privateEndpointConnections"`
	} `json:"properties"`
}

type singleSettings struct {
	Properties *struct {
		PublicNetworkAccess        *string         `json:"publicNetworkAccess"`
		PrivateEndpointConnections json.RawMessage `json:"privateEndpointConnections"`
	} `json:"properties"`
}

func singleNetwork(a *asset.Asset) (asset.Network, error) {
	doc, err := decode[singleSettings](a)
	if err != nil {
		return asset.Network{}, err
	}
	n := networkOfChildren(a, singleChildren)
	n.Public = unclear("properties")
	if p := doc.Properties; p != nil {
		n.Public = enabledOrDisabled("properties.publicNetworkAccess", p.PublicNetworkAccess)
		if p.PublicNetworkAccess == nil {
			// Servers older than the switch do not have it and are public.
			n.Public = asset.PublicAccess{State: asset.On, Why: "properties.publicNetworkAccess is absent, which on Single Server means enabled"}
		}
		n.PrivateEndpoints = privateEndpoints(p.PrivateEndpointConnections)
	}
	return n, nil
}
