package usage

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/usage/pglog"
)

// Class says which way a client comes, as today's settings of the server have it.
type Class string

// The classes, from the one that matters most.
const (
	// AzureDoor: the address is public, no other rule admits it, and the azure
	// door is open. Closing the door cuts this client off.
	AzureDoor Class = "azure door"
	// Unknown: it could not be decided; Why says what was missing.
	Unknown Class = "unknown"
	// InternetDoor: only rules that together admit the whole internet admit it.
	InternetDoor Class = "internet door"
	// Covered: a firewall rule that is not the door's admits it.
	Covered Class = "covered"
	// Private: a private address, or the server lives in a virtual network.
	Private Class = "private"
	// AzureItself: an address of the server itself, or Azure's own user with a
	// private address.
	AzureItself Class = "azure itself"
	// ShutOut: it was never let in, or nothing admits it any more.
	ShutOut Class = "shut out"
)

// Classes are all classes in the order in which they are shown.
var Classes = []Class{AzureDoor, Unknown, InternetDoor, Covered, Private, AzureItself, ShutOut}

// Judged is a client with its class and whose address it is.
type Judged struct {
	Client
	Class Class `json:"class"`
	// Why says in words what the class rests on.
	Why string `json:"why"`
	// Rules are the names of the firewall rules that admit the client, those of
	// the azure door for a client that depends on it.
	Rules []string `json:"rules,omitempty"`
	// Hidden says why others may stand behind this client; empty when none can.
	Hidden string `json:"hidden,omitempty"`
	// Origin says whose the address is.
	Origin Origin `json:"origin"`
}

// azureUsers are Azure's own database users: azuresu on flexible servers and
// Single Server ("Azure system users" of Microsoft's documentation), its older
// name on early Single Servers. They cannot be signed in to by customers.
var azureUsers = []string{"azuresu", "azure_superuser"}

// isAzure reports whether a client is Azure's own for its user. A name that can be
// read in two ways is nobody's proof.
func (c Client) isAzure() bool { return !c.Ambiguous && slices.Contains(azureUsers, c.User) }

// Access is who may reach a server.
type Access struct {
	exposure exposure.Exposure
	injected bool
	// doubts keep the rules from being known in full, one sentence each.
	doubts []string
	// internet holds the ids of the rules of the internet door.
	internet map[string]bool
}

// NewAccess computes the access that network settings add up to.
func NewAccess(n asset.Network) Access {
	a := Access{exposure: exposure.Of(n), injected: n.InjectedSubnet != "", internet: map[string]bool{}}
	if n.FirewallGap != nil {
		a.doubts = append(a.doubts, n.FirewallGap.String())
	}
	for _, r := range a.exposure.Rules {
		if r.Fault != "" {
			a.doubts = append(a.doubts, fmt.Sprintf("firewall rule %q: %s", r.Rule.Name, r.Fault))
		}
	}
	if a.exposure.Enforced == exposure.Maybe {
		a.doubts = append(a.doubts, a.exposure.Why)
	}
	for _, r := range a.exposure.Door(exposure.Internet).Rules {
		a.internet[strings.ToLower(r.ID)] = true
	}
	return a
}

// UnreadableAccess is the access to a server whose settings could not be read.
func UnreadableAccess(reason string) Access {
	return Access{exposure: exposure.Unreadable(reason), doubts: []string{reason}}
}

// Door is the state of the azure door.
func (a Access) Door() exposure.Door { return a.exposure.Door(exposure.Azure) }

