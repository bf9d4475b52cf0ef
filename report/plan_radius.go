package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/usage"
)

const (
	// fewServers is how many servers are named before a yes.
	fewServers = 5
	// oldPlan is the age from which on a plan's age is said.
	oldPlan = 24 * time.Hour
)

// radius is what carrying a plan out does to the servers that can be changed.
type radius struct {
	ready, added, deleted int
	// silent is how many servers no evidence was given for, sampled of how many it
	// is no log where the doubts do not say so.
	silent, sampled int
	fates           map[fix.Fate]int
	cutOff          map[fix.Claim]uint64
	// doubts say of servers why their evidence is not enough.
	doubts []string
}

func radiusOf(plan *fix.Plan) radius {
	r := radius{fates: map[fix.Fate]int{}, cutOff: map[fix.Claim]uint64{}}
	for _, s := range plan.Servers {
		if s.Blocked != "" {
			continue
		}
		r.ready++
		added, deleted := countSteps(s.Steps)
		r.added, r.deleted = r.added+added, r.deleted+deleted
		why := notEnough(s)
		switch {
		case s.Evidence == nil:
			r.silent++
		case sampled(s) && !strings.HasPrefix(why, "no log was read"):
			r.sampled++
		}
		if why != "" && len(plan.Servers) > 1 {
			why = s.Server.Name + ": " + why
		}
		if why != "" {
			r.doubts = append(r.doubts, Plain(why))
		}
		for _, c := range s.Clients {
			r.fates[c.Fate]++
			if c.Fate == fix.CutOff {
				r.cutOff[c.Claim]++
			}
		}
	}
	return r
}

// sampled reports whether clients were seen and no log told of them.
func sampled(s fix.ServerPlan) bool { return s.Evidence.First.IsZero() && len(s.Clients) > 0 }

// notEnough is the first reason why the evidence of a server is not enough, empty
// where it is, where there is none, and where nobody comes by the doors anyway.
func notEnough(s fix.ServerPlan) string {
	latent := !slices.ContainsFunc(s.Doors, func(d fix.Door) bool { return d.State != exposure.Latent })
	switch e := s.Evidence; {
	case e == nil || latent:
		return ""
	case len(e.Missing) > 0:
		return e.Missing[0]
	case e.Outcome == usage.NotEnough:
		return "nobody was seen to depend on the door, and somebody may"
	}
	return ""
}

// planRadius adds a plan up: the last words before somebody says yes.
func planRadius(p *printer, plan *fix.Plan, now time.Time) {
	r := radiusOf(plan)
	p.line("%d of %s: adds %s, deletes %s.", r.ready, plural(len(plan.Servers), "server"), plural(r.added, "rule"), plural(r.deleted, "rule"))
	p.line("%s, in %s (%s%s).", serverNames(plan.Servers), Plain(plan.Cloud.Name), Plain(plan.Cloud.Endpoint), tenant(plan.Cloud))
	if age := now.Sub(plan.CreatedAt); age > oldPlan {
		p.line("%s", styleUnknown.Render(fmt.Sprintf("The plan was made %s ago.", usage.Span(age))))
	}
	if blocked := len(plan.Servers) - r.ready; blocked > 0 {
		p.line("%s", styleUnknown.Render(fmt.Sprintf("%s cannot be changed now and will be left alone.", plural(blocked, "server"))))
	}
	if n := r.fates[fix.CutOff]; n > 0 {
		p.line("%s", styleOpen.Render(fmt.Sprintf("CUTS OFF %s: %s.", plural(n, "client"), ownership(r.cutOff))))
	}
	if n := r.fates[fix.Uncertain]; n > 0 {
		p.line("%s", styleUnknown.Render(fmt.Sprintf("What becomes of %s is not known.", plural(n, "client"))))
	}
	if r.silent > 0 {
		p.line("%s", styleUnknown.Render(fmt.Sprintf("Who connects to %s is not known at all.", plural(r.silent, "server"))))
	}
	if r.sampled > 0 {
		p.line("%s", styleUnknown.Render(fmt.Sprintf("No log was read of %s, only samples.", plural(r.sampled, "server"))))
	}
	for _, doubt := range r.doubts[:min(len(r.doubts), fewServers)] {
		p.line("%s", styleUnknown.Render("EVIDENCE NOT ENOUGH: "+doubt+"."))
	}
	if more := len(r.doubts) - fewServers; more > 0 {
		p.line("%s", styleUnknown.Render(fmt.Sprintf("Nor is that of %s more.", plural(more, "server"))))
	}
	p.line("Keeps %s by new rules and %s by rules that stay.", plural(r.fates[fix.KeptByNew], "client"), plural(r.fates[fix.KeptByOld], "client"))
}

// serverNames names the first servers and says how many more there are.
func serverNames(servers []fix.ServerPlan) string {
	var names []string
	for _, s := range servers[:min(len(servers), fewServers)] {
		names = append(names, Plain(s.Server.Name))
	}
	text := strings.Join(names, ", ")
	if more := len(servers) - len(names); more > 0 {
		text += fmt.Sprintf(" and %s more", Thousands(uint64(more)))
	}
	return text
}
