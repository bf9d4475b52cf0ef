package fix

import (
	"encoding/json"
	"time"

	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/usage"
)

// PlanVersion is the version of the plan document. Within v1 fields are added and
// never removed, renamed or given another meaning.
const PlanVersion = "postern.plan/v1"

// Plan says how doors of some servers are closed. It is made by [New], written by
// [Write], and read and checked by [Read].
type Plan struct {
	Version   string    `json:"version"`
	CreatedAt time.Time `json:"created_at"`
	Tool      Tool      `json:"tool"`
	// Cloud is where the plan was made, and the only place where it may be
	// carried out.
	Cloud Cloud `json:"cloud"`
	// Keep says which clients the plan keeps working.
	Keep    Keep         `json:"keep"`
	Servers []ServerPlan `json:"servers"`
	// Digest is the SHA-256 of the document without this field. It tells a plan
	// that was edited or torn from one that was made; it is no signature.
	Digest string `json:"digest"`
}

// Tool names the program that made a plan.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Cloud names one Azure and one tenant in it.
type Cloud struct {
	Name string `json:"name"`
	// Endpoint is the address of Azure Resource Manager.
	Endpoint string `json:"endpoint"`
	// Tenant is the directory that the subscriptions belong to.
	Tenant string `json:"tenant,omitempty"`
}

// Keep says which of the clients that depend on a door are kept.
type Keep string

// Keeps are all ways to keep clients.
var Keeps = []Keep{KeepObserved, KeepListed, KeepNone}

// What can be kept.
const (
	// KeepObserved keeps the clients that the evidence shows and that are yours
	// or may be, with every address that their resources come from today.
	KeepObserved Keep = "observed"
	// KeepListed keeps the addresses that a file lists.
	KeepListed Keep = "listed"
	// KeepNone keeps nobody: the doors are closed and nothing is added.
	KeepNone Keep = "none"
)

// ServerPlan is what happens to one server.
type ServerPlan struct {
	Server Server `json:"server"`
	// Doors are the doors that this closes, as they were found.
	Doors []Door `json:"doors"`
	// Before is the firewall as it was read, in the order of the rules' ids. It
	// is what the steps were computed from: when it is no longer so, they do not hold.
	Before []Rule `json:"before"`
	// After is the firewall that the steps lead to, in the same order.
	After []Rule `json:"after"`
	// Steps are carried out in this order: rules are added before any is deleted.
	Steps []Step `json:"steps"`
	// WayBack undoes the steps: what was deleted is put back first.
	WayBack []Step `json:"way_back"`
	// Clients are those that the evidence shows, the worst fate first and of
	// each fate those first that nobody knows to be yours.
	Clients  []Client  `json:"clients"`
	Evidence *Evidence `json:"evidence,omitempty"`
	Locks    []Lock    `json:"locks,omitempty"`
	// Warnings are what a person should know before approving, one sentence each.
	Warnings []string `json:"warnings,omitempty"`
	// Blocked says why this server cannot be changed as things stand: a lock, a
	// state other than Ready, rules that are not in force and cannot be changed.
	// Apply leaves such a server alone.
	Blocked string `json:"blocked,omitempty"`
	// Cures are better ways than addresses, where there are any.
	Cures []Cure `json:"cures,omitempty"`
}

// Server is what a plan needs to know of a server.
type Server struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Type is the ARM type, Label what a person calls it.
	Type           string `json:"type"`
	Label          string `json:"label"`
	SubscriptionID string `json:"subscription_id"`
	ResourceGroup  string `json:"resource_group"`
	Location       string `json:"location,omitempty"`
	// APIVersion is the ARM API version that the server was read with, and that
	// its rules are changed with.
	APIVersion string `json:"api_version"`
	// State is the service's word for the server's state when it was read
	// ("Ready"), empty where the type has none.
	State string `json:"state,omitempty"`
	// Public is the switch for the public address when it was read, and why:
	// `properties.publicNetworkAccess is "Enabled"`.
	Public string `json:"public_access"`
}

