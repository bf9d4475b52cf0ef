package pgactivity

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgproto3"
)

// fake serves connections that a test answers, until its end.
func fake(t *testing.T, serve func(net.Conn)) (dsn string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	ctx, end := context.WithCancel(context.Background())
	group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			context.AfterFunc(ctx, func() { _ = conn.Close() })
			group.Go(func() {
				defer conn.Close()
				serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		end()
		_ = listener.Close()
		group.Wait()
	})
	return "postgres://u:" + strings.Join(pieces, "-") + "@" + listener.Addr().String() + "/d?sslmode=disable&connect_timeout=2"
}

// silence reads all that comes and says nothing.
func silence(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// script lets everybody in and answers each query with the next of its answers,
// then is silent.
func script(answers ...[]pgproto3.BackendMessage) func(net.Conn) {
	return func(conn net.Conn) {
		b := pgproto3.NewBackend(conn, conn)
		if _, err := b.ReceiveStartupMessage(); err != nil {
			return
		}
		b.Send(&pgproto3.AuthenticationOk{})
		b.Send(&pgproto3.BackendKeyData{ProcessID: 7, SecretKey: []byte{1, 2, 3, 4}})
		b.Send(&pgproto3.NoticeResponse{Severity: "NOTICE", Message: "\x1b[31m boo"})
		b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		for _, answer := range answers {
			if b.Flush() != nil {
				return
			}
			if _, err := b.Receive(); err != nil {
				return
			}
			for _, message := range answer {
				b.Send(message)
			}
			b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		}
		_ = b.Flush()
		silence(conn)
	}
}

// table is an answer of rows of texts, of which "null" is null.
func table(rows ...[]string) []pgproto3.BackendMessage {
	out := []pgproto3.BackendMessage{&pgproto3.RowDescription{Fields: make([]pgproto3.FieldDescription, len(rows[0]))}}
	for _, row := range rows {
		values := make([][]byte, len(row))
		for i, text := range row {
			if text != "null" {
				values[i] = []byte(text)
			}
		}
		out = append(out, &pgproto3.DataRow{Values: values})
	}
	return append(out, &pgproto3.CommandComplete{CommandTag: []byte("SELECT")})
}

var hello = table([]string{"150001", "f", "7", "1", "t"})

func TestAHostileServerGetsNothingAndIsNotRepeated(t *testing.T) {
	const escape = "\x1b[31m"
	echo := func(conn net.Conn) {
		b := pgproto3.NewBackend(conn, conn)
		if _, err := b.ReceiveStartupMessage(); err != nil {
			return
		}
		b.Send(&pgproto3.AuthenticationCleartextPassword{})
		_ = b.Flush()
		_ = b.SetAuthType(pgproto3.AuthTypeCleartextPassword)
		message, err := b.Receive()
		if password, ok := message.(*pgproto3.PasswordMessage); ok && err == nil {
			b.Send(&pgproto3.ErrorResponse{Severity: escape, Code: "28P01", Message: escape + password.Password})
			_ = b.Flush()
		}
	}
	says := func(bytes string) func(net.Conn) {
		return func(conn net.Conn) {
			_, _ = io.WriteString(conn, bytes)
			silence(conn)
		}
	}
	row := func(cells ...string) []pgproto3.BackendMessage { return table(cells) }
	random := make([]byte, 4096)
	_, _ = rand.Read(random)
	const late, alien = "there was no answer in time", "the answer is not that of a PostgreSQL server"
	tests := []struct {
		name  string
		serve func(net.Conn)
		want  string
	}{
		{"silence", silence, late},
		{"silence when greeted", script(), late},
		{"silence when asked", script(hello), late},
		{"closes at once", func(net.Conn) {}, ""},
		{"a web server", says("HTTP/1.1 400 Bad Request\r\n\r\n" + escape), ""},
		{"random bytes", says(string(random)), ""},
		{"a message of a gigabyte", says("R\x40\x00\x00\x00"), alien},
		{"a password sent back", echo, "the password is missing or wrong"},
		{"a forged SQLSTATE", says("E\x00\x00\x00\x15SFATAL\x00C" + escape + "\x00M\x00\x00"), "an error that has no SQLSTATE"},
		{"an unknown SQLSTATE", script([]pgproto3.BackendMessage{&pgproto3.ErrorResponse{Severity: "ERROR", Code: "XX000", Message: escape}}), "error XX000"},
		{"no greeting", script([]pgproto3.BackendMessage{&pgproto3.CommandComplete{CommandTag: []byte("SELECT 0")}}), alien},
		{"two greetings", script(table([]string{"150001", "f", "7", "1", "t"}, []string{"150001", "f", "7", "1", "t"})), alien},
		{"a greeting too narrow", script(row("150001")), alien},
		{"a version that is none", script(row(escape, "f", "7", "1", "t")), alien},
		{"a row too wide", script(hello, row("1", "1", "1.2.3.4", "1", "u", "d", "a", "t", "more")), alien},
		{"an address that is none", script(hello, row("1", "1", escape, "1", "u", "d", "a", "t")), alien},
		{"a process that is none", script(hello, row("null", "1", "1.2.3.4", "1", "u", "d", "a", "t")), alien},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dsn := fake(t, tt.serve)
			begin := time.Now()
			result, err := Watch(t.Context(), Options{DSN: dsn, Watch: time.Second})
			if err == nil || !strings.Contains(err.Error(), tt.want) || time.Since(begin) > answerPatience+5*time.Second {
				t.Errorf("after %s it says %+v, %v; want %q", time.Since(begin), result, err, tt.want)
			}
			if text := fmt.Sprintf("%v %+v %#v %v", err, err, err, result); strings.Contains(text, "\x1b") || leaks(text) {
				t.Errorf("it shows %q", text)
			}
		})
	}
}

