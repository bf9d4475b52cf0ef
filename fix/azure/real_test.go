package azure

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/posternhq/postern/azuresim"
	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/fix/change"
	"github.com/posternhq/postern/internal/pgtest"
	"github.com/posternhq/postern/resourcetype"
	"github.com/posternhq/postern/usage"
	"github.com/posternhq/postern/usage/pglog"
)

// The clients of the play. On the machine they come from loopback addresses, to
// the firewall from the public ones that these stand for.
var (
	ours     = netip.MustParseAddr("198.51.100.20")
	office   = netip.MustParseAddr("203.0.113.9")
	stranger = netip.MustParseAddr("198.51.100.200")
	newcomer = netip.MustParseAddr("198.51.100.77")
	players  = []netip.Addr{ours, office, stranger, newcomer}
)

func insideAzure(a netip.Addr) bool { return netip.MustParsePrefix("198.51.100.0/24").Contains(a) }

// loopback is where a public address comes from on this machine.
func loopback(public netip.Addr) string {
	b := public.As4()
	net := 1
	if !insideAzure(public) {
		net = 2
	}
	return fmt.Sprintf("127.%d.0.%d", net, b[3])
}

// public is the address that a loopback address stands for.
func public(host string) string {
	for _, p := range players {
		if loopback(p) == host {
			return p.String()
		}
	}
	return host
}

// play is a real PostgreSQL behind the firewall of a simulated server: whom that
// admits, pg_hba.conf does.
type play struct {
	t   *testing.T
	pg  *pgtest.Server
	sim *azuresim.Server
	id  string
	mu  sync.Mutex
	was string
}

// enforce makes PostgreSQL let in whom the simulated firewall lets in now.
func (p *play) enforce() {
	p.mu.Lock()
	defer p.mu.Unlock()
	var lines []string
	for _, who := range players {
		if ok, _ := p.sim.Admits(p.id, who, insideAzure(who)); ok {
			lines = append(lines, fmt.Sprintf("host all all %s/32 trust", loopback(who)))
		}
	}
	if now := strings.Join(lines, "\n"); now != p.was {
		p.was = now
		p.pg.SetHBA(lines...)
	}
}

// knock connects as a client and returns how that went.
func (p *play) knock(who netip.Addr, application string) error {
	p.enforce()
	conn, err := p.pg.Connect(pgtest.Client{From: loopback(who), Application: application})
	if err == nil {
		pgtest.Close(conn)
	}
	return err
}

func (p *play) passes(who netip.Addr) bool {
	err := p.knock(who, "check")
	var pgErr *pgconn.PgError
	if err != nil && (!errors.As(err, &pgErr) || !strings.Contains(pgErr.Message, "no pg_hba.conf entry")) {
		p.t.Fatalf("%s: %v", who, err)
	}
	return err == nil
}

func (p *play) log() string { return filepath.Join(p.pg.LogDir, "postgresql.log") }

// evidence reads the real log, the loopback addresses as what they stand for.
func (p *play) evidence(access usage.Access, own string) usage.Answer {
	tally := usage.NewTally()
	reader, err := pglog.New(pglog.Options{}, func(ev pglog.Event) {
		ev.Host = public(ev.Host)
		tally.Add(ev)
	})
	if err != nil {
		p.t.Fatal(err)
	}
	if err := reader.ReadPaths(p.t.Context(), []string{p.log()}, nil); err != nil {
		p.t.Fatal(err)
	}
	stats := reader.Finish()
	list, err := usage.ReadOwn(strings.NewReader(own))
	if err != nil {
		p.t.Fatal(err)
	}
	return usage.NewAnswer(usage.Evidence{
		Sources: []usage.Source{{Name: "the log", Kind: usage.LogSource, Log: &stats}}, Clients: tally.Clients(),
		Access: access, Book: usage.Book{Own: list}, MinWindow: time.Hour,
	})
}

func newPlay(t *testing.T) (*play, *Cloud) {
	t.Helper()
	e := testEstate()
	e.Subscriptions[0].Servers = e.Subscriptions[0].Servers[:1]
	sim, cloud, _ := open(t, e, azuresim.Options{})
	pg := pgtest.Start(t, map[string]string{"log_line_prefix": "%t-%c-", "log_connections": "on", "log_disconnections": "on"})
	p := &play{t: t, pg: pg, sim: sim, id: serverOf(azuresim.Flexible).ID}
	for _, who := range []netip.Addr{ours, office, stranger} {
		if !p.passes(who) {
			t.Fatalf("%s does not get in while the door is open", who)
		}
	}
	return p, cloud
}

