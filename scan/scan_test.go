package scan_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/collect"
	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/finding"
	"github.com/posternhq/postern/resourcetype"
	"github.com/posternhq/postern/rules"
	"github.com/posternhq/postern/scan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// given is a collector of what a test gives it.
type given struct {
	assets []*asset.Asset
	gaps   []asset.Gap
	stats  collect.Stats
	err    error
}

func (g given) Source() string { return "test" }

func (g given) Collect(_ context.Context, sink collect.Sink) (collect.Stats, error) {
	for _, a := range g.assets {
		if err := sink.Asset(a); err != nil {
			return g.stats, err
		}
	}
	for _, gap := range g.gaps {
		if err := sink.Gap(gap); err != nil {
			return g.stats, err
		}
	}
	return g.stats, g.err
}

// notes is a handler that writes down what it is told.
type notes struct {
	calls  []string
	refuse string
}

var errRefused = errors.New("disk full")

func (n *notes) note(call string) error {
	n.calls = append(n.calls, call)
	if call == n.refuse {
		return errRefused
	}
	return nil
}

func (n *notes) Start(scan.Header) error { return n.note("start") }
func (n *notes) Finding(f finding.Finding) error {
	return n.note(f.Resource.Name + " " + string(f.Verdict))
}
func (n *notes) Gap(g asset.Gap) error  { return n.note("gap " + g.Scope) }
func (n *notes) End(scan.Summary) error { return n.note("end") }

func server(name, publicAccess string, gap *asset.Gap, firewallRules ...string) *asset.Asset {
	list := asset.Children{Gap: gap}
	for _, r := range firewallRules {
		list.Items = append(list.Items, json.RawMessage(r))
	}
	return &asset.Asset{
		ID: "/subscriptions/s/resourceGroups/g/providers/Microsoft.DBforPostgreSQL/flexibleServers/" + name, Name: name,
		Type: "Microsoft.DBforPostgreSQL/flexibleServers", Body: json.RawMessage(`{"properties":{"network":{"publicNetworkAccess":"` + publicAccess + `"}}}`),
		Children: map[string]asset.Children{"firewallRules": list},
	}
}

const azureDoor = `{"name":"x","properties":{"startIpAddress":"0.0.0.0","endIpAddress":"0.0.0.0"}}`

func run(t *testing.T, c collect.Collector, h scan.Handler) (scan.Summary, error) {
	t.Helper()
	catalogue, err := rules.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	return scan.Run(t.Context(), scan.Options{Collector: c, Rules: catalogue.All(), Handler: h, Now: func() time.Time { return time.Unix(0, 0) }})
}

func TestEveryAssetHasItsFindingAndEveryGapIsTold(t *testing.T) {
	broken := server("broken", "Enabled", nil)
	broken.Body = json.RawMessage(`[]`)
	h := &notes{}
	s, err := run(t, given{
		assets: []*asset.Asset{
			server("open", "Enabled", nil, azureDoor), server("shut", "Enabled", nil), server("latent", "Disabled", nil, azureDoor),
			server("denied", "Enabled", &asset.Gap{Scope: "denied", Status: 403}), broken,
			{ID: "/x", Name: "strange", Type: "Microsoft.Strange/things"},
		},
		gaps: []asset.Gap{{Scope: "/subscriptions/z"}},
	}, h)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"start", "open fail", "shut pass", "latent pass", "denied unknown", "gap denied", "broken unknown", "gap /x", "gap /subscriptions/z", "end"}
	if diff := cmp.Diff(want, h.calls); diff != "" {
		t.Errorf("what the handler was told (-want +got):\n%s", diff)
	}
	if s.Resources != 6 || s.Fail != 1 || s.Pass != 2 || s.Unknown != 2 || s.Gaps != 3 || s.BySeverity["high"] != 1 || s.Complete() {
		t.Errorf("the summary is %+v", s)
	}
}

func TestCompleteMeansThatAllWasRead(t *testing.T) {
	for name, tt := range map[string]struct {
		given given
		want  bool
	}{
		"all read":            {given{assets: []*asset.Asset{server("shut", "Enabled", nil)}}, true},
		"something fails":     {given{assets: []*asset.Asset{server("open", "Enabled", nil, azureDoor)}}, true},
		"a gap":               {given{gaps: []asset.Gap{{}}}, false},
		"cut short":           {given{stats: collect.Stats{Partial: true}}, false},
		"a gap that is moot":  {given{assets: []*asset.Asset{server("off", "Disabled", &asset.Gap{})}}, false},
		"an unknown switch":   {given{assets: []*asset.Asset{server("odd", "Perhaps", nil, azureDoor)}}, false},
		"an odd switch, shut": {given{assets: []*asset.Asset{server("odd", "Perhaps", nil)}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := run(t, tt.given, &notes{})
			if err != nil || s.Complete() != tt.want {
				t.Errorf("complete is %t, %v; want %t", s.Complete(), err, tt.want)
			}
		})
	}
}

func TestAHandlerThatRefusesEndsTheScan(t *testing.T) {
	c := given{assets: []*asset.Asset{server("shut", "Enabled", nil)}, gaps: []asset.Gap{{Scope: "g"}}}
	for _, at := range []string{"start", "shut pass", "gap g", "end"} {
		h := &notes{refuse: at}
		if _, err := run(t, c, h); !errors.Is(err, errRefused) || h.calls[len(h.calls)-1] != at {
			t.Errorf("refused at %q: error %v after %v", at, err, h.calls)
		}
	}
}

// A source that could not be read gives no report that looks finished.
func TestASourceThatFailsHasNoEnd(t *testing.T) {
	h := &notes{}
	failed := errors.New("no token")
	if _, err := run(t, given{err: failed}, h); !errors.Is(err, failed) {
		t.Errorf("error %v", err)
	}
	if diff := cmp.Diff([]string{"start"}, h.calls); diff != "" {
		t.Errorf("what the handler was told (-want +got):\n%s", diff)
	}
}

func TestAnUnknownTypeIsNeverClosed(t *testing.T) {
	e := scan.Exposure(&asset.Asset{Type: "Microsoft.Strange/things"}, resourcetype.All())
	if e.Door(exposure.Azure).State != exposure.Unknown {
		t.Errorf("the azure door of a strange thing is %s", e.Door(exposure.Azure).State)
	}
}
