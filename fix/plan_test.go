package fix_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/usage"
	"github.com/posternhq/postern/usage/pglog"
)

func TestDoorsAreClosedWhateverTheirRulesAreCalled(t *testing.T) {
	tests := []struct {
		name  string
		rules []string
		doors []exposure.Kind
		want  []string
	}{
		{"the azure door", []string{"office-utrecht 0.0.0.0-0.0.0.0", office}, nil, []string{"delete office-utrecht 0.0.0.0-0.0.0.0"}},
		{"two rules for one door", []string{"b 0.0.0.0-0.0.0.0", "a 0.0.0.0-0.0.0.0"}, nil, []string{"delete a 0.0.0.0-0.0.0.0", "delete b 0.0.0.0-0.0.0.0"}},
		{"a door that only the service names", []string{"x 20.1.1.1-20.1.1.1 AzureCloud"}, nil, []string{"delete x 20.1.1.1-20.1.1.1"}},
		{"an internet door of two halves", []string{"low 0.0.0.0-127.255.255.255", "high 128.0.0.0-255.255.255.255", office}, nil, []string{"delete high 128.0.0.0-255.255.255.255", "delete low 0.0.0.0-127.255.255.255"}},
		{"both doors in one rule", []string{"x 0.0.0.0-0.0.0.0 AzureCloud *"}, nil, []string{"delete x 0.0.0.0-0.0.0.0"}},
		{"both doors", []string{door, "all 0.0.0.0-255.255.255.255"}, nil, []string{"delete all 0.0.0.0-255.255.255.255", "delete AllowAllAzureIps 0.0.0.0-0.0.0.0"}},
		{"one of two doors", []string{door, "all 0.0.0.0-255.255.255.255"}, []exposure.Kind{exposure.Azure}, []string{"delete AllowAllAzureIps 0.0.0.0-0.0.0.0"}},
	}
	for _, tt := range tests {
		for _, kind := range []string{flexible, single, citus} {
			t.Run(tt.name+" "+kind, func(t *testing.T) {
				r := request(server(kind, public, tt.rules...), fix.KeepNone)
				r.Doors = tt.doors
				p := plan(t, r)
				if diff := cmp.Diff(tt.want, steps(p.Steps)); diff != "" {
					t.Errorf("steps (-want +got):\n%s", diff)
				}
				if p.Blocked != "" {
					t.Errorf("it is blocked: %s", p.Blocked)
				}
			})
		}
	}
}

