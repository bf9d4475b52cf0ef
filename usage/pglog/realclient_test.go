//go:build unix

package pglog_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/posternhq/postern/usage/pglog"
)

// client is one connection to make, in PostgreSQL's protocol 3.0 written by
// hand, so that its own address can be chosen and every name be anything.
type client struct {
	// from is the address to come from; unix comes by the socket instead.
	from                        string
	unix, tls                   bool
	user, database, application string
	password, query             string
	// refused is what must come of it.
	refused bool
	// host and port are what the log should call it, set by connect.
	host, port string
}

// connect makes the connection, runs its query and ends it. It returns when the
// server has ended the session too, and so has logged it.
func (p *postgres) connect(c client) client {
	p.t.Helper()
	const patience = 20 * time.Second
	dialer := &net.Dialer{Timeout: patience}
	network, address := "unix", p.path(".s.PGSQL."+strconv.Itoa(p.port))
	c.host = pglog.Local
	if !c.unix {
		network, address = "tcp", "127.0.0.1:"+strconv.Itoa(p.port)
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(c.from)}
	}
	conn, err := dialer.Dial(network, address)
	check(p.t, err)
	defer conn.Close()
	check(p.t, conn.SetDeadline(time.Now().Add(patience)))
	if local, ok := conn.LocalAddr().(*net.TCPAddr); ok && !c.unix {
		c.host, c.port = local.IP.String(), strconv.Itoa(local.Port)
	}
	if c.tls {
		const sslRequest = 80877103
		check(p.t, binary.Write(conn, binary.BigEndian, []uint32{8, sslRequest}))
		answer := make([]byte, 1)
		_, err := io.ReadFull(conn, answer)
		check(p.t, err)
		if answer[0] != 'S' {
			p.t.Fatalf("the server answers %q to TLS", answer)
		}
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
	}
	if err := c.talk(conn); c.refused != errors.Is(err, errRefused) || err != nil && !c.refused {
		p.t.Fatalf("client %+v: %v", c, err)
	}
	return c
}

var errRefused = errors.New("refused")

func (c client) talk(conn net.Conn) error {
	const version = 3 << 16
	startup := binary.BigEndian.AppendUint32(nil, version)
	for _, pair := range [][2]string{{"user", c.user}, {"database", c.database}, {"application_name", c.application}} {
		if pair[1] != "" {
			startup = append(startup, pair[0]+"\x00"+pair[1]+"\x00"...)
		}
	}
	if err := send(conn, 0, append(startup, 0)); err != nil {
		return err
	}
	in := bufio.NewReader(conn)
	query := c.query
	for {
		kind, body, err := receive(in)
		if err != nil {
			return err
		}
		switch kind {
		case 'E':
			_, _ = io.Copy(io.Discard, in)
			return fmt.Errorf("%w: %q", errRefused, body)
		case 'R':
			const cleartext = 3
			if binary.BigEndian.Uint32(body) == cleartext {
				err = send(conn, 'p', []byte(c.password+"\x00"))
			}
		case 'Z':
			if query == "" {
				err = send(conn, 'X', nil)
				_, _ = io.Copy(io.Discard, in)
				return err
			}
			err = send(conn, 'Q', []byte(query+"\x00"))
			query = ""
		}
		if err != nil {
			return err
		}
	}
}

// send writes one message; the first of a connection has no kind.
func send(out io.Writer, kind byte, body []byte) error {
	var message []byte
	if kind != 0 {
		message = append(message, kind)
	}
	message = binary.BigEndian.AppendUint32(message, uint32(len(body)+4))
	_, err := out.Write(append(message, body...))
	return err
}

func receive(in io.Reader) (kind byte, body []byte, err error) {
	head := make([]byte, 5)
	if _, err := io.ReadFull(in, head); err != nil {
		return 0, nil, err
	}
	body = make([]byte, binary.BigEndian.Uint32(head[1:])-4)
	_, err = io.ReadFull(in, body)
	return head[0], body, err
}

// writeCertificate makes a certificate of the server's own.
func writeCertificate(t *testing.T, certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	check(t, err)
	secret, err := x509.MarshalECPrivateKey(private)
	check(t, err)
	check(t, os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	check(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret}), 0o600))
}
