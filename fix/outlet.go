package fix

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/posternhq/postern/exposure"
)

// Outlet is an address, or a range of them, that a resource of yours comes from.
// Where it has several, each connection may come from any of them.
type Outlet struct {
	Range netipx.IPRange
	// Resource is the ARM id of the resource and Name what people call it.
	Resource, Name string
	// Current is false for an address that it comes from only once it is scaled.
	Current bool
}

// readOutlets finds the further addresses of the resources of which a client is
// kept. Evidence shows the address by which a resource came; by another of them
// it would be refused tomorrow.
func (d *draft) readOutlets() {
	chosen := d.keptResources()
	strangers := d.strangers()
	for _, o := range d.Outlets {
		if !chosen[strings.ToLower(o.Resource)] || !o.usable() {
			continue
		}
		rest := minus(setOf([]netipx.IPRange{o.Range}), strangers)
		for _, r := range minus(rest, d.stays).Ranges() {
			if span := (Span{r, o.Name}); o.Current {
				d.siblings = append(d.siblings, span)
			} else {
				d.later = append(d.later, span)
			}
		}
	}
	seen := setOf(d.keptAddresses())
	d.siblings = without(d.siblings, seen)
	d.later = without(d.later, setOf(slices.Concat(seen.Ranges(), spansOf(d.siblings))))
}

// usable reports whether firewall rules can be about an outlet.
func (o Outlet) usable() bool {
	from, to := o.Range.From(), o.Range.To()
	return o.Range.IsValid() && from.Is4() && !isPrivate(from) && !isPrivate(to) && !o.Range.Contains(unspecified)
}

// keptAddresses are the addresses of clients that are yours, or may be, and that
// are kept by a rule of either kind.
func (d *draft) keptAddresses() []netipx.IPRange {
	var out []netipx.IPRange
	for _, c := range d.clients {
		if d.isKept(c) {
			out = append(out, netipx.IPRangeFrom(c.ip, c.ip))
		}
	}
	return out
}

func (d *draft) isKept(c subject) bool {
	return c.claim != "" && c.ip.IsValid() && d.found.Enforced == exposure.Yes &&
		(c.depends || d.stays.Contains(c.ip) && len(d.azureStays) == 0)
}

// strangers are the addresses at which somebody was seen whom nothing shows to be
// yours.
func (d *draft) strangers() *netipx.IPSet {
	var ranges []netipx.IPRange
	for _, c := range d.clients {
		if c.ip.IsValid() && c.claim == "" {
			ranges = append(ranges, netipx.IPRangeFrom(c.ip, c.ip))
		}
	}
	return setOf(ranges)
}

// keptResources holds the ids, in lower case, of the resources that a kept client
// may be: those that come from its address today or, where none does, those that
// come from it once they are scaled.
func (d *draft) keptResources() map[string]bool {
	var now, scaled []Outlet
	for _, o := range d.Outlets {
		switch {
		case !o.usable():
		case o.Current:
			now = append(now, o)
		default:
			scaled = append(scaled, o)
		}
	}
	out, seen := map[string]bool{}, map[netip.Addr]bool{}
	add := func(from []Outlet, ip netip.Addr) (found bool) {
		for _, o := range from {
			if o.Range.Contains(ip) {
				out[strings.ToLower(o.Resource)], found = true, true
			}
		}
		return found
	}
	for _, c := range d.clients {
		if !d.isKept(c) || seen[c.ip] {
			continue
		}
		seen[c.ip] = true
		if !add(now, c.ip) {
			add(scaled, c.ip)
		}
	}
	return out
}

// without leaves out what a set holds.
func without(spans []Span, set *netipx.IPSet) []Span {
	var out []Span
	for _, s := range spans {
		for _, r := range minus(setOf([]netipx.IPRange{s.Range}), set).Ranges() {
			out = append(out, Span{r, s.Name})
		}
	}
	return out
}

// whyKept says what a new rule is for: whom it keeps that was seen, and what it
// keeps besides.
func whyKept(r netipx.IPRange, seen []Span, names []string, siblings []Span, siblingNames []string) string {
	more := within(r, siblings)
	if more == 0 {
		return "keeps " + listNames(names)
	}
	others := fmt.Sprintf("%s of %s, which may come from any of them",
		choose(more, "another outbound address", "other outbound addresses"), listNames(siblingNames))
	if within(r, seen) == 0 {
		return "keeps " + others
	}
	return "keeps " + listNames(names) + ", and " + others
}

// within is how many addresses of spans lie in a range.
func within(r netipx.IPRange, spans []Span) int {
	var inside []netipx.IPRange
	for _, s := range spans {
		if s.Range.Overlaps(r) {
			inside = append(inside, s.Range)
		}
	}
	n := uint64(0)
	for _, s := range setOf(inside).Ranges() {
		n += size(s)
	}
	return int(n)
}

// warnOfOutlets lists the addresses that kept resources come from once they are
// scaled. Resources with the same ones are named together.
func (d *draft) warnOfOutlets(w *sayer) {
	byName := map[string][]netipx.IPRange{}
	for _, s := range d.later {
		byName[s.Name] = append(byName[s.Name], s.Range)
	}
	namesOf := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		var addresses []string
		for _, r := range setOf(byName[name]).Ranges() {
			addresses = append(addresses, spanText(r))
		}
		list := strings.Join(addresses, ", ")
		namesOf[list] = append(namesOf[list], name)
	}
	for _, list := range slices.Sorted(maps.Keys(namesOf)) {
		names := namesOf[list]
		w.say("%s may come from %s when %s plan is scaled: this plan does not keep %s, and a NAT gateway or a private endpoint spares you that.",
			listNames(names), list, choose(len(names), "its", "their"), choose(strings.Count(list, ",")+strings.Count(list, "–")+1, "it", "them"))
	}
}