func TestWhatWasNotReadIsNotPlanned(t *testing.T) {
	gap := &asset.Gap{Scope: "/s", Operation: "list firewall rules", Permission: "p/read", Status: 403}
	tests := []struct {
		name   string
		server *asset.Asset
		change func(*fix.Request)
		want   error
		words  string
	}{
		{"no door", server(flexible, public, office), nil, fix.ErrNothingToClose, "neither"},
		{"another door", server(flexible, public, door), func(r *fix.Request) { r.Doors = []exposure.Kind{exposure.Internet} }, fix.ErrNothingToClose, "no internet door"},
		{"rules unread", server(flexible, public, door), func(r *fix.Request) { r.Network.FirewallGap = gap }, fix.ErrNotRead, "p/read denied"},
		{"a rule that is none", server(flexible, public, door, "bad x-y"), nil, fix.ErrNotRead, `"bad"`},
		{"a rule that is none, and the azure door alone", server(flexible, public, door, "bad x-y"), func(r *fix.Request) { r.Doors = []exposure.Kind{exposure.Azure} }, fix.ErrNotRead, `firewall rule "bad"`},
		{"public access unclear", server(flexible, `"network": {}`, door), nil, fix.ErrNotRead, "publicNetworkAccess is absent"},
		{"no evidence", server(flexible, public, door), func(r *fix.Request) { r.Keep = fix.KeepObserved }, fix.ErrNoEvidence, "--keep listed"},
		{"an empty log", server(flexible, public, door), func(r *fix.Request) { r.Keep, r.Answer = fix.KeepObserved, &usage.Answer{} }, fix.ErrNoEvidence, "at least one entry"},
		{"nobody known", server(flexible, public, door), func(r *fix.Request) {
			*r = request(r.Asset, fix.KeepObserved, client("20.50.1.1"))
			r.Claims = false
		}, fix.ErrNobodyKnown, "1 client depends"},
		{"0.0.0.0 listed", server(flexible, public, door), func(r *fix.Request) {
			r.Keep, r.Listed = fix.KeepListed, []fix.Span{span("0.0.0.0", "me")}
		}, nil, "every machine inside Azure"},
		{"the internet listed", server(flexible, public, door), func(r *fix.Request) {
			r.Keep, r.Listed = fix.KeepListed, []fix.Span{span("0.0.0.1-255.255.255.255", "me")}
		}, nil, "make the internet door"},
		{"the rest of the internet listed", server(flexible, public, door, "half 1.0.0.0-127.255.255.255"), func(r *fix.Request) {
			r.Keep, r.Doors, r.Listed = fix.KeepListed, []exposure.Kind{exposure.Azure}, []fix.Span{span("128.0.0.0/1", "me")}
		}, nil, "make the internet door"},
		{"nothing listed", server(flexible, public, door), func(r *fix.Request) { r.Keep, r.Listed = fix.KeepListed, []fix.Span{span("10.0.0.0/8", "vnet")} }, nil, "no public IPv4"},
		{"an odd keep", server(flexible, public, door), func(r *fix.Request) { r.Keep = "most" }, nil, "observed, listed, none"},
		{"an odd door", server(flexible, public, door), func(r *fix.Request) { r.Doors = []exposure.Kind{exposure.Range} }, nil, "range door"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := request(tt.server, fix.KeepNone)
			if tt.change != nil {
				tt.change(&r)
			}
			_, err := fix.PlanServer(r)
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("got %v, want %v with %q", err, tt.want, tt.words)
			}
		})
	}
}

