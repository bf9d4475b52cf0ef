package snapshot_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/collect"
	"github.com/posternhq/postern/collect/collecttest"
	"github.com/posternhq/postern/collect/snapshot"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var taken = time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC)

func estate(n int) ([]*asset.Asset, []asset.Gap) {
	var assets []*asset.Asset
	for i := range n {
		assets = append(assets, &asset.Asset{
			ID: fmt.Sprintf("/subscriptions/s/resourceGroups/g/providers/T/t/db%d", i), Type: "T/t", Name: fmt.Sprintf("db%d", i),
			SubscriptionID: "s", ResourceGroup: "g", Location: "East US 2", Tags: map[string]string{"<owner>": "a & b"},
			Origin: asset.Origin{Source: "arm", APIVersion: "2025-08-01"},
			Body:   json.RawMessage(`{"properties":{"new field":"\u003ckept\u003e"}}`),
			Children: map[string]asset.Children{
				"firewallRules": {Items: []json.RawMessage{json.RawMessage(`{"name":"r"}`)}},
				"others":        {Items: []json.RawMessage{}, Gap: &asset.Gap{Scope: "x", Permission: "p", Status: 403}},
			},
		})
	}
	return assets, []asset.Gap{{Scope: "/subscriptions/z", Operation: "list", Permission: "p", Status: 403, Message: "no"}}
}

func write(t *testing.T, name string, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	f, err := snapshot.Create(path, "v1", "Azure (public)", taken)
	if err != nil {
		t.Fatal(err)
	}
	assets, gaps := estate(n)
	for _, a := range assets {
		if err := f.Asset(a); err != nil {
			t.Fatal(err)
		}
	}
	for _, g := range gaps {
		if err := f.Gap(g); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Finish(collect.Stats{Source: "Azure (public)", Subscriptions: 2, Calls: 9, Vanished: 1, CollectedAt: taken}); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestContract(t *testing.T) {
	collecttest.Run(t, func(t *testing.T) collect.Collector {
		s, err := snapshot.Open(write(t, "estate.json", 300))
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

func TestWhatWasWrittenIsRead(t *testing.T) {
	for _, name := range []string{"estate.json", "estate.json.gz"} {
		t.Run(name, func(t *testing.T) {
			s, err := snapshot.Open(write(t, name, 3))
			if err != nil {
				t.Fatal(err)
			}
			sink := &collecttest.Sink{T: t}
			stats, err := s.Collect(t.Context(), sink)
			if err != nil {
				t.Fatal(err)
			}
			assets, gaps := estate(3)
			if diff := cmp.Diff(assets, sink.Assets); diff != "" {
				t.Errorf("assets (-written +read):\n%s", diff)
			}
			if diff := cmp.Diff(gaps, sink.Gaps); diff != "" {
				t.Errorf("gaps (-written +read):\n%s", diff)
			}
			want := collect.Stats{Source: "Azure (public)", Subscriptions: 2, Vanished: 1, CollectedAt: taken}
			if diff := cmp.Diff(want, stats); diff != "" {
				t.Errorf("stats (-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever one byte or cut does to a snapshot, it is refused: never a smaller
// estate, never another one.
func TestDamageIsRefused(t *testing.T) {
	for _, name := range []string{"estate.json", "estate.json.gz"} {
		t.Run(name, func(t *testing.T) {
			whole, err := os.ReadFile(write(t, name, 2))
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), name)
			refused := func(what string, content []byte) {
				t.Helper()
				if err := os.WriteFile(path, content, 0o600); err != nil {
					t.Fatal(err)
				}
				s, err := snapshot.Open(path)
				if err != nil {
					return
				}
				// The gzip header has bytes that mean nothing (time, system).
				sink := &collecttest.Sink{T: t}
				if _, err := s.Collect(t.Context(), sink); err != nil || len(sink.Assets) != 2 || !strings.HasSuffix(name, ".gz") {
					t.Errorf("%s: it was accepted", what)
				}
			}
			for i := range whole {
				refused(fmt.Sprintf("cut at byte %d of %d", i, len(whole)), whole[:i])
				damaged := bytes.Clone(whole)
				damaged[i] ^= 0x20
				refused(fmt.Sprintf("byte %d changed", i), damaged)
			}
		})
	}
}

func TestRefusalsSayWhy(t *testing.T) {
	whole, err := os.ReadFile(write(t, "estate.json", 2))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))
	tests := []struct{ name, content, want string }{
		{"empty", "", "it is empty"},
		{"another file", "hello\n", "it is no snapshot"},
		{"another JSON file", `{"version":"postern.scan/v1"}` + "\n", "it is no snapshot"},
		{"newer", `{"format":"postern.snapshot/v2","tool":"v9"}` + "\n", "it has the format postern.snapshot/v2 and this Postern reads postern.snapshot/v1"},
		{"without its end", string(bytes.Join(lines[:4], nil)), "cut short: its last line is missing"},
		{"in mid line", string(whole[:len(whole)-10]), "cut short in the middle of a line"},
		{"a line left out", string(bytes.Join(append(lines[:1:1], lines[2:]...), nil)), "checksum does not fit"},
		{"something after its end", string(whole) + "{}\n", "something follows its last line"},
		{"half a gzip", "\x1f\x8b\x08\x00", "is damaged"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "s")
			if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := snapshot.Open(path)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v does not say %q", err, tt.want)
			}
		})
	}
}

// What was checked when it was opened is checked again as it is judged.
func TestAFileThatChangesAfterItWasOpened(t *testing.T) {
	path := write(t, "estate.json", 50)
	s, err := snapshot.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))
	for name, content := range map[string][]byte{
		"cut at a line": bytes.Join(lines[:10], nil), "only its header": lines[0], "empty": nil,
		"a line left out": bytes.Join(append(lines[:5:5], lines[6:]...), nil),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Collect(t.Context(), &collecttest.Sink{T: t}); err == nil {
			t.Errorf("%s: it was taken for whole", name)
		}
	}
}

func TestOnlyARegularFileIsASnapshot(t *testing.T) {
	if _, err := snapshot.Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("a folder: %v", err)
	}
}

func TestAFileThatWasGivenUpLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "estate.json")
	if err := os.WriteFile(path, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := snapshot.Create(path, "v1", "Azure", taken)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Discard(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
	if content, _ := os.ReadFile(path); string(content) != "before" {
		t.Errorf("what stood there is now %q", content)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte("{\"format\":\"postern.snapshot/v1\"}\n{\"end\":{\"sha256\":\"00\"}}\n"))
	f.Add([]byte("\x1f\x8b\x08\x00\x00"))
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "s")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err := snapshot.Open(path); err == nil {
			_, _ = s.Collect(t.Context(), &collecttest.Sink{T: t})
		}
	})
}
