package pgactivity

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func at(second int) time.Time { return time.Unix(int64(second), 0).UTC() }

func TestSessionsAreCountedOnce(t *testing.T) {
	shop := func(pid, start int64, application string) row {
		return row{backend: backend{pid, start}, address: "127.0.0.2", user: "shop", database: "orders", application: application, plain: true}
	}
	hidden := func(pid int64) row { return row{backend: backend{pid: pid}, user: "other"} }
	of := func(application string, first, last int, start int64, sessions int64) Sighting {
		return Sighting{
			Address: "127.0.0.2", User: "shop", Database: "orders", Application: application, First: at(first), Last: at(last),
			BackendStart: time.UnixMicro(start).UTC(), Sessions: sessions, Unencrypted: sessions,
		}
	}
	tests := []struct {
		name    string
		samples [][]row
		want    []Sighting
	}{
		{"one that stays", [][]row{{shop(1, 5, "")}, {shop(1, 5, "")}, {shop(1, 5, "")}}, []Sighting{of("", 0, 2, 5, 1)}},
		{"two at a time", [][]row{{shop(1, 5, ""), shop(2, 4, "")}}, []Sighting{of("", 0, 0, 4, 2)}},
		{"a process id that is used again", [][]row{{shop(1, 5, "")}, {shop(1, 6, "")}}, []Sighting{of("", 0, 1, 5, 2)}},
		{"one that goes and another that comes", [][]row{{shop(1, 5, "")}, {}, {shop(2, 6, "")}}, []Sighting{of("", 0, 2, 5, 2)}},
		{"applications that take turns", [][]row{{shop(1, 5, "a")}, {shop(1, 5, "b")}, {shop(1, 5, "a")}}, []Sighting{of("a", 0, 2, 5, 1), of("b", 1, 1, 5, 1)}},
		{"hidden", [][]row{{hidden(1)}, {hidden(1)}, {}, {hidden(1)}}, []Sighting{{User: "other", First: at(0), Last: at(3), Sessions: 2}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRegister()
			for i, rows := range tt.samples {
				r.add(at(i), rows)
			}
			if diff := cmp.Diff(tt.want, r.sorted()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestHowOftenIsLookedDoesNotMatter holds the register to a count over sets.
func TestHowOftenIsLookedDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Each session lives in one stretch of samples.
		type life struct{ address, from, to int }
		lives := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) life {
			from := rapid.IntRange(0, 9).Draw(t, "from")
			return life{rapid.IntRange(0, 3).Draw(t, "address"), from, rapid.IntRange(from, 9).Draw(t, "to")}
		}), 0, 20).Draw(t, "lives")
		r := newRegister()
		want := map[string]int64{}
		for second := range 10 {
			var rows []row
			for i, l := range lives {
				if l.from <= second && second <= l.to {
					rows = append(rows, row{backend: backend{int64(i % 3), int64(i + 1)}, address: fmt.Sprint(l.address)})
				}
			}
			r.add(at(second), rows)
		}
		for _, l := range lives {
			want[fmt.Sprint(l.address)]++
		}
		got := map[string]int64{}
		for _, s := range r.sorted() {
			got[s.Address] = s.Sessions
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	r := newRegister()
	const more = 100
	var rows []row
	for i := range MaxSightings + more {
		rows = append(rows, row{backend: backend{int64(i), 1}, application: fmt.Sprint(i)})
	}
	r.add(at(0), rows)
	r.add(at(1), rows)
	if len(r.sightings) != MaxSightings || len(r.live) != MaxSightings || r.dropped != 2*more {
		t.Errorf("%d sightings, %d sessions, %d dropped", len(r.sightings), len(r.live), r.dropped)
	}
	one := newRegister()
	for i := range 10 * maxNames {
		one.add(at(i), []row{{backend: backend{1, 1}, application: fmt.Sprint(i)}})
	}
	if n := len(one.live[backend{1, 1}]); n != maxNames {
		t.Errorf("a session is remembered for %d applications", n)
	}
}

func FuzzARow(f *testing.F) {
	f.Add([]byte("1"), []byte("2"), []byte("127.0.0.1"), []byte("3"), []byte("shop"), []byte("f"))
	f.Add([]byte("1"), []byte("2"), []byte("::ffff:1.2.3.4"), []byte("-1"), []byte(strings.Repeat("é", 200)), []byte("t"))
	f.Fuzz(func(t *testing.T, pid, start, address, port, name, encrypted []byte) {
		r, err := readRow([][]byte{pid, start, address, port, name, name, name, encrypted})
		if err != nil {
			return
		}
		if a, err := netip.ParseAddr(r.address); r.address != "" && r.address != Local && (err != nil || a.String() != r.address || a.Is4In6()) {
			t.Errorf("%q becomes %q", address, r.address)
		}
		if !utf8.ValidString(r.user) || len(r.user) > MaxName || r.user != r.application {
			t.Errorf("%q becomes %q", name, r.user)
		}
	})
}

func TestHowThingsAreSpelled(t *testing.T) {
	for d, want := range map[time.Duration]string{
		10 * time.Minute: "10m", 90 * time.Minute: "1h30m", 2 * time.Hour: "2h", time.Second: "1s", 250 * time.Millisecond: "250ms",
		61*time.Second + 3: "1m1s", 0: "0s", 10 * time.Second: "10s",
	} {
		if got := span(d); got != want {
			t.Errorf("%v is spelled %q, want %q", d, got, want)
		}
	}
	for num, want := range map[int]string{150018: "15.18", 90624: "9.6.24", 100000: "10.0", 180001: "18.1"} {
		if got := version(num); got != want {
			t.Errorf("%d is spelled %q, want %q", num, got, want)
		}
	}
}
