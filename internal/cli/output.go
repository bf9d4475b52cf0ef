package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// output is where a report goes: a stream, or a file that appears under its
// name when it is whole.
type output struct {
	io.Writer
	finish  func() error
	discard func()
}

func noop() {}

// openOutput opens the file, or falls back to the stream when no name is given.
// A streaming format is written in place, so that what was known when a scan
// broke off can be read; any other replaces the file in one step.
func openOutput(path string, stream io.Writer, streaming bool) (*output, error) {
	if path == "" || path == "-" {
		return &output{Writer: stream, finish: func() error { return nil }, discard: noop}, nil
	}
	if streaming {
		f, err := os.Create(path)
		if err != nil {
			return nil, fmt.Errorf("create the report: %w", err)
		}
		return &output{Writer: f, finish: f.Close, discard: func() { _ = f.Close() }}, nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, fmt.Errorf("create the report: %w", err)
	}
	discard := func() {
		_ = f.Close()
		_ = os.Remove(f.Name())
	}
	finish := func() error {
		if err := errors.Join(f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
		if err := os.Rename(f.Name(), path); err != nil {
			return fmt.Errorf("name the report: %w", err)
		}
		return nil
	}
	return &output{Writer: f, finish: finish, discard: discard}, nil
}