func TestWhatAServerMayInventIsBounded(t *testing.T) {
	const more = 1000
	var rows [][]string
	for i := range MaxSightings + more {
		rows = append(rows, []string{strconv.Itoa(i), "2", "1.2.3.4", "1", "u", "d", strconv.Itoa(i), "f"})
	}
	rows[0][6] = strings.Repeat("é", 400) + "\xff"
	rows[0][2] = "::ffff:1.2.3.4"
	dsn := fake(t, script(hello, table(rows...)))
	result, err := Watch(t.Context(), Options{DSN: dsn})
	if err != nil || len(result.Sightings) != MaxSightings || result.Dropped != more {
		t.Fatalf("%d sightings, %d dropped, %v", len(result.Sightings), result.Dropped, err)
	}
	for _, s := range result.Sightings {
		if len(s.Application) > MaxName || s.Address != "1.2.3.4" || s.Unencrypted != 1 {
			t.Errorf("saw %+v", s)
		}
	}
	if !strings.Contains(strings.Join(result.Limits, "\n"), "1000 sessions, counted at each sample, past the first 65536 clients.") {
		t.Errorf("says %q", result.Limits)
	}
}

// TestAPasswordIsInNoResult asks a server that lets everybody in.
func TestAPasswordIsInNoResult(t *testing.T) {
	dsn := fake(t, script(hello, table([]string{"1", "1", "null", "null", "u", "d", "a", "null"})))
	result, err := Watch(t.Context(), Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(result)
	if err != nil || leaks(string(text)+fmt.Sprintf("%+v", result)) {
		t.Errorf("the result shows %s, %v", text, err)
	}
	if diff := cmp.Diff(int64(1), result.Hidden); diff != "" {
		t.Errorf("hidden (-want +got):\n%s", diff)
	}
}

func TestOldServersAreAskedWhatTheyKnow(t *testing.T) {
	asked := make(chan string, 2)
	dsn := fake(t, func(conn net.Conn) {
		b := pgproto3.NewBackend(conn, conn)
		if _, err := b.ReceiveStartupMessage(); err != nil {
			return
		}
		b.Send(&pgproto3.AuthenticationOk{})
		b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		for _, answer := range [][]pgproto3.BackendMessage{
			table([]string{"90624", "t", "7", "1", "f"}), table([]string{"1", "1", "1.2.3.4", "1", "u", "null", "a", "f"}),
		} {
			_ = b.Flush()
			message, err := b.Receive()
			if err != nil {
				return
			}
			asked <- message.(*pgproto3.Query).String
			for _, m := range answer {
				b.Send(m)
			}
			b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		}
		_ = b.Flush()
	})
	result, err := Watch(t.Context(), Options{DSN: dsn})
	if err != nil || result.Version != "9.6.24" || len(result.Sightings) != 1 {
		t.Fatalf("%+v, %v", result, err)
	}
	<-asked
	if sql := <-asked; strings.Contains(sql, "gssapi") {
		t.Errorf("9.6 is asked %q", sql)
	}
	if !strings.Contains(strings.Join(result.Limits, "\n"), "Clients of the primary") {
		t.Errorf("says %q", result.Limits)
	}
}

func TestOptionsThatMakeNoSense(t *testing.T) {
	for _, o := range []Options{
		{DSN: "host=127.0.0.1 port=1 user=u", Watch: -1}, {DSN: "host=127.0.0.1 port=1 user=u", Interval: time.Millisecond},
		{DSN: "host=127.0.0.1 port=1 user=u", Interval: -1}, {}, {DSN: "host=127.0.0.1 port=1 user=u"},
	} {
		if result, err := Watch(t.Context(), o); err == nil || len(result.Sightings) != 0 {
			t.Errorf("%+v gives %+v, %v", o, result, err)
		}
	}
}
