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

// Lookup finds one of [All] by its ARM name, without regard to case.
func Lookup(name string) (Type, bool) { return Find(All(), name) }

// Find finds a type by its ARM name, without regard to case.
func Find(types []Type, name string) (Type, bool) {
	i := slices.IndexFunc(types, func(t Type) bool { return strings.EqualFold(t.Name, name) })
	if i < 0 {
		return Type{}, false
	}
	return types[i], true
}

// Network reads the network settings of an asset of one of the types. It fails
// with [UnknownTypeError] for any other, and when the document is not one of its
// type.
func Network(types []Type, a *asset.Asset) (asset.Network, error) {
	t, known := Find(types, a.Type)
	if !known {
		return asset.Network{}, UnknownTypeError{a.Type}
	}
	return t.Network(a)
}

// UnknownTypeError says that an asset is of a type that cannot be judged. A
// snapshot of a newer Postern may hold such.
type UnknownTypeError struct{ Type string }

// Error names the type.
func (e UnknownTypeError) Error() string {
	return "this Postern does not know the resource type " + e.Type
}
