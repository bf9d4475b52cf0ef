package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/report"
	"github.com/posternhq/postern/usage"
	"github.com/posternhq/postern/usage/pglog"
)

// hostileUsage is an answer in which everything that others choose is hostile.
func hostileUsage(clients int) report.Usage {
	e := usage.Evidence{
		Access: usage.NewAccess(asset.Network{
			Public:        asset.PublicAccess{State: asset.On, Why: hostile},
			FirewallRules: []asset.FirewallRule{{ID: "/d", Name: hostile, Start: "0.0.0.0", End: "0.0.0.0"}, {Name: hostile, Start: hostile}},
		}),
		Sources: []usage.Source{
			{Name: hostile, Kind: usage.LogSource, Missing: []string{hostile}, Log: &pglog.Stats{
				Files: 1, Entries: 1, First: time.Unix(0, 0), Last: time.Unix(9, 0), AssumedZone: hostile,
				UnreadFiles: 1, Unread: []string{hostile}, Namesakes: map[string]int64{hostile: 1}, ForgeablePrefix: hostile,
			}},
			{Name: hostile, Kind: usage.SampleSource, Sample: &usage.Sample{Samples: 2, Limits: []string{hostile}}},
		},
		MinWindow: usage.DefaultMinWindow,
	}
	for i := range clients {
		e.Clients = append(e.Clients,
			usage.Client{Address: hostile, User: hostile, Database: hostile, Application: fmt.Sprint(hostile, i), Connections: 1, Unencrypted: 1},
			usage.Client{Address: "20.50.1.2", User: hostile, Application: fmt.Sprint(hostile, i), Refused: 2},
		)
	}
	return report.Usage{Server: &asset.Asset{ID: hostile, Name: hostile, Type: hostile, Location: hostile}, Answer: usage.NewAnswer(e)}
}

func TestHostileClientsCannotDrawOnTheTerminal(t *testing.T) {
	var out bytes.Buffer
	if err := report.UsageText(stripped{&out}, 0, hostileUsage(1)); err != nil {
		t.Fatal(err)
	}
	if i := strings.IndexFunc(out.String(), unsafe); i >= 0 {
		t.Errorf("the answer holds a control character at %q", out.String()[max(0, i-20):i+10])
	}
	lines := strings.Split(strings.TrimRight(out.String(), "\n"), "\n")
	if last := lines[len(lines)-1]; !strings.HasPrefix(last, "not enough evidence: ") {
		t.Errorf("the last line is %q", last)
	}
}

func TestManyClientsAreShortened(t *testing.T) {
	var out bytes.Buffer
	if err := report.UsageText(stripped{&out}, 0, hostileUsage(100)); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "and 80 more (--format json lists them)"); n != 2 {
		t.Errorf("two classes of a hundred clients are shortened %d times", n)
	}
}

func TestTheUsageDocumentKeepsNamesAndEmptyLists(t *testing.T) {
	var out bytes.Buffer
	if err := report.UsageJSON(&out, hostileUsage(1)); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Version string
		Clients []struct{ User, Class string }
		Log     struct{ Entries int }
		Sources []struct {
			Kind   string
			Window struct{ Seconds int }
			Sample struct{ Samples int }
		}
	}
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Version != "postern.usage/v1" || len(doc.Clients) != 2 || doc.Clients[0].User != strings.ToValidUTF8(hostile, "\uFFFD") {
		t.Errorf("the document says %+v", doc)
	}
	if len(doc.Sources) != 2 || doc.Sources[0].Window.Seconds != 9 || doc.Sources[1].Kind != "sample" || doc.Sources[1].Sample.Samples != 2 || doc.Log.Entries != 1 {
		t.Errorf("its sources are %+v", doc.Sources)
	}
	out.Reset()
	if err := report.UsageJSON(&out, report.Usage{Server: &asset.Asset{}}); err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{`"clients": []`, `"blind": []`, `"missing": []`, `"sources": []`, `"first": null`} {
		if !strings.Contains(out.String(), field) {
			t.Errorf("an empty answer lacks %s", field)
		}
	}
}
