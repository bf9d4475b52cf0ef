package exposure_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/exposure"
)

func address(n uint32) string {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], n)
	return netip.AddrFrom4(b).String()
}

// span is a firewall rule as numbers, easier to cut than addresses.
type span struct{ from, to uint32 }

func network(spans []span, name func(int) string) asset.Network {
	n := asset.Network{Public: asset.PublicAccess{State: asset.On}}
	for i, s := range spans {
		n.FirewallRules = append(n.FirewallRules, asset.FirewallRule{
			ID: "/id/" + name(i), Name: name(i), Start: address(s.from), End: address(s.to),
		})
	}
	return n
}

func numbered(i int) string { return fmt.Sprintf("rule%d", i) }

// spans draws rules that matter: the sentinel, wide ranges with edges where
// mistakes live, and narrow ones.
func spans() *rapid.Generator[[]span] {
	edge := rapid.OneOf(
		rapid.SampledFrom([]uint32{0, 1, 1 << 24, 1<<24 - 1, 10 << 24, 127<<24 - 1, 1 << 31, 1<<31 - 1, 223<<24 | 0xffffff, 224 << 24, 0xffffffff, 0xfffffffe}),
		rapid.Uint32(),
	)
	one := rapid.Custom(func(t *rapid.T) span {
		if rapid.IntRange(0, 3).Draw(t, "sentinel") == 0 {
			return span{0, 0}
		}
		a, b := edge.Draw(t, "a"), edge.Draw(t, "b")
		return span{min(a, b), max(a, b)}
	})
	return rapid.SliceOfN(one, 0, 8)
}

// verdict is what must not change: the doors by state, and what they admit.
func verdict(n asset.Network) []string {
	var out []string
	for _, d := range exposure.Of(n).Doors[:2] {
		out = append(out, fmt.Sprintf("%s %s %t", d.Kind, d.State, len(d.Rules) > 0))
	}
	return out
}

func TestOrderAndNamesDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		drawn := spans().Draw(t, "rules")
		want := verdict(network(drawn, numbered))

		shuffled := append([]span(nil), drawn...)
		seed := rapid.Uint64().Draw(t, "seed")
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		names := rapid.SliceOfN(rapid.SampledFrom([]string{"AllowAllAzureIps", "office", "", "Ω", "a"}), len(drawn), len(drawn)).Draw(t, "names")

		if diff := cmp.Diff(want, verdict(network(shuffled, func(i int) string { return names[i] }))); diff != "" {
			t.Fatalf("the verdict moved (-want +got):\n%s", diff)
		}
	})
}

func TestEvidenceDoesNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := network(spans().Draw(t, "rules"), numbered)
		want := exposure.Of(n).Doors
		seed := rapid.Uint64().Draw(t, "seed")
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(n.FirewallRules), func(i, j int) {
			n.FirewallRules[i], n.FirewallRules[j] = n.FirewallRules[j], n.FirewallRules[i]
		})
		if diff := cmp.Diff(want, exposure.Of(n).Doors); diff != "" {
			t.Fatalf("the doors moved (-want +got):\n%s", diff)
		}
	})
}

// A range may be cut anywhere, except that cutting 0.0.0.0 off by itself makes
// it the sentinel, which is another rule and not a part of the range.
func TestHowARangeIsSplitDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		drawn := spans().Draw(t, "rules")
		var split []span
		for _, s := range drawn {
			if s.from == s.to || (s.from == 0 && s.to == 1) {
				split = append(split, s)
				continue
			}
			lowest := s.from
			if s.from == 0 {
				lowest = 1
			}
			cut := rapid.Uint32Range(lowest, s.to-1).Draw(t, "cut")
			split = append(split, span{s.from, cut}, span{cut + 1, s.to})
		}
		if diff := cmp.Diff(verdict(network(drawn, numbered)), verdict(network(split, numbered))); diff != "" {
			t.Fatalf("the verdict moved (-want +got):\n%s", diff)
		}
	})
}

func TestAddingARuleNeverClosesADoor(t *testing.T) {
	rank := map[exposure.State]int{exposure.Closed: 0, exposure.Unknown: 1, exposure.Latent: 2, exposure.Open: 2}
	rapid.Check(t, func(t *rapid.T) {
		drawn := spans().Draw(t, "rules")
		more := spans().Draw(t, "more")
		before := exposure.Of(network(drawn, numbered))
		after := exposure.Of(network(append(append([]span(nil), drawn...), more...), numbered))
		for _, kind := range []exposure.Kind{exposure.Azure, exposure.Internet} {
			if rank[after.Door(kind).State] < rank[before.Door(kind).State] {
				t.Fatalf("door %s went from %s to %s", kind, before.Door(kind).State, after.Door(kind).State)
			}
		}
	})
}

func TestDeletingTheGuiltyRulesClosesTheDoor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := network(spans().Draw(t, "rules"), numbered)
		for _, kind := range []exposure.Kind{exposure.Azure, exposure.Internet} {
			guilty := map[string]bool{}
			for _, r := range exposure.Of(n).Door(kind).Rules {
				guilty[r.ID] = true
			}
			left := asset.Network{Public: n.Public}
			for _, r := range n.FirewallRules {
				if !guilty[r.ID] {
					left.FirewallRules = append(left.FirewallRules, r)
				}
			}
			if got := exposure.Of(left).Door(kind).State; got != exposure.Closed {
				t.Fatalf("door %s is %s after its rules went", kind, got)
			}
		}
	})
}

// The arithmetic is checked against the dullest one there is: walking the edges
// of all ranges and asking of each piece of the address space whether any rule
// admits it.
func TestAddressesAreCountedRight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		drawn := spans().Draw(t, "rules")
		e := exposure.Of(network(drawn, numbered))
		edges := map[uint64]bool{0: true, 1 << 32: true}
		for _, s := range drawn {
			edges[uint64(s.from)], edges[uint64(s.to)+1] = true, true
		}
		var sorted []uint64
		for edge := range edges {
			sorted = append(sorted, edge)
		}
		slices.Sort(sorted)
		var want uint64
		for i := 0; i+1 < len(sorted); i++ {
			for _, s := range drawn {
				if s != (span{0, 0}) && uint64(s.from) <= sorted[i] && sorted[i] <= uint64(s.to) {
					want += sorted[i+1] - sorted[i]
					break
				}
			}
		}
		internet, rest := e.Door(exposure.Internet), e.Door(exposure.Range)
		// Both doors together admit the union; they may overlap, so the larger
		// bounds it from below and the sum from above.
		if got := max(internet.Addresses, rest.Addresses); got > want || internet.Addresses+rest.Addresses < want {
			t.Fatalf("internet admits %d, ranges %d, want together %d", internet.Addresses, rest.Addresses, want)
		}
	})
}

func TestManyRulesAreJudgedInReasonableTime(t *testing.T) {
	var drawn []span
	for i := range uint32(1000) {
		drawn = append(drawn, span{i, 0xffffffff - i}, span{0, 1<<31 + i}, span{1<<31 - i, 0xffffffff}, span{i << 19, (i+1)<<19 - 1})
	}
	if got := exposure.Of(network(drawn, numbered)).Door(exposure.Internet).State; got != exposure.Open {
		t.Errorf("internet door is %s, want open", got)
	}
}

func BenchmarkOf(b *testing.B) {
	n := network([]span{{0, 0}, {167772161, 167772161}, {3405803783, 3405803800}, {1, 2}, {5, 9}}, numbered)
	for b.Loop() {
		exposure.Of(n)
	}
}
