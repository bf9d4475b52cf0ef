package azuresim

import (
	"slices"
	"strings"
)

// namespace is the resource provider of all three generations.
const namespace = "Microsoft.DBforPostgreSQL"

// resourceType is what the simulator knows of one generation.
type resourceType struct {
	kind Kind
	// name is the type's own part of its ARM name, such as flexibleServers.
	name string
	// versions are the api-versions that can be held to Microsoft's own
	// documents, oldest first.
	versions []string
	// pages says whether lists of the type have a nextLink. Where Microsoft's
	// Swagger has none a client does not look for one, and a page would be
	// servers lost.
	pages    bool
	location string // default
	pgMajor  string // default
	body     func(*instance, string) map[string]any
	children []childType
}

// childType is a list below a server.
type childType struct {
	name     string
	versions []string
	pages    bool
	// list renders the children of a server for an api-version.
	list func(*instance, string) []map[string]any
	// put, patch and remove check a change and describe it, nil where the type
	// does not have the verb.
	put, patch, remove func(*instance, string, []byte) (change, *fail)
}

var (
	singleVersions   = []string{"2017-12-01"}
	flexibleVersions = []string{"2022-12-01", "2024-08-01", "2025-08-01"}
	citusVersions    = []string{"2022-11-08"}
)

var resourceTypes = []resourceType{
	{
		kind: Single, name: "servers", versions: singleVersions,
		location: "eastus", pgMajor: "11", body: singleBody,
		children: []childType{
			{name: "firewallRules", versions: singleVersions, list: firewallRules, put: putRule, remove: removeRule},
			{name: "virtualNetworkRules", versions: singleVersions, pages: true, list: vnetRules, put: putVNetRule, remove: removeVNetRule},
			{name: "configurations", versions: singleVersions, list: configurations, put: putConfiguration},
			{name: "privateEndpointConnections", versions: []string{"2018-06-01"}, pages: true, list: privateEndpoints},
		},
	},
	{
		kind: Flexible, name: "flexibleServers", versions: flexibleVersions, pages: true,
		location: "East US", pgMajor: "16", body: flexibleBody,
		children: []childType{
			{name: "firewallRules", versions: flexibleVersions, pages: true, list: firewallRules, put: putRule, remove: removeRule},
			{name: "configurations", versions: flexibleVersions, pages: true, list: configurations, put: putConfiguration, patch: putConfiguration},
			{name: "privateEndpointConnections", versions: flexibleVersions[1:], pages: true, list: privateEndpoints},
		},
	},
	{
		kind: Citus, name: "serverGroupsv2", versions: citusVersions, pages: true,
		location: "eastus", pgMajor: "15", body: citusBody,
		children: []childType{
			{name: "firewallRules", versions: citusVersions, list: firewallRules, put: putRule, remove: removeRule},
			{name: "configurations", versions: citusVersions, pages: true, list: configurations},
			{name: "privateEndpointConnections", versions: citusVersions, list: privateEndpoints},
		},
	},
}

func typeOfKind(k Kind) (resourceType, bool) {
	i := slices.IndexFunc(resourceTypes, func(t resourceType) bool { return t.kind == k })
	if i < 0 {
		return resourceType{}, false
	}
	return resourceTypes[i], true
}

func typeNamed(name string) (resourceType, bool) {
	i := slices.IndexFunc(resourceTypes, func(t resourceType) bool { return strings.EqualFold(t.name, name) })
	if i < 0 {
		return resourceType{}, false
	}
	return resourceTypes[i], true
}

func (t resourceType) child(name string) (childType, bool) {
	i := slices.IndexFunc(t.children, func(c childType) bool { return strings.EqualFold(c.name, name) })
	if i < 0 {
		return childType{}, false
	}
	return t.children[i], true
}

// permissions are the operations that a [DBServer.Denied] may name for the type,
// in lower case.
func (t resourceType) permissions() []string {
	all := []string{"read", "locks/read", "permissions/read"}
	for _, c := range t.children {
		name := strings.ToLower(c.name)
		all = append(all, name+"/read")
		if c.put != nil {
			all = append(all, name+"/write")
		}
		if c.remove != nil {
			all = append(all, name+"/delete")
		}
	}
	return all
}
