package fix

import (
	"fmt"
	"net/netip"
	"slices"
	"sort"
	"strings"

	"go4.org/netipx"

	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/usage"
)

// subject is a client with what the plan makes of it.
type subject struct {
	usage.Judged
	claim Claim
	// ip is the public IPv4 address, the zero Addr for a client that the firewall
	// is not asked about or cannot be asked about.
	ip netip.Addr
	// depends is set when only rules that go admit it today.
	depends bool
}

// readClients works out which clients depend on the doors, by the firewall as it
// will be and not by the class alone.
func (d *draft) readClients() error {
	open := slices.ContainsFunc(d.doors, func(door exposure.Door) bool { return door.State == exposure.Open })
	if d.Keep == KeepObserved && open && !d.hasEvidence() {
		return fmt.Errorf("plan %s: %w: give a log that holds at least one entry, or say --keep listed or --keep none", d.Asset.Name, ErrNoEvidence)
	}
	if d.Answer == nil {
		return nil
	}
	going := d.going()
	dependents := 0
	for _, c := range d.Answer.Clients {
		s := subject{Judged: c, claim: d.Claim(c.Origin), ip: d.asked(c)}
		if s.ip.IsValid() && d.found.Enforced == exposure.Yes && going(s) && !d.stays.Contains(s.ip) && !d.byAzureStill(s) {
			s.depends = true
			dependents++
		}
		d.clients = append(d.clients, s)
	}
	if d.Keep == KeepObserved && dependents > 0 && !d.Claims {
		return fmt.Errorf("plan %s: %w: %d %s on the doors; name your own addresses with --own, or say --keep listed or --keep none",
			d.Asset.Name, ErrNobodyKnown, dependents, choose(dependents, "client depends", "clients depend"))
	}
	return nil
}

// hasEvidence reports whether anything was looked at: a log with an entry, or
// samples.
func (d *draft) hasEvidence() bool {
	return d.Answer != nil && (!d.Answer.Window.First.IsZero() || len(d.Answer.Clients) > 0 || d.Sampled)
}

// asked returns the address that the firewall is asked about when the client
// comes, the zero Addr when it is not asked or nobody can say.
func (d *draft) asked(c usage.Judged) netip.Addr {
	ip, err := netip.ParseAddr(c.Address)
	ip = ip.Unmap()
	switch {
	case err != nil, c.Connections+c.Authenticated+c.TurnedAway == 0, c.Class == usage.Private, c.Class == usage.AzureItself:
		return netip.Addr{}
	case !ip.Is4(), isPrivate(ip), ip == unspecified:
		return netip.Addr{}
	}
	return ip
}

// going returns whether a rule that goes admits a client today. Of the azure door
// any public address may be: which of them are inside Azure is not known for sure.
func (d *draft) going() func(subject) bool {
	if slices.ContainsFunc(d.found.Rules, func(r exposure.RuleMeaning) bool { return r.Azure && d.isGone(r.Rule.ID) }) {
		return func(subject) bool { return true }
	}
	var ranges []netipx.IPRange
	for _, r := range d.found.Rules {
		if d.isGone(r.Rule.ID) {
			ranges = append(ranges, r.Ranges...)
		}
	}
	set := setOf(ranges)
	return func(s subject) bool { return set.Contains(s.ip) }
}

func (d *draft) isGone(id string) bool { return d.gone[strings.ToLower(id)] }

// byAzureStill reports whether an azure door that stays is known to admit a
// client.
func (d *draft) byAzureStill(s subject) bool {
	return len(d.azureStays) > 0 && (s.Origin.Tag != "" || s.Origin.Owner == usage.InAzure)
}

// MaxAdded is how many rules a plan adds to one server at the most. Each takes
// about a minute.
const MaxAdded = 1000

// keep makes the steps: rules for what is kept, then the doors' rules deleted.
func (d *draft) keep() error {
	wanted, err := d.wanted()
	if err != nil {
		return err
	}
	if d.Keep == KeepObserved {
		d.readOutlets()
	}
	seen := wanted
	wanted = slices.Concat(seen, d.siblings)
	kept := setOf(spansOf(wanted))
	ranges := d.ranges(kept)
	if len(ranges) > MaxAdded {
		return fmt.Errorf("plan %s: keeping them takes %d rules, and more than %d are no firewall any more: list ranges with --keep listed, or bring the clients behind a NAT gateway or a private endpoint",
			d.Asset.Name, len(ranges), MaxAdded)
	}
	names, seenNames, siblingNames := labels(ranges, wanted), labels(ranges, seen), labels(ranges, d.siblings)
	taken := map[string]bool{}
	for _, r := range d.before {
		taken[strings.ToLower(r.Name)] = true
	}
	var back []Step
	for i, span := range ranges {
		label, why := "", whyKept(span, seen, seenNames[i], d.siblings, siblingNames[i])
		if len(names[i]) == 1 {
			label = names[i][0]
		}
		if !kept.ContainsRange(span) {
			why += "; the addresses between are yours or admitted anyway"
		}
		name := nameFor(span, label, taken)
		r := Rule{
			ID: d.server.ID + "/" + rulesList + "/" + name, Name: name,
			Start: span.From().String(), End: span.To().String(),
		}
		d.plan.Steps = append(d.plan.Steps, Step{Act: Put, Rule: r, Why: why})
		back = append(back, Step{Act: Delete, Rule: r, Why: "removes what the plan added"})
	}
	for _, r := range d.before {
		if !d.isGone(r.ID) {
			continue
		}
		d.plan.Steps = append(d.plan.Steps, Step{Act: Delete, Rule: r, Why: d.whyDeleted(r)})
		d.plan.WayBack = append(d.plan.WayBack, Step{Act: Put, Rule: r, Why: "puts back what the plan deleted"})
	}
	d.plan.WayBack = append(d.plan.WayBack, back...)
	return nil
}