// Judge says which way a client comes.
func (a Access) Judge(c Client) Judged {
	j := Judged{Client: c}
	set := func(class Class, why string) Judged {
		j.Class, j.Why = class, why
		return j
	}
	address, err := netip.ParseAddr(c.Address)
	letIn := c.Connections+c.Authenticated > 0
	switch {
	case !letIn && c.TurnedAway == 0 && c.Refused > 0:
		return set(ShutOut, "it was refused every time")
	case !letIn && c.TurnedAway == 0:
		return set(ShutOut, "it knocked and was never let in")
	case !letIn && (c.Address == pglog.Local || err == nil && address.IsLoopback()):
		return set(AzureItself, "it comes from the server itself, which had no room for it or was not ready")
	case c.Address == pglog.Local || err == nil && address.IsLoopback():
		if !c.isAzure() {
			j.Hidden = "a pooler on the server itself, such as Azure's PgBouncer on port 6432, may show its clients this way"
		}
		return set(AzureItself, "it comes from the server itself")
	case c.isAzure() && err == nil && isPrivate(address):
		return set(AzureItself, "it is Azure's own user "+c.User)
	case c.Address == "":
		return set(Unknown, "the log does not tell its address")
	case err != nil:
		return set(Unknown, "the log holds a host name, and firewall rules are about addresses: switch log_hostname off")
	case a.injected:
		return set(Private, "the server lives in a virtual network: there is no other way in")
	case isPrivate(address):
		if !a.hasPrivateWay() {
			j.Hidden = "the server has no private endpoint and no subnet rule that a private address could come by: a pooler or proxy may stand in front of it"
		}
		return set(Private, "its address is private: firewall rules are not asked")
	}
	judged := a.public(j, address)
	switch {
	case judged.Class != AzureDoor:
	case c.isAzure():
		// Customers of some servers can make such a role, and nothing shows that a
		// public address is Azure's own.
		return set(Unknown, "it has the name of Azure's own user "+c.User+" and a public address")
	case !letIn:
		return set(Unknown, "the server had no room for it or was not ready, and may let it in another time: no rule but the azure door's admits its address")
	}
	return judged
}

// public judges a client with a public address by the firewall rules.
func (a Access) public(j Judged, address netip.Addr) Judged {
	e, door := a.exposure, a.Door()
	set := func(class Class, why string, rules ...string) Judged {
		j.Class, j.Why, j.Rules = class, why, rules
		return j
	}
	narrow, wide := a.admitting(address)
	switch {
	case e.Enforced == exposure.No:
		return set(ShutOut, "public access is off today, and it came while it was on: "+e.Why)
	case e.Enforced == exposure.Maybe:
		return set(Unknown, e.Why)
	case !address.Is4():
		return set(Unknown, "firewall rules are about IPv4 addresses only")
	case len(narrow) > 0:
		return set(Covered, "a firewall rule admits it", narrow...)
	case len(wide) > 0:
		return set(InternetDoor, "only the internet door admits it", wide...)
	case len(a.doubts) > 0:
		return set(Unknown, "not all rules were read, and one of them may admit it: "+a.doubts[0])
	case door.State == exposure.Open:
		var names []string
		for _, r := range door.Rules {
			names = append(names, r.Name)
		}
		return set(AzureDoor, "its address is public, and no other rule admits it", names...)
	case door.State == exposure.Unknown:
		return set(Unknown, door.Reason)
	default:
		return set(ShutOut, "no rule of today admits it, and it came while one did")
	}
}

// admitting returns the names of the rules that admit an address and are not
// part of the azure door: those that are left when it is closed. Wide are those
// that make the internet door.
func (a Access) admitting(address netip.Addr) (narrow, wide []string) {
	for _, r := range a.exposure.Rules {
		if r.Azure || r.Fault != "" {
			continue
		}
		for _, span := range r.Ranges {
			if !span.Contains(address) {
				continue
			}
			if a.internet[strings.ToLower(r.Rule.ID)] {
				wide = append(wide, r.Rule.Name)
			} else {
				narrow = append(narrow, r.Rule.Name)
			}
			break
		}
	}
	return narrow, wide
}

// hasPrivateWay reports whether a private address can reach the server, as far
// as is known.
func (a Access) hasPrivateWay() bool {
	return a.exposure.Door(exposure.Private).State == exposure.Open || a.exposure.Door(exposure.Subnet).State == exposure.Open
}

var sharedSpace = netip.MustParsePrefix("100.64.0.0/10") // RFC 6598, used inside Azure

// isPrivate reports whether an address cannot come over the internet: private,
// unique local (what service endpoints show), link local, or shared.
func isPrivate(address netip.Addr) bool {
	return address.IsPrivate() || address.IsLinkLocalUnicast() || sharedSpace.Contains(address)
}
