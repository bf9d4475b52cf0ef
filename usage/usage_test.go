package usage_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/usage"
	"github.com/posternhq/postern/usage/pglog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// network is a public server with the given rules ("name start-end").
func network(rules ...string) asset.Network {
	n := asset.Network{Public: asset.PublicAccess{State: asset.On, Why: "public"}}
	for _, r := range rules {
		name, span, _ := strings.Cut(r, " ")
		start, end, _ := strings.Cut(span, "-")
		n.FirewallRules = append(n.FirewallRules, asset.FirewallRule{ID: "/id/" + name, Name: name, Start: start, End: end})
	}
	return n
}

const door, office = "door 0.0.0.0-0.0.0.0", "office 203.0.113.8-203.0.113.15"

func with(n asset.Network, change func(*asset.Network)) asset.Network {
	change(&n)
	return n
}

func TestClientsAreClassified(t *testing.T) {
	off := func(n *asset.Network) { n.Public = asset.PublicAccess{State: asset.Off, Why: "switched off"} }
	unclear := func(n *asset.Network) { n.Public = asset.PublicAccess{State: asset.Unclear, Why: "field is absent"} }
	injected := func(n *asset.Network) { n.InjectedSubnet = "/subnets/db" }
	gap := func(n *asset.Network) {
		n.FirewallGap = &asset.Gap{Scope: "/servers/x", Operation: "list firewall rules", Permission: "p/read", Status: 403}
	}
	endpoint := func(n *asset.Network) {
		n.PrivateEndpoints = []asset.PrivateEndpoint{{Name: "pe", Status: "Approved"}}
	}
	client := func(address string) usage.Client {
		return usage.Client{Address: address, User: "u", Connections: 1}
	}
	tests := []struct {
		name    string
		network asset.Network
		client  usage.Client
		want    usage.Class
		rules   []string
		hidden  bool
	}{
		{"the door alone", network(door, office), client("20.50.1.2"), usage.AzureDoor, []string{"door"}, false},
		{"an office in a documentation range", network(door, office), client("203.0.113.9"), usage.Covered, []string{"office"}, false},
		{"the edges of a range", network(door, office), client("203.0.113.15"), usage.Covered, []string{"office"}, false},
		{"one past the edge", network(door, office), client("203.0.113.16"), usage.AzureDoor, []string{"door"}, false},
		{"two rules", network(door, office, "one 203.0.113.9-203.0.113.9"), client("203.0.113.9"), usage.Covered, []string{"office", "one"}, false},
		{"a rule the service explains as AzureCloud is the door's", with(network("both 20.50.1.2-20.50.1.2"), func(n *asset.Network) {
			n.FirewallRules[0].SourcePrefixes = []string{"AzureCloud"}
		}), client("20.50.1.2"), usage.AzureDoor, []string{"both"}, false},
		{"the internet door", network(door, "all 0.0.0.0-255.255.255.255"), client("20.50.1.2"), usage.InternetDoor, []string{"all"}, false},
		{"the internet door and a narrow rule", network("all 0.0.0.0-255.255.255.255", office), client("203.0.113.9"), usage.Covered, []string{"office"}, false},
		{"nothing admits it", network(office), client("20.50.1.2"), usage.ShutOut, nil, false},
		{"refused", network(door), usage.Client{Address: "20.50.1.2", Refused: 3}, usage.ShutOut, nil, false},
		{"refused and let in", network(door), usage.Client{Address: "20.50.1.2", Refused: 3, Connections: 1}, usage.AzureDoor, []string{"door"}, false},
		{"turned away", network(door), usage.Client{Address: "20.50.1.2", Knocks: 3, TurnedAway: 1}, usage.Unknown, nil, false},
		{"turned away from the office", network(door, office), usage.Client{Address: "203.0.113.9", Knocks: 3, TurnedAway: 1}, usage.Covered, []string{"office"}, false},
		{"turned away on the server itself", network(door), usage.Client{Address: "127.0.0.1", TurnedAway: 1}, usage.AzureItself, nil, false},
		{"knocked", network(door), usage.Client{Address: "20.50.1.2", Knocks: 3}, usage.ShutOut, nil, false},
		{"private, by an endpoint", with(network(door), endpoint), client("10.0.0.4"), usage.Private, nil, false},
		{"private, and no way in", network(door), client("10.0.0.4"), usage.Private, nil, true},
		{"a service endpoint's address", with(network(door), endpoint), client("fd40::1"), usage.Private, nil, false},
		{"Azure's shared space", with(network(door), endpoint), client("100.64.1.1"), usage.Private, nil, false},
		{"a server in a virtual network", with(network(door), injected), client("20.50.1.2"), usage.Private, nil, false},
		{"public access off", with(network(door, office), off), client("203.0.113.9"), usage.ShutOut, nil, false},
		{"public access unclear", with(network(door, office), unclear), client("203.0.113.9"), usage.Unknown, nil, false},
		{"rules unread", with(network(), gap), client("20.50.1.2"), usage.Unknown, nil, false},
		{"rules half read, and one of them covers", with(network(door, office), gap), client("203.0.113.9"), usage.Covered, []string{"office"}, false},
		{"rules half read, the door among them", with(network(door), gap), client("20.50.1.2"), usage.Unknown, nil, false},
		{"a rule that is none", network(door, "bad x-y"), client("20.50.1.2"), usage.Unknown, nil, false},
		{"public IPv6", network(door), client("2603:1020::1"), usage.Unknown, nil, false},
		{"a host name", network(door), client("vm7.internal"), usage.Unknown, nil, false},
		{"no address", network(door), client(""), usage.Unknown, nil, false},
		{"Azure's user by the socket", network(door), usage.Client{Address: "[local]", User: "azuresu", Connections: 1}, usage.AzureItself, nil, false},
		{"Azure's user from a public address", network(door), usage.Client{Address: "20.1.1.1", User: "azuresu", Connections: 1}, usage.Unknown, nil, false},
		{"another user on loopback", network(door), client("127.0.0.1"), usage.AzureItself, nil, true},
		{"another user on loopback, IPv6", network(door), client("::1"), usage.AzureItself, nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := usage.NewAccess(tt.network).Judge(tt.client)
			if got.Class != tt.want || got.Why == "" || (got.Hidden != "") != tt.hidden {
				t.Errorf("got %s because %q, hidden %q; want %s", got.Class, got.Why, got.Hidden, tt.want)
			}
			if diff := cmp.Diff(tt.rules, got.Rules); diff != "" {
				t.Errorf("rules (-want +got):\n%s", diff)
			}
		})
	}
	if got := usage.UnreadableAccess("torn").Judge(client("20.50.1.2")); got.Class != usage.Unknown || got.Why == "" {
		t.Errorf("a server that could not be read gives %+v", got)
	}
}

