//go:build unix

package pglog_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/posternhq/postern/usage/pglog"
)

// postgres is a server of Debian's package that the test runs for itself, on
// loopback and in a folder of its own.
type postgres struct {
	t    *testing.T
	bin  string
	dir  string
	port int
	// uid and gid are those the server runs as; it refuses to be root.
	uid, gid int
}

// newPostgres makes a cluster with a certificate, two databases and some roles.
func newPostgres(t *testing.T) *postgres {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		const why = "PostgreSQL's server is absent (looked for /usr/lib/postgresql/*/bin/initdb): scripts/install-test-deps.sh installs it"
		if os.Getenv("CI") == "true" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	slices.Sort(found)
	dir, err := os.MkdirTemp("", "postern-pg-")
	check(t, err)
	p := &postgres{t: t, bin: filepath.Dir(found[len(found)-1]), dir: dir, port: freePort(t), uid: os.Getuid(), gid: os.Getgid()}
	t.Cleanup(func() { check(t, os.RemoveAll(dir)) })
	if p.uid == 0 {
		owner, err := user.Lookup("postgres")
		check(t, err)
		p.uid, _ = strconv.Atoi(owner.Uid)
		p.gid, _ = strconv.Atoi(owner.Gid)
	}
	check(t, os.Chown(dir, p.uid, p.gid))
	p.run("initdb", "-D", p.path("data"), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale", "C", "--no-sync")
	writeCertificate(t, p.path("data/server.crt"), p.path("data/server.key"))
	for _, name := range []string{"server.crt", "server.key"} {
		check(t, os.Chown(p.path("data/"+name), p.uid, p.gid))
	}
	p.write("pg_hba.conf", `local   all all                  trust
host    all secret 127.0.0.2/32  password
host    all all    127.0.0.2/32  trust
hostssl all all    127.0.0.3/32  trust
`)
	p.start("setup", "%t-%c-", "off")
	for _, q := range []string{
		`create role shop login`, `create role "we ird" login`, `create role secret login password 'hush'`,
		`create database orders`, `create database "post gres"`,
	} {
		p.connect(client{unix: true, user: "postgres", database: "postgres", query: q})
	}
	p.stop()
	return p
}

func (p *postgres) path(name string) string { return filepath.Join(p.dir, name) }

func (p *postgres) write(name, text string) {
	p.t.Helper()
	check(p.t, os.WriteFile(p.path("data/"+name), []byte(text), 0o600))
	check(p.t, os.Chown(p.path("data/"+name), p.uid, p.gid))
}

// run runs one of PostgreSQL's programs as the user that owns the cluster.
func (p *postgres) run(name string, args ...string) {
	p.t.Helper()
	cmd := exec.Command(filepath.Join(p.bin, name), args...)
	cmd.Dir = p.dir
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(p.uid), Gid: uint32(p.gid)}}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// start starts the server, which logs into the folder with the given name.
func (p *postgres) start(logs, prefix, connections string) {
	p.t.Helper()
	p.write("postgresql.conf", fmt.Sprintf(`listen_addresses = '127.0.0.1'
port = %d
unix_socket_directories = '%s'
fsync = off
ssl = on
logging_collector = on
log_destination = 'stderr,csvlog,jsonlog'
log_directory = '%s'
log_filename = 'postgresql.log'
log_timezone = 'UTC'
log_connections = %s
log_disconnections = %s
log_statement = 'all'
log_line_prefix = '%s'
`, p.port, p.dir, p.path(logs), connections, connections, prefix))
	p.run("pg_ctl", "-D", p.path("data"), "-l", p.path("start.log"), "-w", "start")
	p.t.Cleanup(func() {
		if _, err := os.Stat(p.path("data/postmaster.pid")); err == nil {
			p.stop()
		}
	})
}

