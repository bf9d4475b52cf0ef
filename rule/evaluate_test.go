package rule

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/rule/expr"
)

var denied = &asset.Gap{
	Scope: serverID, Operation: "list firewall rules", Permission: flexible + "/firewallRules/read", Status: 403, Message: "no",
}

// withGap makes the list of rules incomplete.
func withGap(a *asset.Asset) *asset.Asset {
	list := a.Children["firewallRules"]
	list.Gap = denied
	a.Children["firewallRules"] = list
	return a
}

func TestEvaluate(t *testing.T) {
	azureRule := Evidence{Kind: "firewall rule", ID: serverID + "/firewallRules/x", Name: "x", Value: "0.0.0.0–0.0.0.0"}
	for _, tc := range []struct {
		name  string
		asset *asset.Asset
		want  Result
	}{
		{"pass", flexibleServer(publicBody), Result{Verdict: Pass, Reason: "nothing is open"}},
		{"pass for an earlier reason", flexibleServer(publicBody, "a", "1.2.3.0-1.2.3.9"), Result{Verdict: Pass, Reason: "only 10 addresses"}},
		{"fail", flexibleServer(publicBody, "x", "0.0.0.0-0.0.0.0"), Result{Verdict: Fail, Reason: `every customer, by firewall rule "x"`, Evidence: []Evidence{azureRule}}},
		{"fail for the last reason", flexibleServer(publicBody, "x", "0.0.0.0-255.255.255.255"), Result{Verdict: Fail, Reason: "the internet"}},
		{
			"fail, proven in spite of a gap", withGap(flexibleServer(publicBody, "x", "0.0.0.0-0.0.0.0")),
			Result{Verdict: Fail, Reason: `every customer, by firewall rule "x"`, Evidence: []Evidence{azureRule}},
		},
		{"latent", flexibleServer(privateBody, "x", "0.0.0.0-0.0.0.0"), Result{Verdict: Pass, Reason: `latent, properties.network.publicNetworkAccess is "Disabled": firewall rules are not in force`}},
		{
			"skip", flexibleServer(`{"properties":{"state":"Dropping","network":{"publicNetworkAccess":"Enabled"}}}`, "x", "0.0.0.0-0.0.0.0"),
			Result{Verdict: Skip, Reason: "the server db is being dropped"},
		},
		{"unknown for a gap", withGap(flexibleServer(publicBody)), Result{Verdict: Unknown, Reason: denied.String()}},
		{
			"unknown for a setting that is not there", flexibleServer(`{"properties":{"network":{"publicNetworkAccess":"Enabled"}}}`),
			Result{Verdict: Unknown, Reason: "resource.properties.state is absent from the document"},
		},
		{
			"unknown for a setting that is null", flexibleServer(`{"properties":{"state":null,"network":{"publicNetworkAccess":"Enabled"}}}`),
			Result{Verdict: Unknown, Reason: "resource.properties.state is absent from the document"},
		},
		{"another type", &asset.Asset{Type: cluster}, Result{Verdict: Skip, Reason: "the rule does not judge Microsoft.DBforPostgreSQL/serverGroupsv2"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := Input{Asset: tc.asset}
			if tc.asset.ID != "" {
				in = input(t, tc.asset)
			}
			p := mustParse(t)
			if diff := cmp.Diff(tc.want, p.Evaluate(t.Context(), in)); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.want, p.Evaluate(t.Context(), Input{Asset: in.Asset, Exposure: in.Exposure})); diff != "" {
				t.Errorf("unprepared result (-want +got):\n%s", diff)
			}
		})
	}
}

// A server with public access off passes even where its rules could not be
// read, and the reason does not say more than is known.
func TestPassReasonStopsAtWhatIsNotKnown(t *testing.T) {
	in := input(t, withGap(flexibleServer(privateBody)))
	got := mustParse(t, "exposure.azure.state == \"latent\"", "exposure.azure.latent").Evaluate(t.Context(), in)
	want := Result{Verdict: Pass, Reason: "what could be read suffices to pass; not known: " + in.Exposure.Door(exposure.Azure).Reason}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
}

func TestFailKeepsItsVerdict(t *testing.T) {
	in := input(t, flexibleServer(publicBody, "x", "0.0.0.0-0.0.0.0"))
	for name, tc := range map[string]struct {
		pairs  []string
		reason string
	}{
		"without its reason": {
			[]string{`say: every customer, by`, `say: every {{ resource.properties.version }} customer, by`},
			"the verdict is fail, and its reason cannot be worded: resource.properties.version is absent from the document",
		},
		"without its evidence": {
			[]string{"evidence: exposure.azure.rules", `evidence: '[Evidence{name: resource.properties.version}]'`},
			`every customer, by firewall rule "x"; what makes it so could not be listed: resource.properties.version is absent from the document`,
		},
		"past a reason that cannot be told": {
			[]string{"when: exposure.azure.open", "when: resource.properties.version == \"16\""}, "the internet",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := mustParse(t, tc.pairs...).Evaluate(t.Context(), in)
			if got.Verdict != Fail || got.Reason != tc.reason {
				t.Errorf("got %s %q, want fail %q", got.Verdict, got.Reason, tc.reason)
			}
		})
	}
}

