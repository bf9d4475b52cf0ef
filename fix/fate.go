package fix

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/usage"
)

// fates says what becomes of each client, the worst first.
func (d *draft) fates() []Client {
	n, err := networkOf(d.Network, d.after)
	if err != nil {
		return nil // judge has read the same rules
	}
	j := judgement{draft: d, after: exposure.Of(n).Rules, names: map[netip.Addr]admission{}, stayed: map[string]bool{}}
	for _, r := range d.rest {
		j.stayed[r.ID] = true
	}
	out := make([]Client, 0, len(d.clients))
	for _, s := range d.clients {
		out = append(out, j.client(s))
	}
	slices.SortStableFunc(out, compareClients)
	return out
}

// compareClients puts the worst fate first, then those that nobody knows to be
// yours, then goes by address.
func compareClients(a, b Client) int {
	// What is no address comes first, as the zero Addr does.
	x, _ := netip.ParseAddr(a.Address)
	y, _ := netip.ParseAddr(b.Address)
	return cmp.Or(
		cmp.Compare(slices.Index(Fates, a.Fate), slices.Index(Fates, b.Fate)),
		cmp.Compare(claimRank(a.Claim), claimRank(b.Claim)),
		x.Compare(y), cmp.Compare(a.Address, b.Address),
		cmp.Compare(a.User, b.User), cmp.Compare(a.Database, b.Database), cmp.Compare(a.Application, b.Application),
	)
}

func claimRank(c Claim) int { return slices.Index([]Claim{"", Candidate, Owned}, c) }

// judgement says by which rules an address comes in afterwards.
type judgement struct {
	*draft
	after []exposure.RuleMeaning
	// stayed holds the ids of the rules that were there before.
	stayed map[string]bool
	// names remembers the answer for an address: many clients share one.
	names map[netip.Addr]admission
}

type admission struct{ old, added []string }

func (j *judgement) admitting(ip netip.Addr) admission {
	if a, ok := j.names[ip]; ok {
		return a
	}
	var a admission
	for _, r := range j.after {
		for _, span := range r.Ranges {
			if ip.Less(span.From()) || span.To().Less(ip) {
				continue
			}
			if j.stayed[r.Rule.ID] {
				a.old = append(a.old, r.Rule.Name)
			} else {
				a.added = append(a.added, r.Rule.Name)
			}
			break
		}
	}
	j.names[ip] = a
	return a
}

func (j *judgement) client(s subject) Client {
	c := Client{
		Address: s.Address, User: s.User, Database: s.Database, Application: s.Application,
		First: s.First.UTC(), Last: s.Last.UTC(), Connections: s.Connections,
		Class: s.Class, Origin: s.Origin, Claim: s.claim,
	}
	set := func(f Fate, why string, rules ...string) Client {
		c.Fate, c.Why, c.Rules = f, why, rules
		return c
	}
	switch {
	case s.Connections+s.Authenticated+s.TurnedAway == 0:
		return set(Untouched, "it was never let in")
	case s.Hidden != "":
		return set(Uncertain, "others may stand behind this address, and they would be cut off unseen: "+s.Hidden)
	case s.Class == usage.Private || s.Class == usage.AzureItself:
		return set(Untouched, s.Why)
	case j.found.Enforced != exposure.Yes:
		return set(Untouched, "no firewall rule lets anybody in today: "+j.found.Why)
	case !s.ip.IsValid():
		return set(j.unasked(s))
	}
	a := j.admitting(s.ip)
	switch {
	case len(a.old) > 0:
		return set(KeptByOld, "a rule that stays admits it", append(a.old, a.added...)...)
	case len(a.added) > 0:
		return set(KeptByNew, "the plan adds a rule for it", a.added...)
	case j.byAzureStill(s):
		return set(KeptByOld, "it is inside Azure, and the azure door stays", j.azureStays...)
	case s.depends && len(j.azureStays) > 0 && s.Origin.Owner != usage.Outside:
		return set(Uncertain, "the azure door stays and admits it if it is inside Azure, which service tags would tell")
	case s.depends:
		return set(CutOff, j.whyCutOff())
	default:
		return set(Untouched, "no rule of today admits it, and it came while one did")
	}
}

// unasked is the fate of a client of which it is not known what to ask the
// firewall.
func (j *judgement) unasked(s subject) (Fate, string) {
	ip, err := netip.ParseAddr(s.Address)
	switch {
	case err != nil:
		return Uncertain, "its address is not known: " + s.Why
	case isPrivate(ip.Unmap()):
		return Untouched, "its address is private: firewall rules are not asked"
	default:
		return Uncertain, "firewall rules are about IPv4 addresses, so none can keep it: " + s.Why
	}
}

func (j *judgement) whyCutOff() string {
	var doors []string
	for _, d := range j.doors {
		doors = append(doors, string(d.Kind)+" door")
	}
	by := "only what the plan deletes admits it (" + strings.Join(doors, ", ") + ")"
	switch j.Keep {
	case KeepListed:
		return by + ", and the list does not name it"
	case KeepNone:
		return by + ", and nothing is kept"
	default:
		return by + ", and nothing that was given shows it to be yours"
	}
}

// evidence is what the plan keeps of the answer.
func evidence(a *usage.Answer) *Evidence {
	if a == nil {
		return nil
	}
	return &Evidence{
		First: a.Window.First.UTC(), Last: a.Window.Last.UTC(), Covered: a.Window.Covered().Seconds(),
		Outcome: a.Outcome, Missing: a.Missing, Blind: a.Blind,
	}
}

// countClients is how many clients a test holds for.
func countClients(clients []Client, test func(Client) bool) int {
	n := 0
	for _, c := range clients {
		if test(c) {
			n++
		}
	}
	return n
}

func clientsWord(n int) string { return fmt.Sprintf("%d %s", n, choose(n, "client", "clients")) }