func (d *draft) whyDeleted(r Rule) string {
	var of []string
	for _, door := range d.plan.Doors {
		if slices.Contains(door.Rules, r.ID) {
			of = append(of, string(door.Kind)+" door")
		}
	}
	return "it makes the " + strings.Join(of, " and the ")
}

// wanted is what is to be kept, as ranges with names.
func (d *draft) wanted() ([]Span, error) {
	var out []Span
	switch d.Keep {
	case KeepObserved:
		for _, c := range d.clients {
			if c.depends && c.claim != "" {
				out = append(out, Span{netipx.IPRangeFrom(c.ip, c.ip), c.Origin.Name})
			}
		}
	case KeepListed:
		for _, s := range d.Listed {
			switch from, to := s.Range.From(), s.Range.To(); {
			case !s.Range.IsValid():
				return nil, fmt.Errorf("plan %s: the list of addresses to keep holds a range that is none, called %q", d.Asset.Name, s.Name)
			case from.Is6() || isPrivate(from) && isPrivate(to):
				// Warned of: the firewall is not asked about them.
			case s.Range.Contains(unspecified):
				return nil, fmt.Errorf("plan %s: the list of addresses to keep holds 0.0.0.0 (%q), which Azure reads as every machine inside Azure", d.Asset.Name, s.Name)
			default:
				out = append(out, s)
			}
		}
		if len(out) == 0 {
			return nil, fmt.Errorf("plan %s: the list of addresses to keep holds no public IPv4 address; say --keep none to keep nobody", d.Asset.Name)
		}
	case KeepNone:
	}
	return out, nil
}

// ranges are the ranges of the new rules. They may extend over what is yours and
// what is admitted anyway, and never over a stranger that was seen.
func (d *draft) ranges(kept *netipx.IPSet) []netipx.IPRange {
	var fill netipx.IPSetBuilder
	for _, s := range d.Owned {
		if s.Range.IsValid() && s.Range.From().Is4() {
			fill.AddRange(s.Range)
		}
	}
	for _, c := range d.clients {
		if c.ip.IsValid() && c.claim != Owned && !kept.Contains(c.ip) {
			fill.Remove(c.ip)
		}
	}
	fill.Remove(unspecified)
	fill.AddSet(d.stays)
	set, _ := fill.IPSet() // its parts were checked
	return merge(minus(kept, d.stays), set)
}

func spansOf(spans []Span) []netipx.IPRange {
	out := make([]netipx.IPRange, 0, len(spans))
	for _, s := range spans {
		out = append(out, s.Range)
	}
	return out
}

// labels are the names of what each range keeps, in order and each once. A span
// lies in one range at the most: all its addresses are kept or admitted anyway.
func labels(ranges []netipx.IPRange, wanted []Span) [][]string {
	out := make([][]string, len(ranges))
	seen := make([]map[string]bool, len(ranges))
	for _, s := range wanted {
		i := sort.Search(len(ranges), func(i int) bool { return ranges[i].To().Compare(s.Range.From()) >= 0 })
		if i == len(ranges) || !ranges[i].Overlaps(s.Range) || s.Name == "" {
			continue
		}
		if seen[i] == nil {
			seen[i] = map[string]bool{}
		}
		if !seen[i][s.Name] {
			seen[i][s.Name] = true
			out[i] = append(out[i], s.Name)
		}
	}
	for _, names := range out {
		slices.Sort(names)
	}
	return out
}

// fewNames is how many names a sentence lists.
const fewNames = 3

func listNames(names []string) string {
	switch {
	case len(names) == 0:
		return "what is yours"
	case len(names) > fewNames:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:fewNames], ", "), len(names)-fewNames)
	default:
		return strings.Join(names, ", ")
	}
}

// choose picks the form that goes with a number.
func choose(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
