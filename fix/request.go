package fix

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"go4.org/netipx"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/resourcetype"
	"github.com/posternhq/postern/usage"
)

// Request is what a plan for one server is made from.
type Request struct {
	Asset *asset.Asset
	// Network is the asset's network settings, as resourcetype reads them.
	Network asset.Network
	// Doors are the doors to close where they are there: exposure.Azure,
	// exposure.Internet, or both when empty.
	Doors []exposure.Kind
	Keep  Keep
	// Answer is the evidence of who connects, nil when there is none.
	Answer *usage.Answer
	// Sampled says that the evidence is samples of who is connected and no log.
	Sampled bool
	// Claim says how sure it is that an address of this origin is yours; nil takes
	// usage.Yours for owned.
	Claim func(usage.Origin) Claim
	// Claims says that something was given by which an address can be known as
	// yours: a list of own addresses, or the resources of the subscriptions.
	Claims bool
	// Listed is what KeepListed keeps.
	Listed []Span
	// Owned are ranges that are yours alone. Where it saves a rule, a kept range
	// may extend over them.
	Owned []Span
	// Outlets are the addresses that your resources come from. KeepObserved keeps
	// all current ones of a resource of which it keeps a client.
	Outlets []Outlet
	Locks   []Lock
	// Now is compared with the end of the evidence.
	Now time.Time
}

// draft is the plan for one server in the making.
type draft struct {
	Request
	kind   resourcetype.Type
	server Server
	// found is what the server lets in today.
	found exposure.Exposure
	doors []exposure.Door
	// gone holds the ids, in lower case, of the rules that will be deleted; rest
	// the firewall without them, and stays all addresses that it admits by range.
	gone                map[string]bool
	before, rest, after []Rule
	stays               *netipx.IPSet
	// azureStays holds the names of rules of the azure door that stay.
	azureStays []string
	clients    []subject
	// siblings are the further addresses that are kept with the clients, and
	// later those that their resources come from once they are scaled.
	siblings, later []Span
	plan            ServerPlan
}

// PlanServer plans the closing of one server's doors. It fails with
// [ErrNothingToClose] where none is there, [ErrNotRead] where something that
// matters was not read, and [ErrNoEvidence] or [ErrNobodyKnown] where clients are
// to be kept and it cannot be said which.
func PlanServer(r Request) (ServerPlan, error) {
	d := &draft{Request: r}
	for _, step := range []func() error{d.check, d.findDoors, d.close, d.readClients, d.keep, d.judge} {
		if err := step(); err != nil {
			return ServerPlan{}, err
		}
	}
	d.plan.Server = d.server
	d.plan.Locks = r.Locks
	d.plan.Clients = d.fates()
	d.plan.Evidence = evidence(r.Answer)
	d.plan.Blocked = strings.Join(d.blocked(), " ")
	d.plan.Warnings = d.warnings()
	d.plan.Cures = d.cures()
	return d.plan, nil
}

func (d *draft) check() error {
	if !slices.Contains(Keeps, d.Keep) {
		return fmt.Errorf("plan %s: keep %q is not one of observed, listed, none", d.Asset.Name, d.Keep)
	}
	if len(d.Doors) == 0 {
		d.Doors = []exposure.Kind{exposure.Azure, exposure.Internet}
	}
	for _, kind := range d.Doors {
		if kind != exposure.Azure && kind != exposure.Internet {
			return fmt.Errorf("plan %s: the %s door is not closed by a plan: only the azure and internet doors are", d.Asset.Name, kind)
		}
	}
	if d.Claim == nil {
		d.Claim = func(o usage.Origin) Claim {
			if o.Owner == usage.Yours {
				return Owned
			}
			return ""
		}
	}
	var known bool
	if d.kind, known = resourcetype.Lookup(d.Asset.Type); !known {
		return resourcetype.UnknownTypeError{Type: d.Asset.Type}
	}
	var err error
	d.server, err = serverOf(d.Asset, d.kind, d.Network)
	return err
}

