package pglog

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// Stdin is the path that stands for standard input.
const Stdin = "-"

// logName is what the files of a folder must be called to be read: by their
// ending, or rotated as logrotate does ("postgresql.log.1").
var logName = regexp.MustCompile(`\.(log(\.[0-9]+)?|csv|json|gz)$`)

// ReadPath reads a file, every log in a folder and the folders below it in the
// order of their paths, or stdin for [Stdin]. A file that is named is read
// whatever it is called. Links inside a folder are not followed.
func (r *Reader) ReadPath(ctx context.Context, path string, stdin io.Reader) error {
	if path == Stdin {
		return r.Read(ctx, "standard input", stdin)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	if !info.IsDir() {
		return r.readFile(ctx, path)
	}
	// The folder itself may be a link, which a walk would not follow.
	root, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("open the folder of logs: %w", err)
	}
	before := r.stats.Files
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("walk the folder of logs: %w", err)
		case entry.IsDir():
			return nil
		case !entry.Type().IsRegular() || !logName.MatchString(entry.Name()):
			r.stats.Skipped++
			return nil
		}
		return r.readFile(ctx, path)
	})
	if err == nil && r.stats.Files == before {
		return fmt.Errorf("the folder %s holds no log: looked for *.log, *.csv, *.json and *.gz", path)
	}
	return err
}

func (r *Reader) readFile(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	return r.Read(ctx, path, f)
}
