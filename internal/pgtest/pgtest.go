//go:build unix

package pgtest

import (
	"context"
	"fmt"
	"maps"
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
)

// patience bounds every single thing that a test waits for.
const patience = 20 * time.Second

// Server is a PostgreSQL server that runs until its test ends.
type Server struct {
	// Port is where it listens, on 127.0.0.1. It stays the same over a restart.
	Port int
	// DataDir is its cluster. LogDir has what its logging collector writes:
	// postgresql.log, and with another log_destination .csv and .json too.
	DataDir, LogDir string
	// SocketDir is where its Unix socket lies: a host for libpq.
	SocketDir string
	// CAFile is the certificate, PEM, that verifies its own, which is for
	// 127.0.0.1 and localhost.
	CAFile string

	t   testing.TB
	bin string
	// owner is whom the server runs as where the test is root, which the server
	// refuses to be; otherwise it is nil.
	owner *syscall.Credential
}

// Start makes a cluster and starts its server. Everybody is let in without a
// password until [Server.SetHBA] says otherwise; the superuser is postgres. The
// settings in conf, which may be nil, are those of postgresql.conf and go over
// the test's own. Where PostgreSQL is not installed the test skips and says so;
// in CI, where it must be, it fails.
func Start(t testing.TB, conf map[string]string) *Server {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		const why = "PostgreSQL's server is absent (looked for /usr/lib/postgresql/*/bin/initdb): scripts/install-test-deps.sh installs it"
		if os.Getenv("CI") != "" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	slices.Sort(found)
	// t.TempDir is out of reach of another user, and too long for a socket.
	dir, err := os.MkdirTemp("", "postern-pg-")
	check(t, err)
	t.Cleanup(func() { check(t, os.RemoveAll(dir)) })
	s := &Server{
		Port: freePort(t), DataDir: filepath.Join(dir, "data"), LogDir: filepath.Join(dir, "log"), SocketDir: dir,
		CAFile: filepath.Join(dir, "data", "server.crt"),
		t:      t, bin: filepath.Dir(found[len(found)-1]),
	}
	if os.Getuid() == 0 {
		s.owner = postgres(t)
	}
	s.give(dir)
	s.run("initdb", "-D", s.DataDir, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale", "C", "--no-sync")
	certificate, key := selfSigned(t)
	s.write("server.crt", certificate)
	s.write("server.key", key)
	s.writeConf(conf)
	s.writeHBA([]string{"host all all all trust", "host replication all all trust"})
	s.Run()
	t.Cleanup(func() {
		if s.running() {
			s.Stop()
		}
	})
	return s
}

// writeConf writes postgresql.conf, with conf over the defaults.
func (s *Server) writeConf(conf map[string]string) {
	s.t.Helper()
	settings := map[string]string{
		"listen_addresses": "127.0.0.1", "port": strconv.Itoa(s.Port), "unix_socket_directories": s.SocketDir,
		"fsync": "off", "shared_buffers": "16MB", "max_connections": "50", "ssl": "on",
		"logging_collector": "on", "log_directory": s.LogDir, "log_filename": "postgresql.log", "log_timezone": "UTC",
	}
	maps.Copy(settings, conf)
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&text, "%s = '%s'\n", name, strings.ReplaceAll(settings[name], "'", "''"))
	}
	s.write("postgresql.conf", text.String())
}

// SetHBA replaces the lines of pg_hba.conf and returns when every new connection
// goes by them; those that are open stay. A line that PostgreSQL does not
// understand fails the test. Whoever comes by the Unix socket is let in before any.
func (s *Server) SetHBA(lines ...string) {
	s.t.Helper()
	s.writeHBA(lines)
	s.Reload()
	if wrong := s.Query("select coalesce(string_agg(line_number || ': ' || error, '; '), '') from pg_hba_file_rules where error is not null"); wrong != "" {
		s.t.Fatalf("pg_hba.conf: %s\n%s", wrong, strings.Join(lines, "\n"))
	}
}

func (s *Server) writeHBA(lines []string) {
	s.t.Helper()
	s.write("pg_hba.conf", "local all all trust\n"+strings.Join(lines, "\n")+"\n")
}

// Reload makes the server read its files again and returns when it has.
func (s *Server) Reload() {
	s.t.Helper()
	// The time of loading is handed to each new process by the one that reads
	// pg_hba.conf, between reading it and making the process.
	const loaded = "select pg_conf_load_time()"
	before := s.Query(loaded)
	s.run("pg_ctl", "-D", s.DataDir, "reload")
	for deadline := time.Now().Add(patience); s.Query(loaded) == before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("the server has not reloaded after %s", patience)
		}
	}
}

// Run starts the server after [Server.Stop] or [Server.Kill].
func (s *Server) Run() {
	s.t.Helper()
	// Without -l its output would hold the pipe of pg_ctl open for ever.
	s.run("pg_ctl", "-D", s.DataDir, "-l", filepath.Join(s.SocketDir, "start.log"), "-w", "start")
}

// Stop ends all sessions and then the server, in good order.
func (s *Server) Stop() {
	s.t.Helper()
	s.run("pg_ctl", "-D", s.DataDir, "-m", "fast", "-w", "stop")
}

// Kill ends the server as a crash would, without a word to its clients.
func (s *Server) Kill() {
	s.t.Helper()
	s.run("pg_ctl", "-D", s.DataDir, "-m", "immediate", "-w", "stop")
}

func (s *Server) running() bool {
	_, err := os.Stat(filepath.Join(s.DataDir, "postmaster.pid"))
	return err == nil
}

// write writes a file of the cluster, readable to the server's user only.
func (s *Server) write(name, text string) {
	s.t.Helper()
	path := filepath.Join(s.DataDir, name)
	check(s.t, os.WriteFile(path, []byte(text), 0o600))
	s.give(path)
}

// give makes a file the server's user's.
func (s *Server) give(path string) {
	s.t.Helper()
	if s.owner != nil {
		check(s.t, os.Chown(path, int(s.owner.Uid), int(s.owner.Gid)))
	}
}

// postgres is the user that Debian's package makes.
func postgres(t testing.TB) *syscall.Credential {
	t.Helper()
	owner, err := user.Lookup("postgres")
	check(t, err)
	uid, err := strconv.ParseUint(owner.Uid, 10, 32)
	check(t, err)
	gid, err := strconv.ParseUint(owner.Gid, 10, 32)
	check(t, err)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// run runs one of PostgreSQL's programs as the user that owns the cluster.
func (s *Server) run(name string, args ...string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, name), args...) //nolint:gosec // tests choose what runs
	cmd.Dir = s.SocketDir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.owner}
	if out, err := cmd.CombinedOutput(); err != nil {
		log, _ := os.ReadFile(filepath.Join(s.SocketDir, "start.log"))
		s.t.Fatalf("%s: %v\n%s%s", name, err, out, log)
	}
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	check(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
