package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/fix/change"
	"github.com/posternhq/postern/fix/journal"
)

const hostileName = "db\x1b[2J\u202e\nFAKE  done"

// troubled is a result in which everything that can be told is hostile.
func troubled() change.Result {
	return change.Result{
		Change: "20261124-093000-1a2b3c", CanaryFailed: hostileName,
		Servers: []change.ServerResult{{
			Server: fix.Server{Name: hostileName}, Outcome: change.Drifted, Reason: hostileName, Differences: []string{hostileName},
			Notes: []string{hostileName}, Steps: 3, InEffect: 1, Unclear: true,
			DoorsBefore: []journal.Door{{Kind: exposure.Azure, State: exposure.Open}},
			DoorsAfter:  []journal.Door{{Kind: exposure.Azure, State: exposure.Closed}},
			Alarms:      []change.Refusal{{Address: hostileName, User: hostileName, Database: hostileName, At: time.Unix(0, 0)}},
		}},
	}
}

func summary() change.Summary {
	return change.Summary{
		Change: "20261124-093000-1a2b3c", State: change.Unfinished, Who: hostileName, Damage: hostileName, CanaryFailed: hostileName,
		Servers: []change.ServerSummary{{Server: fix.Server{Name: hostileName}, Stopped: hostileName, Differences: []string{hostileName}, Unknown: true}},
		Records: []journal.Record{{Who: hostileName, What: hostileName, Error: hostileName, Server: "/x/" + hostileName}},
	}
}

func TestAHostileChangeCannotDrawOnTheTerminal(t *testing.T) {
	var out bytes.Buffer
	if err := ChangeText(&out, 0, troubled(), ""); err != nil {
		t.Fatal(err)
	}
	if err := ChangesText(&out, 0, []change.Summary{summary()}, true, ""); err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(out.String(), "\n") {
		if strings.HasPrefix(line, "FAKE") {
			t.Errorf("a name makes a line of its own: %q", line)
		}
	}
	if text := plainStyles(out.String()); strings.ContainsAny(text, "\x1b\u202e") {
		t.Errorf("a name reaches the terminal as it is:\n%q", text)
	}
}

// plainStyles takes out the escapes that are Postern's own: colours and weights.
func plainStyles(s string) string {
	for {
		start := strings.Index(s, "\x1b[")
		if start < 0 {
			return s
		}
		end := strings.IndexByte(s[start:], 'm')
		if end < 0 || strings.Trim(s[start+2:start+end], "0123456789;") != "" {
			return s
		}
		s = s[:start] + s[start+end+1:]
	}
}

func TestWhatBecameOfAChangeIsToldInFull(t *testing.T) {
	var out bytes.Buffer
	r := troubled()
	if err := ChangeText(&out, 0, r, " --cloud x --journal dir"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"and it refused 1 address that the plan did not give up", "1 of 3 steps in effect, and perhaps one more", "the azure door was open and is closed", "REFUSED", "differs:",
		"postern fix resume 20261124-093000-1a2b3c --cloud x --journal dir", "postern fix undo 20261124-093000-1a2b3c --cloud x --journal dir",
		"postern fix status 20261124-093000-1a2b3c --journal dir",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not told:\n%s", want, out.String())
		}
	}
	out.Reset()
	r.CanaryFailed, r.Servers = "", []change.ServerResult{{Server: fix.Server{Name: "db"}, Outcome: change.Undone}}
	if err := ChangeText(&out, 0, r, ""); err != nil || strings.Contains(out.String(), "resume") || strings.Contains(out.String(), "fix undo") {
		t.Errorf("after an undo there is nothing to go on with (%v):\n%s", err, out.String())
	}
}

func TestChangesAreAListEvenWhenThereAreNone(t *testing.T) {
	var out bytes.Buffer
	if err := ChangesJSON(&out, nil); err != nil {
		t.Fatal(err)
	}
	var doc struct{ Changes []any }
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil || doc.Changes == nil {
		t.Errorf("%v: %s", err, out.String())
	}
}