func TestARuleOfAnotherServerIsNotPlanned(t *testing.T) {
	for name, edit := range map[string][2]string{
		"an id elsewhere":       {"orders-db/firewallRules/AllowAllAzureIps", "other-db/firewallRules/AllowAllAzureIps"},
		"an id with more":       {"firewallRules/AllowAllAzureIps", "firewallRules/x/AllowAllAzureIps"},
		"another name":          {`"name": "AllowAllAzureIps"`, `"name": "other"`},
		"a key twice":           {`"name": "AllowAllAzureIps"`, `"name": "AllowAllAzureIps", "NAME": "AllowAllAzureIps"`},
		"a name with an escape": {`AllowAllAzureIps`, `Allow%2fAll`},
	} {
		a := server(flexible, public, door)
		list := a.Children["firewallRules"]
		list.Items[0] = json.RawMessage(strings.ReplaceAll(string(list.Items[0]), edit[0], edit[1]))
		if _, err := fix.PlanServer(request(a, fix.KeepNone)); !errors.Is(err, fix.ErrNotRead) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestWhatBecomesOfClients(t *testing.T) {
	never := usage.Client{Address: "20.50.9.9", Refused: 2}
	azure := usage.Client{Address: "10.9.9.9", User: "azuresu", Connections: 1}
	r := request(server(flexible, public, door, office), fix.KeepObserved,
		client("20.50.1.1"), client("20.50.1.2"), client("20.50.1.4"), client("20.77.0.1"), client("203.0.113.9"),
		client("2603:1020::1"), client("vm7.internal"), client("10.0.0.4"), client("127.0.0.1"), never, azure)
	p := plan(t, r)
	want := map[string]fix.Fate{
		"20.50.1.1": fix.KeptByNew, "20.50.1.2": fix.KeptByNew, "20.50.1.4": fix.KeptByNew,
		"20.77.0.1": fix.CutOff, "203.0.113.9": fix.KeptByOld, "2603:1020::1": fix.Uncertain, "vm7.internal": fix.Uncertain,
		"10.0.0.4": fix.Uncertain, "127.0.0.1": fix.Uncertain, // a pooler may hide behind either
		"20.50.9.9": fix.Untouched, "10.9.9.9": fix.Untouched,
	}
	if diff := cmp.Diff(want, fates(p)); diff != "" {
		t.Errorf("fates (-want +got):\n%s", diff)
	}
	wantSteps := []string{
		"put postern-keep-nat-gateway-west-20-50-1-1-to-20-50-1-2 20.50.1.1-20.50.1.2",
		"put postern-keep-nat-gateway-west-20-50-1-4 20.50.1.4-20.50.1.4",
		"delete AllowAllAzureIps 0.0.0.0-0.0.0.0",
	}
	if diff := cmp.Diff(wantSteps, steps(p.Steps)); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	wantBack := []string{
		"put AllowAllAzureIps 0.0.0.0-0.0.0.0",
		"delete postern-keep-nat-gateway-west-20-50-1-1-to-20-50-1-2 20.50.1.1-20.50.1.2",
		"delete postern-keep-nat-gateway-west-20-50-1-4 20.50.1.4-20.50.1.4",
	}
	if diff := cmp.Diff(wantBack, steps(p.WayBack)); diff != "" {
		t.Errorf("way back (-want +got):\n%s", diff)
	}
	if first := p.Clients[0]; first.Address != "20.77.0.1" || first.Claim != "" {
		t.Errorf("the first client shown is %s, not the one that is cut off", first.Address)
	}
	if got := string(p.WayBack[0].Rule.Properties); got != `{"endIpAddress":"0.0.0.0","provisioningState":"Succeeded","startIpAddress":"0.0.0.0"}` {
		t.Errorf("the rule is put back with %s", got)
	}
}

func TestStrangersComeBeforeYours(t *testing.T) {
	p := plan(t, request(server(flexible, public, door), fix.KeepNone, client("20.50.1.1"), client("20.77.0.1")))
	if got := p.Clients[0].Address; got != "20.77.0.1" {
		t.Errorf("the first is %s", got)
	}
}

func TestWhoDependsOnNothingNeedsNoOwner(t *testing.T) {
	r := request(server(flexible, public, door, office), fix.KeepObserved, client("203.0.113.9"))
	r.Claims = false
	if p := plan(t, r); len(p.Steps) != 1 {
		t.Errorf("the steps are %q", steps(p.Steps))
	}
}

func TestPrivateAddressesGetNoRule(t *testing.T) {
	r := request(server(flexible, public, door), fix.KeepObserved, client("10.0.0.4"))
	c := &r.Answer.Clients[0]
	c.Class, c.Hidden, c.Origin = usage.Unknown, "", usage.Origin{Owner: usage.Yours, Name: "vm"}
	p := plan(t, r)
	if len(p.Steps) != 1 || p.Clients[0].Fate != fix.Untouched {
		t.Errorf("the steps are %q, and it is %s", steps(p.Steps), p.Clients[0].Fate)
	}
}

func TestTheClassAloneIsNotBelieved(t *testing.T) {
	r := request(server(flexible, public, door, office), fix.KeepObserved, client("20.77.0.1"))
	r.Answer.Clients[0].Class = usage.Covered
	if got := fates(plan(t, r))["20.77.0.1"]; got != fix.CutOff {
		t.Errorf("a client that no rule admits afterwards is %s", got)
	}
}

func TestWhereTheAzureDoorStays(t *testing.T) {
	r := request(server(flexible, public, door, "all 0.0.0.0-255.255.255.255"), fix.KeepNone,
		client("20.1.1.1"), client("20.1.1.2"), client("20.1.1.3"))
	r.Doors = []exposure.Kind{exposure.Internet}
	for i, owner := range []usage.Owner{usage.InAzure, usage.Outside, usage.NotKnown} {
		r.Answer.Clients[i].Origin = usage.Origin{Owner: owner}
	}
	p := plan(t, r)
	want := map[string]fix.Fate{"20.1.1.1": fix.KeptByOld, "20.1.1.2": fix.CutOff, "20.1.1.3": fix.Uncertain}
	if diff := cmp.Diff(want, fates(p)); diff != "" {
		t.Errorf("fates (-want +got):\n%s", diff)
	}
	if !oneOf(p.Warnings, "The azure door is open and is not closed by this plan") {
		t.Errorf("no word of the door that stays: %q", p.Warnings)
	}
}

func TestRangesGrowOverWhatIsYoursOnly(t *testing.T) {
	a := server(flexible, public, door, "old 20.50.1.5-20.50.1.5")
	clients := []usage.Client{client("20.50.1.1"), client("20.50.1.4"), client("20.50.1.6"), client("20.50.1.9")}
	r := request(a, fix.KeepObserved, clients...)
	want := func(r fix.Request, ranges ...string) {
		t.Helper()
		var got []string
		for _, s := range plan(t, r).Steps {
			if s.Act == fix.Put {
				got = append(got, s.Rule.Start+"-"+s.Rule.End)
			}
		}
		if diff := cmp.Diff(ranges, got); diff != "" {
			t.Errorf("ranges (-want +got):\n%s", diff)
		}
	}
	want(r, "20.50.1.1-20.50.1.1", "20.50.1.4-20.50.1.6", "20.50.1.9-20.50.1.9") // over a rule that stays
	r.Owned = []fix.Span{span("20.50.1.0/28", "mine")}
	want(r, "20.50.1.1-20.50.1.9")
	// A stranger in the middle of what the list calls yours is not let in.
	r = request(a, fix.KeepObserved, append(clients, client("20.50.1.3"))...)
	r.Owned = []fix.Span{span("20.50.1.0/28", "mine")}
	r.Answer.Clients[4].Origin = usage.Origin{Owner: usage.NotKnown}
	want(r, "20.50.1.1-20.50.1.1", "20.50.1.4-20.50.1.9")
}

func TestListedAddressesAreKept(t *testing.T) {
	r := request(server(citus, public, door, office), fix.KeepListed, client("20.77.0.1"), client("20.50.1.1"))
	r.Listed = []fix.Span{
		span("20.77.0.0/30", "partner"), span("203.0.113.9", "in the office"), span("10.1.0.0/16", "vnet"),
		span("2603:1020::/32", "six"), span("40.0.0.0/15", "wide"),
	}
	p := plan(t, r)
	want := []string{
		"put postern-keep-partner-20-77-0-0-to-20-77-0-3 20.77.0.0-20.77.0.3",
		"put postern-keep-wide-40-0-0-0-to-40-1-255-255 40.0.0.0-40.1.255.255",
		"delete AllowAllAzureIps 0.0.0.0-0.0.0.0",
	}
	if diff := cmp.Diff(want, steps(p.Steps)); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]fix.Fate{"20.77.0.1": fix.KeptByNew, "20.50.1.1": fix.CutOff}, fates(p)); diff != "" {
		t.Errorf("fates (-want +got):\n%s", diff)
	}
	for _, words := range []string{"which is private", "IPv4 only", "131072 addresses", "1 client that is or may be yours is cut off"} {
		if !oneOf(p.Warnings, words) {
			t.Errorf("no warning says %q: %q", words, p.Warnings)
		}
	}
}

