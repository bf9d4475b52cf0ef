package cli_test

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/posternhq/postern/azuresim"
	"github.com/posternhq/postern/internal/cli"
)

// system is the environment of a command that a transcript runs. Transcripts that
// read logs set the clock: how old a log is counts.
func system() cli.Env {
	env := cli.System()
	if now, err := time.Parse(time.RFC3339, os.Getenv("POSTERN_TEST_NOW")); err == nil {
		env.Now = func() time.Time { return now }
	}
	return env
}

func TestAWholeWeekOfKnownClientsIsSafeToClose(t *testing.T) {
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	var log strings.Builder
	for hour := range 24*7 + 1 {
		prefix := fmt.Sprintf("%s UTC-6909e0c1.%x-LOG:  ", start.Add(time.Duration(hour)*time.Hour).Format(time.DateTime), 4096+hour)
		log.WriteString(prefix + "connection received: host=203.0.113.9 port=50001\n")
		log.WriteString(prefix + "connection authorized: user=ann database=billing application_name=psql\n")
	}
	path := filepath.Join(t.TempDir(), "week.log")
	if err := os.WriteFile(path, []byte(log.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(now time.Time) (string, int) {
		var out, errs bytes.Buffer
		code := cli.Run(t.Context(), []string{"usage", "billing-db", "--log", path, "--cloud", serve(t, azuresim.Options{})}, cli.Env{
			Out: &out, Err: &errs, Environ: []string{"AZURE_ACCESS_TOKEN=" + token}, Now: func() time.Time { return now },
		})
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		return lines[len(lines)-1] + errs.String(), code
	}
	line, code := run(start.AddDate(0, 0, 8))
	if want := "safe to close: in 7 days, from 2026-11-01 00:00:00 UTC to 2026-11-08 00:00:00 UTC, nobody came whom only the azure door admits"; line != want || code != cli.ExitOK {
		t.Errorf("exit code %d: %s", code, line)
	}
	line, code = run(start.AddDate(0, 1, 0))
	if !strings.HasPrefix(line, "not enough evidence: what the log vouches for ended 23 days ago") || code != cli.ExitUnknown {
		t.Errorf("a month later, exit code %d: %s", code, line)
	}
}

// serve starts a local Azure and returns its address.
func serve(t *testing.T, o azuresim.Options) string {
	t.Helper()
	server := httptest.NewServer(demoAzure(t, o))
	t.Cleanup(server.Close)
	return server.URL
}
