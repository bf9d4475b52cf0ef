// Package asset is what a collector found, the same whatever the source: a
// resource with its type, id, body and children, where it came from, and the
// gaps: what was there but could not be read, and the permission or reason.
//
// An asset carries the body as the source gave it, because services send fields
// that no published schema names and some of them matter. The package knows
// neither rules nor Azure's HTTP.
package asset

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Asset is one resource as a collector found it. Collectors fill it once;
// everybody else reads it.
type Asset struct {
	// ID names the resource within its source: the ARM id for Azure, in the
	// spelling Azure used. Compare with [SameID].
	ID string `json:"id"`
	// Type is the resource type in the spelling of the resourcetype package,
	// such as Microsoft.DBforPostgreSQL/flexibleServers.
	Type string `json:"type"`
	// Name is the resource's own name, the last part of its id.
	Name string `json:"name"`
	// SubscriptionID, SubscriptionName and ResourceGroup say where in Azure the
	// resource lives.
	SubscriptionID   string `json:"subscription_id,omitempty"`
	SubscriptionName string `json:"subscription_name,omitempty"`
	ResourceGroup    string `json:"resource_group,omitempty"`
	// Location is the region as the source spells it: "eastus2" or "East US 2".
	Location string            `json:"location,omitempty"`
	Tags     map[string]string `json:"tags,omitempty"`
	Origin   Origin            `json:"origin"`
	// Body is the resource's own document, unchanged.
	Body json.RawMessage `json:"body"`
	// Children are the lists below the resource, by the name of the child type
	// ("firewallRules"). A name that is not in the map was never asked for,
	// which is not the same as an empty list.
	Children map[string]Children `json:"children,omitempty"`
}

// Children is one list below a resource.
type Children struct {
	// Items are the children's bodies, unchanged and in the source's order.
	Items []json.RawMessage `json:"items"`
	// Gap is nil when the list is whole. Otherwise it says what stopped the
	// reading, and Items holds what had been read before.
	Gap *Gap `json:"gap,omitempty"`
}

// Origin says where an asset was read, so that a person can go and look.
type Origin struct {
	// Source is the kind of source: "arm" for a live Azure.
	Source string `json:"source"`
	// APIVersion is the ARM API version the body was read with.
	APIVersion string `json:"api_version,omitempty"`
}

// Gap is something that is there but could not be read.
type Gap struct {
	// Scope is the ARM id of what the reading was about: a subscription, a server.
	Scope string `json:"scope"`
	// Operation says in words what was tried: "list firewall rules".
	Operation string `json:"operation"`
	// Permission is the Azure role action that the reading needs, such as
	// Microsoft.DBforPostgreSQL/flexibleServers/firewallRules/read.
	Permission string `json:"permission"`
	// Status is the HTTP status of the last answer, 0 where none came.
	Status int `json:"status"`
	// Message is what the source said, or what went wrong on the way to it.
	Message string `json:"message"`
}

// String is the gap as one sentence, for a reason in a verdict. A denial says
// which permission is missing where; Azure's own words on it are in Message.
func (g Gap) String() string {
	var b strings.Builder
	denied := g.Status == 403
	if denied {
		fmt.Fprintf(&b, "%s denied at %s", g.Permission, g.Scope)
	} else {
		fmt.Fprintf(&b, "could not %s at %s", g.Operation, g.Scope)
	}
	if g.Status != 0 {
		fmt.Fprintf(&b, ": HTTP %d", g.Status)
	}
	if g.Message != "" && !denied {
		fmt.Fprintf(&b, ": %s", g.Message)
	}
	return b.String()
}

// Gaps returns what could not be read of this asset, in the order of the
// children's names.
func (a *Asset) Gaps() []Gap {
	var gaps []Gap
	for _, name := range slices.Sorted(maps.Keys(a.Children)) {
		if g := a.Children[name].Gap; g != nil {
			gaps = append(gaps, *g)
		}
	}
	return gaps
}

// SameID reports whether two ids name the same resource. ARM ids compare
// without regard to case, and the same id changes case from call to call.
func SameID(a, b string) bool { return strings.EqualFold(a, b) }
