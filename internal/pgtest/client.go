//go:build unix

package pgtest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"net"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Client is one connection to make.
type Client struct {
	// From is the loopback address to come from, 127.0.0.1 where it is empty;
	// "[local]" comes by the Unix socket.
	From string
	// User and Database are postgres where they are empty.
	User, Database string
	Application    string
	Password       string
	// TLS encrypts the connection, which is plain text without.
	TLS bool
	// Params are further parameters of the start-up message.
	Params map[string]string
}

// DSN is a connection string for a user, without TLS, to the database postgres.
func (s *Server) DSN(user string) string {
	u := url.URL{
		Scheme: "postgres", User: url.User(user), Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)),
		Path: "/postgres", RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Connect makes a connection, which ends with the test at the latest. That the
// server refuses it is an error with a *pgconn.PgError in it.
func (s *Server) Connect(c Client) (*pgconn.PgConn, error) {
	s.t.Helper()
	sslmode := "disable"
	if c.TLS {
		sslmode = "require"
	}
	// Everything is named, so that no PG… variable of the machine takes part.
	config, err := pgconn.ParseConfig(fmt.Sprintf("host=127.0.0.1 port=%d user=postgres dbname=postgres sslmode=%s passfile=/nonexistent", s.Port, sslmode))
	check(s.t, err)
	config.Password = c.Password
	config.User, config.Database = or(c.User, "postgres"), or(c.Database, "postgres")
	config.RuntimeParams = map[string]string{"application_name": c.Application}
	maps.Copy(config.RuntimeParams, c.Params)
	dialer := net.Dialer{}
	switch c.From {
	case "[local]":
		config.Host, config.TLSConfig = s.SocketDir, nil
	case "":
	default:
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(c.From)}
	}
	config.DialFunc = dialer.DialContext
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect as %s from %s: %w", config.User, or(c.From, "127.0.0.1"), err)
	}
	s.t.Cleanup(func() { Close(conn) })
	return conn, nil
}

// MustConnect is Connect for a client that must be let in.
func (s *Server) MustConnect(c Client) *pgconn.PgConn {
	s.t.Helper()
	conn, err := s.Connect(c)
	check(s.t, err)
	return conn
}

// Close ends a connection and returns when nothing of it runs any more.
func Close(conn *pgconn.PgConn) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_ = conn.Close(ctx)
	select {
	case <-conn.CleanupDone():
	case <-ctx.Done():
	}
}

// Query runs statements as the superuser in the database postgres, by the Unix
// socket, and returns the first value of the last row, empty where there is none.
func (s *Server) Query(sql string) string {
	s.t.Helper()
	conn := s.MustConnect(Client{From: "[local]", Application: "pgtest"})
	defer Close(conn)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	results, err := conn.Exec(ctx, sql).ReadAll()
	if err != nil {
		s.t.Fatalf("%s: %v", sql, err)
	}
	value := ""
	for _, result := range results {
		for _, row := range result.Rows {
			value = string(row[0])
		}
	}
	return value
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// selfSigned makes a certificate that is its own authority, and its key, in PEM.
func selfSigned(t testing.TB) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	check(t, err)
	secret, err := x509.MarshalECPrivateKey(private)
	check(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret}))
}
