// Package exposure says who can reach a resource and by which door. It is
// interval arithmetic over IPv4 and nothing else: pure functions from the
// network settings of an asset to its doors, with what could not be decided and
// why. It does no I/O and knows no rules.
package exposure

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/posternhq/postern/asset"
)

// Kind names a door.
type Kind string

// The doors, from the widest to the narrowest.
const (
	// Azure admits every machine inside Azure, those of other customers
	// included: a rule from 0.0.0.0 to 0.0.0.0, or one that the service itself
	// explains as AzureCloud.
	Azure Kind = "azure"
	// Internet admits all of public IPv4, by one rule or by several together.
	Internet Kind = "internet"
	// Range admits certain public or private addresses.
	Range Kind = "range"
	// Subnet admits a subnet through a virtual network rule (Single Server).
	Subnet Kind = "subnet"
	// Private is a private endpoint, or the virtual network the server lives in.
	Private Kind = "private"
)

// Kinds are all doors in the order in which they are shown.
var Kinds = []Kind{Azure, Internet, Range, Subnet, Private}

// State is what a door does today.
type State string

// The states of a door.
const (
	// Open: who comes by this door gets through.
	Open State = "open"
	// Latent: the door is there but not in force. It opens the day that changes.
	Latent State = "latent"
	// Closed: there is no such door.
	Closed State = "closed"
	// Unknown: it could not be decided; the door says what was missing.
	Unknown State = "unknown"
)

// Door is one way in.
type Door struct {
	Kind  Kind  `json:"kind"`
	State State `json:"state"`
	// Open and Latent say what is known of either alone. With public access off
	// and the rules unreadable, Open is No and Latent is Maybe.
	Open   Truth `json:"open"`
	Latent Truth `json:"latent"`
	// Reason says in words why the door is in its state.
	Reason string `json:"reason,omitempty"`
	// Rules are the firewall rules that make the door. Deleting all of them
	// closes it, and closes nothing else that is not part of it.
	Rules []asset.FirewallRule `json:"rules,omitempty"`
	// Addresses is how many IPv4 addresses the door admits: 0 for doors that
	// are not made of addresses, 2^32 at the most.
	Addresses uint64 `json:"addresses,omitempty"`
	// Ranges are the admitted addresses, merged and in order ("10.0.0.0–10.0.0.7").
	Ranges []string `json:"ranges,omitempty"`
	// Members are the ids behind a subnet or private door.
	Members []string `json:"members,omitempty"`
	// Missing says why what the door is made of is not known in full, empty when
	// it is. A door can be open beyond doubt and have more rules than were read.
	Missing string `json:"-"`
}

// Exposure is every door of one resource.
type Exposure struct {
	// PublicAccess is the switch for the public address.
	PublicAccess asset.Switch `json:"public_access"`
	// Enforced says whether firewall rules are in force, and Why in words.
	Enforced Truth  `json:"firewall_enforced"`
	Why      string `json:"why"`
	// Doors holds one door of each kind, in the order of [Kinds].
	Doors []Door `json:"doors"`
	// Rules is each firewall rule by itself, in the order of its addresses.
	Rules []RuleMeaning `json:"-"`
	// Blind lists what could not be seen, one sentence each.
	Blind []string `json:"blind,omitempty"`
}

// Door returns the door of the given kind.
func (e Exposure) Door(kind Kind) Door {
	i := slices.IndexFunc(e.Doors, func(d Door) bool { return d.Kind == kind })
	if i < 0 {
		return Door{Kind: kind, State: Unknown, Open: Maybe, Latent: Maybe, Reason: "this door was not looked at", Missing: "this door was not looked at"}
	}
	return e.Doors[i]
}

// Of computes the exposure that network settings add up to. It never fails:
// what cannot be decided is Unknown, with the reason.
func Of(n asset.Network) Exposure {
	force, why := enforced(n)
	rules := meanings(n.FirewallRules)
	doubts := doubts(n, rules)
	internet, rest := splitInternet(rules)
	return Exposure{
		PublicAccess: n.Public.State,
		Enforced:     force,
		Why:          why,
		Rules:        rules,
		Blind:        blind(n, doubts),
		Doors: []Door{
			azureDoor(rules, force, why, doubts),
			rangesDoor(Internet, internet, force, why, doubts),
			rangesDoor(Range, rest, force, why, doubts),
			subnetDoor(n, force, why),
			privateDoor(n),
		},
	}
}

// Unreadable is the exposure of a resource whose network settings could not be
// read at all, for the given reason.
func Unreadable(reason string) Exposure {
	e := Exposure{PublicAccess: asset.Unclear, Enforced: Maybe, Why: reason, Blind: []string{reason}}
	for _, kind := range Kinds {
		e.Doors = append(e.Doors, Door{Kind: kind, State: Unknown, Open: Maybe, Latent: Maybe, Reason: reason, Missing: reason})
	}
	return e
}

// enforced says whether firewall rules are in force. Injection into a virtual
// network takes the public address away whatever the switch says.
func enforced(n asset.Network) (Truth, string) {
	switch {
	case n.InjectedSubnet != "":
		return No, "it lives in a virtual network, where firewall rules are not in force"
	case n.Public.State == asset.On:
		return Yes, n.Public.Why
	case n.Public.State == asset.Off:
		return No, n.Public.Why + ": firewall rules are not in force"
	default:
		return Maybe, "whether firewall rules are in force is not clear: " + n.Public.Why
	}
}