var monday = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

// evidence is a week in which one client of the office came every hour.
func evidence() usage.Evidence {
	log := &pglog.Stats{
		Files: 1, Entries: 1000, First: monday, Last: monday.AddDate(0, 0, 7), Hours: map[int64]pglog.Hour{},
		Events: map[pglog.Kind]int64{pglog.Received: 1, pglog.Authorized: 1, pglog.Disconnected: 1},
	}
	for at := log.First; !at.After(log.Last); at = at.Add(time.Hour) {
		log.Hours[at.Unix()/3600] = pglog.Hour{}
	}
	return usage.Evidence{
		Clients: []usage.Client{{Address: "203.0.113.9", User: "ann", Connections: 1}},
		Sources: []usage.Source{{Name: "a.log", Kind: usage.LogSource, Log: log}},
		Access:  usage.NewAccess(network(door, office)), MinWindow: usage.DefaultMinWindow, Now: monday.AddDate(0, 0, 8),
	}
}

// forget takes the hours out of a log in which nobody was let in.
func forget(log *pglog.Stats, silent func(at time.Time) bool) {
	for hour := range log.Hours {
		if silent(time.Unix(hour*3600, 0).UTC()) {
			delete(log.Hours, hour)
		}
	}
}

func TestSafeIsSaidOnlyWhenTheEvidenceCarriesIt(t *testing.T) {
	add := func(e *usage.Evidence, c usage.Client) { e.Clients = append(e.Clients, c) }
	log := func(change func(*pglog.Stats)) func(*usage.Evidence) {
		return func(e *usage.Evidence) { change(e.Sources[0].Log) }
	}
	between := func(from, to int) func(*usage.Evidence) {
		return log(func(l *pglog.Stats) {
			forget(l, func(at time.Time) bool {
				return at.After(monday.AddDate(0, 0, from)) && at.Before(monday.AddDate(0, 0, to))
			})
		})
	}
	tests := []struct {
		name   string
		change func(*usage.Evidence)
		want   usage.Outcome
		line   string
	}{
		{"a whole week", func(*usage.Evidence) {}, usage.SafeToClose,
			"safe to close: in 7 days, from 2026-11-02 08:00:00 UTC to 2026-11-09 08:00:00 UTC, nobody came whom only the azure door admits"},
		{"a stranger who never got in", func(e *usage.Evidence) { add(e, usage.Client{Address: "20.50.1.2", Refused: 5}) }, usage.SafeToClose, ""},
		{"one dependant", func(e *usage.Evidence) { add(e, usage.Client{Address: "20.50.1.2", Connections: 1}) }, usage.CutsOff,
			"cuts off 1 client: no rule but the azure door's admits it"},
		{"one who was only authenticated", func(e *usage.Evidence) { add(e, usage.Client{Address: "20.50.1.2", Authenticated: 1}) }, usage.CutsOff, "cuts off 1 client"},
		{"one dependant in a short log", func(e *usage.Evidence) {
			add(e, usage.Client{Address: "20.50.1.2", Connections: 1})
			forget(e.Sources[0].Log, func(at time.Time) bool { return at.After(monday.Add(time.Hour)) })
			e.Sources[0].Log.Last = monday.Add(time.Hour)
		}, usage.CutsOff, "there may be more, for the evidence is not complete: the log vouches for 1 hour"},
		{"ten minutes too short", log(func(l *pglog.Stats) {
			l.Last = l.Last.Add(-10 * time.Minute)
			delete(l.Hours, monday.AddDate(0, 0, 7).Unix()/3600)
		}), usage.SafeToClose, "safe to close: in 6 days 23 hours"},
		{"two hours too short", log(func(l *pglog.Stats) {
			l.Last = l.Last.Add(-2 * time.Hour)
			forget(l, func(at time.Time) bool { return at.After(l.Last) })
		}), usage.NotEnough, "the log vouches for 6 days 22 hours, and it takes 7 days"},
		{"a break after the stretch", func(e *usage.Evidence) {
			l := e.Sources[0].Log
			for at := l.Last; !at.After(l.Last.AddDate(0, 0, 2)); at = at.Add(time.Hour) {
				l.Hours[at.Unix()/3600] = pglog.Hour{}
			}
			l.Last, e.Now = l.Last.AddDate(0, 0, 2), e.Now.AddDate(0, 0, 2)
			forget(l, func(at time.Time) bool {
				return at.After(monday.AddDate(0, 0, 7)) && at.Before(monday.AddDate(0, 0, 7).Add(12*time.Hour))
			})
		}, usage.NotEnough, "after 2026-11-09 08:00:00 UTC, which is where the longest stretch ends, the log tells of nobody let in until 2026-11-09 20:00:00 UTC"},
		{"a shorter minimum", func(e *usage.Evidence) {
			e.MinWindow = 3 * time.Hour
			e.Sources[0].Log.First = monday.AddDate(0, 0, 7).Add(-3 * time.Hour)
			forget(e.Sources[0].Log, func(at time.Time) bool { return at.Before(e.Sources[0].Log.First) })
		}, usage.SafeToClose, "safe to close: in 3 hours, from 2026-11-09 05:00:00 UTC"},
		{"days missing", between(2, 4), usage.NotEnough, "the log vouches for 3 days without a break, and it takes 7 days: from 2026-11-04 08:00:00 UTC to 2026-11-06 08:00:00 UTC it tells of nobody let in"},
		{"nights missing", log(func(l *pglog.Stats) { forget(l, func(at time.Time) bool { return at.Hour() < 8 }) }), usage.NotEnough, "the log vouches for 15 hours without a break"},
		{"an hour without anybody", log(func(l *pglog.Stats) { forget(l, func(at time.Time) bool { return at.Hour() == 3 }) }), usage.SafeToClose, ""},
		{"connections logged on the first days only", between(3, 8), usage.NotEnough, "log goes on for 4 days and tells of nobody let in: log_connections may have been switched off"},
		{"one connection a day", log(func(l *pglog.Stats) { forget(l, func(at time.Time) bool { return at.Hour() != 8 }) }), usage.NotEnough, "the log vouches for 0 seconds without a break"},
		{"last month's log", func(e *usage.Evidence) { e.Now = monday.AddDate(0, 1, 0) }, usage.NotEnough, "ended 23 days ago, on 2026-11-09 08:00:00 UTC"},
		{"an empty log", func(e *usage.Evidence) { e.Sources[0].Log, e.Clients = &pglog.Stats{}, nil }, usage.NotEnough, "the log holds no entry"},
		{"nothing at all", func(e *usage.Evidence) { e.Sources, e.Clients = nil, nil }, usage.NotEnough, "no log was read"},
		{"log_connections off", log(func(l *pglog.Stats) { l.Events, l.Hours = nil, nil }), usage.NotEnough, "none of a connection"},
		{"only received is logged", log(func(l *pglog.Stats) { l.Events, l.Hours = map[pglog.Kind]int64{pglog.Received: 9}, nil }), usage.NotEnough, "when anybody was let in"},
		{"one line in a hundred unreadable", log(func(l *pglog.Stats) { l.Unreadable = 10 }), usage.SafeToClose, ""},
		{"more than that", log(func(l *pglog.Stats) { l.Unreadable = 11 }), usage.NotEnough, "11 lines of 1011 could not be read, more than 1 %"},
		{"one of them about a connection", log(func(l *pglog.Stats) { l.Unreadable, l.Torn = 1, 1 }), usage.NotEnough, "1 line that could not be read may tell of a connection"},
		{"a file that is cut", log(func(l *pglog.Stats) { l.Truncated = 1 }), usage.NotEnough, "1 file ends in the middle of a line"},
		{"another language", log(func(l *pglog.Stats) { l.OtherLanguage = 2 }), usage.NotEnough, "2 entries are not in English"},
		{"entries without a time", log(func(l *pglog.Stats) { l.Untimed = 2 }), usage.NotEnough, "2 entries have no time"},
		{"entries of the future", log(func(l *pglog.Stats) { l.Implausible = 1 }), usage.NotEnough, "1 entry has a time in the future"},
		{"a session of two addresses", log(func(l *pglog.Stats) { l.Contested = 1 }), usage.NotEnough, "1 session is said to come from two addresses"},
		{"a line within a line", log(func(l *pglog.Stats) { l.Embedded = 1 }), usage.NotEnough, "1 message about a connection stands within another message"},
		{"a prefix with names", log(func(l *pglog.Stats) { l.ForgeablePrefix = "%u " }), usage.NotEnough, "a stranger can forge lines"},
		{"sessions without end", log(func(l *pglog.Stats) { l.Unended = 1 }), usage.NotEnough, "1 session began before the time asked about"},
		{"records of no server", log(func(l *pglog.Stats) { l.Unnamed = 1 }), usage.NotEnough, "1 record does not name the server"},
		{"records of a namesake", log(func(l *pglog.Stats) { l.Namesakes = map[string]int64{"/old/db": 7} }), usage.NotEnough, "7 records of /old/db"},
		{"a file not read", log(func(l *pglog.Stats) { l.UnreadFiles, l.Unread = 5, []string{"a.xz", "b.xz", "c.xz", "d.xz"} }), usage.NotEnough,
			"5 files that may be logs were not read: a.xz, b.xz, c.xz and 2 more"},
		{"a source that is partial", func(e *usage.Evidence) { e.Sources[0].Missing = []string{"the workspace gave a part"} }, usage.NotEnough, "the workspace gave a part"},
		{"a client without an address", func(e *usage.Evidence) { add(e, usage.Client{User: "x", Connections: 1}) }, usage.NotEnough, "it is not known how 1 client comes in"},
		{"a pooler", func(e *usage.Evidence) { add(e, usage.Client{Address: "127.0.0.1", User: "x", Connections: 1}) }, usage.NotEnough, "others may hide behind 1 client"},
		{"a user named like Azure's", func(e *usage.Evidence) {
			add(e, usage.Client{Address: "20.50.1.2", User: "azuresu", Ambiguous: true, Connections: 1})
		}, usage.CutsOff, "cuts off 1 client"},
		{"clients not kept", func(e *usage.Evidence) { e.Dropped = 1 }, usage.NotEnough, "1 connection of the others"},
		{"a rule not understood", func(e *usage.Evidence) { e.Access = usage.NewAccess(network(door, office, "bad x-y")) }, usage.NotEnough, "not all rules were read"},
		{"settings not read", func(e *usage.Evidence) { e.Access = usage.UnreadableAccess("torn") }, usage.NotEnough, "torn"},
		{"no door", func(e *usage.Evidence) { e.Access = usage.NewAccess(network(office)) }, usage.NotOpen, "cuts nothing off"},
		{"a latent door", func(e *usage.Evidence) {
			e.Access = usage.NewAccess(with(network(door), func(n *asset.Network) { n.Public.State = asset.Off }))
		}, usage.NotOpen, "latent"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := evidence()
			tt.change(&e)
			a := usage.NewAnswer(e)
			if a.Outcome != tt.want || !strings.Contains(a.Line(), tt.line) || strings.Contains(a.Line(), "\n") {
				t.Errorf("got %s: %s\nwant %s: …%s…", a.Outcome, a.Line(), tt.want, tt.line)
			}
		})
	}
}

