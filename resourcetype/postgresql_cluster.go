package resourcetype

import (
	"encoding/json"
	"fmt"

	"github.com/posternhq/postern/asset"
)

// ClusterV2 is Azure Cosmos DB for PostgreSQL (Citus). It has no
// publicNetworkAccess: the coordinator and the worker nodes each have a switch,
// and the one list of firewall rules stands before both.
func ClusterV2() Type {
	return Type{
		Name:        "Microsoft.DBforPostgreSQL/serverGroupsv2",
		Label:       "Cosmos DB for PostgreSQL cluster",
		APIVersions: []string{"2022-11-08"},
		Children:    clusterChildren,
		Document:    clusterV2{},
		Network:     clusterNetwork,
	}
}

var clusterChildren = []Child{firewallRules}

type clusterV2 struct {
	Resource
	Properties *struct {
		State                           *string                     `json:"state"`
		PostgresqlVersion               *string                     `json:"postgresqlVersion"`
		CoordinatorEnablePublicIPAccess *bool                       `json:"coordinatorEnablePublicIpAccess"`
		NodeEnablePublicIPAccess        *bool                       `json:"nodeEnablePublicIpAccess"`
		NodeCount                       *int                        `json:"nodeCount"`
		PrivateEndpointConnections      []privateEndpointConnection `json:"privateEndpointConnections"`
	} `json:"properties"`
}

type clusterSettings struct {
	Properties *struct {
		CoordinatorEnablePublicIPAccess *bool           `json:"coordinatorEnablePublicIpAccess"`
		NodeEnablePublicIPAccess        *bool           `json:"nodeEnablePublicIpAccess"`
		NodeCount                       *int            `json:"nodeCount"`
		PrivateEndpointConnections      json.RawMessage `json:"privateEndpointConnections"`
	} `json:"properties"`
}

func clusterNetwork(a *asset.Asset) (asset.Network, error) {
	doc, err := decode[clusterSettings](a)
	if err != nil {
		return asset.Network{}, err
	}
	n := networkOfChildren(a, clusterChildren)
	n.Public = unclear("properties")
	if p := doc.Properties; p != nil {
		n.Public = clusterPublicAccess(p.CoordinatorEnablePublicIPAccess, p.NodeEnablePublicIPAccess, p.NodeCount)
		n.PrivateEndpoints = privateEndpoints(p.PrivateEndpointConnections)
	}
	return n, nil
}

// clusterPublicAccess is on when either switch is: the rules then reach the
// coordinator, the workers, or both.
func clusterPublicAccess(coordinator, node *bool, nodes *int) asset.PublicAccess {
	const c, w = "properties.coordinatorEnablePublicIpAccess", "properties.nodeEnablePublicIpAccess"
	switch {
	case isTrue(coordinator) && isTrue(node):
		return asset.PublicAccess{State: asset.On, Why: c + " and " + w + " are true: the rules reach the coordinator and the worker nodes"}
	case isTrue(coordinator):
		return asset.PublicAccess{State: asset.On, Why: c + " is true: the rules reach the coordinator"}
	case isTrue(node):
		return asset.PublicAccess{State: asset.On, Why: w + " is true: the rules reach the worker nodes"}
	case coordinator == nil:
		return unclear(c)
	case node == nil && nodes != nil && *nodes == 0:
		return asset.PublicAccess{State: asset.Off, Why: c + " is false, and the cluster has no worker nodes"}
	case node == nil:
		return unclear(w)
	default:
		return asset.PublicAccess{State: asset.Off, Why: fmt.Sprintf("%s and %s are false", c, w)}
	}
}

func isTrue(b *bool) bool { return b != nil && *b }
