package fix

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go4.org/netipx"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/usage"
)

const (
	// aMonth is a window that holds what runs once a month.
	aMonth = 31 * 24 * time.Hour
	// staleAfter is how old the end of a log may be before it is said.
	staleAfter = 24 * time.Hour
	// wideSpan is how many addresses a listed range may hold before it is said.
	wideSpan = 1 << 16
	// manySteps is how many changes of one server make somebody wait.
	manySteps = 10
)

// warnings is what a person should know before approving, one sentence each.
func (d *draft) warnings() []string {
	w := &sayer{}
	d.warnOfLatent(w)
	d.warnOfEvidence(w)
	d.warnOfClients(w)
	d.warnOfOutlets(w)
	d.warnOfList(w)
	d.warnOfRules(w)
	w.say("A change takes effect within 5 minutes.")
	switch n := len(d.plan.Steps); {
	case d.server.Type == flexible && n == 1:
		w.say("The change keeps the server in the state Updating for about a minute.")
	case d.server.Type == flexible:
		w.say("Each change keeps the server in the state Updating for about a minute: %d one after the other.", n)
	case n > manySteps:
		w.say("There are %d changes, which are made one after the other.", n)
	}
	return w.out
}

type sayer struct{ out []string }

func (s *sayer) say(format string, args ...any) { s.out = append(s.out, fmt.Sprintf(format, args...)) }

func (d *draft) warnOfLatent(w *sayer) {
	if d.found.Enforced == exposure.Yes {
		return
	}
	w.say("Nobody comes by these doors today: %s. Who would come when that changes is not known.", d.found.Why)
	if d.server.Type == citus && d.Network.Public.State == asset.Off {
		w.say("Whether Azure changes rules of a cluster whose public access is off is not documented: it may refuse.")
	}
}

// How sentences of [usage.Answer.Missing] begin whose fact a plan warns of in words
// of its own: no fact is told twice.
const (
	missesLog    = "no log was read"
	missesHidden = "others may hide behind"
	missesLength = "the log vouches for"
	missesEnd    = "what the log vouches for ended"
)

func (d *draft) warnOfEvidence(w *sayer) {
	a := d.Answer
	if !d.hasEvidence() {
		if d.found.Enforced == exposure.Yes {
			w.say("No evidence of who connects was given: whoever comes by these doors and is not kept is cut off, unseen.")
		}
		return
	}
	if d.Sampled {
		w.say("The evidence is samples of who was connected and no log: a client that came between two of them was not seen.")
	}
	for _, m := range a.Missing {
		if told := strings.HasPrefix(m, missesLog) && d.Sampled || strings.HasPrefix(m, missesHidden) && d.hidden() > 0; !told {
			w.say("The evidence is not complete: %s.", m)
		}
	}
	misses := func(fact string) bool {
		return slices.ContainsFunc(a.Missing, func(m string) bool { return strings.HasPrefix(m, fact) })
	}
	if covered := a.Window.Covered(); !a.Window.First.IsZero() && covered < aMonth && !misses(missesLength) {
		w.say("The evidence covers %s: what connects less often, such as a monthly job, may not be in it.", usage.Span(max(0, covered)))
	}
	if last := a.Window.Last; !last.IsZero() && d.Now.Sub(last) > staleAfter && !misses(missesEnd) {
		w.say("The evidence ends %s before this plan was made: who came since was not seen.", usage.Span(d.Now.Sub(last)))
	}
}

func (d *draft) warnOfClients(w *sayer) {
	clients := d.plan.Clients
	count := func(test func(Client) bool) int { return countClients(clients, test) }
	if n := count(func(c Client) bool { return c.Fate == CutOff && c.Claim != "" }); n > 0 {
		w.say("%s that %s yours %s cut off.", clientsWord(n), choose(n, "is or may be", "are or may be"), choose(n, "is", "are"))
	}
	if n := count(func(c Client) bool { return c.Fate == Uncertain }); n > 0 {
		w.say("What becomes of %s could not be decided.", clientsWord(n))
	}
	if n := d.hidden(); n > 0 {
		w.say("Others may hide behind %s, such as those of a connection pooler: they are cut off without being seen here.", clientsWord(n))
	}
	if n := count(func(c Client) bool { return c.Fate == KeptByNew && c.Claim == Candidate }); n > 0 {
		w.say("%s %s by an address that other customers of Azure share: the rule that keeps it lets them in too.", clientsWord(n), choose(n, "comes", "come"))
	}
	// Nothing but a public IPv6 address is uncertain and has colons in it.
	if n := count(func(c Client) bool { return c.Fate == Uncertain && c.Claim != "" && strings.Contains(c.Address, ":") }); n > 0 {
		w.say("%s of yours %s by IPv6, and firewall rules are about IPv4 only: no rule can keep it.", clientsWord(n), choose(n, "comes", "come"))
	}
}

// hidden is how many clients were let in that others may stand behind.
func (d *draft) hidden() int {
	n := 0
	for _, s := range d.clients {
		if s.Hidden != "" && s.Connections > 0 {
			n++
		}
	}
	return n
}

func (d *draft) warnOfList(w *sayer) {
	if d.Keep != KeepListed {
		return
	}
	for _, s := range d.Listed {
		switch from, to := s.Range.From(), s.Range.To(); {
		case from.Is6():
			w.say("The list names %s (%s), and firewall rules are about IPv4 only: it is left out.", spanText(s.Range), s.Name)
		case isPrivate(from) && isPrivate(to):
			w.say("The list names %s (%s), which is private: firewall rules are not asked about it, and it is left out.", spanText(s.Range), s.Name)
		case size(s.Range) >= wideSpan:
			w.say("The list keeps %s (%s), which is %d addresses: narrower is better.", spanText(s.Range), s.Name, size(s.Range))
		}
	}
}

// warnOfRules says what else of the firewall matters: doors that stay, and
// addresses that go with a door's rule.
func (d *draft) warnOfRules(w *sayer) {
	for _, kind := range []exposure.Kind{exposure.Azure, exposure.Internet} {
		if slices.Contains(d.Doors, kind) {
			continue
		}
		if door := d.found.Door(kind); door.State == exposure.Open || door.State == exposure.Latent {
			w.say("The %s door is %s and is not closed by this plan.", kind, door.State)
		}
	}
	for _, r := range d.found.Rules {
		if !r.Azure || !d.isGone(r.Rule.ID) {
			continue
		}
		if lost := minus(setOf(r.Ranges), d.stays); len(lost.Ranges()) > 0 {
			w.say("The rule %q also admits %s, which goes with it.", r.Rule.Name, spansText(lost.Ranges()))
		}
	}
	for _, s := range d.plan.Steps {
		if s.Act == Delete && strings.HasPrefix(strings.ToLower(s.Rule.Name), NamePrefix) {
			w.say("The rule %q has a name that Postern gives to rules that it adds, and is part of a door.", s.Rule.Name)
		}
	}
}

func spanText(r netipx.IPRange) string {
	if r.From() == r.To() {
		return r.From().String()
	}
	return r.From().String() + "–" + r.To().String()
}

func spansText(ranges []netipx.IPRange) string {
	var out []string
	for _, r := range ranges {
		out = append(out, spanText(r))
	}
	return listNames(out)
}
