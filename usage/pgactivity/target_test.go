package pgactivity

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

// TestMain takes away what the machine would add to connection strings.
func TestMain(m *testing.M) {
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "PG") {
			_ = os.Unsetenv(name)
		}
	}
	_ = os.Setenv("HOME", "/nonexistent")
	goleak.VerifyTestMain(m)
}

func TestTheConnectionString(t *testing.T) {
	tests := []struct {
		dsn, server string
		tls         string
		err         error
	}{
		{dsn: "postgres://u:pw@db.example.com/postgres", server: "db.example.com:5432", tls: "verified"},
		{dsn: "host=db.example.com user=u", server: "db.example.com:5432", tls: "verified"},
		{dsn: "host=db.example.com user=u sslmode=prefer", server: "db.example.com:5432", tls: "verified"},
		{dsn: "host=db.example.com user=u sslmode=allow", server: "db.example.com:5432", tls: "verified"},
		{dsn: "host=db.example.com user=u sslmode=require", server: "db.example.com:5432", tls: "unverified"},
		{dsn: "host=db.example.com user=u sslmode=verify-full", server: "db.example.com:5432", tls: "verified"},
		{dsn: "host=db.example.com user=u sslmode=disable", server: "db.example.com:5432", tls: "none"},
		{dsn: "postgres://u@10.0.0.1:6000/d", server: "10.0.0.1:6000", tls: "verified"},
		{dsn: "postgres://u@[2001:db8::1]:6000/d", server: "[2001:db8::1]:6000", tls: "verified"},
		{dsn: "postgres://u@127.0.0.9/d", server: "127.0.0.9:5432", tls: "unverified, or none"},
		{dsn: "postgres://u@[::1]/d", server: "[::1]:5432", tls: "unverified, or none"},
		{dsn: "postgres://u@localhost/d", server: "localhost:5432", tls: "unverified, or none"},
		{dsn: "postgres://u@localhost.example/d", server: "localhost.example:5432", tls: "verified"},
		{dsn: "host=/run/pg port=6000 user=u", server: "/run/pg/.s.PGSQL.6000", tls: "none"},
		{dsn: "postgres://u%40srv:p%40%2F%3A@db.example.com/d", server: "db.example.com:5432", tls: "verified"},
		{dsn: "host=db.example.com user=u application_name=mine", server: "db.example.com:5432", tls: "verified"},
		{dsn: "host=db.example.com user=u password=a://b@c", server: "db.example.com:5432", tls: "verified"},
		{dsn: "postgresql://u:p@w@host/d", err: errSyntax},
		{dsn: "  ", err: errNoDSN},
		{dsn: "postgres://u:pw@a,b/d", err: errHosts},
		{dsn: "host=a port=1,2 user=u", err: errSyntax},
		{dsn: "host=a,a port=1,2 user=u", err: errHosts},
		{dsn: "postgres://u:p@w@host/d", err: errSyntax},
		{dsn: "postgres://u:p/w@host/d", err: errSyntax},
		{dsn: "postgres://u:12/w@host/d", err: errSyntax},
		{dsn: "postgres://u:pw@ho st/d", err: errSyntax},
		{dsn: "postgres://u:pw@ho%20st/d", err: errHost},
		{dsn: "postgres://u:pw@%1b[31m/d", err: errHost},
		{dsn: "host='/run/\x1b[31m' user=u", err: errHost},
		{dsn: "host=-x user=u", err: errHost},
		{dsn: "host=a user=u pasword=pw", err: errSyntax},
		{dsn: "host=a user=u options='-c default_transaction_read_only=off'", err: errSyntax},
		{dsn: "host=a user=u sslmode=maybe", err: errSyntax},
		{dsn: "host=a user=u sslmode=verify-full sslrootcert=/nonexistent/pw", err: errFile},
		{dsn: "u:pw@host/d", err: errSyntax},
		{dsn: "host=a user='u", err: errSyntax},
	}
	for _, tt := range tests {
		t.Run(tt.dsn, func(t *testing.T) {
			got, err := parse(tt.dsn)
			if !errors.Is(err, tt.err) || got.server != tt.server {
				t.Fatalf("reads %q, %v; want %q, %v", got.server, err, tt.server, tt.err)
			}
			if err != nil {
				return
			}
			if diff := cmp.Diff(tt.tls, encryption(got)); diff != "" {
				t.Errorf("TLS (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(parameters, got.config.RuntimeParams); diff != "" {
				t.Errorf("parameters (-want +got):\n%s", diff)
			}
		})
	}
}

// encryption says in words what a target would try.
func encryption(t target) string {
	ways := []string{"none"}
	if c := t.config.TLSConfig; c != nil {
		ways[0] = "verified"
		if c.InsecureSkipVerify {
			ways[0] = "unverified"
		} else if c.ServerName != t.config.Host {
			ways[0] = "verified for " + c.ServerName
		}
	}
	for _, other := range t.config.Fallbacks {
		if other.TLSConfig == nil {
			ways = append(ways, "or none")
		}
	}
	return strings.Join(ways, ", ")
}

func TestTheEnvironmentCannotWeakenTheSession(t *testing.T) {
	t.Setenv("PGOPTIONS", "-c default_transaction_read_only=off")
	t.Setenv("PGAPPNAME", "mine")
	t.Setenv("PGPASSWORD", "hush")
	t.Setenv("PGSSLMODE", "prefer")
	got, err := parse("host=db.example.com user=u")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(parameters, got.config.RuntimeParams); diff != "" || got.config.Password != "hush" || encryption(got) != "verified" {
		t.Errorf("TLS %s, password %q, parameters (-want +got):\n%s", encryption(got), got.config.Password, diff)
	}
}

// pieces are what the passwords of the tests consist of. No piece may be seen.
var pieces = []string{"S3cr", "t0kn", "Zq9x"}

// leaks reports a piece of a password in a text.
func leaks(text string) bool {
	return slices.ContainsFunc(pieces, func(p string) bool { return strings.Contains(strings.ToLower(text), strings.ToLower(p)) })
}

func TestNoPieceOfAPasswordIsShown(t *testing.T) {
	quote := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	separator := rapid.SampledFrom(strings.Split("@:/?#% &=,'\"\\[];+-._~\t", ""))
	rapid.Check(t, func(t *rapid.T) {
		password := pieces[0] + separator.Draw(t, "a") + pieces[1] + separator.Draw(t, "b") + pieces[2]
		form := rapid.SampledFrom([]string{
			"postgres://u:RAW@db.example.com/d", "postgresql://u:URL@db.example.com:6000/d?sslmode=require",
			"postgres://db.example.com/d?user=u&password=RAW", "postgres://db.example.com/d?user=u&pass%77ord=URL",
			"postgres://u:RAW@db.example.com:x/d", "postgres://u:RAW@db.example.com/d?sslmode=maybe", "postgres://u:URL@/d?host=/run/pg",
			"host=db.example.com user=u password=RAW", "host=db.example.com user=u password='QUOTED'", "password='RAW' host=db.example.com",
			"host=db.example.com user=u pasword='QUOTED'", "host=db.example.com password=RAW sslmode=maybe",
			"host=db.example.com sslpassword='QUOTED' password=x", "u:RAW@db.example.com/d", "postgres:/u:RAW@db.example.com/d",
			"host=db.example.com password='RAW", "host=db.example.com password=RAW connect_timeout=soon",
		}).Draw(t, "form")
		dsn := strings.NewReplacer("RAW", password, "URL", url.QueryEscape(password), "QUOTED", quote.Replace(password)).Replace(form)
		got, err := parse(dsn)
		if text := fmt.Sprintf("%s %v %+v %#v", got.server, err, err, err); leaks(text) {
			t.Fatalf("%q gives %s", dsn, text)
		}
	})
}

func FuzzTheConnectionString(f *testing.F) {
	for _, seed := range []string{"postgres://u:p@h:1/d?sslmode=require", "host=h user='u' password=p\\ q", "postgres://[::1%25x]/", "host=a,b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, dsn string) {
		if strings.Contains(dsn, "/dev") {
			t.Skip("reading a device takes for ever")
		}
		got, err := parse(dsn)
		// Only errors that are the same whatever the string is cannot quote it.
		if err != nil && !slices.Contains([]error{errNoDSN, errSyntax, errFile, errHosts, errHost}, err) {
			t.Errorf("%q gives the error %v", dsn, err)
		}
		if err == nil && (got.server == "" || strings.ContainsFunc(got.server, func(r rune) bool { return !unicode.IsPrint(r) })) {
			t.Errorf("%q is server %q", dsn, got.server)
		}
	})
}
