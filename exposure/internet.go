package exposure

import (
	"cmp"
	"slices"
	"sort"

	"go4.org/netipx"
)

// InternetSlack is how many addresses of public IPv4 rules may leave out and
// still count as admitting the whole internet: anything below a /8. Leaving out
// an address or a network is not a closed door.
const InternetSlack = 1 << 24

// Finding the smallest covers is quadratic, and how many rules a server has is
// up to whoever owns it. Past these bounds the answer names more rules than it
// must, and is as right.
const (
	maxCovers      = 64
	maxPrunedCover = 512
)

// splitInternet parts the rules that admit addresses into those that together
// let the whole internet in and the rest. The former are the widest that
// suffice, then the widest that would still suffice without those, until what
// is left does not: deleting all of them closes the door, and a narrow rule
// that adds nothing to it is never among them.
func splitInternet(rules []RuleMeaning) (internet, rest []*RuleMeaning) {
	for i := range rules {
		if len(rules[i].Ranges) > 0 {
			rest = append(rest, &rules[i])
		}
	}
	slices.SortStableFunc(rest, func(a, b *RuleMeaning) int { return cmp.Compare(b.Addresses, a.Addresses) })
	for round := 0; coversInternet(rest); round++ {
		cover := rest
		if round < maxCovers {
			cover = smallestCover(rest)
		}
		internet = append(internet, cover...)
		taken := make(map[*RuleMeaning]bool, len(cover))
		for _, r := range cover {
			taken[r] = true
		}
		rest = slices.DeleteFunc(slices.Clone(rest), func(r *RuleMeaning) bool { return taken[r] })
	}
	return internet, rest
}

// smallestCover takes as many of the rules, widest first, as it takes to cover
// the internet, and then drops those the others make up for, narrowest first.
func smallestCover(widestFirst []*RuleMeaning) []*RuleMeaning {
	enough := sort.Search(len(widestFirst), func(n int) bool { return coversInternet(widestFirst[:n+1]) })
	cover := slices.Clone(widestFirst[:enough+1])
	if len(cover) > maxPrunedCover {
		return cover
	}
	for i := len(cover) - 1; i >= 0; i-- {
		if without := slices.Delete(slices.Clone(cover), i, i+1); coversInternet(without) {
			cover = without
		}
	}
	return cover
}

func coversInternet(rules []*RuleMeaning) bool {
	// Cheap first: rules that hold too few addresses together cannot cover it.
	var total uint64
	for _, r := range rules {
		total += r.Addresses
	}
	if total < publicCount-InternetSlack {
		return false
	}
	var missing netipx.IPSetBuilder
	missing.AddSet(publicIPv4)
	for _, r := range rules {
		for _, span := range r.Ranges {
			missing.RemoveRange(span)
		}
	}
	set, err := missing.IPSet()
	return err == nil && count(set.Ranges()) < InternetSlack
}
