// Package resourcetype is the table of Azure resource types that Postern
// judges, one file a type: where ARM keeps it, which lists stand below it, and
// how its network settings are read. A sibling service is one more file and one
// more line in [All].
//
// It knows what the documents mean and nothing of how they are fetched, nor of
// rules. Field names follow Microsoft's API specifications; what the fields do
// is from Microsoft's documentation as gathered for each type.
package resourcetype

import (
	"slices"
	"strings"

	"github.com/posternhq/postern/asset"
)

// Type describes one resource type as data.
type Type struct {
	// Name is the ARM type, such as Microsoft.DBforPostgreSQL/flexibleServers.
	Name string
	// Label is what a person calls it: "Flexible Server".
	Label string
	// APIVersions are tried in order: the first that the cloud knows is used,
	// because sovereign clouds trail the public one.
	APIVersions []string
	// Children are the lists below the resource that its network settings need.
	Children []Child
	// Document is a zero value of the struct that declares the fields a policy
	// may refer to. Every field is a pointer, a slice or a map, so that absent
	// is never taken for empty.
	Document any
	// Network reads the network settings. It fails only when the body is not a
	// document of this type at all.
	Network func(*asset.Asset) (asset.Network, error)
}

// Child is a list below a resource.
type Child struct {
	// Name is the last part of the child's type: "firewallRules".
	Name string
	// Label is what a person calls one: "firewall rule".
	Label string
}

// Provider is the resource provider's namespace: Microsoft.DBforPostgreSQL.
func (t Type) Provider() string {
	provider, _, _ := strings.Cut(t.Name, "/")
	return provider
}

// ReadPermission is the role action that listing the resources needs.
func (t Type) ReadPermission() string { return t.Name + "/read" }

// ChildReadPermission is the role action that listing the children needs.
func (t Type) ChildReadPermission(child string) string {
	return t.Name + "/" + child + "/read"
}

// Child returns the declared child list of that name, without regard to case.
func (t Type) Child(name string) (Child, bool) {
	i := slices.IndexFunc(t.Children, func(c Child) bool { return strings.EqualFold(c.Name, name) })
	if i < 0 {
		return Child{}, false
	}
	return t.Children[i], true
}

// All returns every type that Postern judges, in the order in which a person
// would look for them.
func All() []Type {
	return []Type{FlexibleServer(), SingleServer(), ClusterV2()}
}

// Lookup finds a type by its ARM name, without regard to case.
func Lookup(name string) (Type, bool) {
	for _, t := range All() {
		if strings.EqualFold(t.Name, name) {
			return t, true
		}
	}
	return Type{}, false
}