// findDoors finds what is to be closed. One rule that was not read or not
// understood stops the plan: it may be a part of the door.
func (d *draft) findDoors() error {
	unread := func(what string) error {
		return fmt.Errorf("plan %s: %w: %s", d.Asset.Name, ErrNotRead, what)
	}
	if gap := d.Network.FirewallGap; gap != nil {
		return unread(gap.String())
	}
	d.found = exposure.Of(d.Network)
	for _, r := range d.found.Rules {
		if r.Fault != "" {
			return unread(fmt.Sprintf("firewall rule %q: %s", r.Rule.Name, r.Fault))
		}
	}
	for _, kind := range []exposure.Kind{exposure.Azure, exposure.Internet} {
		if !slices.Contains(d.Doors, kind) {
			continue
		}
		switch door := d.found.Door(kind); door.State {
		case exposure.Closed:
		case exposure.Open, exposure.Latent:
			d.doors = append(d.doors, door)
		default:
			return unread(fmt.Sprintf("whether the %s door is open is not known: %s", kind, door.Reason))
		}
	}
	if len(d.doors) == 0 {
		return fmt.Errorf("plan %s: %w: %s", d.Asset.Name, ErrNothingToClose, closedWords(d.Doors))
	}
	return nil
}

func closedWords(doors []exposure.Kind) string {
	if len(doors) == 1 {
		return fmt.Sprintf("it has no %s door", doors[0])
	}
	return "it has neither an azure nor an internet door"
}

// close takes the doors' rules out of the firewall.
func (d *draft) close() error {
	var err error
	if d.before, err = Firewall(d.Asset); err != nil {
		return fmt.Errorf("plan %s: %w: %w", d.Asset.Name, ErrNotRead, err)
	}
	d.gone = map[string]bool{}
	for _, door := range d.doors {
		p := Door{Kind: door.Kind, State: door.State}
		for _, r := range door.Rules {
			if indexOf(d.before, r.ID) < 0 {
				return fmt.Errorf("plan %s: %w: the rule %q of the door is not in the list", d.Asset.Name, ErrNotRead, r.Name)
			}
			d.gone[strings.ToLower(r.ID)] = true
			p.Rules = append(p.Rules, r.ID)
		}
		slices.SortFunc(p.Rules, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
		p.Rules = slices.CompactFunc(p.Rules, asset.SameID)
		d.plan.Doors = append(d.plan.Doors, p)
	}
	d.rest = slices.DeleteFunc(slices.Clone(d.before), func(r Rule) bool { return d.gone[strings.ToLower(r.ID)] })
	n, err := networkOf(d.Network, d.rest)
	if err != nil {
		return fmt.Errorf("plan %s: %w: %w", d.Asset.Name, ErrNotRead, err)
	}
	var ranges []netipx.IPRange
	for _, r := range exposure.Of(n).Rules {
		ranges = append(ranges, r.Ranges...)
		if r.Azure {
			d.azureStays = append(d.azureStays, r.Rule.Name)
		}
	}
	d.stays = setOf(ranges)
	return nil
}

// judge makes sure that the steps do what the plan says: that the doors are
// closed by the same judgement that found them, and that none opens.
func (d *draft) judge() error {
	d.plan.Before, d.plan.After = d.before, Apply(d.before, d.plan.Steps)
	d.after = d.plan.After
	n, err := networkOf(d.Network, d.after)
	if err != nil {
		return fmt.Errorf("plan %s: %w", d.Asset.Name, err)
	}
	then := exposure.Of(n)
	for _, kind := range []exposure.Kind{exposure.Azure, exposure.Internet} {
		closing := slices.ContainsFunc(d.doors, func(door exposure.Door) bool { return door.Kind == kind })
		was, is := d.found.Door(kind).State, then.Door(kind).State
		if is != exposure.Closed && (closing || was == exposure.Closed) {
			return fmt.Errorf("plan %s: the addresses to keep, with the rules that stay, make the %s door: keep fewer", d.Asset.Name, kind)
		}
	}
	return nil
}

// unspecified is the address that Azure reads as all of its own.
var unspecified = netip.IPv4Unspecified()
