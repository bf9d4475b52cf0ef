package cli

import (
	"fmt"
	"io"
	"os"

	"github.com/posternhq/postern/internal/wholefile"
)

// output is where a report goes: a stream, or a file that appears under its
// name when it is whole.
type output struct {
	io.Writer
	finish  func() error
	discard func()
}

// openOutput opens the file, or falls back to the stream when no name is given.
// A streaming format is written in place, so that what was known when a scan
// broke off can be read; any other replaces the file in one step.
func openOutput(path string, stream io.Writer, streaming bool) (*output, error) {
	if path == "" || path == "-" {
		return &output{Writer: stream, finish: func() error { return nil }, discard: func() {}}, nil
	}
	if streaming {
		f, err := os.Create(path)
		if err != nil {
			return nil, fmt.Errorf("create the report: %w", err)
		}
		return &output{Writer: f, finish: f.Close, discard: func() { _ = f.Close() }}, nil
	}
	f, err := wholefile.Create(path, 0o644)
	if err != nil {
		return nil, fmt.Errorf("create the report: %w", err)
	}
	finish := func() error {
		if err := f.Commit(); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
		return nil
	}
	return &output{Writer: f, finish: finish, discard: func() { _ = f.Discard() }}, nil
}