func TestNamesAreNewAndLegal(t *testing.T) {
	r := request(server(flexible, public, door, "POSTERN-keep-20-50-1-1 9.9.9.9-9.9.9.9", "postern-keep-20-50-1-1-2 9.9.9.8-9.9.9.8"), fix.KeepListed)
	r.Listed = []fix.Span{span("20.50.1.1", "Ω§"), span("30.50.100.100-130.250.200.255", strings.Repeat("long name ", 9))}
	p := plan(t, r)
	if got := p.Steps[0].Rule.Name; got != "postern-keep-20-50-1-1-3" {
		t.Errorf("the name is %q", got)
	}
	if got := p.Steps[1].Rule.Name; got != "postern-keep-long-name-long-name-long-30-50-100-100-to-130-250-200-255" || len(got) > 80 {
		t.Errorf("the name is %q", got)
	}
}

func TestWhatBlocksAServer(t *testing.T) {
	subnet := `"state": "Ready", "network": {"publicNetworkAccess": "Disabled", "delegatedSubnetResourceId": "/subscriptions/s/x/subnets/db"}`
	lock := fix.Lock{ID: "/subscriptions/s/resourceGroups/shop/providers/Microsoft.Authorization/locks/keep it", Name: "keep it", Level: "CanNotDelete"}
	tests := []struct {
		name, kind, properties string
		locks                  []fix.Lock
		want                   []string
	}{
		{"in a network", flexible, subnet, nil, []string{"lives in a virtual network"}},
		{"flexible, public access off", flexible, private, nil, []string{"discards changes"}},
		{"Single, public access off", single, private, nil, []string{"refuses to change them"}},
		{"a cluster, public access off", citus, private, nil, nil},
		{"stopped", flexible, strings.ReplaceAll(public, "Ready", "Stopped"), nil, []string{`state is "Stopped"`}},
		{"Single, by its own field", single, strings.Replace(public, `"state": "Ready"`, `"state": "Odd"`, 1), nil, nil},
		{"locked", citus, public, []fix.Lock{lock}, []string{`az lock delete --ids '/subscriptions/s/resourceGroups/shop/providers/Microsoft.Authorization/locks/keep it'`, "on /subscriptions/s/resourceGroups/shop forbids"}},
		{"two reasons", flexible, strings.ReplaceAll(private, "Ready", "Updating"), []fix.Lock{lock}, []string{"discards", "lock", "Updating"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := request(server(tt.kind, tt.properties, door), fix.KeepObserved, client("20.50.1.1"))
			r.Locks = tt.locks
			p := plan(t, r)
			if len(tt.want) == 0 && p.Blocked != "" {
				t.Errorf("it is blocked: %s", p.Blocked)
			}
			for _, words := range tt.want {
				if !strings.Contains(p.Blocked, words) {
					t.Errorf("blocked says %q and not %q", p.Blocked, words)
				}
			}
		})
	}
}

