package pgactivity

import (
	"crypto/tls"
	"errors"
	"io/fs"
	"net/netip"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5/pgconn"
)

// target is a server and how to reach it.
type target struct {
	config *pgconn.Config
	// server is the host and port, or the path of a socket, fit to be printed.
	server string
	// patience is how long connecting may take.
	patience time.Duration
}

// settings are the keywords that a connection string may have. Others would be
// sent to the server as parameters of the session, and so would a misspelt
// "password". What they mean is in "Parameter Key Words" of libpq's manual.
var settings = []string{
	"host", "port", "dbname", "user", "password", "passfile", "connect_timeout", "application_name",
	"sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslcertmode", "sslnegotiation", "sslsni",
	"channel_binding", "require_auth", "target_session_attrs", "service", "servicefile",
}

// The errors of a connection string quote nothing of it and wrap nothing: where
// it is malformed, any part of it may be a piece of the password.
var (
	errNoDSN  = errors.New("read the connection string: it is empty; give one such as postgres://user@host/postgres?sslmode=verify-full, and the password in PGPASSWORD or a pgpass file")
	errSyntax = errors.New("read the connection string: it must be a URL such as postgres://user@host:5432/postgres?sslmode=verify-full, or settings such as host=… user=… dbname=… sslmode=verify-full; known settings are " +
		strings.Join(settings, ", ") + "; @ : / ? # and % in a URL's password must be percent-encoded, or give the password in PGPASSWORD or a pgpass file")
	errFile  = errors.New("read the connection string: a file that it or a PG… variable names cannot be read: sslrootcert, sslcert, sslkey or servicefile")
	errHosts = errors.New("read the connection string: it names several hosts; give one, so that it is known whose clients are seen")
	errHost  = errors.New("read the connection string: the host is no host name, address or path; in a URL, @ : / ? # and % of a password must be percent-encoded")
)

var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9.])?$`)

// parse reads a connection string with what libpq's variables and files add.
func parse(dsn string) (target, error) {
	if strings.TrimSpace(dsn) == "" {
		return target{}, errNoDSN
	}
	if strayAt(dsn) {
		return target{}, errSyntax
	}
	config, err := pgconn.ParseConfigWithOptions(dsn, pgconn.ParseConfigOptions{ConnStringAllowedKeys: settings})
	var unreadable *fs.PathError
	switch {
	case errors.As(err, &unreadable):
		return target{}, errFile
	case err != nil:
		return target{}, errSyntax
	}
	for _, other := range config.Fallbacks {
		if other.Host != config.Host || other.Port != config.Port {
			return target{}, errHosts
		}
	}
	network, address := pgconn.NetworkAddress(config.Host, config.Port)
	_, err = netip.ParseAddr(config.Host)
	switch {
	case strings.ContainsFunc(address, func(r rune) bool { return !unicode.IsPrint(r) }):
		return target{}, errHost
	case network == "tcp" && err != nil && !hostName.MatchString(config.Host):
		return target{}, errHost
	}
	demandTLS(config)
	config.RuntimeParams = parameters
	config.MaxProtocolMessageBodyLen = maxMessage
	patience := config.ConnectTimeout
	if patience <= 0 {
		patience = connectPatience
	}
	return target{config: config, server: address, patience: patience}, nil
}

// strayAt reports an @ in a URL that does not end its user and password. There
// it is mostly part of a password that was not encoded, and what follows it
// would be taken for a host, and shown.
func strayAt(dsn string) bool {
	rest, ok := strings.CutPrefix(dsn, "postgres://")
	if !ok {
		rest, ok = strings.CutPrefix(dsn, "postgresql://")
	}
	if !ok {
		return false
	}
	if i := strings.IndexAny(rest, "@/"); i >= 0 && rest[i] == '@' {
		rest = rest[i+1:]
	}
	return strings.Contains(rest, "@")
}

// demandTLS takes away the fallback to plain text that libpq's default sslmode,
// prefer, and allow have, unless the server is this machine: whoever sits on the
// line could ask for plain text and then for the password. Such a connection is
// verified as with verify-full. The other modes say what they want and get it.
func demandTLS(config *pgconn.Config) {
	var encrypted *tls.Config
	plain := config.TLSConfig == nil
	if !plain {
		encrypted = config.TLSConfig
	}
	for _, other := range config.Fallbacks {
		if other.TLSConfig == nil {
			plain = true
		} else {
			encrypted = other.TLSConfig
		}
	}
	if !plain || encrypted == nil || thisMachine(config.Host) {
		return
	}
	encrypted = encrypted.Clone()
	encrypted.InsecureSkipVerify = false
	encrypted.ServerName = config.Host
	config.TLSConfig, config.Fallbacks = encrypted, nil
}

// thisMachine reports whether a host can only be this machine. A Unix socket has
// no TLS at all and never comes here with it.
func thisMachine(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// CheckDSN reports what is wrong with a connection string, without using it. The
// error quotes nothing of it.
func CheckDSN(dsn string) error {
	_, err := parse(dsn)
	return err
}