func TestSourcesAddUp(t *testing.T) {
	sample := usage.Source{Name: "db", Kind: usage.SampleSource, Sample: &usage.Sample{
		First: monday, Last: monday.AddDate(0, 0, 7), Samples: 60000, Interval: 10 * time.Second,
	}}
	halves := func(gap time.Duration) []usage.Source {
		first, second := evidence().Sources[0], evidence().Sources[0]
		middle := monday.AddDate(0, 0, 3)
		first.Log.Last = middle
		forget(first.Log, func(at time.Time) bool { return at.After(middle) })
		second.Name, second.Log.First = "b.log", middle.Add(gap)
		forget(second.Log, func(at time.Time) bool { return at.Before(middle.Add(gap)) })
		return []usage.Source{second, first}
	}
	tests := []struct {
		name    string
		sources []usage.Source
		want    usage.Outcome
		line    string
	}{
		{"two halves", halves(time.Hour), usage.SafeToClose, "in 7 days"},
		{"two halves and a hole", halves(5 * time.Hour), usage.NotEnough, "without a break"},
		{"a log and samples", append(evidence().Sources, sample), usage.SafeToClose, "in 7 days"},
		{"samples alone", []usage.Source{sample}, usage.NotEnough, "no log was read: samples show who is connected at an instant"},
		{"samples cannot lengthen a log", append(halves(time.Hour)[:1], sample), usage.NotEnough, "the log vouches for 3 days"},
		{"one of two lacks something", append(evidence().Sources, usage.Source{Name: "workspace w", Kind: usage.LogSource, Log: &pglog.Stats{}, Missing: []string{"a part"}}),
			usage.NotEnough, "workspace w: a part; workspace w: the log holds no entry"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := evidence()
			e.Sources = tt.sources
			a := usage.NewAnswer(e)
			if a.Outcome != tt.want || !strings.Contains(a.Line(), tt.line) {
				t.Errorf("got %s, want %s: …%s…", a.Line(), tt.want, tt.line)
			}
		})
	}
	const open = "still open at its end"
	e := evidence()
	if blind := strings.Join(usage.NewAnswer(e).Blind, " "); !strings.Contains(blind, open) {
		t.Errorf("a log alone is blind for: %s", blind)
	}
	e.Sources = append(e.Sources, sample)
	if blind := strings.Join(usage.NewAnswer(e).Blind, " "); strings.Contains(blind, open) || !strings.Contains(blind, "60000 samples, 10 seconds apart") {
		t.Errorf("with samples, blind for: %s", blind)
	}
}