// Door is a door that a plan closes.
type Door struct {
	Kind exposure.Kind `json:"kind"`
	// State is what the door was when the plan was made: open or latent.
	State exposure.State `json:"state"`
	// Rules are the ids of the rules that make the door.
	Rules []string `json:"rules"`
}

// Rule is one firewall rule, exactly as ARM holds it.
type Rule struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Start and End are the addresses as ARM spells them.
	Start string `json:"start"`
	End   string `json:"end"`
	// Properties is the rule's own document as it was read, so that what no
	// schema names is seen to change too. Nil for a rule that is not there yet.
	Properties json.RawMessage `json:"properties,omitempty"`
}

// Act is what a step does.
type Act string

// The acts.
const (
	Put    Act = "put"
	Delete Act = "delete"
)

// Step is one change of one firewall rule.
type Step struct {
	Act  Act  `json:"act"`
	Rule Rule `json:"rule"`
	// Why says in a sentence what the step is for.
	Why string `json:"why"`
}

// Claim is how sure it is that an address is yours, empty when nothing says so.
type Claim string

// The claims.
const (
	// Owned: the address is yours alone.
	Owned Claim = "owned"
	// Candidate: a resource of yours uses the address, and others may use it too:
	// the outbound addresses of App Service are shared by many customers.
	Candidate Claim = "candidate"
)

// Fate is what becomes of a client.
type Fate string

// The fates, the worst first.
const (
	// CutOff: nothing admits the client afterwards.
	CutOff Fate = "cut off"
	// Uncertain: it could not be decided; the client's Why says what was missing.
	Uncertain Fate = "uncertain"
	// KeptByNew: a rule that the plan adds admits it.
	KeptByNew Fate = "kept by a new rule"
	// KeptByOld: a rule that stays admits it.
	KeptByOld Fate = "kept by a rule that stays"
	// Untouched: it does not come through the firewall, or was never let in.
	Untouched Fate = "not affected"
)

// Fates are all fates in the order in which they are shown.
var Fates = []Fate{CutOff, Uncertain, KeptByNew, KeptByOld, Untouched}

// Client is what one client of a server will experience.
type Client struct {
	Address     string `json:"address"`
	User        string `json:"user,omitempty"`
	Database    string `json:"database,omitempty"`
	Application string `json:"application,omitempty"`
	// First and Last are when it was seen.
	First       time.Time    `json:"first_seen"`
	Last        time.Time    `json:"last_seen"`
	Connections int64        `json:"connections"`
	Class       usage.Class  `json:"class"`
	Origin      usage.Origin `json:"origin"`
	// Claim is how sure it is that the client is yours.
	Claim Claim `json:"claim,omitempty"`
	Fate  Fate  `json:"fate"`
	// Rules are the names of the rules that admit it afterwards.
	Rules []string `json:"rules,omitempty"`
	// Why says in a sentence what the fate rests on.
	Why string `json:"why"`
}

// Evidence is what the plan knows of the clients.
type Evidence struct {
	// First and Last are the times of a log's first and last entry, absent when
	// there is no log but samples.
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`
	// Covered is how much of the log's time can be trusted, in seconds.
	Covered float64 `json:"covered_seconds"`
	// Outcome is the answer of usage, Missing what it lacked, Blind what such
	// evidence cannot show.
	Outcome usage.Outcome `json:"outcome"`
	Missing []string      `json:"missing,omitempty"`
	Blind   []string      `json:"blind,omitempty"`
}

// Lock is a management lock that holds for a server.
type Lock struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Level is CanNotDelete or ReadOnly.
	Level string `json:"level"`
	Notes string `json:"notes,omitempty"`
}

// Cure is a better way than addresses, with its steps.
type Cure struct {
	Title string   `json:"title"`
	Why   string   `json:"why"`
	Steps []string `json:"steps"`
}
