package fix

import (
	"regexp"
	"slices"

	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/rule/shell"
	"github.com/posternhq/postern/usage"
)

// What tells a client's service apart: the service tag of its address, or what
// your own list or Azure's resources call it. App Service's outbound addresses are
// in no service tag.
var (
	appService  = regexp.MustCompile(`(?i)app service|web ?app|function|microsoft\.web/`)
	dataFactory = regexp.MustCompile(`(?i)data ?factory|adf\b`)
	powerBI     = regexp.MustCompile(`(?i)power ?bi|fabric`)
	devOps      = regexp.MustCompile(`(?i)azure ?dev ?ops|build agent|pipeline`)
)

// bash writes a command whose last words are quoted.
func bash(command string, arguments ...string) string {
	for _, a := range arguments {
		command += " " + shell.Bash.Quote(a)
	}
	return command
}

// cures are better ways for the clients that the plan keeps by address or cuts
// off, those that work on this generation of server. Upper-case words in their
// commands are for the reader to fill in.
func (d *draft) cures() []Cure {
	if d.Network.InjectedSubnet != "" {
		return nil
	}
	var out []Cure
	for _, c := range []struct {
		fits func(Client) bool
		cure func() Cure
	}{
		{func(c Client) bool { return inAzure(c) }, d.privateEndpoint},
		{func(c Client) bool { return d.server.Type == single && inAzure(c) }, d.subnetRule},
		{func(c Client) bool { return c.Claim != "" && named(c, appService) }, d.natGateway},
		{func(c Client) bool { return named(c, dataFactory) }, d.managedEndpoint},
		{func(c Client) bool { return named(c, powerBI) }, d.dataGateway},
		{func(c Client) bool { return named(c, devOps) }, d.ownAgents},
	} {
		if slices.ContainsFunc(d.plan.Clients, func(client Client) bool {
			return (client.Fate == CutOff || client.Fate == KeptByNew) && c.fits(client)
		}) {
			out = append(out, c.cure())
		}
	}
	return out
}

// inAzure reports whether a client may be a machine of yours inside Azure.
func inAzure(c Client) bool {
	return c.Origin.Tag != "" || c.Origin.Owner == usage.InAzure || c.Claim != "" && named(c, appService)
}

func named(c Client, service *regexp.Regexp) bool {
	return slices.ContainsFunc([]string{c.Origin.Service, c.Origin.Tag, c.Origin.Name}, service.MatchString)
}

// privateEndpoint: sub-resources (group ids) and zones are those of Microsoft's
// table "Azure Private Endpoint private DNS zone values".
func (d *draft) privateEndpoint() Cure {
	group, zone := "postgresqlServer", "privatelink.postgres.database.azure.com"
	if d.server.Type == citus {
		group, zone = "coordinator", "privatelink.postgres.cosmos.azure.com"
	}
	c := Cure{
		Title: "A private endpoint",
		Why:   "Machines in your virtual networks, and services that can join one, then come by a private address that no other customer has. No firewall rule is asked.",
		Steps: []string{
			"Make the endpoint in the clients' network: " + bash("az network private-endpoint create --resource-group GROUP --name NAME --vnet-name NETWORK --subnet SUBNET --connection-name NAME --group-id "+group+" --private-connection-resource-id", d.server.ID),
			"Make the server's name lead to it: a private DNS zone " + zone + " (its name in the public cloud), linked to the network, with the endpoint in it (az network private-dns zone create, az network private-dns link vnet create, az network private-endpoint dns-zone-group create).",
			"Watch with `postern usage` until the clients come by private addresses, and delete the rules that kept them.",
		},
	}
	switch d.server.Type {
	case flexible:
		c.Steps = append(c.Steps, "When nobody comes by the public address any more: "+
			bash("az postgres flexible-server update --public-access Disabled --ids", d.server.ID))
	case citus:
		c.Steps = append(c.Steps, "The worker nodes each have a group id of their own; clients that reach only the coordinator do not need them.")
	}
	if e := d.found.Door(exposure.Private); e.State == exposure.Open {
		c.Why += " The server has one already; what is missing is that these clients use it."
	}
	return c
}

