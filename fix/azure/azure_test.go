package azure

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"go4.org/netipx"

	"github.com/posternhq/postern/arm"
	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/azuresim"
	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/fix/change"
	"github.com/posternhq/postern/fix/change/changetest"
	"github.com/posternhq/postern/resourcetype"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testSub = "5b000001-0000-4000-8000-0000000000aa"
	rootID  = "/subscriptions/" + testSub + "/resourceGroups/rg/providers/Microsoft.DBforPostgreSQL/"
)

// the servers of the test estate, one of each generation, each with the azure
// door under a name that says something else and one narrow rule.
func testEstate(change ...func(*azuresim.DBServer)) azuresim.Estate {
	var servers []azuresim.DBServer
	for _, kind := range []azuresim.Kind{azuresim.Flexible, azuresim.Single, azuresim.Citus} {
		s := azuresim.DBServer{
			Kind: kind, Name: "db-" + string(kind), ResourceGroup: "rg",
			FirewallRules: []azuresim.Rule{
				{Name: "office", Start: "203.0.113.8", End: "203.0.113.15"},
				{Name: "Vendor-Support", Start: "0.0.0.0", End: "0.0.0.0"},
			},
		}
		for _, c := range change {
			c(&s)
		}
		servers = append(servers, s)
	}
	return azuresim.Estate{Subscriptions: []azuresim.Subscription{{ID: testSub, Name: "test", Servers: servers}}}
}

// types are the ARM types of the test estate's servers, by kind.
var types = map[azuresim.Kind]string{azuresim.Flexible: "flexibleServers", azuresim.Single: "servers", azuresim.Citus: "serverGroupsv2"}

func serverOf(kind azuresim.Kind) fix.Server {
	t, _ := resourcetype.Lookup("Microsoft.DBforPostgreSQL/" + types[kind])
	name := "db-" + string(kind)
	return fix.Server{
		ID: rootID + types[kind] + "/" + name, Name: name, Type: t.Name, Label: t.Label,
		SubscriptionID: testSub, ResourceGroup: "rg", APIVersion: t.APIVersions[len(t.APIVersions)-1],
	}
}

// open starts a local Azure and returns a cloud that speaks with it, and the
// token it signs in with.
func open(t *testing.T, e azuresim.Estate, o azuresim.Options) (*azuresim.Server, *Cloud, string) {
	t.Helper()
	if o.OperationTime == 0 {
		o.OperationTime = 20 * time.Millisecond
	}
	o.RetryAfter = time.Millisecond
	sim, err := azuresim.New(e, o)
	if err != nil {
		t.Fatal(err)
	}
	// An answer's whole seconds of Retry-After would be most of the tests' time.
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sim.ServeHTTP(hurried{w}, r)
	}))
	t.Cleanup(s.Close)
	return sim, connect(t, s.URL, sim.Token(s.URL, "anna@contoso.example")), sim.Token(s.URL, "anna@contoso.example")
}

type hurried struct{ http.ResponseWriter }

func (h hurried) WriteHeader(status int) {
	if h.Header().Get("Retry-After") != "" {
		h.Header().Set("retry-after-ms", "5")
	}
	h.ResponseWriter.WriteHeader(status)
}