func TestEventsAddUpToClients(t *testing.T) {
	at := func(n int) time.Time { return monday.Add(time.Duration(n) * time.Hour) }
	tally := usage.NewTally()
	for _, ev := range []pglog.Event{
		{Kind: pglog.Received, Time: at(1), Host: "::ffff:20.50.1.2"},
		{Kind: pglog.Authorized, Time: at(1), Host: "::ffff:20.50.1.2", User: "a", Database: "d", Application: "x", TLS: "none"},
		{Kind: pglog.Authorized, Time: at(0), Host: "20.50.1.2", User: "a", Database: "d", Application: "x", TLS: "TLSv1.3"},
		{Kind: pglog.Disconnected, Time: at(2), Host: "20.50.1.2", User: "a", Database: "d", Application: "x"},
		{Kind: pglog.Disconnected, Time: at(2), Host: "20.50.1.3", User: "a", Database: "d", Unannounced: true},
		{Kind: pglog.Refused, Time: at(5), Host: "20.50.1.2", User: "a", Database: "d"},
		{Kind: pglog.Received, Time: at(3), Host: "9.9.9.9"},
		{Kind: pglog.Received, Time: at(4), Host: "9.9.9.9"},
		{Kind: pglog.Received, Time: at(4), Host: "8.8.8.8"},
		{Kind: pglog.Refused, Time: at(4), Host: "8.8.8.8", User: "root", Database: "d"},
		{Kind: pglog.Received, Time: at(4), Host: "7.7.7.7"},
		{Kind: pglog.Authenticated, Time: at(4), Host: "7.7.7.7", Identity: "x"},
		{Kind: pglog.Received, Time: at(3), Host: "4.4.4.4"},
		{Kind: pglog.TurnedAway, Time: at(4), Host: "4.4.4.4"},
		{Kind: pglog.TurnedAway, Time: at(4), Host: "6.6.6.6"},
		{Kind: pglog.Authenticated, Time: at(4), Host: "20.50.1.2", Identity: "CN=a"},
		{Kind: pglog.Authorized, Host: "6.6.6.6", User: "a"},
		{Kind: pglog.Authorized, Time: at(4), Host: "6.6.6.6", User: "a"},
	} {
		tally.Add(ev)
	}
	tally.Sighted(usage.Client{Address: "::ffff:20.50.1.2", User: "a", Database: "d", Application: "x", First: at(4), Last: at(6), Connections: 3})
	tally.Sighted(usage.Client{Address: "5.5.5.5", User: "b"})
	tally.Sighted(usage.Client{Address: "9.9.9.9", Knocks: 1, Last: at(4)})
	want := []usage.Client{
		{Address: "4.4.4.4", First: at(3), Last: at(4), Knocks: 1, TurnedAway: 1},
		{Address: "5.5.5.5", User: "b", Connections: 1},
		{Address: "6.6.6.6", User: "a", First: at(4), Last: at(4), Connections: 2},
		{Address: "7.7.7.7", User: "x", First: at(4), Last: at(4), Authenticated: 1},
		{Address: "8.8.8.8", User: "root", Database: "d", First: at(4), Last: at(4), Refused: 1, StillRefused: true},
		{Address: "9.9.9.9", First: at(3), Last: at(4), Knocks: 3},
		{Address: "20.50.1.2", User: "a", Database: "d", Application: "x", First: at(0), Last: at(6), Connections: 5, Refused: 1, Unencrypted: 1},
		{Address: "20.50.1.3", User: "a", Database: "d", First: at(2), Last: at(2), Connections: 1},
	}
	if diff := cmp.Diff(want, tally.Clients()); diff != "" {
		t.Errorf("clients (-want +got):\n%s", diff)
	}
}

