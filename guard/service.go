package guard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/posternhq/postern/internal/suggest"
)

// Service is a family of databases that one word on the command line names.
type Service string

// The services that have the same door. Storage and Key Vault are not among
// them: their networkAcls.bypass lets in a list of services that Microsoft
// trusts, not every customer's machines.
const (
	PostgreSQL Service = "postgresql"
	SQL        Service = "sql"
	MySQL      Service = "mysql"
	MariaDB    Service = "mariadb"
	Synapse    Service = "synapse"
	CosmosDB   Service = "cosmosdb"
	DocumentDB Service = "documentdb"
)

// Services are all of them, in the order in which they are shown.
var Services = []Service{PostgreSQL, SQL, MySQL, MariaDB, Synapse, CosmosDB, DocumentDB}

// test is how a firewall is judged.
type test int

const (
	// byRange: the resource is a firewall rule with a first and a last address.
	byRange test = iota
	// byList: the resource is an account that holds its addresses in a list.
	byList
	// byPresence: the resource is a firewall rule, and what it admits cannot be asked.
	byPresence
)

// target is one kind of resource that a definition judges.
type target struct {
	service Service
	// name of the definition, and its reference in the initiative.
	name string
	// label is the product's name.
	label string
	test  test
	// server is the ARM type that the firewall belongs to.
	server string
	// aliases is what the aliases begin with, in the spelling of Microsoft's
	// list, where it is not the resource's type.
	aliases string
	// apart says why the definition is not in the initiative, empty if it is.
	apart string
}

const (
	noCitusAlias = "Microsoft's alias list has no alias, and no resource type, for the firewall rules of " +
		"Microsoft.DBforPostgreSQL/serverGroupsv2. Azure refuses this definition until it has"
	citusFallback = "it needs no alias, and so cannot tell a narrow rule from a wide one: it reports, or denies, " +
		"every firewall rule of a Citus cluster. Whether Azure Policy evaluates this type was not verified"
)

// targets are all definitions. Their names are a contract: assignments and
// exemptions in Azure refer to them.
var targets = []target{
	{
		service: PostgreSQL, name: "postern-postgresql-flexible", label: "Azure Database for PostgreSQL flexible servers",
		server: "Microsoft.DBforPostgreSQL/flexibleServers", aliases: "Microsoft.DBForPostgreSql/flexibleServers/firewallRules",
	},
	{
		service: PostgreSQL, name: "postern-postgresql-single", label: "Azure Database for PostgreSQL single servers",
		server: "Microsoft.DBforPostgreSQL/servers",
	},
	{
		service: PostgreSQL, name: "postern-postgresql-citus", label: "Azure Cosmos DB for PostgreSQL clusters",
		server: "Microsoft.DBforPostgreSQL/serverGroupsv2", apart: noCitusAlias,
	},
	{
		service: PostgreSQL, name: "postern-postgresql-citus-any-rule", label: "Azure Cosmos DB for PostgreSQL clusters", test: byPresence,
		server: "Microsoft.DBforPostgreSQL/serverGroupsv2", apart: citusFallback,
	},
	{service: SQL, name: "postern-sql", label: "Azure SQL servers", server: "Microsoft.Sql/servers"},
	{
		service: MySQL, name: "postern-mysql-flexible", label: "Azure Database for MySQL flexible servers",
		server: "Microsoft.DBforMySQL/flexibleServers", aliases: "Microsoft.DBForMySql/flexibleServers/firewallRules",
	},
	{service: MySQL, name: "postern-mysql-single", label: "Azure Database for MySQL single servers", server: "Microsoft.DBforMySQL/servers"},
	{service: MariaDB, name: "postern-mariadb", label: "Azure Database for MariaDB servers", server: "Microsoft.DBforMariaDB/servers"},
	{service: Synapse, name: "postern-synapse", label: "Synapse workspaces", server: "Microsoft.Synapse/workspaces"},
	{service: CosmosDB, name: "postern-cosmosdb", label: "Azure Cosmos DB accounts", server: "Microsoft.DocumentDB/databaseAccounts", test: byList},
	{service: DocumentDB, name: "postern-documentdb", label: "Azure DocumentDB (MongoDB vCore) clusters", server: "Microsoft.DocumentDB/mongoClusters"},
}

// resource is the ARM type that the definition judges.
func (t target) resource() string {
	if t.test == byList {
		return t.server
	}
	return t.server + "/firewallRules"
}

// alias names a property of the resource as Azure Policy does.
func (t target) alias(property string) string {
	if t.aliases != "" {
		return t.aliases + "/" + property
	}
	return t.resource() + "/" + property
}

// namespace is the resource provider.
func (t target) namespace() string {
	namespace, _, _ := strings.Cut(t.server, "/")
	return namespace
}

// targetsOf are the targets of some services, in the order of the table.
func targetsOf(services []Service) []target {
	return slices.DeleteFunc(slices.Clone(targets), func(t target) bool { return !slices.Contains(services, t.service) })
}

// ParseServices reads a list of services; "all" stands for every one. What comes
// back is in the order of [Services], each once.
func ParseServices(words []string) ([]Service, error) {
	var chosen []Service
	for _, word := range words {
		word = strings.ToLower(strings.TrimSpace(word))
		switch {
		case word == "all":
			chosen = append(chosen, Services...)
		case slices.Contains(Services, Service(word)):
			chosen = append(chosen, Service(word))
		default:
			return nil, fmt.Errorf("%q is not one of %s", word, oneOf(word, append([]string{"all"}, names(Services)...)))
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no service is named; give one of all, %s", strings.Join(names(Services), ", "))
	}
	return slices.DeleteFunc(slices.Clone(Services), func(s Service) bool { return !slices.Contains(chosen, s) }), nil
}

func names[T ~string](list []T) []string {
	out := make([]string, 0, len(list))
	for _, v := range list {
		out = append(out, string(v))
	}
	return out
}

// oneOf lists what is allowed, and says which of it was probably meant.
func oneOf(word string, allowed []string) string {
	list := strings.Join(allowed, ", ")
	if near, ok := suggest.Nearest(word, allowed); ok {
		return fmt.Sprintf("%s; did you mean %q?", list, near)
	}
	return list
}
