package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/fix/equivalent"
	"github.com/posternhq/postern/usage"
)

// fewFates is how many clients of a fate are listed, where nothing happens to them.
const fewFates = 20

// PlanText shows a plan to the person who approves it: for each server what
// closes, who is cut off, who is kept and by which rule, the steps, the way back,
// and what to know before. Equivalents adds the same change as commands and code, and
// the steps of the better ways.
func PlanText(out io.Writer, width int, plan *fix.Plan, equivalents bool) error {
	p := printer{out: out, width: width}
	p.block(0, styleStrong.Render(fmt.Sprintf("Plan for %s, keeping %s", plural(len(plan.Servers), "server"), keepWords[plan.Keep])))
	p.block(0, styleQuiet.Render(fmt.Sprintf("Made %s by %s %s for %s (%s%s).", instant(plan.CreatedAt), Plain(plan.Tool.Name), Plain(plan.Tool.Version),
		Plain(plan.Cloud.Name), Plain(plan.Cloud.Endpoint), tenant(plan.Cloud))))
	p.line("")
	for _, s := range plan.Servers {
		planServer(&p, s, equivalents)
		if equivalents {
			planEquivalents(&p, plan.Cloud, s)
		}
	}
	p.line("%s", styleQuiet.Render("Digest "+Plain(plan.Digest)))
	p.line("")
	planRadius(&p, plan, plan.CreatedAt)
	if p.err != nil {
		return fmt.Errorf("write the plan: %w", p.err)
	}
	return nil
}

// BlastRadius says in a few lines what carrying a plan out does and what that rests
// on, for the question before it. Now tells how old the plan is.
func BlastRadius(out io.Writer, plan *fix.Plan, now time.Time) error {
	p := printer{out: out}
	planRadius(&p, plan, now)
	if p.err != nil {
		return fmt.Errorf("write what the plan does: %w", p.err)
	}
	return nil
}

var keepWords = map[fix.Keep]string{
	fix.KeepObserved: "the clients that were seen and are or may be yours",
	fix.KeepListed:   "the addresses of the list",
	fix.KeepNone:     "nobody",
}

func tenant(c fix.Cloud) string {
	if c.Tenant == "" {
		return ""
	}
	return ", tenant " + Plain(c.Tenant)
}

func planServer(p *printer, s fix.ServerPlan, equivalents bool) {
	p.line("%s  %s", styleStrong.Render(Plain(s.Server.Name)), styleQuiet.Render(planPlace(s.Server)))
	p.block(indent, planHeadline(s))
	if s.Blocked != "" {
		p.block(indent, styleUnknown.Render("CANNOT BE CHANGED NOW")+"  "+Plain(s.Blocked))
	}
	p.line("")
	planEvidence(p, s)
	for _, fate := range fix.Fates {
		planFate(p, fate, s)
	}
	planSteps(p, "Steps", s.Steps)
	planSteps(p, "The way back", s.WayBack)
	if len(s.Warnings) > 0 {
		p.line("%s%s", strings.Repeat(" ", indent), styleLatent.Render("Before you approve"))
		for _, w := range s.Warnings {
			p.block(2*indent, Plain(w))
		}
		p.line("")
	}
	for _, c := range s.Cures {
		planCure(p, c, equivalents)
	}
	p.block(indent, styleQuiet.Render(Plain(s.Server.ID)))
	p.line("")
}

// planCure names a better way, and how to go it when asked.
func planCure(p *printer, c fix.Cure, steps bool) {
	p.line("%s%s  %s", strings.Repeat(" ", indent), stylePass.Render("A better way"), Plain(c.Title))
	p.block(2*indent, Plain(c.Why))
	if !steps {
		p.block(2*indent, styleQuiet.Render("`--commands` shows the steps."))
	} else {
		for i, step := range c.Steps {
			p.block(2*indent, fmt.Sprintf("%d. %s", i+1, Plain(step)))
		}
	}
	p.line("")
}

func planPlace(s fix.Server) string {
	return strings.Join([]string{Plain(s.Label), Plain(s.ResourceGroup), Plain(s.Location), Plain(s.SubscriptionID)}, " · ")
}

// planHeadline says which doors close and by how many changes.
func planHeadline(s fix.ServerPlan) string {
	var doors []string
	for _, d := range s.Doors {
		style := styleOpen
		if d.State == exposure.Latent {
			style = styleLatent
		}
		doors = append(doors, style.Render(fmt.Sprintf("the %s door (%s)", Plain(string(d.Kind)), Plain(string(d.State)))))
	}
	added, deleted := countSteps(s.Steps)
	return fmt.Sprintf("Closes %s: adds %s, deletes %s.", strings.Join(doors, " and "), plural(added, "rule"), plural(deleted, "rule"))
}

func countSteps(steps []fix.Step) (added, deleted int) {
	for _, s := range steps {
		if s.Act == fix.Put {
			added++
		} else {
			deleted++
		}
	}
	return added, deleted
}

func planEvidence(p *printer, s fix.ServerPlan) {
	e := s.Evidence
	switch {
	case e == nil:
		p.block(indent, styleUnknown.Render("Who connects is not known: no evidence was given."))
	case e.First.IsZero():
		p.block(indent, "The evidence is no log: samples of who was connected.")
	default:
		p.block(indent, fmt.Sprintf("The evidence is a log from %s to %s, %s of which can be trusted.", instant(e.First), instant(e.Last),
			usage.Span(time.Duration(e.Covered)*time.Second)))
	}
	p.line("")
}

