package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/posternhq/postern/azuresim"
	"github.com/posternhq/postern/internal/cli"
)

const token = "the-secret-token"

// local runs a command line against a local Azure and returns what it printed.
func local(ctx context.Context, t *testing.T, sim *azuresim.Server, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	server := httptest.NewServer(sim)
	defer server.Close()
	var out, err bytes.Buffer
	code = cli.Run(ctx, append(args, "--cloud", server.URL), cli.Env{
		Out: &out, Err: &err, Environ: []string{"AZURE_ACCESS_TOKEN=" + token}, Now: time.Now,
	})
	if strings.Contains(out.String()+err.String(), token) {
		t.Error("the token was printed")
	}
	return out.String(), err.String(), code
}

func demoAzure(t *testing.T, o azuresim.Options) *azuresim.Server {
	t.Helper()
	o.Token = token
	sim, err := azuresim.New(azuresim.Demo(), o)
	if err != nil {
		t.Fatal(err)
	}
	return sim
}

// strictSchema compiles a published schema with one change: where the published
// one lets readers meet fields of later versions, our own output may have none
// that is not described.
func strictSchema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	file, err := os.Open(filepath.Join("..", "..", "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	doc, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, def := range doc.(map[string]any)["$defs"].(map[string]any) {
		if object := def.(map[string]any); object["properties"] != nil {
			object["additionalProperties"] = false
		}
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(name, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, document string) {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(document))
	if err != nil {
		t.Fatalf("%v in %.200s", err, document)
	}
	if err := s.Validate(value); err != nil {
		t.Errorf("%v", err)
	}
}

func TestTheJSONDocumentKeepsToItsSchema(t *testing.T) {
	out, _, code := local(t.Context(), t, demoAzure(t, azuresim.Options{}), "scan", "--format", "json")
	if code != cli.ExitFailed {
		t.Errorf("exit code %d", code)
	}
	validate(t, strictSchema(t, "scan.schema.json"), out)
}

func TestTheJSONStreamKeepsToItsSchema(t *testing.T) {
	out, _, _ := local(t.Context(), t, demoAzure(t, azuresim.Options{}), "scan", "--format", "jsonl")
	s := strictSchema(t, "stream.schema.json")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for _, line := range lines {
		validate(t, s, line)
	}
	if !strings.HasPrefix(lines[0], `{"version":"postern.scan/v1"`) || !strings.HasPrefix(lines[len(lines)-1], `{"summary":`) {
		t.Errorf("the stream begins %.60s and ends %.60s", lines[0], lines[len(lines)-1])
	}
}

func TestTheUsageDocumentKeepsToItsSchema(t *testing.T) {
	log := filepath.Join(t.TempDir(), "postgresql.log")
	lines := "2026-11-20 10:00:00 UTC-6740a3a0.1f2-LOG:  connection received: host=20.42.65.92 port=5000\n" +
		"2026-11-20 10:00:01 UTC-6740a3a0.1f2-LOG:  connection authorized: user=billing database=shop application_name=app\n"
	if err := os.WriteFile(log, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	out, stderr, code := local(t.Context(), t, demoAzure(t, azuresim.Options{}), "usage", "billing-db", "--log", log, "--format", "json")
	if code != cli.ExitFailed || stderr != "" {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	validate(t, strictSchema(t, "usage.schema.json"), out)
}

// Two scans of the same estate give the same document, whichever answer of
// Azure comes first.
func TestTheDocumentDoesNotDependOnTiming(t *testing.T) {
	verdicts := func(o azuresim.Options) string {
		out, _, _ := local(t.Context(), t, demoAzure(t, o), "scan", "--format", "json")
		var doc struct{ Findings, Gaps json.RawMessage }
		if err := json.Unmarshal([]byte(out), &doc); err != nil {
			t.Fatal(err)
		}
		return string(doc.Findings) + string(doc.Gaps)
	}
	slow, err := azuresim.ParseFault("slow,path=orders-db,delay=60ms")
	if err != nil {
		t.Fatal(err)
	}
	if verdicts(azuresim.Options{}) != verdicts(azuresim.Options{PageSize: 1, Faults: []azuresim.Fault{slow}}) {
		t.Error("the documents differ")
	}
}

func TestCtrlCWritesWhatIsKnownAndSaysSo(t *testing.T) {
	for _, format := range []string{"json", "jsonl", "text"} {
		t.Run(format, func(t *testing.T) {
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			slow, err := azuresim.ParseFault("slow,path=payroll-db/firewallRules,delay=1m")
			if err != nil {
				t.Fatal(err)
			}
			var read atomic.Int32
			sim := demoAzure(t, azuresim.Options{Faults: []azuresim.Fault{slow}, Observe: func(r azuresim.Request) {
				// Eleven of twelve servers have answered; the twelfth never will.
				if strings.HasSuffix(strings.ToLower(r.Path), "/firewallrules") {
					if read.Add(1) == 11 {
						// The last answer is on its way to the client.
						time.AfterFunc(200*time.Millisecond, interrupt)
					}
				}
			}})
			out, stderr, code := local(ctx, t, sim, "scan", "--format", format)
			if code != cli.ExitFailed || stderr != "" {
				t.Errorf("exit code %d, stderr %q; what failed before the interruption still fails", code, stderr)
			}
			partial := map[string]string{"json": `"partial": true`, "jsonl": `"partial":true`, "text": "The scan was interrupted"}[format]
			if !strings.Contains(out, partial) || !strings.Contains(out, "orders-db") || !strings.Contains(out, "the scan was interrupted before this was read") {
				t.Errorf("the report does not say that it is partial, or lost what was known:\n%s", out)
			}
		})
	}
}

func TestAReportReplacesAnotherInOneStep(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.json")
	if err := os.WriteFile(path, []byte("yesterday"), 0o600); err != nil {
		t.Fatal(err)
	}
	denied := demoAzure(t, azuresim.Options{})
	if _, _, code := local(t.Context(), t, denied, "scan", "--format", "json", "--output", path, "--subscription", "nobody"); code != cli.ExitError {
		t.Errorf("exit code %d", code)
	}
	if content, _ := os.ReadFile(path); string(content) != "yesterday" {
		t.Error("a scan that could not run wiped the last report")
	}
	if _, _, code := local(t.Context(), t, demoAzure(t, azuresim.Options{}), "scan", "--format", "json", "--output", path); code != cli.ExitFailed {
		t.Errorf("exit code %d", code)
	}
	if content, _ := os.ReadFile(path); !json.Valid(content) {
		t.Error("the report is not JSON")
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("files are left behind: %v, %v", entries, err)
	}
}
