package change

import (
	"context"
	"encoding/json"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/fix"
)

// Cloud is the one Azure that a plan is carried out in. Implementations are held
// to one suite, changetest.
type Cloud interface {
	// Identity names the cloud and tenant that changes go to, and the principal
	// that makes them as far as its token tells: an object id, an application id, a
	// user's name. It never holds the token.
	Identity(ctx context.Context) (Identity, error)
	// Server reads one server and its firewall afresh. What of the children could
	// not be read is a gap of the asset.
	Server(ctx context.Context, s fix.Server) (*asset.Asset, error)
	// Locks reads the management locks that hold for a server, those of its
	// resource group and subscription among them.
	Locks(ctx context.Context, s fix.Server) ([]fix.Lock, error)
	// Missing names those of the permissions (role actions such as
	// Microsoft.DBforPostgreSQL/flexibleServers/firewallRules/write) that the
	// principal lacks at a server.
	Missing(ctx context.Context, s fix.Server, permissions []string) ([]string, error)
	// PutRule creates or replaces a firewall rule and follows the operation to its
	// end, waiting while the server is busy. An error does not prove that nothing
	// was done: read the server to know.
	PutRule(ctx context.Context, s fix.Server, ruleID string, properties json.RawMessage) error
	// DeleteRule deletes a firewall rule in the same way. A rule that is not there
	// is no error.
	DeleteRule(ctx context.Context, s fix.Server, ruleID string) error
}

// Identity says where changes go and who makes them.
type Identity struct {
	Cloud     fix.Cloud `json:"cloud"`
	Principal string    `json:"principal"`
}
