package change_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/fix/change"
)

const (
	armType  = "Microsoft.DBforPostgreSQL/flexibleServers"
	endpoint = "https://management.example"
	tenant   = "70000001-0000-4000-8000-000000000001"
	sub      = "5b000001-0000-4000-8000-000000000001"
	kept     = "20.61.0.7"
)

// azure is a cloud in memory that holds a change to what must never happen, at
// every effect: a kept client that nothing admits, a rule touched that no plan
// names.
type azure struct {
	mu      sync.Mutex
	servers map[string]*server
	calls   int
	// fault is asked before every call, by its number from 1.
	fault func(number int, call string, s *server) fault
	// frozen is set when the process that calls is as good as dead.
	frozen  bool
	missing []string
	tenant  string
	// means is what the service makes of every rule that is put, nil for what it says.
	means   []string
	broken  []string
	effects []string
}

type server struct {
	fix.Server
	rules   []fix.Rule
	locks   []fix.Lock
	access  string
	busy    int
	named   map[string]bool
	old     []fix.Rule
	oldFor  int
	missing bool
}

type fault struct {
	before, after, hang, hangAfter, kill, killAfter bool
	// stale is how many later readings show what was before, busy how many say
	// Updating.
	stale, busy int
	// drift is done to the rules first.
	drift func(*server)
}

var errFault = errors.New("the service answered 500")

func newAzure(plans ...*fix.ServerPlan) *azure {
	a := &azure{servers: map[string]*server{}, tenant: tenant}
	for _, p := range plans {
		s := &server{Server: p.Server, rules: slices.Clone(p.Before), access: "Enabled", named: map[string]bool{}}
		for _, step := range p.Steps {
			s.named[strings.ToLower(step.Rule.ID)] = true
		}
		a.servers[strings.ToLower(p.Server.ID)] = s
	}
	return a
}

// enter decides on a call's fault. It holds the lock when it returns no error.
func (a *azure) enter(ctx context.Context, call string, s fix.Server) (*server, fault, error) {
	if ctx.Err() != nil {
		return nil, fault{}, ctx.Err()
	}
	a.mu.Lock()
	a.calls++
	srv := a.servers[strings.ToLower(s.ID)]
	var f fault
	if a.fault != nil && !a.frozen {
		f = a.fault(a.calls, call, srv)
	}
	if f.drift != nil && srv != nil {
		f.drift(srv)
	}
	if srv != nil {
		srv.busy += f.busy
	}
	switch {
	case a.frozen:
		a.mu.Unlock()
		return nil, f, errors.New("the process is dead")
	case f.kill:
		a.frozen = true
		a.mu.Unlock()
		return nil, f, errors.New("the process is dead")
	case f.before:
		a.mu.Unlock()
		return nil, f, errFault
	case f.hang:
		a.mu.Unlock()
		<-ctx.Done()
		return nil, f, ctx.Err()
	case srv == nil && call != "identity":
		a.mu.Unlock()
		return nil, f, fmt.Errorf("%s: 404 ResourceNotFound", s.ID)
	}
	return srv, f, nil
}

