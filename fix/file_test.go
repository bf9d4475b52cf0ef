package fix_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/fix"
)

// example is a plan with something in every place, as a file.
func example(t testing.TB) (*fix.Plan, []byte) {
	t.Helper()
	r := request(server(flexible, public, door, office), fix.KeepObserved, client("20.50.1.1"), client("20.77.0.1"))
	r.Locks = []fix.Lock{{ID: "/l", Name: "l", Level: "ReadOnly"}}
	p := whole(t, fix.KeepObserved, plan(t, r), plan(t, request(server(citus, public, "all 0.0.0.0-255.255.255.255"), fix.KeepNone)))
	var b bytes.Buffer
	if err := fix.Write(&b, p); err != nil {
		t.Fatal(err)
	}
	return p, b.Bytes()
}

func TestAPlanSurvivesItsFile(t *testing.T) {
	want, file := example(t)
	got, err := fix.Read(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	// Whoever reformats a plan does not change it.
	var compact bytes.Buffer
	if err := json.Compact(&compact, file); err != nil {
		t.Fatal(err)
	}
	if _, err := fix.Read(&compact); err != nil {
		t.Errorf("a compacted plan: %v", err)
	}
}

func TestAPlanFitsItsSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../docs/plan.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	_, file := example(t)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(doc); err != nil {
		t.Error(err)
	}
}

