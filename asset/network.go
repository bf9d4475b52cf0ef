package asset

// Network is how a resource says it may be reached, in one vocabulary for
// every resource type. It holds settings as they were read, right or wrong:
// what they add up to is for the exposure package to say.
type Network struct {
	// Public says whether the resource answers on a public address at all.
	Public PublicAccess
	// InjectedSubnet is the id of the subnet that the resource lives in, empty
	// when it does not live in a virtual network.
	InjectedSubnet string

	FirewallRules []FirewallRule
	// FirewallGap is nil when the list of firewall rules is whole.
	FirewallGap *Gap

	SubnetRules []SubnetRule
	// SubnetGap is nil when the list of subnet rules is whole.
	SubnetGap *Gap

	PrivateEndpoints []PrivateEndpoint
}

// PublicAccess is the switch for the public address, with the field that says so.
type PublicAccess struct {
	State Switch
	// Why names the field and its value: `properties.publicNetworkAccess is "Disabled"`.
	Why string
}

// Switch is a setting that is on, off, or not clear from what was read.
type Switch string

// The states of a switch.
const (
	On      Switch = "on"
	Off     Switch = "off"
	Unclear Switch = "unclear"
)

// FirewallRule is one rule of a server's firewall as it was read. Nothing here
// has been checked: an address may be no address.
type FirewallRule struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Start string `json:"start"`
	End   string `json:"end"`
	// SourcePrefixes is what the service itself says the rule means, where it
	// says so: "AzureCloud", "*" (sourceAddressPrefixes, seen from API version
	// 2026-04-01-preview on and in no published schema).
	SourcePrefixes []string `json:"source_prefixes,omitempty"`
	// Fault says what is wrong with the rule's document itself, empty when it
	// could be read.
	Fault string `json:"fault,omitempty"`
}

// SubnetRule admits the machines of one subnet through a service endpoint.
type SubnetRule struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Subnet string `json:"subnet"`
	// State is the service's word for the rule's progress: Ready, Deleting, ….
	State string `json:"state"`
	Fault string `json:"fault,omitempty"`
}

// PrivateEndpoint is a connection from a virtual network to the resource.
type PrivateEndpoint struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Endpoint is the id of the private endpoint at the other end.
	Endpoint string `json:"endpoint,omitempty"`
	// Status is the service's word: Approved, Pending, Rejected, Disconnected.
	Status string `json:"status"`
	Fault  string `json:"fault,omitempty"`
}
