package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/posternhq/postern/usage"
)

// byOpenDoor reports whether a client comes by a door that admits anybody, or may:
// there it matters whose an address is.
func byOpenDoor(c usage.Judged) bool {
	return c.Class == usage.AzureDoor || c.Class == usage.InternetDoor || c.Class == usage.Unknown
}

// cameByOpenDoor adds those that were let in, and that nothing would let in today:
// a login that worked is known to whoever used it.
func cameByOpenDoor(c usage.Judged) bool {
	return byOpenDoor(c) || c.Class == usage.ShutOut && c.Connections+c.Authenticated > 0
}

// isStranger reports whether a client was let in by such a door from an address
// inside Azure that nobody has claimed.
func isStranger(c usage.Judged) bool {
	return cameByOpenDoor(c) && c.Origin.Owner == usage.InAzure
}

// isDoubtful reports whether a client was let in by such a door and whose its
// address is, is not known.
func isDoubtful(c usage.Judged) bool {
	return cameByOpenDoor(c) && (c.Origin.Owner == usage.NotKnown || c.Origin.Owner == "")
}

// isCandidate reports whether an address is yours as far as is known, and may be
// somebody else's.
func isCandidate(c usage.Judged) bool {
	return c.Origin.Owner == usage.Yours && c.Origin.Certainty == usage.Candidate
}

// ownerRank puts those first that somebody must look at.
func ownerRank(c usage.Judged) int {
	switch {
	case isStranger(c):
		return 0
	case isDoubtful(c):
		return 1
	case isCandidate(c):
		return 2
	case c.Origin.Owner == usage.Yours:
		return 4
	default:
		return 3
	}
}

// whose says whose a client's address is, nil where there is nothing to say.
func whose(c usage.Judged) *whosePart {
	o := c.Origin
	part := &whosePart{Name: Plain(o.Name), Resource: Plain(o.Resource)}
	switch {
	case isCandidate(c):
		part.Label, part.Tone = "may be yours", toneLatent
	case o.Owner == usage.Yours:
		part.Label, part.Tone = "yours", tonePass
	case isStranger(c) && o.Certainty == usage.UnknownTenant:
		part.Label, part.Tone = "unknown tenant", toneOpen
	case isStranger(c):
		part.Label, part.Tone = "unclaimed", toneOpen
	case o.Owner == usage.InAzure:
		part.Label, part.Tone = "inside Azure", toneQuiet
	case o.Owner == usage.Outside:
		part.Label, part.Tone = "outside Azure", toneQuiet
	case isDoubtful(c):
		part.Label, part.Tone = "not known", toneUnknown
	}
	for _, note := range []string{o.Kind, o.Tag} {
		if note != "" {
			part.Notes = append(part.Notes, Plain(note))
		}
	}
	// The notes of strangers stand in the alarm.
	if o.Note != "" && byOpenDoor(c) && !isStranger(c) {
		part.Notes = append(part.Notes, Plain(o.Note))
	}
	if part.Label == "" && part.Name == "" && len(part.Notes) == 0 {
		return nil
	}
	return part
}

// strangersPart is the headline alarm: who was let in from inside Azure and is
// nobody's, by address. Notes say what that is known from, Doubts whose addresses
// are not certain.
type strangersPart struct {
	Title, More   string
	Notes, Doubts []string
	Addresses     []strangerRow
}

type strangerRow struct {
	Address, Where, Users, Connections string
	Seen                               seenPart
}

// stranger is what is known of one address.
type stranger struct {
	usage.Client
	origin usage.Origin
	users  []string
	// more is set where there are users past those that are named.
	more bool
}

