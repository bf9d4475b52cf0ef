//go:build unix

package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/posternhq/postern/azuresim"
	"github.com/posternhq/postern/internal/cli"
	"github.com/posternhq/postern/internal/pgtest"
	"github.com/posternhq/postern/report"
	"github.com/posternhq/postern/usage"
)

// A real server's logs in three formats and its sessions, all at once: everybody
// who was there is told once.
func TestTheLogsAndSessionsOfARealServer(t *testing.T) {
	pg := pgtest.Start(t, map[string]string{
		"log_destination": "stderr,csvlog,jsonlog", "log_connections": "on", "log_disconnections": "on", "log_line_prefix": "%t-%c-",
	})
	pg.Query("create role shop login; create role reports login; create role late login")
	pg.Query("create database orders")
	pg.SetHBA("host all all 127.0.0.4/32 reject", "host all all all trust")
	stays := pg.MustConnect(pgtest.Client{From: "127.0.0.2", User: "shop", Database: "orders", Application: "checkout"})
	pgtest.Close(pg.MustConnect(pgtest.Client{From: "127.0.0.3", User: "reports", Database: "orders", Application: "nightly", TLS: true}))
	if _, err := pg.Connect(pgtest.Client{From: "127.0.0.4", User: "nobody"}); err == nil {
		t.Fatal("nobody was let in")
	}
	logs := copyLogs(t, pg.LogDir, "127.0.0.4")

	// What follows is in no log that is given: a session that changes its name,
	// which the log has told of already, and one that only the samples see.
	if _, err := stays.Exec(context.Background(), "set application_name = 'checkout, busy'").ReadAll(); err != nil {
		t.Fatal(err)
	}
	pg.MustConnect(pgtest.Client{From: "127.0.0.5", User: "late", Database: "orders", Application: "late"})

	var out, errs bytes.Buffer
	args := []string{
		"usage", "orders-db", "--cloud", serve(t, azuresim.Options{}), "--format", "json",
		"--log", logs["log"], "--log", logs["csv"], "--log", logs["json"], "--watch", "300ms", "--interval", "100ms",
	}
	code := cli.Run(t.Context(), args, cli.Env{
		Out: &out, Err: &errs, Now: time.Now, Environ: []string{"AZURE_ACCESS_TOKEN=" + token, "POSTERN_DSN=" + pg.DSN("postgres")},
	})
	var document struct {
		Clients []usage.Judged
		Sources []report.UsageSource
		Blind   []string
	}
	if err := json.Unmarshal(out.Bytes(), &document); err != nil || code != cli.ExitUnknown {
		t.Fatalf("exit code %d, %v\n%s", code, err, errs.String())
	}
	var got []string
	for _, c := range document.Clients {
		if c.User != "postgres" { // pgtest's own
			got = append(got, fmt.Sprintf("%s: %s %s/%s %q %d/%d/%d", c.Class, c.Address, c.User, c.Database, c.Application, c.Connections, c.Unencrypted, c.Refused))
		}
	}
	want := []string{ // each of the three logs counts
		`azure itself: 127.0.0.2 shop/orders "checkout" 3/3/0`,
		`azure itself: 127.0.0.3 reports/orders "nightly" 3/0/0`,
		`azure itself: 127.0.0.5 late/orders "late" 1/1/0`,
		`shut out: 127.0.0.4 nobody/postgres "" 0/0/3`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(document.Sources) != 2 || document.Sources[0].Kind != "log" || document.Sources[1].Kind != "sample" || document.Sources[1].Sample.Samples < 2 ||
		!strings.HasPrefix(document.Sources[1].Name, "pg_stat_activity of 127.0.0.1:") {
		t.Errorf("sources %+v", document.Sources)
	}
	for _, limit := range []string{"Whether 127.0.0.1:", "Who came and went between two of the "} {
		if !strings.Contains(strings.Join(document.Blind, "\n"), limit) {
			t.Errorf("%q is not among %q", limit, document.Blind)
		}
	}
}

// copyLogs copies a server's logs as they are once each tells of an address, and
// returns where they are, by their ending.
func copyLogs(t *testing.T, dir, address string) map[string]string {
	t.Helper()
	logs := map[string]string{}
	for _, ending := range []string{"log", "csv", "json"} {
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			data, err := os.ReadFile(filepath.Join(dir, "postgresql."+ending))
			if err == nil && bytes.Contains(data, []byte(address)) && bytes.HasSuffix(data, []byte("\n")) && bytes.Contains(data, []byte("nobody")) {
				logs[ending] = filepath.Join(t.TempDir(), "postgresql."+ending)
				if err := os.WriteFile(logs[ending], data, 0o600); err != nil {
					t.Fatal(err)
				}
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("the %s log does not tell of %s: %v", ending, address, err)
			}
		}
	}
	return logs
}
