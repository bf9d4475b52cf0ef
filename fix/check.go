package fix

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/resourcetype"
)

var (
	apiVersion = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}(-preview)?$`)
	sha256Hex  = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// check makes sure that a plan holds together, whoever made it.
func (p *Plan) check() error {
	switch endpoint, err := url.Parse(p.Cloud.Endpoint); {
	case p.Version != PlanVersion:
		return fmt.Errorf("its version is %q", p.Version)
	case !slices.Contains(Keeps, p.Keep):
		return fmt.Errorf("keep is %q, which is not one of observed, listed, none", p.Keep)
	case err != nil || endpoint.Host == "" || endpoint.User != nil || endpoint.Scheme != "https" && endpoint.Scheme != "http":
		return fmt.Errorf("the cloud's endpoint %q is no address of Azure Resource Manager", p.Cloud.Endpoint)
	case p.Cloud.Tenant == "":
		return errors.New("it names no tenant")
	case len(p.Servers) == 0:
		return errors.New("it names no server")
	case !sha256Hex.MatchString(p.Digest):
		return errors.New("it has no digest")
	}
	seen := map[string]bool{}
	for _, s := range p.Servers {
		id := strings.ToLower(s.Server.ID)
		if seen[id] {
			return fmt.Errorf("it names the server %q twice", s.Server.Name)
		}
		seen[id] = true
		if err := s.check(); err != nil {
			return fmt.Errorf("server %q: %w", s.Server.Name, err)
		}
	}
	return nil
}

func (s ServerPlan) check() error {
	if t, known := resourcetype.Lookup(s.Server.Type); !known || t.Name != s.Server.Type {
		return resourcetype.UnknownTypeError{Type: s.Server.Type}
	}
	if err := checkServer(s.Server); err != nil {
		return err
	}
	if err := s.checkFirewall(s.Before); err != nil {
		return fmt.Errorf("the firewall before: %w", err)
	}
	if i := slices.IndexFunc(s.Before, func(r Rule) bool { return r.Properties == nil }); i >= 0 {
		return fmt.Errorf("the firewall before: the rule %q lacks its own document, which the way back needs", s.Before[i].Name)
	}
	if err := s.checkFirewall(s.After); err != nil {
		return fmt.Errorf("the firewall after: %w", err)
	}
	for _, check := range []func() error{s.checkSteps, s.checkWays, s.checkDoors, s.checkClients} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// checkFirewall makes sure that each rule is one of the server's, that it says
// the same in its fields and its document, and that they are in order.
func (s ServerPlan) checkFirewall(rules []Rule) error {
	for i, r := range rules {
		if err := checkPlace(s.Server.ID, r); err != nil {
			return err
		}
		doc, err := r.settings()
		switch {
		case err != nil:
			return err
		case doc.Start != r.Start || doc.End != r.End:
			return fmt.Errorf("the rule %q says %s–%s, and its properties %s–%s", r.Name, r.Start, r.End, doc.Start, doc.End)
		case i > 0 && compareRules(rules[i-1], r) >= 0:
			return fmt.Errorf("the rule %q is there twice or out of order", r.Name)
		}
	}
	return nil
}

// checkSteps makes sure that rules are added before any is deleted, that what is
// added is new and of a legal name, and that what is deleted is there.
func (s ServerPlan) checkSteps() error {
	if len(s.Steps) == 0 {
		return errors.New("it has no steps")
	}
	deleting := false
	seen := map[string]bool{}
	for i, step := range s.Steps {
		var err error
		again := seen[strings.ToLower(step.Rule.ID)]
		seen[strings.ToLower(step.Rule.ID)] = true
		switch step.Act {
		case Put:
			err = s.checkAdded(step.Rule)
			if deleting {
				err = errors.New("a rule is added after one was deleted")
			}
		case Delete:
			deleting = true
			if at := indexOf(s.Before, step.Rule.ID); at < 0 || !sameRule(s.Before[at], step.Rule) {
				err = fmt.Errorf("it deletes the rule %q, which is not there in that form", step.Rule.Name)
			}
		default:
			err = fmt.Errorf("%q is no act", step.Act)
		}
		if err == nil && again {
			err = fmt.Errorf("it touches the rule %q a second time", step.Rule.Name)
		}
		if err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	return nil
}

func (s ServerPlan) checkAdded(r Rule) error {
	if err := checkPlace(s.Server.ID, r); err != nil {
		return err
	}
	from, err := netip.ParseAddr(r.Start)
	to, err2 := netip.ParseAddr(r.End)
	switch {
	case err != nil || err2 != nil || !from.Is4() || !to.Is4() || to.Less(from) || from == unspecified:
		return fmt.Errorf("the rule %q says %s–%s, which is no range of IPv4 addresses to let in", r.Name, r.Start, r.End)
	case !ruleName.MatchString(r.Name) || !strings.HasPrefix(r.Name, NamePrefix):
		return fmt.Errorf("the rule %q has a name that Postern does not give", r.Name)
	case r.Properties != nil:
		return fmt.Errorf("the rule %q is new and has properties already", r.Name)
	case indexOf(s.Before, r.ID) >= 0:
		return fmt.Errorf("it adds the rule %q, which is there already", r.Name)
	}
	return nil
}

// checkWays makes sure that the steps lead to the state after and the way back
// leads home: each step taken back, what was deleted before what was added.
func (s ServerPlan) checkWays() error {
	if len(s.WayBack) != len(s.Steps) {
		return errors.New("the way back does not take back each step")
	}
	opposite := map[Act]Act{Put: Delete, Delete: Put}
	done := map[string]Step{}
	for _, step := range s.Steps {
		done[strings.ToLower(step.Rule.ID)] = step
	}
	deleting := false
	for i, step := range s.WayBack {
		of, known := done[strings.ToLower(step.Rule.ID)]
		delete(done, strings.ToLower(step.Rule.ID))
		switch {
		case !known || opposite[of.Act] != step.Act || !sameRule(of.Rule, step.Rule):
			return fmt.Errorf("step %d of the way back takes back no step of the plan", i+1)
		case step.Act == Put && deleting:
			return fmt.Errorf("step %d of the way back puts back a rule after one was deleted", i+1)
		}
		deleting = deleting || step.Act == Delete
	}
	if !SameFirewall(Apply(s.Before, s.Steps), s.After) {
		return errors.New("the steps do not lead to the state after")
	}
	if !SameFirewall(Apply(s.After, s.WayBack), s.Before) {
		return errors.New("the way back does not lead to the state before")
	}
	return nil
}

// checkDoors makes sure that the doors are the ones that the rules make, that
// every rule that is deleted makes one, and that they are closed afterwards.
func (s ServerPlan) checkDoors() error {
	if len(s.Doors) == 0 {
		return errors.New("it closes no door")
	}
	before, err := judged(s.Before)
	if err != nil {
		return err
	}
	after, err := judged(s.After)
	if err != nil {
		return err
	}
	guilty := map[string]bool{}
	for _, d := range s.Doors {
		if d.Kind != exposure.Azure && d.Kind != exposure.Internet || d.State != exposure.Open && d.State != exposure.Latent {
			return fmt.Errorf("it closes a door %q that is %q, which no plan does", d.Kind, d.State)
		}
		rules := before.Door(d.Kind).Rules
		if len(rules) != len(d.Rules) || len(rules) == 0 {
			return fmt.Errorf("the %s door is made of %d rules, and the plan names %d", d.Kind, len(rules), len(d.Rules))
		}
		for _, r := range rules {
			if !slices.ContainsFunc(d.Rules, func(id string) bool { return asset.SameID(id, r.ID) }) {
				return fmt.Errorf("the rule %q makes the %s door, and the plan does not name it", r.Name, d.Kind)
			}
			guilty[strings.ToLower(r.ID)] = true
		}
		if after.Door(d.Kind).State != exposure.Closed {
			return fmt.Errorf("the %s door would not be closed", d.Kind)
		}
	}
	for _, step := range s.Steps {
		if step.Act == Delete && !guilty[strings.ToLower(step.Rule.ID)] {
			return fmt.Errorf("it deletes the rule %q, which makes no door that it closes", step.Rule.Name)
		}
	}
	// The firewall is at its widest when all is added and nothing is deleted yet.
	puts := slices.IndexFunc(s.Steps, func(step Step) bool { return step.Act == Delete })
	widest, err := judged(Apply(s.Before, s.Steps[:max(puts, 0)]))
	if err != nil {
		return err
	}
	for _, kind := range []exposure.Kind{exposure.Azure, exposure.Internet} {
		if before.Door(kind).State == exposure.Closed && (after.Door(kind).State != exposure.Closed || widest.Door(kind).State != exposure.Closed) {
			return fmt.Errorf("it would open the %s door", kind)
		}
	}
	return nil
}

// judged is the exposure of a firewall on a server that is public: whether its
// rules are in force is not asked here, only what they make.
func judged(rules []Rule) (exposure.Exposure, error) {
	n, err := networkOf(asset.Network{Public: asset.PublicAccess{State: asset.On}}, rules)
	if err != nil {
		return exposure.Exposure{}, err
	}
	e := exposure.Of(n)
	for _, r := range e.Rules {
		if r.Fault != "" {
			return e, fmt.Errorf("the rule %q: %s", r.Rule.Name, r.Fault)
		}
	}
	return e, nil
}

// checkClients makes sure that what is said of clients is so: who is kept is let in
// by a range afterwards, or by an azure door that stays, and who is cut off is not.
func (s ServerPlan) checkClients() error {
	after, err := judged(s.After)
	if err != nil {
		return err
	}
	var ranges []netipx.IPRange
	for _, r := range after.Rules {
		ranges = append(ranges, r.Ranges...)
	}
	admitted, azure := setOf(ranges), after.Door(exposure.Azure).State != exposure.Closed
	for _, c := range s.Clients {
		if !slices.Contains(Fates, c.Fate) || claimRank(c.Claim) < 0 {
			return fmt.Errorf("the client %q has the fate %q and the claim %q, and one of them is none", c.Address, c.Fate, c.Claim)
		}
		ip, err := netip.ParseAddr(c.Address)
		in := err == nil && admitted.Contains(ip.Unmap())
		switch {
		case c.Fate == CutOff && in:
			return fmt.Errorf("the client %q is said to be cut off, and a rule admits it afterwards", c.Address)
		case c.Fate == KeptByNew && !in, c.Fate == KeptByOld && !in && !azure:
			return fmt.Errorf("the client %q is said to be kept, and no rule admits it afterwards", c.Address)
		}
	}
	return nil
}