func newStrangers(a usage.Answer) strangersPart {
	var part strangersPart
	found := map[string]*stranger{}
	var order []*stranger
	unknown, inAzure, candidates := 0, 0, 0
	for _, c := range a.Clients {
		switch {
		case isDoubtful(c) && c.Origin.Tag != "":
			inAzure++
		case isDoubtful(c):
			unknown++
		case isCandidate(c) && cameByOpenDoor(c):
			candidates++
		case isStranger(c):
			s := found[c.Address]
			if s == nil {
				s = &stranger{Client: usage.Client{Address: c.Address}, origin: c.Origin}
				found[c.Address] = s
				order = append(order, s)
				if note := plainSentence(c.Origin.Note); note != "" && !slices.Contains(part.Notes, note) {
					part.Notes = append(part.Notes, note)
				}
			}
			s.add(c.Client)
		}
	}
	part.Doubts = doubts(unknown, inAzure, candidates)
	if len(order) == 0 {
		return part
	}
	part.Title = strangersTitle(order)
	slices.SortStableFunc(order, func(a, b *stranger) int { return cmp.Compare(b.Connections, a.Connections) })
	for i, s := range order {
		if i == fewStrangers {
			part.More = sentence("and " + plural(len(order)-i, "more address") + ", first among the clients below")
			break
		}
		part.Addresses = append(part.Addresses, s.row())
	}
	return part
}

func strangersTitle(found []*stranger) string {
	which := "that nobody has claimed"
	// Only where all resources were read can it be said that none has an address.
	if !slices.ContainsFunc(found, func(s *stranger) bool { return s.origin.Certainty != usage.UnknownTenant }) {
		which = "that no resource of yours has"
	}
	return "Let in from inside Azure: " + plural(len(found), "address") + " " + which
}

// doubts says how many clients come by open doors from addresses that are not
// surely anybody's.
func doubts(unknown, inAzure, candidates int) []string {
	var out []string
	if inAzure > 0 {
		out = append(out, plural(inAzure, "client")+": the address is inside Azure, and your own resources were not all read. It may be another customer’s.")
	}
	if unknown > 0 {
		out = append(out, plural(unknown, "client")+": nothing is known of the address, and it may be another customer’s. Service tags (--service-tags) and your own addresses (--own) tell, where the log has an address.")
	}
	if candidates > 0 {
		out = append(out, plural(candidates, "client")+": a resource of yours has the address, and others may have it too.")
	}
	return out
}

func (s *stranger) add(c usage.Client) {
	const fewUsers = 4
	s.Connections += c.Connections
	s.Authenticated += c.Authenticated
	if user := Plain(c.User); user != "" && !slices.Contains(s.users, user) {
		if len(s.users) < fewUsers {
			s.users = append(s.users, user)
		} else {
			s.more = true
		}
	}
	s.First, s.Last = earlier(s.First, c.First), later(s.Last, c.Last)
}

func (s *stranger) row() strangerRow {
	users := strings.Join(s.users, ", ")
	if s.more {
		users += " and others"
	}
	where := Plain(s.origin.Tag)
	if where == "" {
		where = "in a part that is not known"
	}
	return strangerRow{
		Address: Plain(s.Address), Where: where, Users: cmp.Or(users, "(not told)"),
		Connections: Thousands(uint64(max(0, s.Connections))), Seen: seen(s.Client),
	}
}

// knocking says how many addresses inside Azure that nobody has claimed tried and
// were never let in.
func knocking(a usage.Answer) string {
	addresses, tries := map[string]bool{}, int64(0)
	for _, c := range a.Clients {
		if c.Class == usage.ShutOut && c.Origin.Owner == usage.InAzure && !isStranger(c) {
			addresses[c.Address] = true
			tries += c.Refused + c.Knocks
		}
	}
	if len(addresses) == 0 {
		return ""
	}
	verb := "are"
	if len(addresses) == 1 {
		verb = "is"
	}
	return fmt.Sprintf("Of those shut out, %s %s inside Azure and unclaimed: %s without success.",
		plural(len(addresses), "address"), verb, plural(uint64(max(0, tries)), "attempt"))
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
