package fix_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/usage"
)

func address(n uint32) string {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], n)
	return netip.AddrFrom4(b).String()
}

// addressOf is the i-th address of a small world, so that what is drawn meets.
func addressOf(i int) string { return address(20<<24 | 9<<16 | uint32(i)) }

const world = 24

// drawnRules are narrow rules of the small world.
func drawnRules(t *rapid.T, most int) []string {
	var out []string
	for i := range rapid.IntRange(0, most).Draw(t, "rules") {
		a, b := rapid.IntRange(0, world-1).Draw(t, "a"), rapid.IntRange(0, world-1).Draw(t, "b")
		out = append(out, fmt.Sprintf("r%d %s-%s", i, addressOf(min(a, b)), addressOf(max(a, b))))
	}
	return out
}

// The fewest ranges are found again by trying every way to part the kept
// addresses into neighbours.
func TestTheFewestRangesThatAdmitNoStranger(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const yours, stranger = 1, 2
		seen := rapid.SliceOfN(rapid.SampledFrom([]int{0, 0, yours, yours, stranger}), world, world).Draw(t, "seen")
		owned := rapid.SliceOfN(rapid.Bool(), world, world).Draw(t, "owned")
		rules := append(drawnRules(t, 2), door)
		var clients []usage.Client
		var spans []fix.Span
		for i := range world {
			if seen[i] != 0 {
				clients = append(clients, client(addressOf(i)))
			}
			if owned[i] {
				spans = append(spans, span(addressOf(i), "mine"))
			}
		}
		r := request(server(flexible, public, rules...), fix.KeepObserved, clients...)
		r.Owned = spans
		if r.Answer == nil {
			t.Skip("nobody was seen")
		}
		for i, c := range r.Answer.Clients {
			if seen[indexOfAddress(c.Address)] == yours {
				r.Answer.Clients[i].Origin = usage.Origin{Owner: usage.Yours, Name: "mine"}
			}
		}
		p, err := fix.PlanServer(r)
		if err != nil {
			t.Fatal(err)
		}
		var added, stays []fix.Rule
		for _, s := range p.Steps {
			if s.Act == fix.Put {
				added = append(added, s.Rule)
			}
		}
		for _, rule := range p.Before {
			if rule.Start != "0.0.0.0" {
				stays = append(stays, rule)
			}
		}
		in := func(list []fix.Rule, a string) bool {
			ip := netip.MustParseAddr(a)
			return slices.ContainsFunc(list, func(r fix.Rule) bool {
				return netip.MustParseAddr(r.Start).Compare(ip) <= 0 && ip.Compare(netip.MustParseAddr(r.End)) <= 0
			})
		}
		var kept []int
		allowed := make([]bool, world)
		for i := range world {
			a := addressOf(i)
			switch admitted, before := in(added, a), in(stays, a); {
			case seen[i] == yours && !admitted && !before:
				t.Fatalf("%s is yours and is not admitted", a)
			case seen[i] == stranger && admitted && !before:
				t.Fatalf("%s is a stranger and is admitted", a)
			case seen[i] == 0 && admitted && !before && !owned[i]:
				t.Fatalf("%s is nobody's and is admitted", a)
			}
			allowed[i] = in(stays, a) || seen[i] == yours || seen[i] == 0 && owned[i]
			if seen[i] == yours && !in(stays, a) {
				kept = append(kept, i)
			}
		}
		for _, r := range added {
			if !in([]fix.Rule{r}, addressOf(indexOfAddress(r.Start))) || indexOfAddress(r.End) >= world {
				t.Fatalf("the rule %s–%s leaves the world", r.Start, r.End)
			}
		}
		if want := fewest(kept, allowed); len(added) != want {
			t.Fatalf("%d ranges keep %v, and %d would", len(added), kept, want)
		}
	})
}

func indexOfAddress(a string) int {
	b := netip.MustParseAddr(a).As4()
	return int(binary.BigEndian.Uint32(b[:]) & 0xffff)
}

// fewest tries all ways to cut a sorted list into runs whose gaps are allowed.
func fewest(kept []int, allowed []bool) int {
	if len(kept) == 0 {
		return 0
	}
	best := len(kept)
	for cuts := range uint32(1) << (len(kept) - 1) {
		ok := true
		for i := 1; i < len(kept) && ok; i++ {
			if cuts&(1<<(i-1)) != 0 {
				continue
			}
			for gap := kept[i-1]; gap < kept[i]; gap++ {
				ok = ok && allowed[gap]
			}
		}
		if ok {
			best = min(best, bits.OnesCount32(cuts)+1)
		}
	}
	return best
}

