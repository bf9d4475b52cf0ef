package change

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/fix/journal"
)

// history is what a journal tells of a change.
type history struct {
	plan     *fix.Plan
	settings journal.Settings
	first    journal.Record
	last     time.Time
	servers  []*progress
	// canaryPassed and canaryFailed are how the canary went, as far as it did.
	canaryPassed bool
	canaryFailed string
}

// replay learns from the records, in their order.
func replay(c journal.Contents) *history {
	first := c.First()
	h := &history{plan: first.Plan, first: first}
	if first.Settings != nil {
		h.settings = *first.Settings
	}
	for i := range h.plan.Servers {
		h.servers = append(h.servers, newProgress(&h.plan.Servers[i]))
	}
	for _, r := range c.Records {
		h.take(r)
	}
	if c.Damage != nil && !c.Damage.Torn {
		h.lose()
	}
	for _, p := range h.servers {
		p.unended = c.Records[len(c.Records)-1].Kind != journal.Ended
	}
	return h
}

func (h *history) take(r journal.Record) {
	h.last = r.At
	switch r.Kind {
	case journal.CanaryPassed:
		h.canaryPassed, h.canaryFailed = true, ""
	case journal.CanaryFailed:
		h.canaryFailed = r.What
	case journal.Recovered:
		if r.LosesSome() {
			h.lose()
		}
	}
	if r.Server == "" {
		return
	}
	if p := h.server(r.Server); p != nil {
		p.take(r)
	}
}

func (h *history) lose() {
	for _, p := range h.servers {
		p.lose()
	}
}

func (h *history) server(id string) *progress {
	i := slices.IndexFunc(h.servers, func(p *progress) bool { return samePlace(p, id) })
	if i < 0 {
		return nil
	}
	return h.servers[i]
}

func (h *history) in(phases ...Phase) []*progress {
	var out []*progress
	for _, p := range h.servers {
		if slices.Contains(phases, p.phase) {
			out = append(out, p)
		}
	}
	return out
}

// State is where a change stands.
type State string

// The states.
const (
	// Running: a process is at work on it.
	Running State = "running"
	// Unfinished: it was interrupted, or stopped at some server.
	Unfinished State = "unfinished"
	// Applied: every server is done, or taken back by itself, or blocked.
	Applied State = "applied"
	// TakenBack: it was undone.
	TakenBack State = "undone"
)

func (h *history) state() State {
	switch {
	case len(h.in(PhasePending, PhaseApplying, PhaseUndoing)) > 0:
		return Unfinished
	case len(h.in(PhaseDone)) == 0 && len(h.in(PhaseUndone)) > 0:
		return TakenBack
	}
	return Applied
}

// Summary is what a journal tells of a change, and whether a run is at it.
type Summary struct {
	Change string    `json:"change"`
	State  State     `json:"state"`
	Who    string    `json:"who"`
	Began  time.Time `json:"began_at"`
	Last   time.Time `json:"last_at"`
	// Holder is the run that is at work, nil when none is.
	Holder *journal.Holder `json:"holder,omitempty"`
	// Damage says what could not be read of the journal and what that means.
	Damage string `json:"damage,omitempty"`
	// Servers are in the order of the plan.
	Servers []ServerSummary `json:"servers"`
	// CanaryFailed says why the servers after the canary were left untouched.
	CanaryFailed string `json:"canary_failed,omitempty"`
	// Plan is the whole plan, Records the whole journal: its audit lines.
	Plan    *fix.Plan        `json:"-"`
	Records []journal.Record `json:"-"`
}

