package pgactivity

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"regexp"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
)

// errAlien is an answer that does not fit the question.
var errAlien = errors.New("the answer is not that of a PostgreSQL server")

// refusals are reasons in words of our own, by SQLSTATE (PostgreSQL's manual,
// appendix "PostgreSQL Error Codes").
var refusals = map[string]string{
	"28P01": "the password is missing or wrong: give it in PGPASSWORD or a pgpass file; an Entra token is a password too, and lasts about an hour",
	"28000": "no entry of pg_hba.conf lets this user in from here, there is no such user, or the server demands TLS; on Azure the firewall's refusal looks the same",
	"3D000": "there is no such database",
	"42501": "the user may not connect to this database or read pg_stat_activity",
	"53300": "the server has no connection left for this user",
	"57P01": "the server was told to end the session",
	"57P02": "the server crashed and ended the session",
	"57P03": "the server is starting, stopping or not ready",
	"57014": "the statement took longer than five seconds",
	"55P03": "somebody holds a lock on the server's catalogue",
	"08P01": "the server finds fault with how the session begins: connect to PostgreSQL itself, port 5432, and not to PgBouncer",
}

var sqlState = regexp.MustCompile(`^[0-9A-Z]{5}$`)

// reason says why connecting or asking went wrong, in words of our own. It wraps
// nothing and quotes nothing: errors of the driver hold the configuration with
// the password, and those of a server whatever it likes to send.
func reason(err error) error {
	var (
		refusal *pgconn.PgError
		lookup  *net.DNSError
		errno   syscall.Errno
	)
	switch {
	case errors.Is(err, errAlien):
		return errAlien
	case errors.As(err, &refusal):
		return errors.New(refused(refusal.Code))
	case errors.As(err, &lookup) && lookup.IsTimeout:
		return errors.New("the name server did not answer in time")
	case errors.As(err, &lookup):
		return errors.New("the host's name has no address")
	case errors.Is(err, context.DeadlineExceeded), pgconn.Timeout(err):
		return errors.New("there was no answer in time: is this the right host and port, and does a firewall drop the packets?")
	case errors.As(err, &errno):
		return errno
	}
	if why := distrust(err); why != "" {
		return errors.New(why + "; sslrootcert=FILE names the authority to trust, and sslmode=require encrypts without asking who answers")
	}
	switch {
	// The driver has no type for it; its text is only compared, never shown.
	case strings.HasSuffix(err.Error(), "server refused TLS connection"):
		return errors.New("the server has no TLS; sslmode=disable connects in plain text, for a network that is trusted")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.Is(err, pgconn.ErrConnClosed):
		return errors.New("the server closed the connection")
	}
	return errAlien
}

// refused is what a SQLSTATE means.
func refused(code string) string {
	switch text := refusals[code]; {
	case text != "":
		return text
	case sqlState.MatchString(code):
		return "the server answers with error " + code
	default:
		return "the server answers with an error that has no SQLSTATE"
	}
}

// distrust says what is wrong with the server's certificate, empty where nothing
// is. It names neither the certificate's owner nor its issuer: the server chose
// them.
func distrust(err error) string {
	var (
		unknown *tls.CertificateVerificationError
		name    x509.HostnameError
		author  x509.UnknownAuthorityError
		invalid x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &name):
		return "the server's certificate is for another name"
	case errors.As(err, &author):
		return "the server's certificate is from an authority that is not trusted"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the server's certificate has expired, or is not valid yet"
	case errors.As(err, &invalid), errors.As(err, &unknown):
		return "the server's certificate is not valid"
	}
	return ""
}
