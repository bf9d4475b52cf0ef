package cli

import (
	"testing"
	"time"

	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/usage/pgactivity"
)

func TestWhichKeptClientsCameAgain(t *testing.T) {
	begin := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	server := fix.Server{ID: "/one"}
	plan := &fix.Plan{Servers: []fix.ServerPlan{
		{Server: fix.Server{ID: "/ONE"}, Clients: []fix.Client{
			{Address: "198.51.100.1", Fate: fix.KeptByNew}, {Address: "198.51.100.1", User: "other", Fate: fix.KeptByNew},
			{Address: "198.51.100.2", Fate: fix.KeptByOld}, {Address: "198.51.100.3", Fate: fix.KeptByNew},
			{Address: "198.51.100.4", Fate: fix.CutOff}, {Address: "[local]", Fate: fix.KeptByOld},
		}},
		{Server: fix.Server{ID: "/two"}, Clients: []fix.Client{{Address: "198.51.100.9", Fate: fix.KeptByNew}}},
	}}
	got := comeAgain(plan, server, pgactivity.Result{First: begin, Sightings: []pgactivity.Sighting{
		{Address: "::ffff:198.51.100.1", First: begin.Add(time.Minute)},                       // it came while we watched
		{Address: "198.51.100.2", First: begin, BackendStart: begin.Add(-time.Hour)},          // it was there before
		{Address: "198.51.100.4", First: begin.Add(time.Minute)}, {Address: "", First: begin}, // no matter
	}})
	if want := "of 3 kept addresses 1 made a new connection; not seen to connect anew: 198.51.100.2, 198.51.100.3"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