// ServerSummary is what a journal tells of one server.
type ServerSummary struct {
	Server fix.Server `json:"server"`
	Phase  Phase      `json:"phase"`
	// Steps is how many steps the plan has. The first InEffect of them are in
	// effect; with Unclear later ones may be too, and with Unknown only the server
	// itself can tell, because records are missing.
	Steps    int  `json:"steps"`
	InEffect int  `json:"in_effect"`
	Unclear  bool `json:"unclear,omitempty"`
	Unknown  bool `json:"unknown,omitempty"`
	// Begun is set when an act was ever begun: then it can be undone, also again.
	Begun bool `json:"begun,omitempty"`
	// Stopped is why the last run left it, and Differences what of.
	Stopped     string         `json:"stopped,omitempty"`
	Differences []string       `json:"differences,omitempty"`
	Doors       []journal.Door `json:"doors,omitempty"`
	Alarms      []Refusal      `json:"alarms,omitempty"`
}

// Next are the commands to go on with.
func (s Summary) Next() []string {
	switch s.State {
	case Running:
		return []string{"postern fix status " + s.Change}
	case TakenBack:
		return nil
	}
	return next(s.Change, s.State == Unfinished)[1:]
}

// Status tells where a change stands, from its journal alone. It asks Azure
// nothing and changes nothing.
func Status(dir, change string) (Summary, error) {
	c, err := journal.Load(dir, change)
	if err != nil {
		return Summary{}, err
	}
	return summarize(dir, c)
}

func summarize(dir string, c journal.Contents) (Summary, error) {
	h := replay(c)
	s := Summary{
		Change: h.first.Change, State: h.state(), Who: h.first.Who, Began: h.first.At, Last: h.last,
		Plan: h.plan, Records: c.Records, CanaryFailed: h.canaryFailed,
	}
	holder, err := journal.Running(dir, h.plan.Digest)
	if err != nil {
		return Summary{}, err
	}
	if holder != nil && (holder.Change == s.Change || holder.Change == "") {
		s.State, s.Holder = Running, holder
	}
	// Half a record at the end of a journal that is being written is no damage.
	if c.Damage != nil && (s.Holder == nil || !c.Damage.Torn) {
		s.Damage = c.Damage.String()
	} else if c.Incomplete() {
		s.Damage = "the journal was damaged once, and records are missing in it"
	}
	for _, p := range h.servers {
		s.Servers = append(s.Servers, ServerSummary{
			Server: p.server.Server, Phase: p.phase, Steps: len(p.server.Steps), InEffect: p.low, Unclear: p.low != p.high && !p.lost,
			Unknown: p.lost, Begun: p.reach > 0, Stopped: p.stopped, Differences: p.differences, Doors: p.doorsAfter, Alarms: p.alarms,
		})
	}
	return s, nil
}

// List tells where every change of a folder stands, the newest first. The error
// joins what could not be read; the other changes are told all the same.
func List(dir string) ([]Summary, error) {
	out, _, err := list(dir)
	return out, err
}

// list also names the changes whose journals could not be read.
func list(dir string) (out []Summary, unreadable []string, err error) {
	changes, err := journal.List(dir)
	if err != nil {
		return nil, nil, err
	}
	var problems []error
	for _, change := range slices.Backward(changes) {
		s, err := Status(dir, change)
		if err != nil {
			problems, unreadable = append(problems, err), append(unreadable, change)
			continue
		}
		out = append(out, s)
	}
	// Names are only as fine as a second.
	slices.SortStableFunc(out, func(a, b Summary) int { return b.Began.Compare(a.Began) })
	return out, unreadable, errors.Join(problems...)
}

// newer finds a later change that touched a server and still holds there, among
// changes of which the newest comes first.
func newer(summaries []Summary, change, serverID string) (string, bool) {
	for _, s := range summaries {
		if s.Change == change {
			break
		}
		for _, server := range s.Servers {
			if key(server.Server.ID) == key(serverID) && server.holds() {
				return s.Change, true
			}
		}
	}
	return "", false
}

// holds reports whether some of a change may be in effect on a server.
func (s ServerSummary) holds() bool {
	return s.Phase == PhaseDone || s.Phase != PhaseUndone && (s.InEffect > 0 || s.Unclear || s.Unknown)
}

func count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
