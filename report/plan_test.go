package report_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/report"
	"github.com/posternhq/postern/usage"
)

const keptRule = "postern-keep-nat"

// approvable is a plan with every fate, for one server that can be changed and
// one that cannot. Names are what the test wants.
func approvable(name string) *fix.Plan {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	client := func(address string, fate fix.Fate, claim fix.Claim) fix.Client {
		return fix.Client{
			Address: address, User: name, Database: name, Application: name, First: at, Last: at, Connections: 3,
			Origin: usage.Origin{Name: name, Tag: name}, Fate: fate, Claim: claim, Rules: []string{name}, Why: "because " + name,
		}
	}
	server := fix.ServerPlan{
		Server: fix.Server{ID: "/" + name, Name: name, Type: "Microsoft.DBforPostgreSQL/flexibleServers", Label: name, ResourceGroup: name, Location: name, SubscriptionID: name},
		Doors:  []fix.Door{{Kind: exposure.Azure, State: exposure.Open}},
		Steps: []fix.Step{
			{Act: fix.Put, Rule: fix.Rule{ID: "/x/" + keptRule, Name: keptRule, Start: "20.50.1.1", End: "20.50.1.1"}, Why: "keeps " + name},
			{Act: fix.Delete, Rule: fix.Rule{ID: "/x/" + name, Name: name, Start: "0.0.0.0", End: "0.0.0.0"}, Why: "it makes the azure door"},
		},
		WayBack: []fix.Step{{Act: fix.Put, Rule: fix.Rule{Name: name}}},
		Clients: []fix.Client{
			client("20.77.0.1", fix.CutOff, ""), client("20.50.1.9", fix.CutOff, fix.Owned), client(name, fix.Uncertain, ""),
			client("20.50.1.1", fix.KeptByNew, fix.Candidate), client("203.0.113.9", fix.KeptByOld, ""), client("10.0.0.4", fix.Untouched, ""),
		},
		Evidence: &fix.Evidence{First: at, Last: at.AddDate(0, 0, 9), Covered: 9 * 86400},
		Warnings: []string{"warned of " + name}, Cures: []fix.Cure{{Title: name, Why: name, Steps: []string{name}}},
	}
	blocked := server
	blocked.Blocked, blocked.Evidence = "locked by "+name, nil
	return &fix.Plan{
		Version: fix.PlanVersion, Keep: fix.KeepObserved, Tool: fix.Tool{Name: name, Version: name},
		Cloud: fix.Cloud{Name: name, Endpoint: name, Tenant: name}, Digest: name, Servers: []fix.ServerPlan{server, blocked},
	}
}