// doubts lists what keeps the firewall rules from being known in full.
func doubts(n asset.Network, rules []RuleMeaning) []string {
	var out []string
	if n.FirewallGap != nil {
		out = append(out, n.FirewallGap.String())
	}
	for _, r := range rules {
		if r.Fault != "" {
			out = append(out, fmt.Sprintf("firewall rule %q: %s", r.Rule.Name, r.Fault))
		}
	}
	return out
}

func blind(n asset.Network, doubts []string) []string {
	out := slices.Clone(doubts)
	if n.InjectedSubnet == "" && n.Public.State != asset.On && n.Public.State != asset.Off {
		out = append(out, n.Public.Why)
	}
	if n.SubnetGap != nil {
		out = append(out, n.SubnetGap.String())
	}
	for _, e := range n.PrivateEndpoints {
		if e.Fault != "" {
			out = append(out, "a private endpoint connection: "+e.Fault)
		}
	}
	return out
}

// settle turns "is there such a door, as far as the rules go" and "are rules in
// force" into the door's state.
func settle(d Door, there, force Truth, why string, doubts []string) Door {
	d.Missing = strings.Join(doubts, "; ")
	d.Open, d.Latent = there.And(force), there.And(force.Not())
	switch {
	case d.Open == Yes:
		d.State = Open
	case d.Latent == Yes:
		d.State, d.Reason = Latent, why
	case d.Open == No && d.Latent == No:
		d.State = Closed
	default:
		d.State = Unknown
		var missing []string
		if there == Maybe {
			missing = append(missing, d.Missing)
		}
		if force == Maybe || d.Open == No {
			missing = append(missing, why)
		}
		d.Reason = strings.Join(missing, "; ")
	}
	return d
}

// known turns a list of guilty rules into a truth: a guilty rule proves the
// door whatever else could not be read; none proves nothing while there is doubt.
func known(guilty bool, doubts []string) Truth {
	switch {
	case guilty:
		return Yes
	case len(doubts) > 0:
		return Maybe
	default:
		return No
	}
}

func azureDoor(rules []RuleMeaning, force Truth, why string, doubts []string) Door {
	d := Door{Kind: Azure}
	for _, r := range rules {
		if r.Azure {
			d.Rules = append(d.Rules, r.Rule)
		}
	}
	return settle(d, known(len(d.Rules) > 0, doubts), force, why, doubts)
}

// rangesDoor is a door made of addresses.
func rangesDoor(kind Kind, rules []*RuleMeaning, force Truth, why string, doubts []string) Door {
	d := Door{Kind: kind}
	if len(rules) > 0 {
		union := unionOf(rules)
		d.Addresses, d.Ranges = count(union), show(union)
	}
	for _, r := range rules {
		d.Rules = append(d.Rules, r.Rule)
	}
	return settle(d, known(len(rules) > 0, doubts), force, why, doubts)
}

func subnetDoor(n asset.Network, force Truth, why string) Door {
	d := Door{Kind: Subnet}
	var doubts []string
	for _, r := range n.SubnetRules {
		switch {
		case r.Fault != "":
			doubts = append(doubts, fmt.Sprintf("virtual network rule %q: %s", r.Name, r.Fault))
		case strings.EqualFold(r.State, "Ready") || r.State == "":
			d.Members = append(d.Members, r.Subnet)
		default:
			doubts = append(doubts, fmt.Sprintf("virtual network rule %q is in state %s", r.Name, r.State))
		}
	}
	if n.SubnetGap != nil {
		doubts = append(doubts, n.SubnetGap.String())
	}
	slices.Sort(d.Members)
	return settle(d, known(len(d.Members) > 0, doubts), force, why, doubts)
}

// privateDoor does not ask for public access: private endpoints and the
// server's own network stand beside the firewall.
func privateDoor(n asset.Network) Door {
	d := Door{Kind: Private, State: Closed, Open: No, Latent: No}
	var waiting, doubts []string
	for _, e := range n.PrivateEndpoints {
		member := cmp.Or(e.Endpoint, e.ID, e.Name)
		switch {
		case e.Fault != "":
			doubts = append(doubts, "a private endpoint connection: "+e.Fault)
		case strings.EqualFold(e.Status, "Approved"):
			d.Members = append(d.Members, member)
		case strings.EqualFold(e.Status, "Pending"):
			waiting = append(waiting, member)
		}
	}
	if n.InjectedSubnet != "" {
		d.Members = append(d.Members, n.InjectedSubnet)
	}
	d.Missing = strings.Join(doubts, "; ")
	switch {
	case len(d.Members) > 0:
		d.State, d.Open = Open, Yes
	case len(doubts) > 0:
		d.State, d.Open, d.Latent, d.Reason = Unknown, Maybe, Maybe, d.Missing
	case len(waiting) > 0:
		d.State, d.Latent, d.Members = Latent, Yes, waiting
		d.Reason = "a private endpoint waits for approval"
	}
	slices.Sort(d.Members)
	return d
}