// The document of the resource is only opened for policies that look into it.
func TestBodyIsReadOnDemand(t *testing.T) {
	a := flexibleServer(`not JSON`, "x", "0.0.0.0-0.0.0.0")
	in := Prepare(a, exposure.Of(asset.Network{Public: asset.PublicAccess{State: asset.On}}))
	if got := mustParse(t).Evaluate(t.Context(), in); got.Verdict != Unknown || !strings.Contains(got.Reason, "read the document: invalid character") {
		t.Errorf("with a policy on the document: %+v", got)
	}
	unskipped := mustParse(t, "    skip:\n      - when: resource.properties.state == \"Dropping\"\n        say: the server {{ resource.name }} is being dropped\n", "")
	if got := unskipped.Evaluate(t.Context(), in); got.Verdict != Pass {
		t.Errorf("with a policy on the exposure: %+v", got)
	}
}

func TestSettingOfTheWrongType(t *testing.T) {
	a := flexibleServer(`{"properties":{"state":5}}`)
	in := Prepare(a, exposure.Of(asset.Network{Public: asset.PublicAccess{State: asset.On}}))
	want := Result{Verdict: Unknown, Reason: "resource.properties.state is a number where text is declared"}
	if diff := cmp.Diff(want, mustParse(t).Evaluate(t.Context(), in)); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
}

func TestCommonFields(t *testing.T) {
	const always = `!exposure.azure.open &&
        !exposure.internet.open
`
	for source, want := range map[string]Verdict{
		`resource.name == "db" && resource.id.endsWith("/db") && resource.resource_group == "rg"`:            Pass,
		`resource.type == "Microsoft.DBforPostgreSQL/flexibleServers" && resource.location.contains("east")`: Pass,
		`resource.tags["owner"] == "me"`: Unknown,
		`"owner" in resource.tags`:       Fail,
		`resource.location == "x"`:       Fail,
	} {
		p := mustParse(t, always, source+"\n")
		if got := p.Evaluate(t.Context(), input(t, flexibleServer(publicBody))); got.Verdict != want {
			t.Errorf("%s: %s %s, want %s", source, got.Verdict, got.Reason, want)
		}
	}
	nowhere := flexibleServer(publicBody)
	nowhere.Location = ""
	got := mustParse(t, always, "resource.location != \"x\"\n").Evaluate(t.Context(), input(t, nowhere))
	if want := (Result{Verdict: Unknown, Reason: "resource.location is absent from the document"}); !cmp.Equal(got, want) {
		t.Errorf("a place that is not known: %+v", got)
	}
}

func TestEvaluateCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got := mustParse(t).Evaluate(ctx, input(t, flexibleServer(publicBody)))
	if want := (Result{Verdict: Unknown, Reason: "the scan ended before the rule was applied: context canceled"}); !cmp.Equal(got, want) {
		t.Errorf("cancelled: %+v", got)
	}
}

func TestVerdictsAndApplies(t *testing.T) {
	p := mustParse(t)
	if diff := cmp.Diff([]Verdict{Fail, Unknown, Pass, Skip}, p.Verdicts()); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
	if !p.Applies(strings.ToLower(flexible)) || p.Applies(cluster) {
		t.Error("the page is for other types than it says")
	}
}

func TestEvaluateConcurrently(t *testing.T) {
	p, in := mustParse(t), input(t, withGap(flexibleServer(publicBody, "x", "0.0.0.0-0.0.0.0")))
	want := p.Evaluate(t.Context(), in)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if got := p.Evaluate(t.Context(), in); !cmp.Equal(want, got) {
					t.Errorf("got %+v, want %+v", got, want)
				}
			}
		})
	}
	wg.Wait()
}

// A list that was read in part decides nothing, makes evidence, and is shown for
// what it is.
func TestPartlyReadLists(t *testing.T) {
	partly := func(a *asset.Asset) *documents {
		d := input(t, a).docs
		d.unread = append(d.unread, expr.Unread{Path: []string{"exposure", "azure", "rules"}, Reason: "page 2 was denied"})
		return d
	}
	judge := func(d *documents, pairs ...string) Result {
		return mustParse(t, pairs...).Evaluate(t.Context(), Input{Asset: d.asset, docs: d})
	}
	open := partly(flexibleServer(publicBody, "x", "0.0.0.0-0.0.0.0"))
	if got := judge(open); got.Verdict != Fail || len(got.Evidence) != 1 || got.Reason != `every customer, by firewall rule "x"` {
		t.Errorf("a proven failure: %+v", got)
	}
	const always = "!exposure.azure.open &&\n        !exposure.internet.open\n"
	if got := judge(open, always, "exposure.azure.rules.size() < 5\n"); got.Verdict != Unknown || got.Reason != "page 2 was denied" {
		t.Errorf("a policy on the list: %+v", got)
	}
	latent := partly(flexibleServer(privateBody, "x", "0.0.0.0-0.0.0.0"))
	got := judge(latent, "say: latent, {{ exposure.why }}", `say: latent, {{ names("firewall rule", exposure.azure.rules) }}`)
	if got.Verdict != Pass || got.Reason != `latent, firewall rule "x" (as far as could be read: page 2 was denied)` {
		t.Errorf("a pass that names the list: %+v", got)
	}
}
