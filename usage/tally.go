package usage

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/posternhq/postern/usage/pglog"
)

// The bounds of a [Tally]. A client takes about half a kilobyte.
const (
	// MaxClients is how many distinct clients that were let in are told apart.
	// Connections of more are counted as Dropped, and nothing is safe then.
	MaxClients = 1 << 16
	// MaxStrangers is how many distinct clients that were refused are told
	// apart, and how many addresses that only knocked. They choose their own
	// names, so they get a bound of their own: a flood of them hides no client.
	MaxStrangers = 1 << 14
)

// Client is one user of a server: an address with a user, a database and an
// application. Names are as the client chose them.
type Client struct {
	// Address is the client's address in its canonical spelling, "[local]", a
	// host name where the log holds names, or empty where it does not tell.
	Address     string `json:"address"`
	User        string `json:"user,omitempty"`
	Database    string `json:"database,omitempty"`
	Application string `json:"application,omitempty"`
	// First and Last are when the client was seen, let in or not.
	First time.Time `json:"first_seen"`
	Last  time.Time `json:"last_seen"`
	// Connections is how often the client was let in, Refused how often it was
	// refused, Knocks how often its address knocked and neither came of it: a
	// wrong password, a cancelled query, a probe. Who knocked is not known: where
	// somebody of the address was let in, it is told of the one seen last.
	Connections int64 `json:"connections"`
	Refused     int64 `json:"refused"`
	Knocks      int64 `json:"knocks"`
	// StillRefused is set where the last that was seen of the client is a refusal.
	StillRefused bool `json:"still_refused,omitempty"`
	// Authenticated is how often a client proved who it is without being seen
	// let in. It is set only where nobody else of its address was let in, and the
	// user is then the identity that it proved.
	Authenticated int64 `json:"authenticated,omitempty"`
	// TurnedAway is how often the server had no room for the client or was not
	// ready. Whether it would have been let in is not known. It is set only where
	// nobody of its address was.
	TurnedAway int64 `json:"-"`
	// Unencrypted is how many of the connections were without TLS.
	Unencrypted int64 `json:"unencrypted"`
	// Ambiguous is set where the log can be read in more than one way, because a
	// name looks like a part of a message: the names are then one of the ways.
	Ambiguous bool `json:"ambiguous,omitempty"`
}

type key struct {
	address, user, database, application string
	ambiguous                            bool
}

// Tally adds events up to clients, in memory that depends on how many different
// clients there are and not on how long the log is.
type Tally struct {
	clients, authenticated, refused, knocks, turnedAway map[key]*Client
	// answered counts, for each address, what came of its knocking.
	answered map[string]int64
	// Dropped counts connections of clients past [MaxClients], Overflow refusals
	// and knocks past [MaxStrangers].
	Dropped, Overflow int64
}

// NewTally returns an empty tally.
func NewTally() *Tally {
	return &Tally{
		clients: map[key]*Client{}, authenticated: map[key]*Client{}, refused: map[key]*Client{}, knocks: map[key]*Client{},
		turnedAway: map[key]*Client{}, answered: map[string]int64{},
	}
}

// Add counts an event.
func (t *Tally) Add(ev pglog.Event) {
	k := key{canonical(ev.Host), ev.User, ev.Database, ev.Application, ev.Ambiguous}
	switch ev.Kind {
	case pglog.Received:
		if c := t.of(t.knocks, key{address: k.address}, MaxStrangers, &t.Overflow, ev.Time); c != nil {
			c.Knocks++
		}
	case pglog.Authorized:
		t.connected(k, ev)
		t.answer(k.address)
	case pglog.Disconnected:
		// A session that began before the log is a connection like another.
		if ev.Unannounced {
			t.connected(k, ev)
		}
	case pglog.Refused:
		k.application, k.ambiguous = "", false
		if c := t.of(t.refused, k, MaxStrangers, &t.Overflow, ev.Time); c != nil {
			c.Refused++
		}
		t.answer(k.address)
	case pglog.TurnedAway:
		if c := t.of(t.turnedAway, key{address: k.address}, MaxClients, &t.Dropped, ev.Time); c != nil {
			c.TurnedAway++
		}
	case pglog.Authenticated:
		// Authorized mostly follows, and says the same and more.
		if c := t.of(t.authenticated, key{address: k.address, user: ev.Identity}, MaxClients, &t.Dropped, ev.Time); c != nil {
			c.Authenticated++
		}
	}
}

// Sighted adds a client that somebody else has added up, from a sample of who is
// connected. One without any number was seen connected once.
func (t *Tally) Sighted(c Client) {
	k := key{canonical(c.Address), c.User, c.Database, c.Application, c.Ambiguous}
	merge := func(in map[key]*Client, k key, room int, dropped *int64) *Client {
		to := t.of(in, k, room, dropped, c.First)
		if to == nil {
			return &Client{}
		}
		to.see(c.Last)
		return to
	}
	if c.Connections+c.Refused+c.Knocks+c.Authenticated == 0 {
		c.Connections = 1
	}
	if c.Connections > 0 {
		to := merge(t.clients, k, MaxClients, &t.Dropped)
		to.Connections += c.Connections
		to.Unencrypted += c.Unencrypted
	}
	if c.Authenticated > 0 {
		merge(t.authenticated, key{address: k.address, user: k.user}, MaxClients, &t.Dropped).Authenticated += c.Authenticated
	}
	if c.Refused > 0 {
		merge(t.refused, key{address: k.address, user: k.user, database: k.database}, MaxStrangers, &t.Overflow).Refused += c.Refused
	}
	if c.Knocks > 0 {
		merge(t.knocks, key{address: k.address}, MaxStrangers, &t.Overflow).Knocks += c.Knocks
	}
}

