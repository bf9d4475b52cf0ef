package resourcetype

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/posternhq/postern/asset"
)

// Resource holds the fields that every ARM resource has.
type Resource struct {
	ID       *string `json:"id"`
	Name     *string `json:"name"`
	Type     *string `json:"type"`
	Location *string `json:"location"`
	// Tags are read as anything, so that an odd one cannot hide its server.
	Tags map[string]any `json:"tags"`
}

// The child lists of the PostgreSQL family.
var (
	firewallRules       = Child{Name: "firewallRules", Label: "firewall rule"}
	virtualNetworkRules = Child{Name: "virtualNetworkRules", Label: "virtual network rule"}
)

type privateEndpointConnection struct {
	ID         *string `json:"id"`
	Name       *string `json:"name"`
	Properties *struct {
		PrivateEndpoint *struct {
			ID *string `json:"id"`
		} `json:"privateEndpoint"`
		PrivateLinkServiceConnectionState *struct {
			Status *string `json:"status"`
		} `json:"privateLinkServiceConnectionState"`
	} `json:"properties"`
}

func decode[T any](a *asset.Asset) (T, error) {
	var doc T
	if err := json.Unmarshal(a.Body, &doc); err != nil {
		return doc, fmt.Errorf("read the document of %s: %w", a.ID, err)
	}
	return doc, nil
}

// networkOfChildren reads the two kinds of rule lists. A declared list that was
// never asked for is a gap of its own: it is not an empty one.
func networkOfChildren(a *asset.Asset, children []Child) asset.Network {
	var n asset.Network
	for _, c := range children {
		list, asked := a.Children[c.Name]
		gap := list.Gap
		if !asked {
			gap = &asset.Gap{
				Scope: a.ID, Operation: "list " + c.Label + "s", Permission: a.Type + "/" + c.Name + "/read",
				Message: "the source did not read this list",
			}
		}
		switch c.Name {
		case firewallRules.Name:
			n.FirewallGap = gap
			for _, item := range list.Items {
				n.FirewallRules = append(n.FirewallRules, firewallRule(item))
			}
		case virtualNetworkRules.Name:
			n.SubnetGap = gap
			for _, item := range list.Items {
				n.SubnetRules = append(n.SubnetRules, subnetRule(item))
			}
		}
	}
	return n
}

func firewallRule(item json.RawMessage) asset.FirewallRule {
	var doc struct {
		ID         *string `json:"id"`
		Name       *string `json:"name"`
		Properties *struct {
			Start    *string  `json:"startIpAddress"`
			End      *string  `json:"endIpAddress"`
			Prefixes []string `json:"sourceAddressPrefixes"`
		} `json:"properties"`
	}
	err := json.Unmarshal(item, &doc)
	rule := asset.FirewallRule{ID: text(doc.ID), Name: text(doc.Name)}
	switch {
	case err != nil:
		rule.Fault = fmt.Sprintf("its document cannot be read: %v", err)
	case doc.Properties == nil:
		rule.Fault = "it has no properties"
	default:
		rule.Start, rule.End = text(doc.Properties.Start), text(doc.Properties.End)
		rule.SourcePrefixes = doc.Properties.Prefixes
	}
	return rule
}

func subnetRule(item json.RawMessage) asset.SubnetRule {
	var doc struct {
		ID         *string `json:"id"`
		Name       *string `json:"name"`
		Properties *struct {
			Subnet *string `json:"virtualNetworkSubnetId"`
			State  *string `json:"state"`
		} `json:"properties"`
	}
	err := json.Unmarshal(item, &doc)
	rule := asset.SubnetRule{ID: text(doc.ID), Name: text(doc.Name)}
	switch {
	case err != nil:
		rule.Fault = fmt.Sprintf("its document cannot be read: %v", err)
	case doc.Properties == nil || doc.Properties.Subnet == nil:
		rule.Fault = "it names no subnet"
	default:
		rule.Subnet, rule.State = text(doc.Properties.Subnet), text(doc.Properties.State)
	}
	return rule
}

func privateEndpoints(connections []privateEndpointConnection) []asset.PrivateEndpoint {
	var endpoints []asset.PrivateEndpoint
	for _, c := range connections {
		e := asset.PrivateEndpoint{ID: text(c.ID), Name: text(c.Name)}
		if p := c.Properties; p != nil {
			if p.PrivateEndpoint != nil {
				e.Endpoint = text(p.PrivateEndpoint.ID)
			}
			if p.PrivateLinkServiceConnectionState != nil {
				e.Status = text(p.PrivateLinkServiceConnectionState.Status)
			}
		}
		endpoints = append(endpoints, e)
	}
	return endpoints
}

// enabledOrDisabled reads a switch of ARM's usual kind. Any third value, one
// that Azure may add tomorrow, is unclear rather than one of the two.
func enabledOrDisabled(field string, value *string) asset.PublicAccess {
	if value == nil {
		return unclear(field)
	}
	why := fmt.Sprintf("%s is %q", field, *value)
	switch {
	case strings.EqualFold(*value, "Enabled"):
		return asset.PublicAccess{State: asset.On, Why: why}
	case strings.EqualFold(*value, "Disabled"):
		return asset.PublicAccess{State: asset.Off, Why: why}
	default:
		return asset.PublicAccess{State: asset.Unclear, Why: why + ", which Postern does not know"}
	}
}

func unclear(field string) asset.PublicAccess {
	return asset.PublicAccess{State: asset.Unclear, Why: field + " is absent from the document"}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