func connect(t *testing.T, base, token string) *Cloud {
	t.Helper()
	endpoint, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	c := arm.Cloud{Name: "test", ARM: endpoint, Audience: base, Custom: true}
	credential, err := arm.NewCredential(c, token, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	transport := arm.NewTransport()
	t.Cleanup(transport.CloseIdleConnections)
	return New(c, arm.NewClient(arm.Options{Endpoint: endpoint, Scope: c.Scope(), Credential: credential, Transport: transport}))
}

func TestContract(t *testing.T) {
	for kind := range types {
		t.Run(string(kind), func(t *testing.T) {
			changetest.Run(t, func(t *testing.T) changetest.Subject {
				_, cloud, token := open(t, testEstate(), azuresim.Options{})
				return changetest.Subject{Cloud: cloud, Server: serverOf(kind), Token: token}
			})
		})
	}
}

// planFor plans the closing of every door of the test estate, keeping one address.
func planFor(t *testing.T, cloud *Cloud, keep fix.Keep) *fix.Plan {
	t.Helper()
	id, err := cloud.Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var servers []fix.ServerPlan
	for _, kind := range []azuresim.Kind{azuresim.Flexible, azuresim.Single, azuresim.Citus} {
		s := serverOf(kind)
		a, err := cloud.Server(t.Context(), s)
		if f := arm.AsFailure(err); f != nil && f.Status == http.StatusNotFound {
			continue // the estate has none of this kind
		}
		if err != nil {
			t.Fatal(err)
		}
		network, err := resourcetype.Network(resourcetype.All(), a)
		if err != nil {
			t.Fatal(err)
		}
		locks, err := cloud.Locks(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		kept := netip.MustParseAddr("198.51.100.20")
		p, err := fix.PlanServer(fix.Request{
			Asset: a, Network: network, Keep: keep, Locks: locks, Now: time.Now(),
			Listed: []fix.Span{{Range: netipx.IPRangeFrom(kept, kept), Name: "shop"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		servers = append(servers, p)
	}
	plan, err := fix.New(fix.Tool{Name: "postern", Version: "test"}, id.Cloud, keep, servers, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func quick(t *testing.T, cloud change.Cloud) change.Options {
	return change.Options{Cloud: cloud, Dir: t.TempDir(), Poll: 10 * time.Millisecond, Settle: 3 * time.Second, Deadline: 10 * time.Second}
}

// The whole story on every generation: the kept client passes all the time, the
// door is shut for the others after apply, and after undo everything is what it was.
func TestCloseAndUndoOnEveryGeneration(t *testing.T) {
	sim, cloud, _ := open(t, testEstate(), azuresim.Options{})
	before := sim.Snapshot()
	plan := planFor(t, cloud, fix.KeepListed)
	kept, stranger := netip.MustParseAddr("198.51.100.20"), netip.MustParseAddr("198.51.100.200")
	o := quick(t, cloud)
	o.Progress = func(e change.Event) {
		for kind := range types {
			if ok, _ := sim.Admits(serverOf(kind).ID, kept, true); !ok {
				t.Errorf("the kept client is shut out of %s at %q", kind, e.Text)
			}
		}
	}
	res, err := change.Apply(t.Context(), plan, o)
	if err != nil || !res.Complete() {
		t.Fatalf("apply: %+v, %v", res, err)
	}
	for kind := range types {
		id := serverOf(kind).ID
		if ok, by := sim.Admits(id, stranger, true); ok {
			t.Errorf("%s still lets a stranger in by %q", kind, by)
		}
		if ok, _ := sim.Admits(id, netip.MustParseAddr("203.0.113.9"), false); !ok {
			t.Errorf("%s keeps the office out", kind)
		}
	}
	if res, err = change.Undo(t.Context(), res.Change, o); err != nil || !res.TakenBack() {
		t.Fatalf("undo: %+v, %v", res, err)
	}
	// Rules that were deleted and made again come last in Azure's lists; the order
	// of rules means nothing.
	if diff := cmp.Diff(rulesByName(before), rulesByName(sim.Snapshot())); diff != "" {
		t.Errorf("undo (-before +after):\n%s", diff)
	}
}

func rulesByName(e azuresim.Estate) map[string]azuresim.Rule {
	rules := map[string]azuresim.Rule{}
	for _, sub := range e.Subscriptions {
		for _, s := range sub.Servers {
			for _, r := range s.FirewallRules {
				rules[s.Name+"/"+r.Name] = r
			}
		}
	}
	return rules
}

// What Azure can make of a change besides doing it: the plan is carried out to its
// end, or the run says that it is not and another one finishes it.
func TestAzuresWaysWithAChange(t *testing.T) {
	for _, spec := range []string{
		"fail-operation,method=PUT,times=1", "fail-operation,method=DELETE,times=1,code=ServerBusy", "409,method=DELETE,path=/firewallRules/,times=2",
		"no-effect,method=DELETE,times=1", "late-effect,method=DELETE,delay=300ms", "forget-operation,method=PUT,delay=1ms",
		"cut-after,method=PUT,times=1", "cut-after,method=DELETE,times=1", "cut,path=/azureAsyncOperation/,times=2", "503,method=PUT,times=2",
		"not-json,path=/azureAsyncOperation/,times=1", "429,method=DELETE,times=1,retry-after=1", "redirect,method=PUT,times=1",
	} {
		t.Run(spec, func(t *testing.T) {
			t.Parallel()
			fault, err := azuresim.ParseFault(spec)
			if err != nil {
				t.Fatal(err)
			}
			sim, cloud, _ := open(t, testEstate(), azuresim.Options{Faults: []azuresim.Fault{fault}})
			o := quick(t, cloud)
			o.Settle = time.Second
			carryOut(t, sim, planFor(t, cloud, fix.KeepListed), o)
		})
	}
}

// carryOut applies a plan, resuming where a run ends early, and looks at what the
// firewalls then admit.
func carryOut(t *testing.T, sim *azuresim.Server, plan *fix.Plan, o change.Options) {
	t.Helper()
	res, err := change.Apply(t.Context(), plan, o)
	for try := 0; err == nil && !res.Complete() && try < 4; try++ {
		res, err = change.Resume(t.Context(), res.Change, o)
	}
	if err != nil || !res.Complete() {
		t.Fatalf("%+v, %v", res, err)
	}
	for _, s := range plan.Servers {
		if ok, by := sim.Admits(s.Server.ID, netip.MustParseAddr("198.51.100.200"), true); ok {
			t.Errorf("%s still lets a stranger in by %q", s.Server.Name, by)
		}
		if ok, _ := sim.Admits(s.Server.ID, netip.MustParseAddr("198.51.100.20"), true); !ok {
			t.Errorf("%s keeps out the client that was to be kept", s.Server.Name)
		}
	}
}

// A call is cut off before or after it was served, each call of a run in turn.
func TestACutBetweenEveryTwoCalls(t *testing.T) {
	flexible := testEstate()
	flexible.Subscriptions[0].Servers = flexible.Subscriptions[0].Servers[:1]
	stride := int64(1)
	if testing.Short() {
		stride = 5
	}
	calls := runCut(t, flexible, 0, false)
	for k := int64(1); k <= calls; k += stride {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("call %d of %d, served %t", k, calls, after), func(t *testing.T) {
				t.Parallel()
				runCut(t, flexible, k, after)
			})
		}
	}
}

// runCut applies a plan while the kth call is cut, and returns how many calls it took.
func runCut(t *testing.T, e azuresim.Estate, k int64, after bool) int64 {
	t.Helper()
	sim, err := azuresim.New(e, azuresim.Options{OperationTime: 10 * time.Millisecond, RetryAfter: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	var armed atomic.Bool
	var calls atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cut := armed.Load() && calls.Add(1) == k
		if cut && after {
			sim.ServeHTTP(httptest.NewRecorder(), r)
		}
		if cut {
			panic(http.ErrAbortHandler)
		}
		sim.ServeHTTP(hurried{w}, r)
	}))
	t.Cleanup(s.Close)
	cloud := connect(t, s.URL, sim.Token(s.URL, "anna@contoso.example"))
	plan := planFor(t, cloud, fix.KeepListed)
	armed.Store(true)
	o := quick(t, cloud)
	o.Settle = 2 * time.Second
	carryOut(t, sim, plan, o)
	return calls.Load()
}

func TestWhatIsMissingIsNamedBeforeAnythingIsTouched(t *testing.T) {
	sim, cloud, _ := open(t, testEstate(func(s *azuresim.DBServer) {
		if s.Kind == azuresim.Single {
			s.Denied = []string{"firewallRules/delete"}
		}
	}), azuresim.Options{})
	before := sim.Snapshot()
	plan := planFor(t, cloud, fix.KeepNone)
	_, err := change.Apply(t.Context(), plan, quick(t, cloud))
	if err == nil || !strings.Contains(err.Error(), "Microsoft.DBforPostgreSQL/servers/firewallRules/delete at "+serverOf(azuresim.Single).ID) {
		t.Errorf("error %v", err)
	}
	if diff := cmp.Diff(before, sim.Snapshot()); diff != "" {
		t.Errorf("something was touched:\n%s", diff)
	}
}

func TestALockBlocksItsServerAndNoOther(t *testing.T) {
	sim, cloud, _ := open(t, testEstate(func(s *azuresim.DBServer) {
		if s.Kind == azuresim.Flexible {
			s.Locks = []azuresim.Lock{{Name: "keep", Level: "CanNotDelete"}}
		}
	}), azuresim.Options{})
	plan := planFor(t, cloud, fix.KeepNone)
	res, err := change.Apply(t.Context(), plan, quick(t, cloud))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]change.Outcome{}
	for _, s := range res.Servers {
		got[s.Server.Name] = s.Outcome
	}
	want := map[string]change.Outcome{"db-flexible": change.Blocked, "db-single": change.Done, "db-citus": change.Done}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if n := len(sim.Rules(serverOf(azuresim.Flexible).ID)); n != 2 {
		t.Errorf("the locked server has %d rules, want 2", n)
	}
}

// The journal names who acted and holds nothing of the token.
func TestTheIdentityIsThePrincipal(t *testing.T) {
	_, cloud, token := open(t, testEstate(), azuresim.Options{})
	id, err := cloud.Identity(t.Context())
	if err != nil || !strings.HasPrefix(id.Principal, "anna@contoso.example") || id.Cloud.Tenant == "" {
		t.Errorf("identity %+v, %v", id, err)
	}
	if text := fmt.Sprintf("%+v", id); strings.Contains(text, token) {
		t.Error("the identity holds the token")
	}
}

func TestCovers(t *testing.T) {
	const write = "microsoft.dbforpostgresql/flexibleservers/firewallrules/write"
	for pattern, want := range map[string]bool{
		"*": true, "*/write": true, "*/read": false, write: true, "microsoft.dbforpostgresql/*": true,
		"microsoft.*/firewallrules/*": true, "microsoft.sql/*": false, "": false, "*/firewallrules/*/delete": false,
		"microsoft.dbforpostgresql/flexibleservers/firewallrules/write*": true,
		"*" + strings.Repeat("a*", 60) + "b":                             false,
	} {
		if got := covers(pattern, write); got != want {
			t.Errorf("%q covers it: %t, want %t", pattern, got, want)
		}
	}
}

func TestAServerAnotherAnswersForIsNotRead(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"id":"/subscriptions/other"}`)
	}))
	defer s.Close()
	a, err := connect(t, s.URL, "token").Server(context.Background(), serverOf(azuresim.Flexible))
	if err == nil || a != (*asset.Asset)(nil) {
		t.Errorf("read %+v, %v", a, err)
	}
}