// doorRules are rules of doors and of edges where mistakes live.
func doorRules(t *rapid.T) []string {
	var out []string
	edge := rapid.SampledFrom([]uint32{0, 1, 1 << 24, 10 << 24, 20<<24 | 9<<16 | 4, 1<<31 - 1, 1 << 31, 223<<24 | 0xffffff, 0xffffffff})
	for i := range rapid.IntRange(0, 5).Draw(t, "wide") {
		a, b := edge.Draw(t, "from"), edge.Draw(t, "to")
		rule := fmt.Sprintf("w%d %s-%s", i, address(min(a, b)), address(max(a, b)))
		if rapid.IntRange(0, 4).Draw(t, "sentinel") == 0 {
			rule = fmt.Sprintf("w%d 0.0.0.0-0.0.0.0", i)
		}
		rule += rapid.SampledFrom([]string{"", "", "", " AzureCloud", " *", " 20.9.0.0/29"}).Draw(t, "prefixes")
		out = append(out, rule)
	}
	return append(out, drawnRules(t, 3)...)
}

func TestEveryPlanHoldsTogether(t *testing.T) {
	planned := 0
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]string{flexible, single, citus}).Draw(t, "type")
		properties := rapid.SampledFrom([]string{public, public, private}).Draw(t, "properties")
		var clients []usage.Client
		for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, world-1), 1, 8, rapid.ID[int]).Draw(t, "clients") {
			clients = append(clients, client(addressOf(i)))
		}
		r := request(server(kind, properties, doorRules(t)...), rapid.SampledFrom(fix.Keeps).Draw(t, "keep"), clients...)
		for i := range r.Answer.Clients {
			if rapid.Bool().Draw(t, "yours") {
				r.Answer.Clients[i].Origin = usage.Origin{Owner: usage.Yours, Name: "mine"}
			}
		}
		r.Listed = []fix.Span{span(addressOf(3), "listed"), span("20.9.0.8/30", "listed too")}
		r.Doors = rapid.SampledFrom([][]exposure.Kind{nil, {exposure.Azure}, {exposure.Internet}}).Draw(t, "doors")
		p, err := fix.PlanServer(r)
		if errors.Is(err, fix.ErrNothingToClose) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		planned++
		if !fix.SameFirewall(fix.Apply(p.Before, p.Steps), p.After) || !fix.SameFirewall(fix.Apply(p.After, p.WayBack), p.Before) {
			t.Fatal("the steps do not lead there and back")
		}
		// The plan is the same whatever the order in which rules and clients came.
		slices.Reverse(r.Asset.Children["firewallRules"].Items)
		slices.Reverse(r.Network.FirewallRules)
		slices.Reverse(r.Answer.Clients)
		again, err := fix.PlanServer(r)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(p, again); diff != "" {
			t.Fatalf("the plan moved with the order (-want +got):\n%s", diff)
		}
		doc, err := fix.New(fix.Tool{}, fix.Cloud{Endpoint: "https://management.azure.com", Tenant: "t"}, r.Keep, []fix.ServerPlan{p}, now)
		if err != nil {
			t.Fatal(err)
		}
		var file bytes.Buffer
		if err := fix.Write(&file, doc); err != nil {
			t.Fatal(err)
		}
		back, err := fix.Read(&file)
		if err != nil {
			t.Fatal(err)
		}
		if !fix.SameFirewall(back.Servers[0].Before, p.Before) || !fix.SameFirewall(back.Servers[0].After, p.After) || back.Digest != doc.Digest {
			t.Fatal("the plan that was read is another")
		}
	})
	if planned == 0 {
		t.Error("no door was ever drawn")
	}
}

func TestManyClientsAndRulesAreQuick(t *testing.T) {
	r := manyClients(65536, 300)
	start := time.Now()
	p := plan(t, r)
	took := time.Since(start)
	if len(p.Clients) != 65536 || took > 20*time.Second {
		t.Errorf("%d clients took %s", len(p.Clients), took)
	}
}

func manyClients(clients, rules int) fix.Request {
	list := []string{door}
	for i := range rules {
		list = append(list, fmt.Sprintf("r%d %s-%s", i, address(30<<24|uint32(i)<<8), address(30<<24|uint32(i)<<8|9)))
	}
	var seen []usage.Client
	for i := range clients {
		a := 20<<24 | 50<<16 | uint32(i) // yours, in runs that make 256 ranges
		switch {
		case i&0xff >= 0x40 && i&1 == 0:
			a = 30<<24 | uint32(i) // some of them by the rules that stay
		case i&0xff >= 0x40:
			a = 40<<24 | uint32(i) // strangers
		}
		seen = append(seen, client(address(a)))
	}
	return request(server(flexible, public, list...), fix.KeepObserved, seen...)
}

func BenchmarkPlanServer(b *testing.B) {
	r := manyClients(65536, 300)
	for b.Loop() {
		plan(b, r)
	}
}