// leave ends a call that had its effect.
func (a *azure) leave(ctx context.Context, f fault) error {
	if f.killAfter {
		a.frozen = true
	}
	a.mu.Unlock()
	switch {
	case f.after, f.killAfter:
		return errFault
	case f.hangAfter:
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

func (a *azure) Identity(ctx context.Context) (change.Identity, error) {
	_, f, err := a.enter(ctx, "identity", fix.Server{})
	if err != nil {
		return change.Identity{}, err
	}
	id := change.Identity{Cloud: fix.Cloud{Name: "test", Endpoint: endpoint + "/", Tenant: a.tenant}, Principal: "ops@example.com"}
	return id, a.leave(ctx, f)
}

func (a *azure) Server(ctx context.Context, s fix.Server) (*asset.Asset, error) {
	srv, f, err := a.enter(ctx, "server", s)
	if err != nil {
		return nil, err
	}
	rules, state := srv.rules, "Ready"
	if srv.oldFor > 0 {
		srv.oldFor--
		rules = srv.old
	}
	if srv.busy > 0 {
		srv.busy--
		state = "Updating"
	}
	out := &asset.Asset{
		ID: strings.ToUpper(srv.ID[:14]) + srv.ID[14:], Type: armType, Name: srv.Name,
		Body: json.RawMessage(fmt.Sprintf(`{"properties":{"state":%q,"network":{"publicNetworkAccess":%q}}}`, state, srv.access)),
	}
	list := asset.Children{Items: []json.RawMessage{}}
	if srv.missing {
		list.Gap = &asset.Gap{Scope: srv.ID, Operation: "list firewall rules", Permission: armType + "/firewallRules/read", Status: 403}
	}
	for _, r := range rules {
		item, err := json.Marshal(map[string]any{"id": r.ID, "name": r.Name, "properties": r.Properties})
		if err != nil {
			panic(err)
		}
		list.Items = append(list.Items, item)
	}
	out.Children = map[string]asset.Children{"firewallRules": list}
	return out, a.leave(ctx, f)
}

func (a *azure) Locks(ctx context.Context, s fix.Server) ([]fix.Lock, error) {
	srv, f, err := a.enter(ctx, "locks", s)
	if err != nil {
		return nil, err
	}
	locks := slices.Clone(srv.locks)
	return locks, a.leave(ctx, f)
}

func (a *azure) Missing(ctx context.Context, s fix.Server, permissions []string) ([]string, error) {
	_, f, err := a.enter(ctx, "missing", s)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, p := range permissions {
		if slices.Contains(a.missing, p) {
			out = append(out, p)
		}
	}
	return out, a.leave(ctx, f)
}

func (a *azure) PutRule(ctx context.Context, s fix.Server, id string, properties json.RawMessage) error {
	srv, f, err := a.enter(ctx, "put", s)
	if err != nil {
		return err
	}
	var doc struct {
		Start string `json:"startIpAddress"`
		End   string `json:"endIpAddress"`
	}
	err = json.Unmarshal(properties, &doc)
	if _, bad := netip.ParseAddr(doc.Start); err != nil || bad != nil {
		a.mu.Unlock()
		return errors.New("400 InvalidParameterValue")
	}
	rule := fix.Rule{ID: id, Name: id[strings.LastIndex(id, "/")+1:], Start: doc.Start, End: doc.End}
	rule.Properties = withService(properties)
	if a.means != nil {
		meaning, _ := json.Marshal(a.means)
		rule.Properties = json.RawMessage(fmt.Sprintf(`{"startIpAddress":%q,"endIpAddress":%q,"sourceAddressPrefixes":%s}`, doc.Start, doc.End, meaning))
	}
	a.effect(srv, f, "put", id, func() {
		for i, r := range srv.rules {
			if strings.EqualFold(r.ID, id) {
				rule.ID, rule.Name = r.ID, r.Name
				srv.rules[i] = rule
				return
			}
		}
		srv.rules = append(srv.rules, rule)
	})
	return a.leave(ctx, f)
}

// withService adds what the service itself says of a rule.
func withService(properties json.RawMessage) json.RawMessage {
	doc := map[string]any{}
	if err := json.Unmarshal(properties, &doc); err != nil {
		panic(err)
	}
	doc["provisioningState"] = "Succeeded"
	doc["sourceAddressPrefixes"] = []string{doc["startIpAddress"].(string) + "/32"}
	if doc["startIpAddress"] == "0.0.0.0" && doc["endIpAddress"] == "0.0.0.0" {
		doc["sourceAddressPrefixes"] = []string{"AzureCloud"}
	}
	b, err := json.Marshal(doc)
	if err != nil {
		panic(err)
	}
	return b
}

func (a *azure) DeleteRule(ctx context.Context, s fix.Server, id string) error {
	srv, f, err := a.enter(ctx, "delete", s)
	if err != nil {
		return err
	}
	a.effect(srv, f, "delete", id, func() {
		srv.rules = slices.DeleteFunc(slices.Clone(srv.rules), func(r fix.Rule) bool { return strings.EqualFold(r.ID, id) })
	})
	return a.leave(ctx, f)
}

// effect changes the rules and checks what must hold at every instant.
func (a *azure) effect(srv *server, f fault, verb, id string, do func()) {
	if f.stale > 0 {
		srv.old, srv.oldFor = slices.Clone(srv.rules), f.stale
	}
	srv.rules = slices.Clone(srv.rules)
	do()
	a.effects = append(a.effects, fmt.Sprintf("%s %s %s", verb, srv.Name, id[strings.LastIndex(id, "/")+1:]))
	if !srv.named[strings.ToLower(id)] {
		a.broken = append(a.broken, fmt.Sprintf("%s touched %s, which no plan names", verb, id))
	}
	if !srv.admits(kept) {
		a.broken = append(a.broken, fmt.Sprintf("after %s of %s nothing admits %s at %s", verb, id, kept, srv.Name))
	}
}

func (s *server) admits(address string) bool {
	at := netip.MustParseAddr(address)
	return slices.ContainsFunc(s.rules, func(r fix.Rule) bool {
		start, end := netip.MustParseAddr(r.Start), netip.MustParseAddr(r.End)
		return r.Start == "0.0.0.0" && r.End == "0.0.0.0" || !at.Less(start) && !end.Less(at)
	})
}

// is wants a server to hold exactly these rules.
func (a *azure) is(t interface {
	Helper()
	Errorf(string, ...any)
}, p fix.ServerPlan, want []fix.Rule) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	got := describe(a.servers[strings.ToLower(p.Server.ID)].rules)
	if wanted := describe(want); got != wanted {
		t.Errorf("server %s has\n%s\nand should have\n%s", p.Server.Name, got, wanted)
	}
}

func describe(rules []fix.Rule) string {
	var lines []string
	for _, r := range rules {
		var doc map[string]any
		p := r.Properties
		if p == nil {
			p = withService(json.RawMessage(fmt.Sprintf(`{"startIpAddress":%q,"endIpAddress":%q}`, r.Start, r.End)))
		}
		if err := json.Unmarshal(p, &doc); err != nil {
			panic(err)
		}
		b, _ := json.Marshal(doc)
		lines = append(lines, r.ID+" "+r.Name+" "+string(b))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// sound fails the test when something happened that never must.
func (a *azure) sound(t interface {
	Helper()
	Errorf(string, ...any)
}) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, b := range a.broken {
		t.Errorf("%s", b)
	}
}

func rule(serverID, name, start, end, more string) fix.Rule {
	r := fix.Rule{ID: serverID + "/firewallRules/" + name, Name: name, Start: start, End: end}
	r.Properties = withService(json.RawMessage(fmt.Sprintf(`{"startIpAddress":%q,"endIpAddress":%q%s}`, start, end, more)))
	return r
}

// closing is a plan for one server: two doors' rules go, two narrow ones come, and
// one stays.
func closing(name string) fix.ServerPlan {
	id := fmt.Sprintf("/subscriptions/%s/resourceGroups/shop/providers/%s/%s", sub, armType, name)
	doors := []fix.Rule{
		rule(id, "AllowAllAzureIps", "0.0.0.0", "0.0.0.0", `,"note":"<b>&"`),
		rule(id, "azure-too", "0.0.0.0", "0.0.0.0", ""),
	}
	office := rule(id, "office", "203.0.113.8", "203.0.113.15", "")
	narrow := func(addr string) fix.Rule {
		n := "postern-keep-" + strings.ReplaceAll(addr, ".", "-")
		return fix.Rule{ID: id + "/firewallRules/" + n, Name: n, Start: addr, End: addr}
	}
	p := fix.ServerPlan{
		Server: fix.Server{
			ID: id, Name: name, Type: armType, Label: "Flexible Server", SubscriptionID: sub, ResourceGroup: "shop",
			APIVersion: "2025-08-01", State: "Ready", Public: `properties.network.publicNetworkAccess is "Enabled"`,
		},
		Doors:  []fix.Door{{Kind: exposure.Azure, State: exposure.Open, Rules: []string{doors[0].ID, doors[1].ID}}},
		Before: fix.Apply([]fix.Rule{doors[0], doors[1], office}, nil),
		Clients: []fix.Client{
			{Address: kept, Fate: fix.KeptByNew}, {Address: "20.61.0.9", Fate: fix.KeptByNew}, {Address: "40.1.2.3", Fate: fix.CutOff},
		},
	}
	for _, addr := range []string{kept, "20.61.0.9"} {
		p.Steps = append(p.Steps, fix.Step{Act: fix.Put, Rule: narrow(addr), Why: "a client comes from there"})
	}
	for _, d := range doors {
		p.Steps = append(p.Steps, fix.Step{Act: fix.Delete, Rule: d, Why: "it is the azure door"})
		p.WayBack = append(p.WayBack, fix.Step{Act: fix.Put, Rule: d, Why: "it was there"})
	}
	for _, s := range p.Steps[:2] {
		p.WayBack = append(p.WayBack, fix.Step{Act: fix.Delete, Rule: s.Rule, Why: "it was not there"})
	}
	p.After = fix.Apply(p.Before, p.Steps)
	return p
}

func planOf(t testing.TB, servers ...fix.ServerPlan) *fix.Plan {
	t.Helper()
	p, err := fix.New(fix.Tool{Name: "postern", Version: "test"}, fix.Cloud{Name: "test", Endpoint: endpoint, Tenant: tenant},
		fix.KeepObserved, servers, time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// applied is the firewall with the first steps of a plan in effect.
func applied(p fix.ServerPlan, steps int) []fix.Rule {
	return fix.Apply(p.Before, p.Steps[:steps])
}