// docs/plan.md tells how to compute the digest by hand.
func TestTheDigestIsWhatTheDocumentationSays(t *testing.T) {
	if _, err := exec.LookPath("jq"); err != nil {
		const why = "jq is absent: scripts/install-test-deps.sh installs it"
		if os.Getenv("CI") != "" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	p, file := example(t)
	name := t.TempDir() + "/plan.json"
	if err := os.WriteFile(name, file, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("sh", "-c", `jq -cj 'del(.digest)' "$1" | sha256sum`, "sh", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	if got, _, _ := strings.Cut(string(out), " "); got != p.Digest {
		t.Errorf("by hand it is %s, in the plan %s", got, p.Digest)
	}
}

func TestAPlanThatWasEditedIsRefused(t *testing.T) {
	_, file := example(t)
	edit := func(old, with string) []byte { return bytes.Replace(file, []byte(old), []byte(with), 1) }
	tests := map[string]struct {
		file  []byte
		words string
	}{
		"an address":       {edit(`"start": "20.50.1.1"`, `"start": "20.50.1.0"`), "digest does not fit"},
		"torn":             {file[:len(file)/2], "no JSON document"},
		"empty":            {nil, "no JSON document"},
		"something behind": {append(bytes.Clone(file), "{}"...), "no JSON document"},
		"no plan":          {[]byte(`{"version": "postern.usage/v1"}`), "is no plan"},
		"a list":           {[]byte(`[]`), "is no plan"},
		"a newer version":  {edit("postern.plan/v1", "postern.plan/v2"), `of version "postern.plan/v2"`},
		"an unknown field": {edit(`"keep":`, `"canary": 1, "keep":`), "a newer Postern made it"},
		"a key twice":      {edit(`"keep":`, `"Keep": "none", "keep":`), "twice"},
		"the digest moved": {edit(`"version":`, `"digest": "x", "version":`), "twice"},
		"another digest":   {edit(`"digest": "`, `"digest": "0`), "digest does not fit"},
		"no version":       {edit(`"version": "postern.plan/v1",`, ``), "is no plan"},
	}
	for name, tt := range tests {
		if _, err := fix.Read(bytes.NewReader(tt.file)); err == nil || !strings.Contains(err.Error(), tt.words) {
			t.Errorf("%s: got %v, want %q", name, err, tt.words)
		}
	}
}

// Whoever edits a plan on purpose gives it a fitting digest.
func TestAPlanThatDoesNotHoldTogetherIsRefused(t *testing.T) {
	const id = "/subscriptions/" + subscription + "/resourceGroups/shop/providers/" + flexible + "/orders-db/firewallRules/"
	tests := []struct {
		name  string
		edit  func(*fix.Plan, *fix.ServerPlan)
		words string
	}{
		{"nothing", func(*fix.Plan, *fix.ServerPlan) {}, ""},
		{"keep", func(p *fix.Plan, _ *fix.ServerPlan) { p.Keep = "all" }, "observed, listed, none"},
		{"endpoint", func(p *fix.Plan, _ *fix.ServerPlan) { p.Cloud.Endpoint = "management" }, "no address of Azure"},
		{"no servers", func(p *fix.Plan, _ *fix.ServerPlan) { p.Servers = nil }, "no server"},
		{"a server twice", func(p *fix.Plan, _ *fix.ServerPlan) { p.Servers[1] = p.Servers[0] }, "twice"},
		{"type", func(_ *fix.Plan, s *fix.ServerPlan) { s.Server.Type = "Microsoft.Sql/servers" }, "does not know"},
		{"server id", func(_ *fix.Plan, s *fix.ServerPlan) { s.Server.ID += "x" }, "its fields say"},
		{"server name", func(_ *fix.Plan, s *fix.ServerPlan) { s.Server.Name = "a/b" }, "cannot be part"},
		{"version", func(_ *fix.Plan, s *fix.ServerPlan) { s.Server.APIVersion = "2025-08-01&x=1" }, "API version"},
		{"an id elsewhere", func(_ *fix.Plan, s *fix.ServerPlan) {
			s.Before[0].ID = "/subscriptions/x/firewallRules/" + s.Before[0].Name
		}, "not below the server"},
		{"an order", func(_ *fix.Plan, s *fix.ServerPlan) { s.Before[0], s.Before[1] = s.Before[1], s.Before[0] }, "out of order"},
		{"no document", func(_ *fix.Plan, s *fix.ServerPlan) { s.Before[0].Properties = nil }, "lacks its own document"},
		{"another document", func(_ *fix.Plan, s *fix.ServerPlan) { s.Before[0].Properties = []byte(`{"startIpAddress":"1.1.1.1"}`) }, "its properties"},
		{"no object", func(_ *fix.Plan, s *fix.ServerPlan) { s.Before[0].Properties = []byte(`null`) }, "no properties"},
		{"no steps", func(_ *fix.Plan, s *fix.ServerPlan) { s.Steps = nil }, "no steps"},
		{"an act", func(_ *fix.Plan, s *fix.ServerPlan) { s.Steps[0].Act = "patch" }, "no act"},
		{"delete first", func(_ *fix.Plan, s *fix.ServerPlan) { s.Steps[0], s.Steps[1] = s.Steps[1], s.Steps[0] }, "after one was deleted"},
		{"an address added", func(_ *fix.Plan, s *fix.ServerPlan) { s.Steps[0].Rule.End = "20.50.1.x" }, "no range of IPv4"},
		{"the door added", func(_ *fix.Plan, s *fix.ServerPlan) {
			s.Steps[0].Rule.Start, s.Steps[0].Rule.End = "0.0.0.0", "0.0.0.0"
		}, "no range of IPv4"},
		{"a range turned", func(_ *fix.Plan, s *fix.ServerPlan) { s.Steps[0].Rule.Start = "21.0.0.0" }, "no range of IPv4"},
		{"IPv6", func(_ *fix.Plan, s *fix.ServerPlan) { s.Steps[0].Rule.Start, s.Steps[0].Rule.End = "::1", "::2" }, "no range of IPv4"},
		{"a name added", func(_ *fix.Plan, s *fix.ServerPlan) { s.Steps[0].Rule.Name, s.Steps[0].Rule.ID = "x", id+"x" }, "does not give"},
		{"a name that is illegal", func(_ *fix.Plan, s *fix.ServerPlan) {
			s.Steps[0].Rule.Name, s.Steps[0].Rule.ID = "postern-keep-x-", id+"postern-keep-x-"
		}, "does not give"},
		{"properties added", func(_ *fix.Plan, s *fix.ServerPlan) {
			s.Steps[0].Rule.Properties = []byte(`{"startIpAddress":"20.50.1.1","endIpAddress":"20.50.1.1","sourceAddressPrefixes":["*"]}`)
		}, "properties already"},
		{"a delete of another", func(_ *fix.Plan, s *fix.ServerPlan) { s.Steps[1].Rule.End = "0.0.0.1" }, "not there in that form"},
		{"another delete", func(_ *fix.Plan, s *fix.ServerPlan) {
			s.Steps = append(s.Steps, fix.Step{Act: fix.Delete, Rule: s.Before[1]})
			s.WayBack = append([]fix.Step{{Act: fix.Put, Rule: s.Before[1]}}, s.WayBack...)
			s.After = fix.Apply(s.Before, s.Steps)
		}, "makes no door"},
		{"half the door", func(_ *fix.Plan, s *fix.ServerPlan) {
			s.Steps = s.Steps[:1]
			s.After = fix.Apply(s.Before, s.Steps)
			s.WayBack = s.WayBack[1:]
		}, "would not be closed"},
		{"after", func(_ *fix.Plan, s *fix.ServerPlan) { s.After = s.After[1:] }, "do not lead to the state after"},
		{"the way back", func(_ *fix.Plan, s *fix.ServerPlan) { s.WayBack = s.WayBack[1:] }, "does not take back"},
		{"the way back deletes first", func(_ *fix.Plan, s *fix.ServerPlan) { s.WayBack[0], s.WayBack[1] = s.WayBack[1], s.WayBack[0] }, "after one was deleted"},
		{"another door", func(_ *fix.Plan, s *fix.ServerPlan) { s.Doors[0].Kind = exposure.Range }, "which no plan does"},
		{"a closed door", func(_ *fix.Plan, s *fix.ServerPlan) { s.Doors[0].State = exposure.Closed }, "which no plan does"},
		{"no guilty rule", func(_ *fix.Plan, s *fix.ServerPlan) { s.Doors[0].Rules = nil }, "made of 1 rules"},
		{"another guilty rule", func(_ *fix.Plan, s *fix.ServerPlan) { s.Doors[0].Rules[0] = s.Before[1].ID }, "does not name it"},
		{"no door", func(_ *fix.Plan, s *fix.ServerPlan) {
			s.Doors, s.Steps, s.WayBack = nil, s.Steps[:1], s.WayBack[1:]
			s.After = fix.Apply(s.Before, s.Steps)
		}, "closes no door"},
		{"no tenant", func(p *fix.Plan, _ *fix.ServerPlan) { p.Cloud.Tenant = "" }, "names no tenant"},
		{"a rule put twice", func(_ *fix.Plan, s *fix.ServerPlan) {
			wide := s.Steps[0]
			wide.Rule.Start, wide.Rule.End = "1.0.0.0", "255.255.255.254"
			s.Steps = append([]fix.Step{wide}, s.Steps...)
			s.WayBack = append(s.WayBack, fix.Step{Act: fix.Delete, Rule: wide.Rule})
		}, "a second time"},
		{"a way back to elsewhere", func(_ *fix.Plan, s *fix.ServerPlan) {
			foreign := fix.Rule{ID: "/subscriptions/x/y", Name: "q", Start: "1.1.1.1", End: "1.1.1.1"}
			s.WayBack = append([]fix.Step{{Act: fix.Put, Rule: foreign}}, append(s.WayBack, fix.Step{Act: fix.Delete, Rule: foreign})...)
		}, "does not take back"},
		{"kept by a rule that is not", func(_ *fix.Plan, s *fix.ServerPlan) {
			s.Clients[0].Address, s.Clients[0].Fate = "99.9.9.9", fix.KeptByNew
		}, "no rule admits it afterwards"},
		{"cut off by no means", func(_ *fix.Plan, s *fix.ServerPlan) {
			s.Clients[0].Address, s.Clients[0].Fate = s.Steps[0].Rule.Start, fix.CutOff
		}, "a rule admits it afterwards"},
		{"a fate", func(_ *fix.Plan, s *fix.ServerPlan) { s.Clients[0].Fate = "fine" }, "one of them is none"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, file := example(t)
			p, err := fix.Read(bytes.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}
			tt.edit(p, &p.Servers[0])
			_, err = fix.Read(bytes.NewReader(fix.Redigest(p)))
			switch {
			case tt.words == "" && err != nil:
				t.Errorf("got %v", err)
			case tt.words != "" && (err == nil || !strings.Contains(err.Error(), tt.words)):
				t.Errorf("got %v, want %q", err, tt.words)
			}
			if tt.words != "" && fix.Write(&bytes.Buffer{}, p) == nil {
				t.Error("it was written")
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	_, file := example(f)
	f.Add(file)
	f.Add([]byte(`{"version": "postern.plan/v1", "servers": [{}], "digest": ""}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := fix.Read(bytes.NewReader(data))
		if err != nil {
			// With its digest put right more of it is looked at.
			p = &fix.Plan{}
			if json.Unmarshal(data, p) != nil {
				return
			}
			if p, err = fix.Read(bytes.NewReader(fix.Redigest(p))); err != nil {
				return
			}
		}
		var b bytes.Buffer
		if err := fix.Write(&b, p); err != nil {
			t.Fatalf("a plan that was read is not written: %v", err)
		}
		again, err := fix.Read(&b)
		if err != nil {
			t.Fatalf("a plan that was written is not read: %v", err)
		}
		if again.Digest != p.Digest {
			t.Error("the digest moved")
		}
	})
}
