package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"

	"go.uber.org/goleak"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/finding"
	"github.com/posternhq/postern/report"
	"github.com/posternhq/postern/rule"
	"github.com/posternhq/postern/scan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hostile is what a resource may be called by somebody who wants the reader to
// see something else.
const hostile = "db\x1b[2J\x1b[1;32mPASS\x07\u202e\u2066gnitset\r\nFAIL nobody\x9b31m"

func hostileFinding(v rule.Verdict) finding.Finding {
	return finding.Finding{
		Rule: finding.Rule{ID: "r", Title: "T", Severity: "high"}, Verdict: v, Reason: "because " + hostile,
		Resource:    finding.Resource{ID: "/" + hostile, Name: hostile, Type: hostile, ResourceGroup: hostile, Location: hostile, SubscriptionName: hostile},
		Evidence:    []rule.Evidence{{Kind: "firewall rule", ID: hostile, Name: hostile, Value: hostile}},
		Exposure:    exposure.Unreadable(hostile),
		Remediation: []rule.Command{{Title: "t", Shell: "bash", Text: "az one \\\n  two \x1b[2J"}},
	}
}

// play runs a whole scan of hostile findings through a handler.
func play(t *testing.T, h scan.Handler) {
	t.Helper()
	page := &rule.Page{ID: "r", Title: "T"}
	steps := []func() error{
		func() error { return h.Start(scan.Header{Source: hostile, Rules: []*rule.Page{page}}) },
		func() error { return h.Finding(hostileFinding(rule.Fail)) },
		func() error { return h.Finding(hostileFinding(rule.Unknown)) },
		func() error { return h.Finding(hostileFinding(rule.Pass)) },
		func() error {
			return h.Gap(asset.Gap{Scope: hostile, Permission: hostile, Operation: hostile, Message: hostile, Status: 500})
		},
		func() error { return h.End(scan.Summary{Resources: 3, Fail: 1, Unknown: 1, Pass: 1, Gaps: 1}) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
}

func unsafe(r rune) bool {
	return r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r))
}

func TestHostileNamesCannotDrawOnTheTerminal(t *testing.T) {
	var out bytes.Buffer
	play(t, report.NewText(stripped{&out}, 0, true))
	if i := strings.IndexFunc(out.String(), unsafe); i >= 0 {
		t.Errorf("the report holds a control character at %q", out.String()[max(0, i-20):i+10])
	}
	for line := range strings.SplitSeq(out.String(), "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "FAIL nobody") {
			t.Errorf("a name made a line of its own: %q", line)
		}
	}

	out.Reset()
	a := &asset.Asset{ID: hostile, Name: hostile, Type: hostile, Location: hostile}
	e := exposure.Of(asset.Network{
		Public:        asset.PublicAccess{State: asset.Unclear, Why: hostile},
		FirewallRules: []asset.FirewallRule{{Name: hostile, Start: hostile, End: hostile}},
		SubnetRules:   []asset.SubnetRule{{Name: hostile, Subnet: hostile, State: "Ready"}},
	})
	if err := report.Explain(stripped{&out}, 0, a, e); err != nil {
		t.Fatal(err)
	}
	if i := strings.IndexFunc(out.String(), unsafe); i >= 0 {
		t.Errorf("the explanation holds a control character at %q", out.String()[max(0, i-20):i+10])
	}
}

// stripped takes away the report's own colours, as a writer that is no terminal
// does, and nothing else.
type stripped struct{ out *bytes.Buffer }

func (s stripped) Write(p []byte) (int, error) {
	text := string(p)
	for _, style := range []string{"\x1b[m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[1;31m", "\x1b[32m", "\x1b[33m", "\x1b[1;35m"} {
		text = strings.ReplaceAll(text, style, "")
	}
	s.out.WriteString(text)
	return len(p), nil
}

func TestJSONKeepsHostileNamesAsTheyAre(t *testing.T) {
	var out bytes.Buffer
	play(t, report.NewJSON(&out))
	var doc struct {
		Findings []struct{ Resource finding.Resource }
	}
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Findings) != 3 || doc.Findings[0].Resource.Name != strings.ToValidUTF8(hostile, "\ufffd") {
		t.Errorf("the name came out as %q", doc.Findings[0].Resource.Name)
	}
	if i := strings.IndexFunc(out.String(), func(r rune) bool { return r != '\n' && unicode.IsControl(r) && r < 0x80 }); i >= 0 {
		t.Errorf("the document holds a bare control character at %d", i)
	}
}

func TestTheStreamKeepsNothingBack(t *testing.T) {
	var out bytes.Buffer
	play(t, report.NewJSONL(&out, true))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 6 {
		t.Fatalf("%d lines, want 6", len(lines))
	}
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
}

func TestAFullDiskIsAnError(t *testing.T) {
	for name, h := range map[string]scan.Handler{
		"text": report.NewText(fullDisk{}, 80, false), "json": report.NewJSON(fullDisk{}), "jsonl": report.NewJSONL(fullDisk{}, false),
	} {
		err := h.Start(scan.Header{})
		if err == nil {
			err = h.End(scan.Summary{StartedAt: time.Now(), FinishedAt: time.Now()})
		}
		if !errors.Is(err, errFull) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

var errFull = errors.New("no space left on device")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestThousands(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 1 << 32: "4,294,967,296"} {
		if got := report.Thousands(n); got != want {
			t.Errorf("%d is written %s", n, got)
		}
	}
}

func FuzzPlain(f *testing.F) {
	f.Add(hostile)
	f.Fuzz(func(t *testing.T, s string) {
		if i := strings.IndexFunc(report.Plain(s), unsafe); i >= 0 {
			t.Errorf("%q is not plain", report.Plain(s))
		}
	})
}