func (t *Tally) connected(k key, ev pglog.Event) {
	c := t.of(t.clients, k, MaxClients, &t.Dropped, ev.Time)
	if c == nil {
		return
	}
	c.Connections++
	if ev.TLS == "none" && ev.Host != pglog.Local {
		c.Unencrypted++
	}
}

// answer notes that a knock came to something. Only addresses that are known to
// have knocked are kept, which are bounded.
func (t *Tally) answer(address string) {
	if t.knocks[key{address: address}] != nil {
		t.answered[address]++
	}
}

// of returns the client of a key, a new one where there is room, and nil where
// there is none, which is counted.
func (t *Tally) of(in map[key]*Client, k key, room int, dropped *int64, at time.Time) *Client {
	c := in[k]
	switch {
	case c != nil:
	case len(in) >= room:
		*dropped++
		return nil
	default:
		c = &Client{Address: k.address, User: k.user, Database: k.database, Application: k.application, Ambiguous: k.ambiguous, First: at, Last: at}
		in[k] = c
	}
	c.see(at)
	return c
}

// see widens the time in which the client was seen. A zero time is not known.
func (c *Client) see(at time.Time) {
	if at.IsZero() {
		return
	}
	if c.First.IsZero() || at.Before(c.First) {
		c.First = at
	}
	if at.After(c.Last) {
		c.Last = at
	}
}

// Clients returns all clients, ordered by address and name. A refusal belongs to
// the client of the same address, user and database that was seen last, where
// there is one, and knocks to the one of the same address.
func (t *Tally) Clients() []Client {
	var out []Client
	last := map[key]*Client{}
	// Of an address from which somebody was let in, turnedAway says nothing new.
	seen, admitted := map[string]bool{}, map[string]bool{}
	clients := map[key]Client{}
	for k, c := range t.clients {
		copied := *c
		clients[k] = copied
		seen[k.address], admitted[k.address] = true, true
		k.application, k.ambiguous = "", false
		if l := last[k]; l == nil || c.Last.After(l.Last) || c.Last.Equal(l.Last) && c.Application < l.Application {
			last[k] = c
		}
	}
	for k, c := range t.refused {
		seen[k.address] = true
		l := last[k]
		if l == nil {
			refused := *c
			refused.StillRefused = true
			out = append(out, refused)
			continue
		}
		of := key{l.Address, l.User, l.Database, l.Application, l.Ambiguous}
		client := clients[of]
		client.Refused += c.Refused
		client.StillRefused = c.Last.After(l.Last)
		client.see(c.First)
		client.see(c.Last)
		clients[of] = client
	}
	t.tellKnocks(clients)
	// Who proved an identity is told where nobody of that address was let in
	// under any name but Azure's own.
	letIn := map[string]bool{}
	for _, c := range clients {
		out = append(out, c)
		if !c.isAzure() {
			letIn[c.Address] = true
		}
		letIn[c.Address+"\x00"+c.User] = true
	}
	for k, c := range t.authenticated {
		seen[k.address] = true
		if !letIn[k.address] && !letIn[k.address+"\x00"+k.user] {
			out = append(out, *c)
		}
	}
	for k, c := range t.knocks {
		copied := *c
		copied.Knocks -= t.answered[k.address]
		if !seen[k.address] && t.turnedAway[k] == nil && copied.Knocks > 0 {
			out = append(out, copied)
		}
	}
	for k, c := range t.turnedAway {
		if !admitted[k.address] {
			copied := *c
			if knocks := t.knocks[k]; knocks != nil {
				copied.Knocks = max(knocks.Knocks-t.answered[k.address], 0)
				copied.see(knocks.First)
				copied.see(knocks.Last)
			}
			out = append(out, copied)
		}
	}
	slices.SortFunc(out, compareClients)
	return out
}

// tellKnocks adds the knocks of which nothing came to the client of their address that
// was let in last: guesses at a password before one that fits are worth telling.
func (t *Tally) tellKnocks(clients map[key]Client) {
	latest := map[string]key{}
	for k, c := range clients {
		before, known := latest[k.address]
		if !known || c.Last.After(clients[before].Last) || c.Last.Equal(clients[before].Last) && compareClients(c, clients[before]) < 0 {
			latest[k.address] = k
		}
	}
	for address, k := range latest {
		knocks := t.knocks[key{address: address}]
		if knocks == nil {
			continue
		}
		c := clients[k]
		c.Knocks += max(knocks.Knocks-t.answered[address], 0)
		clients[k] = c
	}
}

func compareClients(a, b Client) int {
	// Addresses as numbers; what is no address is the zero address, and first.
	x, _ := netip.ParseAddr(a.Address)
	y, _ := netip.ParseAddr(b.Address)
	return cmp.Or(x.Compare(y), cmp.Compare(a.Address, b.Address), cmp.Compare(a.User, b.User),
		cmp.Compare(a.Database, b.Database), cmp.Compare(a.Application, b.Application), cmp.Compare(b.Connections, a.Connections))
}

// canonical spells an address in one way: an IPv4 address that came over an IPv6
// socket as itself, and without the zone of a link.
func canonical(host string) string {
	address, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	return address.Unmap().WithZone("").String()
}
