package change

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/fix/journal"
	"github.com/posternhq/postern/resourcetype"
)

// observation is one reading of a server.
type observation struct {
	rules    firewall
	network  asset.Network
	exposure exposure.Exposure
	// state is the service's word for the server's state, empty where the type
	// has none.
	state string
}

// observe reads a server afresh, and keeps how its doors were found.
func (r *run) observe(ctx context.Context, p *progress) (observation, error) {
	s := p.server.Server
	a, err := r.o.Cloud.Server(ctx, s)
	if err != nil {
		return observation{}, fmt.Errorf("read server %q: %w", s.Name, err)
	}
	if !asset.SameID(a.ID, s.ID) {
		return observation{}, fmt.Errorf("read server %q: the answer is about %q", s.Name, a.ID)
	}
	n, err := resourcetype.Network(resourcetype.All(), a)
	if err != nil {
		return observation{}, err
	}
	rules, err := readFirewall(a)
	if err != nil {
		return observation{}, err
	}
	obs := observation{rules: rules, network: n, exposure: exposure.Of(n), state: stateOf(a)}
	p.seen = obs.doors()
	return obs, nil
}

// stateOf reads the server's state: properties.state of flexible servers and
// clusters, properties.userVisibleState of single servers.
func stateOf(a *asset.Asset) string {
	var doc struct {
		Properties struct {
			State            string `json:"state"`
			UserVisibleState string `json:"userVisibleState"`
		} `json:"properties"`
	}
	if json.Unmarshal(a.Body, &doc) != nil {
		return ""
	}
	if doc.Properties.State != "" {
		return doc.Properties.State
	}
	return doc.Properties.UserVisibleState
}

// ready reports whether the server takes changes: it says Ready, or it is of a
// type that says nothing.
func (o observation) ready() bool { return o.state == "" || strings.EqualFold(o.state, "Ready") }

func (o observation) doors() []journal.Door {
	doors := make([]journal.Door, 0, len(o.exposure.Doors))
	for _, d := range o.exposure.Doors {
		doors = append(doors, journal.Door{Kind: d.Kind, State: d.State, Reason: d.Reason})
	}
	return doors
}

// stillOpen says which of the planned doors are not closed.
func (o observation) stillOpen(planned []fix.Door) []string {
	var out []string
	for _, p := range planned {
		if d := o.exposure.Door(p.Kind); d.State != exposure.Closed {
			out = append(out, strings.TrimRight(fmt.Sprintf("the %s door is %s: %s", d.Kind, d.State, d.Reason), ": "))
		}
	}
	return out
}

// moved lists what stands around the firewall and is not as at the plan.
func (r *run) moved(ctx context.Context, s *fix.ServerPlan, o observation) ([]string, error) {
	var out []string
	if now := o.network.Public.Why; s.Server.Public != now && s.Server.Public != o.exposure.Why {
		out = append(out, fmt.Sprintf("public access was %q and is now %q", s.Server.Public, o.exposure.Why))
	}
	locks, err := r.o.Cloud.Locks(ctx, s.Server)
	if err != nil {
		return nil, fmt.Errorf("read the locks of server %q: %w", s.Server.Name, err)
	}
	for _, l := range locks {
		known := slices.ContainsFunc(s.Locks, func(k fix.Lock) bool { return asset.SameID(k.ID, l.ID) && k.Level == l.Level })
		if !known {
			out = append(out, fmt.Sprintf("the lock %q (%s) is there and was not", l.Name, l.Level))
		}
	}
	return out, nil
}

// readTries is how often a reading is tried before a server is given up; whoever
// implements Cloud has tried each of its calls more than once already.
const readTries = 3