func TestNobodyDependsOnALatentDoor(t *testing.T) {
	p := plan(t, request(server(citus, private, door), fix.KeepObserved))
	if p.Blocked != "" || len(p.Steps) != 1 || p.Doors[0].State != exposure.Latent || !oneOf(p.Warnings, "Nobody comes by these doors today") {
		t.Errorf("got %+v", p)
	}
	p = plan(t, request(server(citus, private, door), fix.KeepObserved, client("20.50.1.1")))
	if got := fates(p)["20.50.1.1"]; got != fix.Untouched || len(p.Steps) != 1 {
		t.Errorf("a client of the past is %s", got)
	}
}

func TestWarnings(t *testing.T) {
	r := request(server(flexible, public, "door 20.1.1.1-20.1.1.9 AzureCloud"), fix.KeepObserved, client("20.50.1.1"), client("127.0.0.1"))
	r.Claim = func(o usage.Origin) fix.Claim {
		if o.Owner == usage.Yours {
			return fix.Candidate
		}
		return ""
	}
	r.Sampled, r.Answer.Missing = true, []string{"the log covers 9 days"}
	r.Answer.Window.Last = now.AddDate(0, 0, -4)
	p := plan(t, r)
	for _, words := range []string{
		"samples of who was connected", "not complete: the log covers 9 days", "ends 4 days before", "1 client could not be decided",
		"may hide behind 1 client", "lets them in too", `"door" also admits 20.1.1.1–20.1.1.9`, "within 5 minutes", "about a minute: 2 one after the other",
	} {
		if !oneOf(p.Warnings, words) {
			t.Errorf("no warning says %q: %q", words, p.Warnings)
		}
	}
	if p := plan(t, request(server(single, public, door), fix.KeepNone)); !oneOf(p.Warnings, "No evidence") {
		t.Errorf("no word of the evidence that is missing: %q", p.Warnings)
	}
}

func TestOneChangeIsNotSeveral(t *testing.T) {
	p := plan(t, request(server(flexible, public, door), fix.KeepNone))
	if !oneOf(p.Warnings, "The change keeps the server in the state Updating for about a minute.") || oneOf(p.Warnings, "one after the other") {
		t.Errorf("got %q", p.Warnings)
	}
}

