//go:build unix

package pgtest_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/posternhq/postern/internal/pgtest"
)

func TestTheServerRefusesWhomItsFileKeepsOut(t *testing.T) {
	s := pgtest.Start(t, map[string]string{"log_connections": "on", "log_line_prefix": "%t-%c-"})
	s.Query("create role shop login password 'hush'")
	shop := func(from string) error {
		_, err := s.Connect(pgtest.Client{From: from, User: "shop", Password: "hush", TLS: true})
		return err
	}
	if err := shop("127.0.0.2"); err != nil {
		t.Fatal(err)
	}
	s.SetHBA("hostssl all all 127.0.0.3/32 scram-sha-256")
	if err := shop("127.0.0.3"); err != nil {
		t.Error(err)
	}
	var refusal *pgconn.PgError
	if err := shop("127.0.0.2"); !errors.As(err, &refusal) || !strings.HasPrefix(refusal.Message, `no pg_hba.conf entry for host "127.0.0.2"`) {
		t.Errorf("a client that is kept out gets %v", err)
	}
	s.Kill()
	if err := shop("127.0.0.3"); err == nil {
		t.Error("a killed server lets in")
	}
	s.Run()
	if err := shop("127.0.0.3"); err != nil {
		t.Error(err)
	}
	if log, err := os.ReadFile(filepath.Join(s.LogDir, "postgresql.log")); !strings.Contains(string(log), "no pg_hba.conf entry") {
		t.Errorf("the log says %q, %v", log, err)
	}
	if config, err := pgconn.ParseConfig(s.DSN("a b")); err != nil || config.User != "a b" || int(config.Port) != s.Port {
		t.Errorf("%s is read as %+v, %v", s.DSN("a b"), config, err)
	}
}