// plan plans by what the real log shows.
func (p *play) plan(cloud *Cloud, keep fix.Keep) *fix.Plan {
	p.t.Helper()
	s := serverOf(azuresim.Flexible)
	a, err := cloud.Server(p.t.Context(), s)
	if err != nil {
		p.t.Fatal(err)
	}
	network, err := resourcetype.Network(resourcetype.All(), a)
	if err != nil {
		p.t.Fatal(err)
	}
	answer := p.evidence(usage.NewAccess(network), ours.String()+" shop\n")
	sp, err := fix.PlanServer(fix.Request{Asset: a, Network: network, Keep: keep, Answer: &answer, Claims: true, Now: time.Now()})
	if err != nil {
		p.t.Fatal(err)
	}
	id, err := cloud.Identity(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	plan, err := fix.New(fix.Tool{Name: "postern"}, id.Cloud, keep, []fix.ServerPlan{sp}, time.Now())
	if err != nil {
		p.t.Fatal(err)
	}
	return plan
}

// options watch the real log while a plan is carried out.
func (p *play) options(cloud *Cloud, d time.Duration) change.Options {
	o := quick(p.t, cloud)
	o.WatchFor = d
	o.Watch = func(ctx context.Context, _ fix.Server, emit func(change.Refusal)) error {
		return pglog.Follow(ctx, p.log(), 20*time.Millisecond, pglog.Options{}, func(ev pglog.Event) {
			if ev.Kind == pglog.Refused {
				emit(change.Refusal{At: ev.Time, Address: public(ev.Host), User: ev.User, Database: ev.Database})
			}
		})
	}
	return o
}

// A real PostgreSQL writes the log, and is closed to whom the firewall shuts out:
// after apply the clients of the plan still pass and the door is shut, after undo
// the state is byte for byte what it was.
func TestARealServerBehindTheFirewall(t *testing.T) {
	p, cloud := newPlay(t)
	before := p.sim.Rules(p.id)
	plan := p.plan(cloud, fix.KeepObserved)

	fates := map[string]fix.Fate{}
	for _, c := range plan.Servers[0].Clients {
		if c.Address != pglog.Local { // the test's own looks at the server
			fates[c.Address] = c.Fate
		}
	}
	want := map[string]fix.Fate{ours.String(): fix.KeptByNew, office.String(): fix.KeptByOld, stranger.String(): fix.CutOff}
	if diff := cmp.Diff(want, fates); diff != "" {
		t.Errorf("fates (-want +got):\n%s", diff)
	}

	// The stranger knocks all the while; that it is refused is no alarm.
	o := p.options(cloud, time.Second)
	ctx, stop := context.WithCancel(t.Context())
	var knocking sync.WaitGroup
	knocking.Go(func() {
		for ctx.Err() == nil {
			_ = p.knock(stranger, "stranger")
			if err := p.knock(ours, "ours"); err != nil {
				t.Errorf("our client was refused: %v", err)
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
	res, err := change.Apply(t.Context(), plan, o)
	stop()
	knocking.Wait()
	if err != nil || !res.Complete() || res.Servers[0].Expected == 0 {
		t.Fatalf("apply: %+v, %v", res, err)
	}
	got := map[netip.Addr]bool{}
	for _, who := range players {
		got[who] = p.passes(who)
	}
	if diff := cmp.Diff(map[netip.Addr]bool{ours: true, office: true, stranger: false, newcomer: false}, got,
		cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("who passes after apply (-want +got):\n%s", diff)
	}

	if res, err = change.Undo(t.Context(), res.Change, o); err != nil || !res.TakenBack() {
		t.Fatalf("undo: %+v, %v", res, err)
	}
	if !p.passes(stranger) {
		t.Error("after undo the door is still shut")
	}
	if diff := cmp.Diff(byName(before), byName(p.sim.Rules(p.id))); diff != "" {
		t.Errorf("undo (-before +after):\n%s", diff)
	}
}

func byName(rules []azuresim.Rule) map[string]azuresim.Rule {
	out := map[string]azuresim.Rule{}
	for _, r := range rules {
		out[r.Name] = r
	}
	return out
}

// A client that no log had shown is refused after the change: the server is taken
// back by itself.
func TestARefusalTakesTheServerBack(t *testing.T) {
	p, cloud := newPlay(t)
	plan := p.plan(cloud, fix.KeepObserved)
	o := p.options(cloud, 10*time.Second)
	o.UndoOnRefusal = true
	ctx, stop := context.WithCancel(t.Context())
	var knocking sync.WaitGroup
	knocking.Go(func() {
		for ctx.Err() == nil {
			_ = p.knock(newcomer, "monthly")
			time.Sleep(100 * time.Millisecond)
		}
	})
	res, err := change.Apply(t.Context(), plan, o)
	stop()
	knocking.Wait()
	if err != nil || res.Complete() || !res.TakenBack() {
		t.Fatalf("apply: %+v, %v", res, err)
	}
	if alarms := res.Servers[0].Alarms; len(alarms) == 0 || alarms[0].Address != newcomer.String() || alarms[0].User != "postgres" {
		t.Errorf("alarms %+v", alarms)
	}
	if !p.passes(newcomer) {
		t.Error("the client is still shut out")
	}
	if res.Servers[0].DoorsAfter[0].State != exposure.Open {
		t.Errorf("doors %+v", res.Servers[0].DoorsAfter)
	}
}