// What usage says is missing, in its own words, is not said again in others.
func TestNoFactIsWarnedOfTwice(t *testing.T) {
	warnings := func(sampled bool, last time.Time, span time.Duration, clients ...usage.Client) []string {
		a := server(flexible, public, door)
		r := request(a, fix.KeepNone)
		source := usage.Source{Name: "samples", Kind: usage.SampleSource, Sample: &usage.Sample{First: last, Last: last, Samples: 1}}
		if !sampled {
			log := pglog.Stats{
				Entries: 9, First: last.Add(-span), Last: last, Hours: map[int64]pglog.Hour{},
				Events: map[pglog.Kind]int64{pglog.Received: 9},
			}
			for at := log.First; !at.After(last); at = at.Add(time.Hour) {
				log.Hours[at.Unix()/3600] = pglog.Hour{First: 0, Last: 3599}
			}
			source = usage.Source{Name: "log", Kind: usage.LogSource, Log: &log}
		}
		answer := usage.NewAnswer(usage.Evidence{
			Sources: []usage.Source{source}, Clients: clients, Access: usage.NewAccess(r.Network),
			MinWindow: usage.DefaultMinWindow, Now: now,
		})
		r.Answer, r.Sampled = &answer, sampled
		return plan(t, r).Warnings
	}
	tests := []struct {
		name         string
		got          []string
		once, absent string
	}{
		{"samples", warnings(true, now, 0, client("20.77.0.1")), "The evidence is samples", "no log was read"},
		{"a pooler", warnings(false, now, 10*24*time.Hour, client("127.0.0.1")), "Others may hide behind 1 client", "complete: others"},
		{"a short log", warnings(false, now, 24*time.Hour), "not complete: the log vouches for", "The evidence covers"},
		{"a log that is long enough", warnings(false, now, 10*24*time.Hour), "The evidence covers", "not complete"},
		{"an old log", warnings(false, now.AddDate(0, 0, -9), 10*24*time.Hour), "not complete: what the log vouches for ended", "The evidence ends"},
		{"a log of two days ago", warnings(false, now.AddDate(0, 0, -2), 10*24*time.Hour), "The evidence ends", "not complete"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if !oneOf(tt.got, tt.once) || oneOf(tt.got, tt.absent) {
				t.Errorf("want %q and not %q:\n%s", tt.once, tt.absent, strings.Join(tt.got, "\n"))
			}
		})
	}
}

func TestCuresFitTheGeneration(t *testing.T) {
	cures := func(kind string, origins ...usage.Origin) string {
		var clients []usage.Client
		for i := range origins {
			clients = append(clients, client(addressOf(i)))
		}
		r := request(server(kind, public, door), fix.KeepObserved, clients...)
		for i, o := range origins {
			r.Answer.Clients[i].Origin = o
		}
		var out []string
		for _, c := range plan(t, r).Cures {
			out = append(out, c.Title+": "+strings.Join(c.Steps, " "))
		}
		return strings.Join(out, "\n")
	}
	app := usage.Origin{Owner: usage.Yours, Name: "web app shop"}
	factory := usage.Origin{Owner: usage.InAzure, Tag: "DataFactory.WestEurope", Service: "AzureDataFactory"}
	tests := []struct {
		got           string
		with, without []string
	}{
		{cures(flexible, app), []string{"--group-id postgresqlServer", "NAT gateway", "--public-access Disabled"}, []string{"Data Factory", "virtualNetworkRules"}},
		{cures(citus, app, factory), []string{"--group-id coordinator", "privatelink.postgres.cosmos.azure.com", "managed private endpoint of Data Factory"}, []string{"flexible-server", "virtualNetworkRules", "postgresqlServer"}},
		{cures(single, factory), []string{"virtualNetworkRules", "Data Factory"}, []string{"flexible-server", "NAT gateway with"}},
		{cures(flexible, usage.Origin{Owner: usage.Outside}), nil, []string{"private endpoint"}},
		{cures(flexible, usage.Origin{Owner: usage.InAzure, Tag: "PowerBI.WestEurope"}, usage.Origin{Owner: usage.InAzure, Tag: "AzureDevOps"}), []string{"data gateway", "Agents of your own"}, nil},
	}
	for i, tt := range tests {
		for _, words := range tt.with {
			if !strings.Contains(tt.got, words) {
				t.Errorf("%d: no cure says %q:\n%s", i, words, tt.got)
			}
		}
		for _, words := range tt.without {
			if strings.Contains(tt.got, words) {
				t.Errorf("%d: a cure says %q:\n%s", i, words, tt.got)
			}
		}
	}
}
