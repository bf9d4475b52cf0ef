package azuresim

// Demo is a small estate that has every door a reader of firewalls should know:
// twelve servers of all three generations in three subscriptions, one of them
// closed to the caller; and around them what says who their clients are. Each
// call makes a new one.
func Demo() Estate {
	everyAzure := func(name string) Rule { return Rule{Name: name, Start: "0.0.0.0", End: "0.0.0.0"} }
	office := Rule{Name: "office-amsterdam", Start: "203.0.113.8", End: "203.0.113.15"}
	owner := func(team, env string) map[string]string { return map[string]string{"team": team, "env": env} }
	return Estate{
		ServiceTags: demoTags(),
		Workspaces:  demoWorkspaces(),
		Subscriptions: []Subscription{
			{
				ID: "5b000001-0000-4000-8000-000000000001", Name: "shop-production",
				Resources: demoResources(),
				Servers: []DBServer{
					{ // The door as the portal makes it, beside an honest rule.
						Kind: Flexible, Name: "orders-db", ResourceGroup: "shop", Location: "West Europe",
						Tags: owner("checkout", "prod"),
						FirewallRules: []Rule{
							everyAzure("AllowAllAzureServicesAndResourcesWithinAzureIps_2024-3-7_10-12-44"), office,
						},
						Logs: &LogSetting{Workspace: DemoWorkspace, Demo: true},
					},
					{ // The same door under a name that says something else.
						Kind: Single, Name: "billing-db", ResourceGroup: "shop", Location: "westeurope",
						Tags:          owner("billing", "prod"),
						FirewallRules: []Rule{everyAzure("office-utrecht"), office},
					},
					{ // The whole internet by one rule.
						Kind: Flexible, Name: "catalog-db", ResourceGroup: "shop", Location: "West Europe",
						Tags:          owner("catalog", "prod"),
						FirewallRules: []Rule{{Name: "AllowAll_2023-11-2_9-30-1", Start: "0.0.0.0", End: "255.255.255.255"}},
					},
					{ // The whole internet by two halves, neither of which looks it.
						Kind: Flexible, Name: "search-db", ResourceGroup: "shop", Location: "North Europe",
						Tags: owner("catalog", "prod"),
						FirewallRules: []Rule{
							{Name: "partners-low", Start: "0.0.0.0", End: "127.255.255.255"},
							{Name: "partners-high", Start: "128.0.0.0", End: "255.255.255.255"},
						},
					},
					{ // A door that opens the day public access comes back.
						Kind: Flexible, Name: "ledger-db", ResourceGroup: "finance", Location: "West Europe",
						Tags: owner("billing", "prod"), PublicAccess: Disabled,
						FirewallRules:    []Rule{everyAzure("AllowAllWindowsAzureIps")},
						PrivateEndpoints: []PrivateEndpoint{{Name: "ledger-pe"}},
					},
				},
			},
			{
				ID: "5b000002-0000-4000-8000-000000000002", Name: "shop-analytics",
				Servers: []DBServer{
					{ // Rules reach the workers too.
						Kind: Citus, Name: "metrics-db", ResourceGroup: "analytics", Location: "westeurope",
						Tags: owner("insights", "prod"), Nodes: 2, NodePublicAccess: Enabled,
						FirewallRules: []Rule{everyAzure("AllowAllAzureIps")},
					},
					{ // Only the coordinator is public, and only to the office.
						Kind: Citus, Name: "events-db", ResourceGroup: "analytics", Location: "westeurope",
						Tags: owner("insights", "test"), Nodes: 2,
						FirewallRules: []Rule{office},
					},
					{ // In a virtual network, with a rule left over that means nothing there.
						Kind: Flexible, Name: "reports-db", ResourceGroup: "analytics", Location: "West Europe",
						Tags: owner("insights", "prod"), Subnet: "analytics-net/databases",
						FirewallRules: []Rule{everyAzure("AllowAllAzureIps")},
					},
					{ // It sounds like Azure and is one address.
						Kind: Flexible, Name: "partners-db", ResourceGroup: "analytics", Location: "West Europe",
						Tags:          owner("partners", "prod"),
						FirewallRules: []Rule{{Name: "AllowAzureDataFactory", Start: "198.51.100.7", End: "198.51.100.7"}},
					},
					{ // A wide range that only begins at 0.0.0.0, and a subnet.
						Kind: Single, Name: "archive-db", ResourceGroup: "analytics", Location: "westeurope",
						Tags:          owner("platform", "prod"),
						FirewallRules: []Rule{{Name: "old-network", Start: "0.0.0.0", End: "10.0.0.1"}},
						VNetRules:     []VNetRule{{Name: "from-analytics", Subnet: "analytics-net/apps"}},
					},
				},
			},
			{
				ID: "5b000003-0000-4000-8000-000000000003", Name: "people",
				Servers: []DBServer{
					{ // The caller may see the server and not its rules.
						Kind: Flexible, Name: "payroll-db", ResourceGroup: "people", Location: "West Europe",
						Tags:          owner("people", "prod"),
						FirewallRules: []Rule{everyAzure("AllowAllAzureIps")},
						Denied:        []string{"firewallRules/read"},
					},
					{ // As it should be.
						Kind: Flexible, Name: "rota-db", ResourceGroup: "people", Location: "West Europe",
						Tags: owner("people", "prod"),
						FirewallRules: []Rule{
							office, {Name: "nat-gateway", Start: "198.51.100.20", End: "198.51.100.20"},
						},
					},
				},
			},
		},
	}
}
