//go:build unix

package pgactivity

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/posternhq/postern/internal/pgtest"
)

// newServer starts a server with three who may sample: reader and weak with and
// without the right to see others, and the superuser.
func newServer(t *testing.T) *pgtest.Server {
	s := pgtest.Start(t, map[string]string{"log_statement": "all", "log_line_prefix": "%a|"})
	for _, sql := range []string{
		`create role shop login`, `create role "we ird" login`, `create role weak login`,
		`create role reader login password 'S3cr-t0kn-Zq9x'`, `grant pg_read_all_stats to reader`, `create database orders`,
	} {
		s.Query(sql)
	}
	return s
}

// seen leaves out what differs from run to run.
var seen = cmpopts.IgnoreFields(Sighting{}, "First", "Last", "BackendStart")

func look(t *testing.T, o Options) Result {
	t.Helper()
	result, err := Watch(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func execute(t *testing.T, conn *pgconn.PgConn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql).ReadAll(); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func expectLimit(t *testing.T, r Result, want string, is bool) {
	t.Helper()
	if strings.Contains(strings.Join(r.Limits, "\n"), want) != is {
		t.Errorf("it says %q; want %q there: %v", r.Limits, want, is)
	}
}

func TestARealServer(t *testing.T) {
	s := newServer(t)
	begin := time.Now()
	for _, c := range []pgtest.Client{
		{From: "127.0.0.2", User: "shop", Database: "orders", Application: "check out"},
		{From: "127.0.0.2", User: "shop", Database: "orders", Application: "check out", TLS: true},
		{From: "127.0.0.10", User: "we ird", Database: "orders", Application: "x' \x1b[31m", TLS: true},
		{From: "127.0.0.3", User: "weak"},
		{From: "[local]", User: "shop", Application: "cron"},
		{From: "127.0.0.4", Application: "walreceiver", Params: map[string]string{"replication": "true"}},
	} {
		s.MustConnect(c)
	}
	replica := Sighting{Address: "127.0.0.4", User: "postgres", Application: "walreceiver", Sessions: 1, Unencrypted: 1}
	hostile := Sighting{Address: "127.0.0.10", User: "we ird", Database: "orders", Application: "x' ?[31m", Sessions: 1}
	weak := Sighting{Address: "127.0.0.3", User: "weak", Database: "postgres", Sessions: 1, Unencrypted: 1}
	cron := Sighting{Address: Local, User: "shop", Database: "postgres", Application: "cron", Sessions: 1}
	shop := Sighting{Address: "127.0.0.2", User: "shop", Database: "orders", Application: "check out", Sessions: 2, Unencrypted: 1}

	for _, user := range []string{"reader", "postgres"} {
		t.Run("seen by "+user, func(t *testing.T) {
			r := look(t, Options{DSN: s.DSN(user)})
			if diff := cmp.Diff([]Sighting{cron, shop, weak, replica, hostile}, r.Sightings, seen); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, one := range r.Sightings {
				if one.First != r.First || one.Last != r.Last || one.BackendStart.Before(begin.Add(-time.Second)) || one.BackendStart.After(time.Now()) {
					t.Errorf("the times of %+v", one)
				}
			}
			if r.Samples != 1 || r.Missed != 0 || r.Interval != 0 || r.Hidden != 0 || !strings.HasPrefix(r.Version, "1") || r.Server != fmt.Sprintf("127.0.0.1:%d", s.Port) {
				t.Errorf("%+v", r)
			}
			expectLimit(t, r, "pg_read_all_stats", false)
			expectLimit(t, r, "that one moment", true)
		})
	}
	t.Run("seen by one without rights", func(t *testing.T) {
		r := look(t, Options{DSN: s.DSN("weak")})
		var want []Sighting
		for _, one := range []Sighting{replica, shop, cron, hostile, weak} {
			if one.User != "weak" {
				one.Address, one.Unencrypted = "", 0
			}
			want = append(want, one)
		}
		// One of the server's own workers, which cannot be told from a client.
		launcher := Sighting{User: "postgres", Sessions: 1}
		want = append([]Sighting{launcher}, want...)
		if diff := cmp.Diff(want, r.Sightings, seen); diff != "" || r.Hidden != 6 {
			t.Errorf("%d hidden (-want +got):\n%s", r.Hidden, diff)
		}
		expectLimit(t, r, "Where 6 sessions come from", true)
		expectLimit(t, r, "no member of pg_read_all_stats", true)
	})
	t.Run("by the Unix socket", func(t *testing.T) {
		r := look(t, Options{DSN: fmt.Sprintf("host=%s port=%d user=reader dbname=postgres", s.SocketDir, s.Port)})
		if len(r.Sightings) != 5 || r.Server != filepath.Join(s.SocketDir, fmt.Sprintf(".s.PGSQL.%d", s.Port)) {
			t.Errorf("%+v", r)
		}
	})
	t.Run("over TLS", func(t *testing.T) {
		dsn := strings.Replace(s.DSN("reader"), "sslmode=disable", "sslmode=verify-full&sslrootcert="+s.CAFile, 1)
		if r := look(t, Options{DSN: dsn}); len(r.Sightings) != 5 {
			t.Errorf("%+v", r)
		}
		dsn = strings.Replace(s.DSN("reader"), "sslmode=disable", "sslmode=verify-full", 1)
		if _, err := Watch(t.Context(), Options{DSN: dsn}); err == nil || !strings.Contains(err.Error(), "not trusted") {
			t.Errorf("a certificate of nobody's gives %v", err)
		}
	})
	t.Run("who comes and goes", func(t *testing.T) { comeAndGo(t, s) })
	t.Run("the session only reads", func(t *testing.T) { onlyReads(t, s) })
	t.Run("an owner's own catalogue", func(t *testing.T) { shadows(t, s) })
	t.Run("names in no encoding", func(t *testing.T) { noEncoding(t, s) })
	t.Run("a lock", func(t *testing.T) { locked(t, s) })
	t.Run("an interruption", func(t *testing.T) { interrupted(t, s) })
	t.Run("no password is told", func(t *testing.T) { passwords(t, s) })
	t.Run("a line that broke", func(t *testing.T) { brokenLine(t, s) })
	t.Run("a crash", func(t *testing.T) { crash(t, s) })
}

// comeAndGo has clients that connect and leave while the watch goes on.
func comeAndGo(t *testing.T, s *pgtest.Server) {
	const interval = 100 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	visitor := pgtest.Client{From: "127.0.0.7", User: "shop", Application: "visitor"}
	var visit *pgconn.PgConn
	next := func(samples int) {
		switch samples {
		case 3, 12:
			visit = s.MustConnect(visitor)
		case 6, 15:
			pgtest.Close(visit)
		case 18:
			pgtest.Close(s.MustConnect(visitor))
		case 22:
			cancel()
		}
	}
	r, err := Watch(ctx, Options{DSN: s.DSN("reader"), Watch: time.Hour, Interval: interval, Progress: next})
	if err != nil {
		t.Fatal(err)
	}
	var visits []Sighting
	for _, one := range r.Sightings {
		if one.Address == "127.0.0.7" {
			visits = append(visits, one)
		}
	}
	if len(visits) != 1 || visits[0].Sessions != 2 || visits[0].Unencrypted != 2 || len(r.Sightings) != 6 {
		t.Fatalf("saw %+v", r.Sightings)
	}
	if v := visits[0]; !v.First.After(r.First) || !v.Last.Before(r.Last) || v.Last.Sub(v.First) < 5*interval {
		t.Errorf("it was there from %s to %s, in a watch from %s to %s", v.First, v.Last, r.First, r.Last)
	}
	if r.Samples != 22 || r.Interval != interval {
		t.Errorf("%d samples, %d missed", r.Samples, r.Missed)
	}
	expectLimit(t, r, "within the 100ms between two samples", true)
}

func onlyReads(t *testing.T, s *pgtest.Server) {
	s.Query("alter role postgres in database postgres set default_transaction_read_only = off")
	s.Query("alter role postgres set statement_timeout = 0")
	target, err := parse(s.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	session, err := target.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer session.close()
	var refusal *pgconn.PgError
	if _, err := session.conn.Exec(t.Context(), "create table public.x ()").ReadAll(); !errors.As(err, &refusal) || refusal.Code != "25006" {
		t.Errorf("writing gives %v", err)
	}
	begin := time.Now()
	if _, err := session.conn.Exec(t.Context(), "select pg_sleep(20)").ReadAll(); !errors.As(err, &refusal) || refusal.Code != "57014" || time.Since(begin) > 8*time.Second {
		t.Errorf("sleeping gives %v after %s", err, time.Since(begin))
	}
}

// shadows has a database whose owner put views in place of the server's.
func shadows(t *testing.T, s *pgtest.Server) {
	s.Query("create view public.pg_stat_activity as select * from pg_catalog.pg_stat_activity where false")
	s.Query("alter role reader set search_path = public, pg_catalog")
	if r := look(t, Options{DSN: s.DSN("reader")}); len(r.Sightings) != 5 {
		t.Errorf("saw %+v", r.Sightings)
	}
	s.Query("alter role reader reset search_path")
	s.Query("drop view public.pg_stat_activity")
}

// noEncoding has a user whose name is valid in no encoding.
func noEncoding(t *testing.T, s *pgtest.Server) {
	s.Query("create database ascii encoding 'SQL_ASCII' template template0")
	raw := pgtest.Client{From: "[local]", Database: "ascii", Params: map[string]string{"client_encoding": "SQL_ASCII"}}
	admin := s.MustConnect(raw)
	execute(t, admin, "create role \"\xff\xfe\" login")
	raw.User = "\xff\xfe"
	visitor := s.MustConnect(raw)
	for _, database := range []string{"postgres", "ascii"} {
		r := look(t, Options{DSN: strings.Replace(s.DSN("reader"), "/postgres", "/"+database, 1)})
		found := false
		for _, one := range r.Sightings {
			found = found || one.User == "\uFFFD" && one.Address == Local
		}
		if !found {
			t.Errorf("in %s it saw %+v", database, r.Sightings)
		}
	}
	pgtest.Close(visitor)
	execute(t, admin, "drop role \"\xff\xfe\"")
	pgtest.Close(admin)
}

// locked has somebody lock what every sample reads.
func locked(t *testing.T, s *pgtest.Server) {
	admin := s.MustConnect(pgtest.Client{From: "[local]"})
	defer pgtest.Close(admin)
	var holding sync.WaitGroup
	lock := func(samples int) {
		if samples == 2 {
			execute(t, admin, "begin; lock table pg_authid in access exclusive mode")
			holding.Go(func() {
				time.Sleep(1500 * time.Millisecond)
				_, _ = admin.Exec(context.Background(), "rollback").ReadAll()
			})
		}
	}
	r := look(t, Options{DSN: s.DSN("reader"), Watch: 3 * time.Second, Interval: 200 * time.Millisecond, Progress: lock})
	holding.Wait()
	if r.Missed < 5 || r.Samples < 4 || r.Samples+r.Missed != 16 {
		t.Errorf("%d samples, %d missed", r.Samples, r.Missed)
	}
	expectLimit(t, r, fmt.Sprintf("Who was connected at %d of 16 times: somebody holds a lock", r.Missed), true)
}

func interrupted(t *testing.T, s *pgtest.Server) {
	ctx, cancel := context.WithCancel(t.Context())
	stop := func(samples int) {
		if samples == 3 {
			cancel()
		}
	}
	begin := time.Now()
	r, err := Watch(ctx, Options{DSN: s.DSN("reader"), Watch: time.Hour, Interval: 100 * time.Millisecond, Progress: stop})
	if err != nil || !r.Interrupted || r.Samples != 3 || len(r.Sightings) != 5 || time.Since(begin) > 5*time.Second {
		t.Errorf("%+v, %v after %s", r, err, time.Since(begin))
	}
	expectLimit(t, r, "The rest of the watch: it was interrupted after", true)
	if _, err := Watch(ctx, Options{DSN: s.DSN("reader")}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted before anything was seen it gives %v", err)
	}
}

// passwords has the server ask for one. What is told is searched for it.
func passwords(t *testing.T, s *pgtest.Server) {
	s.SetHBA("host all reader 127.0.0.1/32 scram-sha-256", "host all shop all trust")
	right := strings.Replace(s.DSN("reader"), "reader@", "reader:"+strings.Join(pieces, "-")+"@", 1)
	wrong := strings.Replace(right, "Zq9x@", "Zq9x-no@", 1)
	tests := []struct{ name, dsn, want string }{
		{"right", right, ""},
		{"missing", s.DSN("reader"), "password is missing or wrong"},
		{"wrong", wrong, "password is missing or wrong"},
		{"wrong, as a setting", fmt.Sprintf("host=127.0.0.1 port=%d user=reader dbname=postgres sslmode=disable password='S3cr t0kn Zq9x'", s.Port), "password is missing or wrong"},
		{"no entry", strings.Replace(right, "reader:", "weak:", 1), "no entry of pg_hba.conf"},
		{"no database", strings.Replace(right, "/postgres", "/S3cr-db", 1), "no such database"},
	}
	for _, tt := range tests {
		r, err := Watch(t.Context(), Options{DSN: tt.dsn})
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
		if text := fmt.Sprintf("%v %+v %#v %+v", err, err, err, r); leaks(text) {
			t.Errorf("%s: shows %s", tt.name, text)
		}
	}
	t.Setenv("PGPASSWORD", strings.Join(pieces, "-"))
	if r := look(t, Options{DSN: s.DSN("reader")}); len(r.Sightings) != 5 || leaks(fmt.Sprintf("%+v", r)) {
		t.Errorf("with PGPASSWORD it saw %+v", r)
	}
	log, err := os.ReadFile(filepath.Join(s.LogDir, "postgresql.log"))
	if err != nil || leaks(strings.ReplaceAll(strings.ReplaceAll(string(log), "create role reader login password 'S3cr-t0kn-Zq9x'", ""), `"S3cr-db"`, "")) {
		t.Errorf("the server's log has the password, %v", err)
	}
	s.SetHBA("host all all all trust")
}

// brokenLine has a connection that the server takes for alive and Postern does
// not.
func brokenLine(t *testing.T, s *pgtest.Server) {
	target, err := parse(s.DSN("reader"))
	if err != nil {
		t.Fatal(err)
	}
	w := &watch{Options: Options{Now: time.Now}, target: target, register: newRegister(), own: map[backend]bool{}}
	for range 3 {
		if err := w.attempt(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer w.session.close()
		w.session = nil
	}
	for _, one := range w.register.sorted() {
		if one.Application == "postern" {
			t.Errorf("it saw itself: %+v", one)
		}
	}
}

// crash kills the server in the midst of a watch and starts it again.
func crash(t *testing.T, s *pgtest.Server) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	samples := make(chan int, 1000)
	done := make(chan Result)
	go func() {
		r, err := Watch(ctx, Options{DSN: s.DSN("reader"), Watch: time.Hour, Interval: 100 * time.Millisecond, Progress: func(n int) { samples <- n }})
		if err != nil {
			t.Error(err)
		}
		done <- r
	}()
	take := func(n int) {
		for range n {
			select {
			case <-samples:
			case <-ctx.Done():
				t.Fatal("there are no more samples")
			}
		}
	}
	take(3)
	s.Kill()
	time.Sleep(500 * time.Millisecond)
	s.Run()
	s.MustConnect(pgtest.Client{From: "127.0.0.9", User: "shop", Application: "after"})
	take(len(samples) + 3)
	cancel()
	r := <-done
	after := 0
	for _, one := range r.Sightings {
		if one.Application == "after" && one.Address == "127.0.0.9" && one.Sessions == 1 && one.First.After(r.First) {
			after++
		}
	}
	if after != 1 || r.Missed < 3 || !r.Interrupted || len(r.Sightings) != 6 {
		t.Errorf("%d samples, %d missed, saw %+v", r.Samples, r.Missed, r.Sightings)
	}
	expectLimit(t, r, "the connection was lost, and the last error was: ", true)
	s.Kill()
	defer s.Run()
	if _, err := Watch(t.Context(), Options{DSN: s.DSN("reader"), Watch: time.Minute}); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("a server that is not there gives %v", err)
	}
}
