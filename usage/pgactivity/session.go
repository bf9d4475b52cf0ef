package pgactivity

import (
	"bytes"
	"context"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
)

// parameters are the settings of the session. As parameters of the start-up
// message they go over what ALTER ROLE and ALTER DATABASE have set, so that the
// owner of a database can neither take them away nor, with a search_path, put
// views of his own in place of the server's.
var parameters = map[string]string{
	"application_name":                    "postern",
	"search_path":                         "pg_catalog",
	"default_transaction_read_only":       "on",
	"statement_timeout":                   "5000",
	"lock_timeout":                        "1000",
	"idle_in_transaction_session_timeout": "10000",
	// Names come as the bytes they are: with any other encoding a single name
	// that is not valid in it would fail the whole sample.
	"client_encoding": "SQL_ASCII",
}

// sinceEpoch is a time in microseconds, exact in a float's 53 bits.
const sinceEpoch = `(extract(epoch from a.backend_start) * 1000000)::bigint`

// greeting asks what the server is and what this session may see in it. The
// role pg_read_all_stats exists from PostgreSQL 10 on.
const greeting = `select current_setting('server_version_num'), pg_is_in_recovery(), a.pid, ` + sinceEpoch + `,
	current_setting('is_superuser') = 'on' or exists (select 1 from pg_roles r
		where r.rolname = 'pg_read_all_stats' and pg_has_role(r.oid, 'USAGE'))
from pg_stat_activity a where a.pid = pg_backend_pid()`

// The question who is connected. A process without a client's port is none of a
// client: a port is -1 for a Unix socket, and null for the server's own workers.
// Of a session that this one may not look at, port and start are null and its
// user is not; a user that is null belongs to no session, or to one that has not
// logged in yet (PostgreSQL 18). So it stands in pg_stat_get_activity,
// src/backend/utils/adt/pgstatfuncs.c, and holds from version 9.6 to 18;
// pg_stat_gssapi came with 12.
const (
	question = `select a.pid, ` + sinceEpoch + `, host(a.client_addr), a.client_port, a.usename, a.datname, a.application_name, `
	sources  = ` from pg_stat_activity a left join pg_stat_ssl s on s.pid = a.pid`
	clients  = ` where a.pid <> pg_backend_pid() and a.usesysid is not null and (a.client_port is not null or a.backend_start is null)`

	questionTo12 = question + `s.ssl` + sources + clients
	questionOf12 = question + `s.ssl or coalesce(g.encrypted, false)` + sources + ` left join pg_stat_gssapi g on g.pid = a.pid` + clients
)

// session is one connection to the server.
type session struct {
	conn *pgconn.PgConn
	// self is the server's process of this session.
	self backend
	// version is the server's, as server_version_num writes it: 150018, 90624.
	version int
	// replica is set where the server only follows another one; privileged where
	// this session may look at those of other users.
	replica, privileged bool
}

// backend is a process of the server. Start is in microseconds since 1970, and 0
// where this session may not see it. Process ids alone are used again.
type backend struct{ pid, start int64 }

// row is a session as one sample has it.
type row struct {
	backend
	address, user, database, application string
	// plain is set where it is known to come over a network without encryption.
	plain bool
}

// open connects and asks what the server is.
func (t target) open(ctx context.Context) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, t.patience)
	defer cancel()
	conn, err := pgconn.ConnectConfig(ctx, t.config.Copy())
	if err != nil {
		return nil, err
	}
	s := &session{conn: conn}
	if err := s.greet(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *session) greet(ctx context.Context) error {
	rows := 0
	err := s.query(ctx, greeting, 5, func(v [][]byte) error {
		rows++
		version, err := strconv.ParseUint(string(v[0]), 10, 31)
		if err != nil {
			return errAlien
		}
		s.version, s.replica, s.privileged = int(version), isTrue(v[1]), isTrue(v[4])
		s.self, err = readBackend(v[2], v[3])
		return err
	})
	if err == nil && rows != 1 {
		err = errAlien
	}
	return err
}

// sample asks who is connected. The second result counts the sessions past
// [MaxSightings].
func (s *session) sample(ctx context.Context) ([]row, int64, error) {
	ctx, cancel := context.WithTimeout(ctx, answerPatience)
	defer cancel()
	sql := questionOf12
	if s.version < 120000 {
		sql = questionTo12
	}
	var rows []row
	var dropped int64
	err := s.query(ctx, sql, 8, func(v [][]byte) error {
		if len(rows) >= MaxSightings {
			dropped++
			return nil
		}
		r, err := readRow(v)
		rows = append(rows, r)
		return err
	})
	return rows, dropped, err
}

// query runs one statement and hands over the rows of its answer.
func (s *session) query(ctx context.Context, sql string, columns int, row func([][]byte) error) error {
	var wrong error
	results := s.conn.Exec(ctx, sql)
	for results.NextResult() {
		reader := results.ResultReader()
		for reader.NextRow() {
			switch values := reader.Values(); {
			case wrong != nil:
			case len(values) != columns:
				wrong = errAlien
			default:
				wrong = row(values)
			}
		}
	}
	if err := results.Close(); err != nil {
		return err
	}
	return wrong
}

// close ends the session. The server's own clean-up goes on behind it where the
// line is dead; one second is enough where it is not.
func (s *session) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = s.conn.Close(ctx)
	select {
	case <-s.conn.CleanupDone():
	case <-ctx.Done():
	}
}

// readRow reads a row of the answer to the question.
func readRow(v [][]byte) (row, error) {
	r := row{user: clean(v[4]), database: clean(v[5]), application: clean(v[6])}
	var err error
	if r.backend, err = readBackend(v[0], v[1]); err != nil {
		return row{}, err
	}
	switch {
	case v[2] != nil:
		address, err := netip.ParseAddr(string(v[2]))
		if err != nil {
			return row{}, errAlien
		}
		r.address = address.Unmap().WithZone("").String()
		r.plain = v[7] != nil && !isTrue(v[7])
	case bytes.Equal(v[3], []byte("-1")):
		r.address = Local
	}
	return r, nil
}

func readBackend(pid, start []byte) (backend, error) {
	var b backend
	var err error
	if b.pid, err = strconv.ParseInt(string(pid), 10, 64); err != nil {
		return backend{}, errAlien
	}
	if start != nil {
		if b.start, err = strconv.ParseInt(string(start), 10, 64); err != nil {
			return backend{}, errAlien
		}
	}
	return b, nil
}

func isTrue(v []byte) bool { return string(v) == "t" }

// clean makes valid UTF-8 of a name, of at most [MaxName] bytes.
func clean(name []byte) string {
	text := strings.ToValidUTF8(string(name[:min(len(name), MaxName)]), "\uFFFD")
	for len(text) > MaxName {
		_, last := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-last]
	}
	return text
}
