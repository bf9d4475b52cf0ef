package resourcetype

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/internal/jsonkeys"
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

// decode reads what T asks of a body. Readers ask for no more than they need:
// an odd field elsewhere must not hide a server's doors.
func decode[T any](a *asset.Asset) (T, error) {
	var doc T
	if err := unmarshalOnce(a.Body, &doc); err != nil {
		return doc, fmt.Errorf("read the network settings of %s: %w", a.ID, err)
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

// unmarshalOnce decodes a document that says every key once.
func unmarshalOnce(item json.RawMessage, doc any) error {
	if err := json.Unmarshal(item, doc); err != nil {
		return err
	}
	if key := jsonkeys.Twice(item, 0); key != "" {
		return fmt.Errorf("it says %q twice", key)
	}
	return nil
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
	err := unmarshalOnce(item, &doc)
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
	err := unmarshalOnce(item, &doc)
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

// privateEndpoints reads the connections one by one. They stand beside the
// firewall, so one that cannot be read leaves the other doors as they are.
func privateEndpoints(list json.RawMessage) []asset.PrivateEndpoint {
	var connections []json.RawMessage
	if len(list) > 0 {
		if err := json.Unmarshal(list, &connections); err != nil {
			return []asset.PrivateEndpoint{{Fault: fmt.Sprintf("the list of them cannot be read: %v", err)}}
		}
	}
	var endpoints []asset.PrivateEndpoint
	for _, connection := range connections {
		var c privateEndpointConnection
		err := json.Unmarshal(connection, &c)
		e := asset.PrivateEndpoint{ID: text(c.ID), Name: text(c.Name)}
		if err != nil {
			e.Fault = fmt.Sprintf("its document cannot be read: %v", err)
		}
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
	case is(*value, "Enabled"):
		return asset.PublicAccess{State: asset.On, Why: why}
	case is(*value, "Disabled"):
		return asset.PublicAccess{State: asset.Off, Why: why}
	default:
		return asset.PublicAccess{State: asset.Unclear, Why: why + ", which Postern does not know"}
	}
}

// is compares without the case of ASCII letters: a long s is no s.
func is(value, word string) bool { return len(value) == len(word) && strings.EqualFold(value, word) }

// isSubnetID reports whether a value names a subnet. Anything else in its place
// does not put a server into a network.
func isSubnetID(id string) bool {
	lower := strings.ToLower(id)
	return strings.HasPrefix(lower, "/subscriptions/") && strings.Contains(lower, "/subnets/")
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