func fateStyle(f fix.Fate) lipgloss.Style {
	switch f {
	case fix.CutOff:
		return styleOpen
	case fix.Uncertain:
		return styleUnknown
	case fix.KeptByNew, fix.KeptByOld:
		return stylePass
	default:
		return styleQuiet
	}
}

// planFate lists the clients of a fate. Nobody who is cut off or uncertain is
// left out.
func planFate(p *printer, fate fix.Fate, s fix.ServerPlan) {
	clients := clientsOf(s, fate)
	if len(clients) == 0 {
		return
	}
	title := string(fate)
	if fate == fix.CutOff {
		title = strings.ToUpper(title)
	}
	p.line("%s%s  %s", strings.Repeat(" ", indent), fateStyle(fate).Render(title), styleQuiet.Render(fateCount(fate, clients)))
	listed := clients
	if fate != fix.CutOff && fate != fix.Uncertain && len(listed) > fewFates {
		listed = listed[:fewFates]
	}
	for i, c := range listed {
		p.line("%s%s", strings.Repeat(" ", 2*indent), planClient(c))
		// Clients of one address mostly share the reason: it is said once.
		if i+1 == len(listed) || planWhy(listed[i+1]) != planWhy(c) {
			p.block(3*indent, styleQuiet.Render(planWhy(c)))
		}
	}
	if more := len(clients) - len(listed); more > 0 {
		p.line("%sand %s more (the plan's file lists them)", strings.Repeat(" ", 2*indent), Thousands(uint64(more)))
	}
	p.line("")
}

func clientsOf(s fix.ServerPlan, fate fix.Fate) []fix.Client {
	var out []fix.Client
	for _, c := range s.Clients {
		if c.Fate == fate {
			out = append(out, c)
		}
	}
	return out
}

// fateCount is how many clients there are and whose, where that matters: nobody
// needs an owner to be let in as before.
func fateCount(fate fix.Fate, clients []fix.Client) string {
	count := plural(len(clients), "client")
	if fate == fix.KeptByOld || fate == fix.Untouched {
		return count
	}
	claims := map[fix.Claim]uint64{}
	for _, c := range clients {
		claims[c.Claim]++
	}
	return count + ": " + ownership(claims)
}

// ownership counts apart what is yours, what may be, and what nobody knows.
func ownership(claims map[fix.Claim]uint64) string {
	return fmt.Sprintf("%s yours, %s may be yours, %s not known to be yours",
		Thousands(claims[fix.Owned]), Thousands(claims[fix.Candidate]), Thousands(claims[""]))
}

func planClient(c fix.Client) string {
	address := c.Address
	if address == "" {
		address = "(no address)"
	}
	parts := []string{Plain(address)}
	for _, part := range [][2]string{{"user", c.User}, {"database", c.Database}, {"application", c.Application}} {
		if part[1] != "" {
			parts = append(parts, part[0]+" "+Plain(part[1]))
		}
	}
	if c.Connections > 0 {
		parts = append(parts, plural(uint64(c.Connections), "connection"))
	}
	return strings.Join(append(parts, "last seen "+instant(c.Last)), ", ")
}

// planWhy says whose the address is and what the fate rests on.
func planWhy(c fix.Client) string {
	var parts []string
	switch name := Plain(c.Origin.Name); c.Claim {
	case fix.Owned:
		parts = append(parts, "yours: "+name)
	case fix.Candidate:
		parts = append(parts, "may be yours: "+name)
	default:
		if c.Fate != fix.KeptByOld && c.Fate != fix.Untouched {
			parts = append(parts, "not known to be yours")
		}
	}
	if c.Origin.Tag != "" {
		parts = append(parts, Plain(c.Origin.Tag))
	}
	why := c.Why
	if len(c.Rules) > 0 {
		why += " (" + strings.Join(c.Rules, ", ") + ")"
	}
	return strings.Join(append(parts, Plain(why)), "; ")
}

func planSteps(p *printer, title string, steps []fix.Step) {
	p.line("%s%s", strings.Repeat(" ", indent), styleStrong.Render(title))
	for i, s := range steps {
		act := "delete"
		if s.Act == fix.Put {
			act = "put   "
		}
		p.line("%s%2d. %s %s  %s", strings.Repeat(" ", 2*indent), i+1, act, Plain(s.Rule.Name),
			styleQuiet.Render(Plain(fmt.Sprintf("%s–%s, %s", s.Rule.Start, s.Rule.End, s.Why))))
	}
	p.line("")
}

func planEquivalents(p *printer, cloud fix.Cloud, s fix.ServerPlan) {
	p.line("%s%s", strings.Repeat(" ", indent), styleStrong.Render("The same by other means"))
	p.block(2*indent, "Wait after each command until the server is Ready again. If Terraform or Bicep keeps these rules, change the code too: its next run would bring the door back.")
	p.line("")
	for _, e := range equivalent.For(cloud, s) {
		p.line("%s%s  %s", strings.Repeat(" ", 2*indent), styleStrong.Render(Plain(e.Title)), styleQuiet.Render(Plain(e.Label)))
		p.command(3*indent, e.Text)
		p.line("")
	}
}
