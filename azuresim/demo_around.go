package azuresim

// What stands around the servers of the demo. All addresses are from the ranges
// that RFC 5737 sets aside for documentation; that some of them are Azure's is
// part of the story.
const (
	// DemoServer is the server of the demo whose log [DemoLog] is.
	DemoServer = "/subscriptions/5b000001-0000-4000-8000-000000000001/resourceGroups/shop" +
		"/providers/Microsoft.DBforPostgreSQL/flexibleServers/orders-db"
	// DemoWorkspace is the workspace that the log goes to.
	DemoWorkspace = "5b0000aa-0000-4000-8000-000000000001"

	// The addresses of the demo's log: the shop's own NAT gateway, one that its
	// invoicing app shares with other tenants, the office that has a narrow rule,
	// and someone inside Azure whom nobody knows.
	demoNATAddress      = "198.51.100.20"
	demoAppAddress      = "198.51.100.61"
	demoOfficeAddress   = "203.0.113.10"
	demoStrangerAddress = "198.51.100.200"
)

func demoTags() []ServiceTag {
	return []ServiceTag{
		{Name: "AppService.westeurope", Region: "westeurope", Service: "AzureAppService", Prefixes: []string{"198.51.100.96/28"}},
		{Name: "AzureCloud", Prefixes: []string{"198.51.100.0/24", "2001:db8:a000::/40"}},
		{Name: "AzureCloud.northeurope", Region: "northeurope", Prefixes: []string{"198.51.100.128/25"}},
		{Name: "AzureCloud.westeurope", Region: "westeurope", Prefixes: []string{"198.51.100.0/25", "2001:db8:a000::/48"}},
		{Name: "DataFactory.northeurope", Region: "northeurope", Service: "DataFactory", Prefixes: []string{"198.51.100.240/29"}},
		{Name: "PowerBI", Service: "PowerBI", Prefixes: []string{"198.51.100.112/28"}},
	}
}

func demoWorkspaces() []Workspace {
	return []Workspace{{ID: DemoWorkspace, Name: "shop-logs"}}
}

// demoResources are the shop's: a NAT gateway with an address of its own, and an
// app whose outbound addresses are not its own alone.
func demoResources() []Resource {
	const network = "/subscriptions/5b000001-0000-4000-8000-000000000001/resourceGroups/shop/providers/Microsoft.Network"
	return []Resource{
		{
			Type: "Microsoft.Network/publicIPAddresses", Name: "shop-nat-ip", ResourceGroup: "shop", Location: "westeurope",
			Tags: map[string]string{"team": "checkout"},
			Properties: map[string]any{
				"ipAddress": demoNATAddress, "publicIPAddressVersion": "IPv4", "publicIPAllocationMethod": "Static",
				"provisioningState": "Succeeded", "natGateway": map[string]any{"id": network + "/natGateways/shop-nat"},
			},
		},
		{
			Type: "Microsoft.Network/natGateways", Name: "shop-nat", ResourceGroup: "shop", Location: "westeurope",
			Tags: map[string]string{"team": "checkout"},
			Properties: map[string]any{
				"provisioningState": "Succeeded", "idleTimeoutInMinutes": 4.0,
				"publicIpAddresses": []any{map[string]any{"id": network + "/publicIPAddresses/shop-nat-ip"}},
				"subnets":           []any{map[string]any{"id": network + "/virtualNetworks/shop-net/subnets/checkout"}},
			},
		},
		{
			Type: "Microsoft.Network/publicIPAddresses", Name: "shop-spare-ip", ResourceGroup: "shop", Location: "westeurope",
			Properties: map[string]any{ // reserved and given to nothing yet
				"publicIPAddressVersion": "IPv4", "publicIPAllocationMethod": "Dynamic", "provisioningState": "Succeeded",
			},
		},
		{
			Type: "Microsoft.Web/sites", Name: "shop-invoicing", ResourceGroup: "shop", Location: "West Europe",
			Tags: map[string]string{"team": "billing"},
			Properties: map[string]any{
				"state": "Running", "defaultHostName": "shop-invoicing.azurewebsites.net",
				"outboundIpAddresses":         "198.51.100.60," + demoAppAddress + ",198.51.100.62",
				"possibleOutboundIpAddresses": "198.51.100.60," + demoAppAddress + ",198.51.100.62,198.51.100.63,198.51.100.64",
			},
		},
	}
}