// What nobody should overlook stands in the last line, whatever the door's answer is.
func TestTheLastLineTellsOfOtherDoorsAndOfClientsThatAreRefused(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 11, 2, hour, 0, 0, 0, time.UTC) }
	tally := usage.NewTally()
	for _, ev := range []pglog.Event{
		{Kind: pglog.Authorized, Time: at(1), Host: "20.50.1.2", User: "a", Database: "d"},
		{Kind: pglog.Refused, Time: at(2), Host: "20.50.1.2", User: "a", Database: "d"},
		{Kind: pglog.Refused, Time: at(1), Host: "20.50.1.3", User: "a", Database: "d"},
		{Kind: pglog.Authorized, Time: at(2), Host: "20.50.1.3", User: "a", Database: "d"},
		// A stranger guesses, and then has it.
		{Kind: pglog.Received, Time: at(1), Host: "20.50.1.4"},
		{Kind: pglog.Received, Time: at(1), Host: "20.50.1.4"},
		{Kind: pglog.Received, Time: at(2), Host: "20.50.1.4"},
		{Kind: pglog.Authorized, Time: at(2), Host: "20.50.1.4", User: "a", Database: "d"},
	} {
		tally.Add(ev)
	}
	own, err := usage.ReadOwn(strings.NewReader("20.50.1.2 one\n20.50.1.3 two\n"))
	if err != nil {
		t.Fatal(err)
	}
	a := usage.NewAnswer(usage.Evidence{
		Clients: tally.Clients(), Book: usage.Book{Own: own}, Now: at(3),
		Access: usage.NewAccess(network("wide 0.0.0.0-255.255.255.255")),
	})
	if a.OnlyInternet != 3 || a.RefusedYours != 1 || a.Clients[2].Knocks != 2 {
		t.Errorf("%d by the internet door, %d refused, clients %+v", a.OnlyInternet, a.RefusedYours, a.Clients)
	}
	want := "closing the azure door cuts nothing off: it is not open; but 3 clients come by the internet door alone, which `postern fix plan` closes as well; " +
		"and 1 client that is or may be yours was refused the last time it came"
	if a.Line() != want {
		t.Errorf("got  %s\nwant %s", a.Line(), want)
	}
}

func TestAFloodOfStrangersHidesNoClient(t *testing.T) {
	tally := usage.NewTally()
	for i := range 3 * usage.MaxStrangers {
		tally.Add(pglog.Event{Kind: pglog.Refused, Host: "9.9.9.9", User: fmt.Sprint("u", i)})
	}
	for i := range usage.MaxClients + 5 {
		tally.Add(pglog.Event{Kind: pglog.Authorized, Host: "20.50.1.2", User: fmt.Sprint("u", i)})
	}
	if n := len(tally.Clients()); n != usage.MaxStrangers+usage.MaxClients || tally.Dropped != 5 || tally.Overflow != 2*usage.MaxStrangers {
		t.Errorf("%d clients, %d dropped, %d overflow", n, tally.Dropped, tally.Overflow)
	}
}
