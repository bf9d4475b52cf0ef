package azuresim

// What stands around the servers of an estate: locks on them, other resources,
// the addresses of Azure's services, and the workspaces that logs go to.

// Lock is a management lock. It holds for everything at and below its scope.
type Lock struct {
	Name string `yaml:"name"`
	// Level is CanNotDelete or ReadOnly.
	Level string `yaml:"level"`
	Notes string `yaml:"notes,omitempty"`
}

// Resource is something other than a server, as Resource Graph tells of it.
type Resource struct {
	// ID is the whole ARM id. Where it is empty, Type, Name and ResourceGroup
	// make it up, and where it is not, they are empty.
	ID string `yaml:"id,omitempty"`
	// Type is such as Microsoft.Network/publicIPAddresses.
	Type          string            `yaml:"type,omitempty"`
	Name          string            `yaml:"name,omitempty"`
	ResourceGroup string            `yaml:"resource_group,omitempty"`
	Location      string            `yaml:"location,omitempty"`
	Tags          map[string]string `yaml:"tags,omitempty"`
	// Properties are answered as they are. A copy that the simulator makes has
	// the types of encoding/json.
	Properties map[string]any `yaml:"properties,omitempty"`
}

// ServiceTag is the name under which Azure publishes addresses of its own.
type ServiceTag struct {
	// Name is such as AzureCloud.westeurope or DataFactory.
	Name string `yaml:"name"`
	// Region is such as westeurope; empty is everywhere.
	Region string `yaml:"region,omitempty"`
	// Service is Azure's name for the service; empty is every service.
	Service string `yaml:"service,omitempty"`
	// Prefixes are in CIDR form, IPv4 and IPv6.
	Prefixes []string `yaml:"prefixes"`
}

// Workspace is a Log Analytics workspace.
type Workspace struct {
	// ID is the workspace's own id, a GUID: what a query is addressed to.
	ID   string `yaml:"id"`
	Name string `yaml:"name"`
	// Tables are the rows that are there from the beginning, by table. Every row
	// has a TimeGenerated (RFC 3339). A table without rows exists nevertheless;
	// one that is not here exists once a server's log arrives in it.
	Tables map[string][]map[string]any `yaml:"tables,omitempty"`
	// Denied are the operations that the caller may not do here: "query/read".
	Denied []string `yaml:"denied,omitempty"`
}

// LogSetting is a server's diagnostic setting: where its log goes.
type LogSetting struct {
	// Workspace is the id of a workspace of the estate.
	Workspace string `yaml:"workspace"`
	// Table is PGSQLServerLogs, which only flexible servers have, or
	// AzureDiagnostics. Empty means the first where there is it.
	Table string `yaml:"table,omitempty"`
	// Demo fills the table with the month of connections that [DemoLog] writes,
	// up to the moment when the simulation began.
	Demo bool `yaml:"demo,omitempty"`
}
