// Package changetest is the contract of change.Cloud as a test: every
// implementation passes the same suite.
package changetest

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/fix/change"
)

// Subject is an implementation with a server to try it on. The server is ready,
// its public access is on, the principal may do everything there, and it has at
// least one firewall rule. Reading what was written just before shows it.
type Subject struct {
	Cloud  change.Cloud
	Server fix.Server
	// Token is what the principal signs in with, which must not show anywhere.
	Token string
}

const (
	write = "/firewallRules/write"
	read  = "/firewallRules/read"
)

// Run holds an implementation to the contract. Open is called once for each part
// of the suite, and must give a state that others do not share.
func Run(t *testing.T, open func(*testing.T) Subject) {
	t.Run("says where changes go and who makes them", func(t *testing.T) {
		s := open(t)
		id, err := s.Cloud.Identity(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if id.Cloud.Endpoint == "" || id.Principal == "" {
			t.Errorf("the identity leaves something out: %+v", id)
		}
		text, err := json.Marshal(id)
		if err != nil {
			t.Fatal(err)
		}
		if s.Token != "" && strings.Contains(string(text), s.Token) {
			t.Error("the identity holds the token")
		}
	})

	t.Run("reads a server with its rules", func(t *testing.T) {
		s := open(t)
		rules := firewall(t, s)
		if len(rules) == 0 {
			t.Fatal("the suite needs a server with a rule")
		}
		for id := range rules {
			if !strings.HasPrefix(id, strings.ToLower(s.Server.ID)+"/firewallrules/") {
				t.Errorf("rule %s is not below the server", id)
			}
		}
	})

	t.Run("a server that is not there is an error", func(t *testing.T) {
		s := open(t)
		s.Server.ID += "-not-there"
		s.Server.Name += "-not-there"
		if a, err := s.Cloud.Server(t.Context(), s.Server); err == nil {
			t.Errorf("read %+v", a)
		}
	})

	t.Run("adds, replaces and deletes one rule and leaves the others", func(t *testing.T) {
		s := open(t)
		before := firewall(t, s)
		id := s.Server.ID + "/firewallRules/postern-changetest"
		put(t, s, id, `{"startIpAddress":"198.51.100.7","endIpAddress":"198.51.100.9"}`)
		holds(t, s, before, id, "198.51.100.7", "198.51.100.9")
		// Doing it twice is doing it once, and case tells no ids apart.
		put(t, s, strings.ToUpper(id[:5])+id[5:], `{"startIpAddress":"198.51.100.7","endIpAddress":"198.51.100.8"}`)
		put(t, s, id, `{"startIpAddress":"198.51.100.7","endIpAddress":"198.51.100.8"}`)
		holds(t, s, before, id, "198.51.100.7", "198.51.100.8")
		for range 2 {
			// The second time it is not there, which is no error.
			if err := s.Cloud.DeleteRule(t.Context(), s.Server, id); err != nil {
				t.Fatal(err)
			}
		}
		holds(t, s, before, id, "", "")
	})

	t.Run("puts back what it deleted", func(t *testing.T) {
		s := open(t)
		before := firewall(t, s)
		for _, rule := range before {
			if err := s.Cloud.DeleteRule(t.Context(), s.Server, rule.ID); err != nil {
				t.Fatal(err)
			}
			put(t, s, rule.ID, `{"startIpAddress":"`+rule.Start+`","endIpAddress":"`+rule.End+`"}`)
			holds(t, s, before, rule.ID, rule.Start, rule.End)
		}
	})

	t.Run("refuses a rule that makes no sense", func(t *testing.T) {
		s := open(t)
		before := firewall(t, s)
		id := s.Server.ID + "/firewallRules/postern-changetest"
		if err := s.Cloud.PutRule(t.Context(), s.Server, id, json.RawMessage(`{"startIpAddress":"nowhere","endIpAddress":"nowhere"}`)); err == nil {
			t.Error("no error")
		}
		holds(t, s, before, id, "", "")
	})

	t.Run("says nothing is missing where everything is permitted", func(t *testing.T) {
		s := open(t)
		missing, err := s.Cloud.Missing(t.Context(), s.Server, []string{s.Server.Type + write, s.Server.Type + read})
		if err != nil || len(missing) > 0 {
			t.Errorf("missing %v, %v", missing, err)
		}
		if _, err := s.Cloud.Locks(t.Context(), s.Server); err != nil {
			t.Error(err)
		}
	})

	t.Run("ends when it is told to", func(t *testing.T) {
		s := open(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		id := s.Server.ID + "/firewallRules/postern-changetest"
		if _, err := s.Cloud.Server(ctx, s.Server); err == nil {
			t.Error("Server has no error")
		}
		if err := s.Cloud.PutRule(ctx, s.Server, id, json.RawMessage(`{"startIpAddress":"198.51.100.7","endIpAddress":"198.51.100.7"}`)); err == nil {
			t.Error("PutRule has no error")
		}
		if err := s.Cloud.DeleteRule(ctx, s.Server, id); err == nil {
			t.Error("DeleteRule has no error")
		}
		if _, err := s.Cloud.Missing(ctx, s.Server, []string{s.Server.Type + write}); err == nil {
			t.Error("Missing has no error")
		}
	})
}

func put(t *testing.T, s Subject, id, properties string) {
	t.Helper()
	if err := s.Cloud.PutRule(t.Context(), s.Server, id, json.RawMessage(properties)); err != nil {
		t.Fatal(err)
	}
}

// firewall reads the rules by their ids in lower case.
func firewall(t *testing.T, s Subject) map[string]fix.Rule {
	t.Helper()
	a, err := s.Cloud.Server(t.Context(), s.Server)
	if err != nil {
		t.Fatal(err)
	}
	if !asset.SameID(a.ID, s.Server.ID) || a.Type != s.Server.Type || len(a.Body) == 0 {
		t.Errorf("the asset is not whole: %+v", a)
	}
	list, asked := a.Children["firewallRules"]
	if !asked || list.Gap != nil {
		t.Fatalf("the firewall rules were not read: %v", list.Gap)
	}
	rules := map[string]fix.Rule{}
	for _, item := range list.Items {
		var doc struct {
			ID         string `json:"id"`
			Name       string `json:"name"`
			Properties struct {
				Start string `json:"startIpAddress"`
				End   string `json:"endIpAddress"`
			} `json:"properties"`
		}
		if err := json.Unmarshal(item, &doc); err != nil {
			t.Fatal(err)
		}
		rules[strings.ToLower(doc.ID)] = fix.Rule{ID: doc.ID, Name: doc.Name, Start: doc.Properties.Start, End: doc.Properties.End}
	}
	return rules
}

// holds wants one rule as given, absent when start is empty, and all others as
// they were.
func holds(t *testing.T, s Subject, before map[string]fix.Rule, id, start, end string) {
	t.Helper()
	now := firewall(t, s)
	rule, there := now[strings.ToLower(id)]
	if there != (start != "") || rule.Start != start || rule.End != end {
		t.Errorf("rule %s is %+v, want %q to %q", id, rule, start, end)
	}
	var ids []string
	for other := range before {
		ids = append(ids, other)
	}
	for other := range now {
		ids = append(ids, other)
	}
	slices.Sort(ids)
	for _, other := range slices.Compact(ids) {
		if other != strings.ToLower(id) && !reflect.DeepEqual(before[other], now[other]) {
			t.Errorf("rule %s was %+v and is %+v", other, before[other], now[other])
		}
	}
}