func planText(t *testing.T, p *fix.Plan, equivalents bool) string {
	t.Helper()
	var out bytes.Buffer
	if err := report.PlanText(stripped{&out}, 0, p, equivalents); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestAHostilePlanCannotDrawOnTheTerminal(t *testing.T) {
	text := planText(t, approvable(hostile), true)
	if i := strings.IndexFunc(text, unsafe); i >= 0 {
		t.Errorf("the plan holds a control character at %q", text[max(0, i-20):i+10])
	}
}

func TestAPlanShowsFirstWhoIsCutOff(t *testing.T) {
	text := planText(t, approvable("orders-db"), false)
	at := 0
	for _, words := range []string{
		"Closes the azure door (open): adds 1 rule, deletes 1 rule.", "CUT OFF  2 clients: 1 yours, 0 may be yours, 1 not known to be yours",
		"20.77.0.1", "not known to be yours; orders-db; because orders-db", "20.50.1.9", "yours: orders-db", "uncertain  1 client: 0 yours, 0 may be yours, 1 not",
		"kept by a new rule  1 client: 0 yours, 1 may be yours, 0 not", "may be yours: orders-db",
		"kept by a rule that stays  1 client\n", "not affected  1 client\n", "Steps", " 1. put    postern-keep-nat",
		" 2. delete orders-db", "The way back", "Before you approve", "A better way", "CANNOT BE CHANGED NOW", "Who connects is not known",
		"1 of 2 servers: adds 1 rule, deletes 1 rule.", "1 server cannot be changed", "CUTS OFF 2 clients: 1 yours,",
	} {
		i := strings.Index(text[at:], words)
		if i < 0 {
			t.Fatalf("%q does not come next:\n%s", words, text[at:])
		}
		at += i
	}
	if strings.Contains(text[strings.Index(text, "kept by a rule that stays"):strings.Index(text, "Steps")], "not known to be yours") {
		t.Error("who comes in as before is called a stranger")
	}
	if strings.Contains(text, "az rest") || !strings.Contains(planText(t, approvable("orders-db"), true), "az rest --method delete") {
		t.Error("commands come exactly when they are asked for")
	}
}

func TestNobodyWhoIsCutOffIsLeftOut(t *testing.T) {
	p := approvable("db")
	for i := range 100 {
		for _, fate := range []fix.Fate{fix.CutOff, fix.KeptByOld} {
			p.Servers[0].Clients = append(p.Servers[0].Clients, fix.Client{Address: fmt.Sprintf("%s %d", fate, i), Fate: fate})
		}
	}
	text := planText(t, p, false)
	for i := range 100 {
		if !strings.Contains(text, fmt.Sprintf("cut off %d,", i)) {
			t.Fatalf("client %d is cut off and not shown", i)
		}
	}
	if !strings.Contains(text, "and 81 more (the plan's file lists them)") {
		t.Error("clients to whom nothing happens are not shortened")
	}
}

func TestTheStepsOfABetterWayAreShownWhenAskedFor(t *testing.T) {
	p := approvable("db")
	p.Servers[0].Cures = []fix.Cure{{Title: "A private endpoint", Why: "It is private.", Steps: []string{"make it"}}}
	short, long := planText(t, p, false), planText(t, p, true)
	if !strings.Contains(short, "It is private.\n    `--commands` shows the steps.") || strings.Contains(short, "make it") {
		t.Errorf("the steps are not left out:\n%s", short)
	}
	if !strings.Contains(long, "1. make it") || strings.Contains(long, "--commands") {
		t.Errorf("the steps are not shown:\n%s", long)
	}
}

func blastRadius(t *testing.T, p *fix.Plan, now time.Time) string {
	t.Helper()
	var out bytes.Buffer
	if err := report.BlastRadius(stripped{&out}, p, now); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestTheBlastRadiusLeavesOutWhatIsLeftAlone(t *testing.T) {
	p := approvable("db")
	p.Servers[0].Evidence = nil
	want := `1 of 2 servers: adds 1 rule, deletes 1 rule.
db, db, in db (db, tenant db).
1 server cannot be changed now and will be left alone.
CUTS OFF 2 clients: 1 yours, 0 may be yours, 1 not known to be yours.
What becomes of 1 client is not known.
Who connects to 1 server is not known at all.
Keeps 1 client by new rules and 1 client by rules that stay.
`
	if got := blastRadius(t, p, p.CreatedAt.Add(time.Hour)); got != want {
		t.Errorf("got:\n%s", got)
	}
}

func TestTheBlastRadiusSaysWhatItRestsOn(t *testing.T) {
	one := func(change func(*fix.Plan, *fix.ServerPlan)) *fix.Plan {
		p := approvable("db")
		p.Servers = p.Servers[:1]
		change(p, &p.Servers[0])
		return p
	}
	missing := []string{"the log vouches for 2 days", "another thing"}
	tests := []struct {
		name          string
		plan          *fix.Plan
		age           time.Duration
		with, without string
	}{
		{"an old plan", one(func(*fix.Plan, *fix.ServerPlan) {}), 327 * 24 * time.Hour, "The plan was made 327 days ago.", "EVIDENCE"},
		{"a plan of today", one(func(*fix.Plan, *fix.ServerPlan) {}), 23 * time.Hour, "db, in db", "ago"},
		{"something missing", one(func(_ *fix.Plan, s *fix.ServerPlan) { s.Evidence.Missing = missing }), 0, "EVIDENCE NOT ENOUGH: the log vouches for 2 days.\n", "another thing"},
		{"the outcome", one(func(_ *fix.Plan, s *fix.ServerPlan) { s.Evidence.Outcome = usage.NotEnough }), 0, "EVIDENCE NOT ENOUGH: nobody was seen", "samples"},
		{"a latent door", one(func(_ *fix.Plan, s *fix.ServerPlan) {
			s.Evidence.Missing, s.Doors = missing, []fix.Door{{Kind: exposure.Azure, State: exposure.Latent}}
		}), 0, "adds 1 rule", "EVIDENCE"},
		{"samples", one(func(_ *fix.Plan, s *fix.ServerPlan) { s.Evidence = &fix.Evidence{} }), 0, "No log was read of 1 server, only samples.", "EVIDENCE"},
		{"many servers", one(func(p *fix.Plan, s *fix.ServerPlan) {
			s.Evidence.Missing = missing
			for range 6 {
				p.Servers = append(p.Servers, *s)
			}
		}), 0, "db, db, db, db, db and 2 more, in db (db, tenant db).", "another thing"},
		{"many doubts", one(func(p *fix.Plan, s *fix.ServerPlan) {
			s.Evidence.Missing = missing
			for range 6 {
				p.Servers = append(p.Servers, *s)
			}
		}), 0, "EVIDENCE NOT ENOUGH: db: the log vouches for 2 days.\nNor is that of 2 servers more.", "another thing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := blastRadius(t, tt.plan, tt.plan.CreatedAt.Add(tt.age))
			if !strings.Contains(got, tt.with) || strings.Contains(got, tt.without) {
				t.Errorf("want %q and not %q:\n%s", tt.with, tt.without, got)
			}
		})
	}
}
