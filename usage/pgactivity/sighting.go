package pgactivity

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// Local is the address of a client that comes by a Unix socket.
const Local = "[local]"

// Sighting is a client that was seen: an address with a user, a database and an
// application. Names are valid UTF-8, of at most [MaxName] bytes, and otherwise
// as the client chose them.
type Sighting struct {
	// Address is the client's address in its canonical spelling, [Local], or
	// empty where the server hides it from the user that samples.
	Address string
	User    string
	// Database is empty for a physical replica, which has none.
	Database    string
	Application string
	// First and Last are the times of the first and the last sample that had it,
	// by this machine's clock.
	First, Last time.Time
	// BackendStart is when the oldest of its sessions began, by the server's
	// clock: before First for one that was there already. It is zero where the
	// server hides it.
	BackendStart time.Time
	// Sessions counts distinct sessions. A session that changes its application
	// counts for each.
	Sessions int64
	// Unencrypted is how many of them came over a network without TLS or GSSAPI
	// encryption.
	Unencrypted int64
}

type key struct{ address, user, database, application string }

// maxNames is for how many applications a session is remembered. One that takes
// more counts again.
const maxNames = 16

// register adds samples up to sightings.
type register struct {
	sightings map[key]*Sighting
	// live are the sessions of the last sample, with what they counted for.
	live map[backend][]*Sighting
	// dropped counts sessions, at each sample, that found no room.
	dropped int64
}

func newRegister() *register { return &register{sightings: map[key]*Sighting{}} }

// add counts a whole sample. One that broke off halfway must not come here: its
// missing sessions would count again when they are seen next.
func (r *register) add(at time.Time, rows []row) {
	live := make(map[backend][]*Sighting, len(rows))
	for _, row := range rows {
		s := r.of(row, at)
		if s == nil {
			r.dropped++
			continue
		}
		s.Last = at
		if start := time.UnixMicro(row.start).UTC(); row.start != 0 && (s.BackendStart.IsZero() || start.Before(s.BackendStart)) {
			s.BackendStart = start
		}
		counted := r.live[row.backend]
		if !slices.Contains(counted, s) {
			s.Sessions++
			if row.plain {
				s.Unencrypted++
			}
			counted = append(counted, s)
			counted = counted[max(0, len(counted)-maxNames):]
		}
		live[row.backend] = counted
	}
	r.live = live
}

// of returns the sighting of a row, a new one where there is room, otherwise nil.
func (r *register) of(row row, at time.Time) *Sighting {
	k := key{row.address, row.user, row.database, row.application}
	s := r.sightings[k]
	if s == nil && len(r.sightings) < MaxSightings {
		s = &Sighting{Address: k.address, User: k.user, Database: k.database, Application: k.application, First: at}
		r.sightings[k] = s
	}
	return s
}

// sorted returns the sightings, ordered by address and names.
func (r *register) sorted() []Sighting {
	var out []Sighting
	for _, s := range r.sightings {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b Sighting) int {
		// Addresses as numbers; what is no address is the zero address, and first.
		x, _ := netip.ParseAddr(a.Address)
		y, _ := netip.ParseAddr(b.Address)
		return cmp.Or(x.Compare(y), cmp.Compare(a.Address, b.Address), cmp.Compare(a.User, b.User),
			cmp.Compare(a.Database, b.Database), cmp.Compare(a.Application, b.Application))
	})
	return out
}
