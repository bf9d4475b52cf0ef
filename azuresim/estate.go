package azuresim

// Kind is a generation of managed PostgreSQL.
type Kind string

// The three generations, as an estate file names them.
const (
	// Single is Microsoft.DBforPostgreSQL/servers.
	Single Kind = "single"
	// Flexible is Microsoft.DBforPostgreSQL/flexibleServers.
	Flexible Kind = "flexible"
	// Citus is Microsoft.DBforPostgreSQL/serverGroupsv2, sold as Azure Cosmos
	// DB for PostgreSQL.
	Citus Kind = "citus"
)

// Access is whether a public endpoint is on. The empty value is the default of
// the place where it stands.
type Access string

// The two settings of a public endpoint.
const (
	Enabled  Access = "enabled"
	Disabled Access = "disabled"
)

// Estate is everything that exists in the simulated Azure, as the caller of the
// simulator sees it.
type Estate struct {
	// Tenant is the directory's id, a GUID. Empty means a fixed made-up one.
	Tenant        string         `yaml:"tenant,omitempty"`
	Subscriptions []Subscription `yaml:"subscriptions"`
	// ServiceTags are the addresses that Azure publishes as its own.
	ServiceTags []ServiceTag `yaml:"service_tags,omitempty"`
	Workspaces  []Workspace  `yaml:"workspaces,omitempty"`
}

// Subscription is one subscription and the servers in it.
type Subscription struct {
	// ID is a GUID.
	ID   string `yaml:"id"`
	Name string `yaml:"name"`
	// State is Enabled (the default), Warned, PastDue, Disabled or Deleted. A
	// Disabled subscription can be read and not changed.
	State   string     `yaml:"state,omitempty"`
	Servers []DBServer `yaml:"servers,omitempty"`
	// Resources are what else is there.
	Resources []Resource `yaml:"resources,omitempty"`
	// Locks are on the subscription, GroupLocks on resource groups by name.
	Locks      []Lock            `yaml:"locks,omitempty"`
	GroupLocks map[string][]Lock `yaml:"group_locks,omitempty"`
	// Denied are the operations that the caller may not do in the subscription:
	// "locks/read", "serviceTags/read", and "resources/read", without which
	// Resource Graph shows nothing of it.
	Denied []string `yaml:"denied,omitempty"`
}

// DBServer is one server, or for Citus one cluster.
type DBServer struct {
	Kind          Kind   `yaml:"kind"`
	Name          string `yaml:"name"`
	ResourceGroup string `yaml:"resource_group"`
	// Location is echoed as written: "eastus" or, as real flexible servers
	// say it, "East US". Empty means the one or the other by kind.
	Location string            `yaml:"location,omitempty"`
	Tags     map[string]string `yaml:"tags,omitempty"`
	// Version is the major PostgreSQL version. Empty means 11 for single, 16
	// for flexible and 15 for Citus.
	Version string `yaml:"version,omitempty"`
	// State is what the server says of itself. Empty means Ready; in any other
	// state changes are refused.
	State string `yaml:"state,omitempty"`
	// PublicAccess is the public endpoint; on Citus, the coordinator's. Empty
	// means enabled, except on a flexible server with a Subnet, which has none.
	PublicAccess Access `yaml:"public_access,omitempty"`
	// NodePublicAccess is the public endpoint of Citus workers. Empty means
	// disabled. Only for Citus.
	NodePublicAccess Access `yaml:"node_public_access,omitempty"`
	// Nodes is how many workers a Citus cluster has; 0 is a cluster whose
	// coordinator does the work. Only for Citus.
	Nodes int `yaml:"nodes,omitempty"`
	// Subnet is the delegated subnet of a flexible server injected into a
	// virtual network: an ARM id, or "network/subnet" for one in the server's
	// own resource group. Only for flexible.
	Subnet           string            `yaml:"subnet,omitempty"`
	PrivateEndpoints []PrivateEndpoint `yaml:"private_endpoints,omitempty"`
	FirewallRules    []Rule            `yaml:"firewall_rules,omitempty"`
	// VNetRules exist on single servers only.
	VNetRules []VNetRule `yaml:"vnet_rules,omitempty"`
	Locks     []Lock     `yaml:"locks,omitempty"`
	// Logs is where the server's log goes. Nil means nowhere.
	Logs *LogSetting `yaml:"logs,omitempty"`
	// Configurations are server parameters that differ from their default, by
	// name.
	Configurations map[string]string `yaml:"configurations,omitempty"`
	// Denied are the operations that the caller may not do here and that get a
	// 403, without the type: "read", "firewallRules/read",
	// "firewallRules/write", "configurations/read", "locks/read". A server whose
	// "read" is denied is in no list.
	Denied []string `yaml:"denied,omitempty"`
	// Extra is merged into the body's properties as a JSON merge patch (RFC
	// 7386): it adds or replaces what the simulator has no field for, and null
	// removes. A copy that the simulator makes has the types of encoding/json.
	Extra map[string]any `yaml:"extra,omitempty"`
}

// Rule is a firewall rule. The addresses are echoed as written and not checked:
// an estate must be able to hold what Azure ought not to.
type Rule struct {
	Name  string `yaml:"name"`
	Start string `yaml:"start"`
	End   string `yaml:"end"`
	// SourceAddressPrefixes is Azure's own reading of the rule ("AzureCloud",
	// "*"), seen in answers of API 2026-04-01-preview. It is in the body only
	// where it is written here.
	SourceAddressPrefixes []string `yaml:"source_address_prefixes,omitempty"`
}

// VNetRule lets a subnet reach a single server through a service endpoint.
type VNetRule struct {
	Name string `yaml:"name"`
	// Subnet is an ARM id, or "network/subnet" for one in the server's own
	// resource group.
	Subnet string `yaml:"subnet"`
	// IgnoreMissingEndpoint is the rule's ignoreMissingVnetServiceEndpoint.
	IgnoreMissingEndpoint bool `yaml:"ignore_missing_endpoint,omitempty"`
}

// PrivateEndpoint is a private endpoint in the server's own resource group,
// connected to the server.
type PrivateEndpoint struct {
	Name string `yaml:"name"`
	// Status is Approved (the default), Pending or Rejected.
	Status string `yaml:"status,omitempty"`
}