func (d *draft) subnetRule() Cure {
	subnet := `'{"properties": {"virtualNetworkSubnetId": "SUBNET_ID"}}'`
	return Cure{
		Title: "A virtual network rule",
		Why:   "On Single Server a whole subnet of yours can be let in by its identity and not by an address, without a private endpoint. The server must not be of the Basic tier.",
		Steps: []string{
			"Switch the service endpoint on: az network vnet subnet update --ids SUBNET_ID --service-endpoints Microsoft.Sql",
			"Let the subnet in: " + bash("az rest --method put --body "+subnet+" --url", d.server.ID+"/virtualNetworkRules/NAME?api-version="+d.server.APIVersion),
		},
	}
}

func (d *draft) natGateway() Cure {
	return Cure{
		Title: "Virtual network integration with a NAT gateway",
		Why:   "The outbound addresses of App Service and Functions are shared with other customers and change when the plan is scaled. Behind a NAT gateway an app has one address that is yours alone.",
		Steps: []string{
			"Make the gateway: az network public-ip create --resource-group GROUP --name IP --sku Standard, then az network nat gateway create --resource-group GROUP --name GATEWAY --public-ip-addresses IP",
			"Put it before a subnet that only the app uses: az network vnet subnet update --resource-group GROUP --vnet-name NETWORK --name SUBNET --nat-gateway GATEWAY",
			"Bring the app into it (a plan of the Basic tier or above, or Functions Premium): az webapp vnet-integration add --resource-group GROUP --name APP --vnet NETWORK --subnet SUBNET, and route all its traffic: az webapp config set --resource-group GROUP --name APP --vnet-route-all-enabled true",
			"Plan again with the gateway's address in the list of your own. A private endpoint in the same network needs no address at all.",
		},
	}
}

func (d *draft) managedEndpoint() Cure {
	what := "the group id postgresqlServer"
	if d.server.Type == citus {
		what = "the group id coordinator, as a private link resource by id"
	}
	return Cure{
		Title: "A managed private endpoint of Data Factory",
		Why:   "Data Factory's Azure runtime comes from addresses of every customer of the region. A runtime in Data Factory's managed virtual network comes by a private endpoint.",
		Steps: []string{
			"In Data Factory make an Azure integration runtime with the managed virtual network switched on.",
			"Under Managed private endpoints make one to " + d.server.ID + " (" + what + "), and approve it on the server under Networking.",
			"Let the linked service of this database use that runtime. A self-hosted runtime in your own network is the other way.",
		},
	}
}

func (d *draft) dataGateway() Cure {
	return Cure{
		Title: "A virtual network data gateway for Power BI and Fabric",
		Why:   "Power BI and Fabric come from addresses that all their customers share. A gateway in your network comes by a private endpoint, or by an address of yours.",
		Steps: []string{
			"Delegate a subnet to it: az network vnet subnet update --resource-group GROUP --vnet-name NETWORK --name SUBNET --delegations Microsoft.PowerPlatform/vnetaccesslinks",
			"In Power BI, under Manage connections and gateways, make a virtual network data gateway in that subnet, and point the semantic model's connection at it. An on-premises data gateway on a machine of yours does the same.",
		},
	}
}

func (d *draft) ownAgents() Cure {
	return Cure{
		Title: "Agents of your own for Azure DevOps",
		Why:   "Hosted agents come from addresses that all customers of Azure DevOps share, and that change every week.",
		Steps: []string{
			"Run self-hosted agents, or a Managed DevOps Pool, in a subnet of yours that a private endpoint or a NAT gateway serves, and let the pipelines that need the database use that pool.",
		},
	}
}
