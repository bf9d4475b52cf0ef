package journal

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// Holder is who has a lock.
type Holder struct {
	Change string    `json:"change"`
	PID    int       `json:"pid"`
	Since  time.Time `json:"since"`
}

// HeldError says that another run has what this one needs.
type HeldError struct {
	// What is held: "this plan", `server "billing-db"`.
	What   string
	Holder Holder
}

// Error names the change and the process that hold it.
func (e *HeldError) Error() string {
	if e.Holder.Change == "" {
		return e.What + " is held by another run of Postern; wait until it ends"
	}
	return fmt.Sprintf("%s is held by change %s (process %d, since %s UTC); wait until it ends, or see `postern fix status %s`",
		e.What, e.Holder.Change, e.Holder.PID, e.Holder.Since.UTC().Format(time.DateTime), e.Holder.Change)
}

// Lock is a lock that is held. The kernel releases it when the process ends in
// whatever way.
type Lock struct {
	flock  *flock.Flock
	holder string
}

// patience is how long a lock is asked for: longer than the glance that [Running]
// takes.
const patience = 300 * time.Millisecond

// LockPlan takes the lock of a plan, named by its digest.
func LockPlan(dir, digest string, h Holder) (*Lock, error) {
	return lock(dir, planLock(digest), "this plan", h)
}

// LockServer takes the lock of a server.
func LockServer(dir, serverID, name string, h Holder) (*Lock, error) {
	return lock(dir, "server-"+digest(strings.ToLower(serverID)), fmt.Sprintf("server %q", name), h)
}

// Running tells which run holds the lock of a plan, nil when none does.
func Running(dir, digest string) (*Holder, error) {
	path := filepath.Join(dir, planLock(digest))
	if _, err := os.Stat(path + ".lock"); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	f := flock.New(path + ".lock")
	free, err := f.TryRLock()
	if err != nil {
		return nil, fmt.Errorf("see whether the plan is being carried out: %w", err)
	}
	if free {
		return nil, f.Close()
	}
	h := readHolder(path + ".holder")
	return &h, nil
}

func planLock(plan string) string { return "plan-" + digest(plan) }

func digest(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s)))[:32] }

func lock(dir, name, what string, h Holder) (*Lock, error) {
	if err := makeFolder(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, name)
	f := flock.New(path+".lock", flock.SetPermissions(0o600))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	got, err := f.TryLockContext(ctx, patience/10)
	switch {
	case errors.Is(err, context.DeadlineExceeded), err == nil && !got:
		return nil, errors.Join(&HeldError{What: what, Holder: readHolder(path + ".holder")}, f.Close())
	case err != nil:
		return nil, fmt.Errorf("lock %s: %w", what, errors.Join(err, f.Close()))
	}
	// The holder stands in a file of its own: on some systems a locked file cannot
	// be read. It is a courtesy to the reader; the lock is the kernel's.
	text, err := json.Marshal(h)
	if err == nil {
		err = os.WriteFile(path+".holder", text, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("say who holds %s: %w", what, errors.Join(err, f.Close()))
	}
	return &Lock{flock: f, holder: path + ".holder"}, nil
}

// Unlock gives the lock back. Its file stays: deleting it would let two runs lock
// two files of the same name.
func (l *Lock) Unlock() error {
	if err := os.Remove(l.holder); err != nil && !errors.Is(err, os.ErrNotExist) {
		return errors.Join(fmt.Errorf("clear a lock: %w", err), l.flock.Close())
	}
	return l.flock.Close()
}

// readHolder reads who holds a lock; nothing where it does not say.
func readHolder(path string) Holder {
	var h Holder
	text, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(text, &h) != nil {
		return Holder{}
	}
	return h
}
