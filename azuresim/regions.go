package azuresim

import "strings"

// regions are the places that the simulated subscription offers, as ARM spells
// them for people. The list is a sample.
var regions = []string{
	"East US", "East US 2", "South Central US", "West US 2", "West US 3", "Central US", "West US",
	"North Europe", "West Europe", "UK South", "France Central", "Germany West Central", "Sweden Central",
	"Switzerland North", "Norway East", "Southeast Asia", "East Asia", "Australia East", "Japan East",
	"Korea Central", "Central India", "Canada Central", "Brazil South", "UAE North", "South Africa North",
}

// regionName is the short spelling of a region: "eastus2" for "East US 2".
func regionName(display string) string {
	return strings.ToLower(strings.ReplaceAll(display, " ", ""))
}

func regionNames() []string {
	names := make([]string, len(regions))
	for i, r := range regions {
		names[i] = regionName(r)
	}
	return names
}
