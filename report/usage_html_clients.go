package report

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/posternhq/postern/usage"
)

// A page with 65,536 clients must open. The first of each way stand in the page
// and are drawn; the others stand in parts that are folded, which a browser does
// not lay out until they are opened.
const (
	drawnClients  = 200
	foldedClients = 1000
	// fewStrangers is how many addresses the alarm lists.
	fewStrangers = 12
)

// clientGroup is the clients that come one way.
type clientGroup struct {
	ID, Class, Way, Title, Meaning  string
	Effect                          string
	Tone                            tone
	Clients, Addresses, Connections string
	Parts                           []clientPart
}

// clientPart is a table of clients. Its rows are made when they are written.
type clientPart struct {
	Caption string
	Folded  bool
	// Alone is set for a table that is all of its group: its caption says nothing
	// that the heading does not.
	Alone bool
	Rows  iter.Seq[clientRow]
}

type clientRow struct {
	Address                     string
	Whose                       *whosePart
	User, Database, Application string
	Notes                       []string
	Often                       string
	Seen                        seenPart
	Drawn                       *drawnPart
}

// whosePart says whose an address is: a word for it, the name and the ARM id of
// whoever has it, and what follows.
type whosePart struct {
	Label          string
	Tone           tone
	Name, Resource string
	Notes          []string
}

type drawnPart struct {
	Bar  bar
	Tone tone
}

// classPages says how the page shows a class: the picture of its way, its tone,
// and what closing the azure door does to its clients.
var classPages = map[usage.Class]struct {
	way, effect string
	tone        tone
}{
	usage.AzureDoor:    {"door", "cut off", toneOpen},
	usage.Unknown:      {"unknown", "may be cut off", toneUnknown},
	usage.InternetDoor: {"rule", "keeps working", toneLatent},
	usage.Covered:      {"rule", "keeps working", tonePass},
	usage.Private:      {"private", "keeps working", tonePass},
	usage.AzureItself:  {"self", "keeps working", tonePass},
	usage.ShutOut:      {"shut", "stays out", toneQuiet},
}

func newGroups(a usage.Answer, x axis) []clientGroup {
	of := map[usage.Class][]*usage.Judged{}
	for i := range a.Clients {
		c := &a.Clients[i]
		of[c.Class] = append(of[c.Class], c)
	}
	var out []clientGroup
	for _, class := range usage.Classes {
		clients := of[class]
		if len(clients) == 0 {
			continue
		}
		slices.SortStableFunc(clients, func(a, b *usage.Judged) int { return cmp.Compare(ownerRank(*a), ownerRank(*b)) })
		out = append(out, newGroup(class, clients, x))
	}
	return out
}

func newGroup(class usage.Class, clients []*usage.Judged, x axis) clientGroup {
	look := classPages[class]
	g := clientGroup{
		ID: "by-" + strings.ReplaceAll(string(class), " ", "-"), Class: string(class), Way: look.way, Effect: look.effect, Tone: look.tone,
		Title:   strings.ToUpper(string(class[:1])) + string(class[1:]) + ": " + plural(len(clients), "client"),
		Meaning: sentence(classMeanings[class]),
		Clients: Thousands(uint64(len(clients))),
	}
	addresses, connections := map[string]bool{}, int64(0)
	for _, c := range clients {
		addresses[c.Address] = true
		connections += c.Connections
	}
	delete(addresses, "")
	g.Addresses, g.Connections = Thousands(uint64(len(addresses))), Thousands(uint64(max(0, connections)))
	for begin := 0; begin < len(clients); {
		end := min(begin+drawnClients, len(clients))
		if begin > 0 {
			end = min(begin+foldedClients, len(clients))
		}
		g.Parts = append(g.Parts, clientPart{
			Caption: fmt.Sprintf("%s to %s of %s", Thousands(uint64(begin+1)), Thousands(uint64(end)), plural(len(clients), "client")),
			Folded:  begin > 0, Alone: end-begin == len(clients), Rows: rows(clients[begin:end], x, begin == 0),
		})
		begin = end
	}
	return g
}

func rows(clients []*usage.Judged, x axis, draw bool) iter.Seq[clientRow] {
	return func(yield func(clientRow) bool) {
		for _, c := range clients {
			row := clientRow{
				Address: Plain(cmp.Or(c.Address, "(no address)")), Whose: whose(*c),
				User: Plain(c.User), Database: Plain(c.Database), Application: Plain(c.Application),
				Notes: classNotes(*c), Often: howOften(*c), Seen: seen(c.Client),
			}
			if row.Often == "" && c.Authenticated > 0 {
				row.Often = fmt.Sprintf("proved who it is %s, not seen let in", plural(uint64(c.Authenticated), "time"))
			}
			if draw && !x.from.IsZero() {
				row.Drawn = &drawnPart{Bar: x.bar(c.First, c.Last), Tone: classPages[c.Class].tone}
			}
			if !yield(row) {
				return
			}
		}
	}
}

// seenPart is from when to when a client was seen. From is empty where the log
// does not tell, To where it is the same.
type seenPart struct{ From, To string }

func seen(c usage.Client) seenPart {
	switch {
	case c.First.IsZero():
		return seenPart{}
	case c.First.Equal(c.Last):
		return seenPart{From: instant(c.First)}
	default:
		return seenPart{From: instant(c.First), To: instant(c.Last)}
	}
}

// classNotes says what a client's class rests on, and who may hide behind it.
func classNotes(c usage.Judged) []string {
	var notes []string
	switch c.Class {
	case usage.Covered, usage.InternetDoor:
		notes = append(notes, "admitted by "+Plain(strings.Join(c.Rules, ", ")))
	case usage.Unknown, usage.ShutOut, usage.AzureItself:
		notes = append(notes, Plain(c.Why))
	case usage.AzureDoor, usage.Private:
	}
	if c.Ambiguous {
		notes = append(notes, "the names can be read in more than one way")
	}
	if c.Hidden != "" {
		notes = append(notes, Plain(c.Hidden))
	}
	return notes
}
