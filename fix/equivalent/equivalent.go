// Package equivalent says a server's plan in other words: the same change as
// commands for a shell and as code for Terraform and Bicep, for whoever carries it
// out by other means than Postern.
//
// Every name in it is somebody else's input. It is quoted for the language that
// it stands in, and shown as U+FFFD where no quoting would make it harmless. The
// package knows nothing of how a plan is made or carried out.
package equivalent

import (
	"github.com/posternhq/postern/fix"
)

// Equivalent is a plan in another language.
type Equivalent struct {
	Title string `json:"title"`
	// Language is bash, powershell, terraform or bicep.
	Language string `json:"language"`
	// Label says for which versions it holds: "azure-cli 2.87 and later".
	Label string `json:"label"`
	Text  string `json:"text"`
}

// Types of server whose commands differ.
const (
	flexible = "Microsoft.DBforPostgreSQL/flexibleServers"
	single   = "Microsoft.DBforPostgreSQL/servers"
	citus    = "Microsoft.DBforPostgreSQL/serverGroupsv2"
)

// For says a server's plan in all languages that its type has, those first that
// fit every version. A type that it does not know has the plain requests only.
func For(cloud fix.Cloud, s fix.ServerPlan) []Equivalent {
	out := []Equivalent{azRest(cloud, s)}
	switch s.Server.Type {
	case flexible:
		out = append(out,
			azCommand(s, "azure-cli 2.87 and later", "az postgres flexible-server firewall-rule", "--server-name", "--name"),
			// Up to 2.86 --name was the server: the same words mean something else.
			azCommand(s, "azure-cli up to 2.86", "az postgres flexible-server firewall-rule", "--name", "--rule-name"),
			powershell(s, "AzPostgreSqlFlexibleServerFirewallRule"))
	case single:
		out = append(out,
			azCommand(s, "azure-cli before late 2025, when Single Server left it", "az postgres server firewall-rule", "--server-name", "--name"),
			powershell(s, "AzPostgreSqlFirewallRule"))
	case citus:
		out = append(out,
			azCommand(s, "azure-cli with az cosmosdb postgres", "az cosmosdb postgres firewall-rule", "--cluster-name", "--name"),
			powershellRest(s))
	default:
		return out
	}
	return append(out, terraform(s), bicep(s))
}

// byAct parts the steps, which are in this order already.
func byAct(steps []fix.Step) (added, deleted []fix.Rule) {
	for _, s := range steps {
		if s.Act == fix.Put {
			added = append(added, s.Rule)
		} else {
			deleted = append(deleted, s.Rule)
		}
	}
	return added, deleted
}
