package azuresim

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var storyTime = time.Date(2026, 11, 23, 12, 0, 7, 0, time.UTC)

func TestDemoLog(t *testing.T) {
	var one, two bytes.Buffer
	if err := errors.Join(DemoLog(&one, storyTime), DemoLog(&two, storyTime.In(time.FixedZone("", 7200)))); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Error("the same moment made two logs")
	}
	clients := map[string]int{}
	host := regexp.MustCompile(`connection received: host=(\S+) port=\d+$`)
	last, lines := "", 0
	for line := range strings.Lines(one.String()) {
		lines++
		var rec struct {
			Time, ResourceID, Category string
			Properties                 struct{ Message, ErrorLevel string }
		}
		if err := json.Unmarshal([]byte(line), &rec); err != nil {
			t.Fatal(err)
		}
		if rec.Time < last || rec.Time > "2026-11-23T12:00:07Z" || rec.Time < "2026-10-24T12:00:07Z" {
			t.Fatalf("%s after %s", rec.Time, last)
		}
		last = rec.Time
		if rec.ResourceID != strings.ToUpper(orders) || rec.Category != "PostgreSQLLogs" || !azurePrefix.MatchString(rec.Properties.Message) {
			t.Fatalf("a line that is none: %s", line)
		}
		if m := host.FindStringSubmatch(rec.Properties.Message); m != nil {
			clients[m[1]]++
		}
	}
	want := map[string]int{"127.0.0.1": 2880, demoNATAddress: 1140, demoAppAddress: 30, demoOfficeAddress: 41, demoStrangerAddress: 24}
	if diff := cmp.Diff(want, clients); diff != "" || lines > 20_000 {
		t.Errorf("%d lines; connections (-want +got):\n%s", lines, diff)
	}
	if err := DemoLog(failing{}, storyTime); err == nil {
		t.Error("a writer that fails is no error")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("full") }

// The file and the workspace tell the same story.
func TestDemoLogIsInTheWorkspace(t *testing.T) {
	s := newSim(t, Demo(), Options{})
	var b bytes.Buffer
	if err := DemoLog(&b, s.clock.now()); err != nil {
		t.Fatal(err)
	}
	got := strings.Split(s.query("PGSQLServerLogs | project Message | take 20000").table(), "\n")
	var want []string
	for line := range strings.Lines(b.String()) {
		var rec struct{ Properties struct{ Message string } }
		if err := json.Unmarshal([]byte(line), &rec); err != nil {
			t.Fatal(err)
		}
		want = append(want, rec.Properties.Message)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("workspace (-file +query):\n%s", diff)
	}
}

// The demo's addresses are where the story says they are.
func TestDemoStory(t *testing.T) {
	s := newSim(t, Demo(), Options{})
	if DemoServer != orders {
		t.Errorf("the story's server is %s", DemoServer)
	}
	if a := s.graph("resources | where properties.ipAddress == '"+demoNATAddress+"'", ""); a.rows("name") != "shop-nat-ip" {
		t.Errorf("owner of the NAT address: %s", a.rows("name"))
	}
	if a := s.graph("resources | where properties.outboundIpAddresses has '"+demoAppAddress+"'", ""); a.rows("name") != "shop-invoicing" {
		t.Errorf("user of the app's address: %s", a.rows("name"))
	}
	if a := s.graph("resources | where tostring(properties) contains '"+demoStrangerAddress+"'", ""); a.rows("name") != "" {
		t.Errorf("the stranger is %s", a.rows("name"))
	}
}