func (p *postgres) stop() {
	p.t.Helper()
	p.run("pg_ctl", "-D", p.path("data"), "-m", "fast", "-w", "stop")
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// events is what a log must say of a client that did what was asked of it.
func (c client) events() []pglog.Event {
	of := func(kind pglog.Kind) pglog.Event {
		return pglog.Event{Kind: kind, Host: c.host, Port: c.port}
	}
	out := []pglog.Event{of(pglog.Received)}
	if c.refused {
		ev := of(pglog.Refused)
		ev.Port = ""
		ev.User, _, _ = strings.Cut(c.user, "\n")
		if ev.User == c.user {
			ev.Database = c.database
		}
		return append(out, ev)
	}
	if c.password != "" {
		ev := of(pglog.Authenticated)
		ev.Identity, ev.Method = c.user, "password"
		out = append(out, ev)
	}
	ev := of(pglog.Authorized)
	ev.User, ev.Database, ev.Application, ev.TLS = c.user, c.database, c.application, "none"
	if c.tls {
		ev.TLS = "TLSv1.3"
	}
	ended := ev
	ended.Kind, ended.TLS = pglog.Disconnected, ""
	return append(out, ev, ended)
}

func TestRealPostgreSQLTellsTheSameInEveryFormat(t *testing.T) {
	p := newPostgres(t)
	clients := []client{
		{from: "127.0.0.2", user: "shop", database: "orders", application: "check out", query: "select 'LOG:  connection authorized: user=a\n2026-11-01 00:00:00 UTC-1.1-LOG:  connection authorized: user=x database=y'"},
		{from: "127.0.0.3", tls: true, user: "we ird", database: "post gres", application: "x database=y"},
		{from: "127.0.0.2", user: "secret", password: "hush", database: "orders"},
		{from: "127.0.0.3", user: "shop", database: "orders", refused: true},
		{from: "127.0.0.4", user: `sh"op, user "you`, database: "orders", refused: true},
		{unix: true, user: "shop", database: "orders", application: "cron"},
	}
	// With the user's name in the prefix, one with a line break forges entries.
	forger := client{from: "127.0.0.4", user: "evil\n2026-11-01 00:00:00 UTC-1.1-LOG:  connection authorized: user=x database=y", database: "orders", refused: true}
	tests := []struct {
		prefix  string
		clients []client
	}{
		{"%t-%c-", append(slices.Clone(clients), forger)},
		{"%m [%p] %q%u@%d/%a ", clients},
		{"%-20a|%20u|%-3d|%r|%-30h|%b|%10p|%-5P|%t|%m|%n|%i|%e|%-20c|%l|%s|%v|%x|%%|%q ", clients},
	}
	for i, tt := range tests {
		t.Run(tt.prefix, func(t *testing.T) {
			logs := "run" + strconv.Itoa(i)
			p.t = t
			p.start(logs, tt.prefix, "on")
			var want []pglog.Event
			for _, c := range tt.clients {
				want = append(want, p.connect(c).events()...)
			}
			p.stop()
			for _, name := range []string{"postgresql.log", "postgresql.csv", "postgresql.json"} {
				var got []pglog.Event
				r, err := pglog.New(pglog.Options{Prefix: tt.prefix}, func(ev pglog.Event) { got = append(got, ev) })
				check(t, err)
				check(t, r.ReadPath(t.Context(), p.path(logs+"/"+name), nil))
				stats := r.Finish()
				for i, ev := range got {
					// Only csvlog and jsonlog tell a name beyond its line break.
					if first, _, broken := strings.Cut(ev.User, "\n"); broken {
						got[i].User, got[i].Database = first, ""
					}
					if ev.Ambiguous && name != "postgresql.log" {
						t.Errorf("%s keeps names apart: %+v", name, ev)
					}
					if age := time.Since(ev.Time); age < -time.Second || age > time.Minute || ev.Session == "" {
						t.Errorf("%s: %+v", name, ev)
					}
				}
				if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(pglog.Event{}, "Time", "Session", "Ambiguous")); diff != "" {
					text, _ := os.ReadFile(p.path(logs + "/" + name))
					t.Errorf("%s (-want +got):\n%s\n%s", name, diff, text)
				}
				if stats.Unreadable != 0 || stats.Truncated != 0 || stats.Unjoined != 0 {
					t.Errorf("%s: counted %+v", name, stats)
				}
			}
		})
	}
}