// reading reads a server until it is ready. With around it also lists what stands
// around the firewall and is not as at the plan.
func (r *run) reading(ctx context.Context, p *progress, around bool) (observation, []string, error) {
	began, misread := r.o.Now(), 0
	for ; ; r.pause(ctx) {
		if ctx.Err() != nil {
			return observation{}, nil, interrupted(p)
		}
		obs, err := r.observe(ctx, p)
		var differences []string
		if err == nil && around {
			differences, err = r.moved(ctx, p.server, obs)
		}
		switch {
		case err != nil:
			if misread++; misread >= readTries {
				return obs, nil, r.unreadable(ctx, p, err)
			}
		case obs.ready():
			return obs, differences, nil
		case r.since(began) > r.o.Deadline:
			return obs, nil, &stop{outcome: Failed, reason: fmt.Sprintf("the server was %q for longer than %s", obs.state, r.o.Deadline)}
		default:
			r.say(p, "waits: the server is %q", obs.state)
		}
	}
}

// position reads a server until it is ready and finds where it stands on the way
// forward: how many steps are in effect. Where the journal cannot tell neighbours
// apart it answers with the lower, so that the act is done again, for acts may be
// done twice. A reading may lag behind what was done; one that fits any moment of
// this change is waited out for as long as Azure takes to show a change, and any
// other must be seen twice before it is called a drift.
func (r *run) position(ctx context.Context, p *progress) (int, observation, error) {
	began, last := r.o.Now(), ""
	for ; ; r.pause(ctx) {
		obs, differences, err := r.reading(ctx, p, true)
		if err != nil {
			return 0, obs, err
		}
		if len(differences) == 0 {
			k, found := p.find(obs.rules)
			if found && !p.lost {
				return k, obs, nil
			}
			if found {
				// With nothing to go by, a reading counts when it comes twice.
				if last == fmt.Sprint(k) {
					err := r.append(p, journal.Record{Kind: journal.Found, Step: k, What: fmt.Sprintf("the server shows the first %d steps in effect", k)})
					return k, obs, err
				}
				last = fmt.Sprint(k)
				continue
			}
			differences = p.unlike(obs.rules)
			if p.lags(obs.rules) && r.since(began) < r.o.Settle {
				r.say(p, "waits: the server does not show the last step yet")
				continue
			}
		}
		if seen := strings.Join(differences, "\n"); seen != last {
			last = seen
			continue
		}
		return 0, obs, &stop{outcome: Drifted, reason: "it is no longer what this change left or planned for", differences: differences}
	}
}

func (r *run) unreadable(ctx context.Context, p *progress, err error) error {
	if ctx.Err() != nil {
		return interrupted(p)
	}
	return &stop{outcome: Failed, reason: err.Error()}
}

func interrupted(p *progress) error {
	if p.since.IsZero() {
		return &stop{outcome: Interrupted, reason: "the run was told to end before this server was begun"}
	}
	return &stop{outcome: Interrupted, reason: "the run was told to end"}
}

func (r *run) since(t time.Time) time.Duration { return r.o.Now().Sub(t) }

// pause waits between two readings. That the context ended is seen by who loops.
func (r *run) pause(ctx context.Context) { _ = pause(ctx, r.o.Poll) }

// find looks for the number of steps that the firewall shows. The whole firewall
// counts, for the plan was made from all of it.
func (p *progress) find(rules firewall) (int, bool) {
	for k := p.high; k >= p.low; k-- {
		if len(p.at(k).unlike(rules, nil)) > 0 {
			continue
		}
		if p.lost {
			return k, true
		}
		return p.low, true
	}
	return 0, false
}

// lags reports whether a firewall is one that this change went through.
func (p *progress) lags(rules firewall) bool {
	for k := range p.reach + 1 {
		if len(p.at(k).unlike(rules, nil)) == 0 {
			return true
		}
	}
	return false
}

// unlike says how a firewall differs from the nearer of the two that are expected.
func (p *progress) unlike(rules firewall) []string {
	low, high := p.at(p.low).unlike(rules, nil), p.at(p.high).unlike(rules, nil)
	if len(high) < len(low) {
		return high
	}
	return low
}
