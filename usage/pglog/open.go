package pglog

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Stdin is the path that stands for standard input.
const Stdin = "-"

// logName is what the files of a folder are called that must be logs: by their
// ending, rotated by number or by date ("postgresql.log.1", "a.log-20261101"),
// compressed or not. Other files are looked into.
var logName = regexp.MustCompile(`(?i)(\.(log|csv|jsonl?)([._-][0-9][0-9tz._:-]*)?|\.gz)(\.gz)?$`)

// neverEmpty is what files are called that hold something from the beginning on:
// an export, and what gzip made of nothing. PostgreSQL's own logs begin empty.
var neverEmpty = regexp.MustCompile(`(?i)(\.jsonl?([._-][0-9][0-9tz._:-]*)?|\.gz)$`)

// packedName is what files are called that may hold a log in a form that is not
// read here.
var packedName = regexp.MustCompile(`(?i)\.(xz|zst|zstd|bz2|lz4|lzma|br|zip|7z|tar|Z)$`)

// ReadPath reads what [Reader.ReadPaths] reads of one path.
func (r *Reader) ReadPath(ctx context.Context, path string, stdin io.Reader) error {
	return r.ReadPaths(ctx, []string{path}, stdin)
}

// ReadPaths reads files, every log in a folder and the folders below it, and
// stdin for [Stdin], in the order of the times they begin with; stdin comes last.
// A file that is named is read whatever it is called. What looks like a log in a
// folder and cannot be read is named in [Stats]. Links inside a folder are not
// followed.
func (r *Reader) ReadPaths(ctx context.Context, paths []string, stdin io.Reader) error {
	var found []logFile
	std := false
	for _, path := range paths {
		if path == Stdin {
			std = true
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			return fmt.Errorf("open the log: %w", err)
		}
		if !info.IsDir() {
			found = append(found, logFile{path: path})
			continue
		}
		inside, err := r.folder(ctx, path)
		if err != nil {
			return err
		}
		found = append(found, inside...)
	}
	if len(found) > 1 {
		for i := range found {
			if err := ctx.Err(); err != nil {
				return err
			}
			found[i].begins = r.beginning(found[i].path)
		}
		slices.SortStableFunc(found, func(a, b logFile) int {
			return cmp.Or(a.begins.Compare(b.begins), strings.Compare(a.path, b.path))
		})
	}
	for _, f := range found {
		if err := r.readFile(ctx, f); err != nil {
			return err
		}
	}
	if std {
		return r.Read(ctx, "standard input", stdin)
	}
	return nil
}

// logFile is a file to read.
type logFile struct {
	path string
	// begins is the first time in it, zero where there is none.
	begins time.Time
	// inside is set for a file that a folder holds, and nobody named.
	inside bool
}

// folder lists the logs of a folder and of those below it.
func (r *Reader) folder(ctx context.Context, path string) ([]logFile, error) {
	// The folder itself may be a link, which a walk would not follow.
	root, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, fmt.Errorf("open the folder of logs: %w", err)
	}
	var found []logFile
	before := r.stats.UnreadFiles
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && path != root && errors.Is(err, fs.ErrPermission):
			r.stats.unread(path, "no permission")
			return nil
		case err != nil:
			return fmt.Errorf("walk the folder of logs: %w", err)
		case entry.IsDir():
			return nil
		case entry.Type()&fs.ModeSymlink != 0:
			r.link(root, path)
			return nil
		case !entry.Type().IsRegular():
			if logName.MatchString(entry.Name()) {
				r.stats.unread(path, "not a regular file")
			} else {
				r.stats.Skipped++
			}
			return nil
		case neverEmpty.MatchString(entry.Name()) && isEmpty(entry):
			r.stats.unread(path, "empty")
			return nil
		case logName.MatchString(entry.Name()):
			found = append(found, logFile{path: path, inside: true})
			return nil
		}
		switch isLog, why := r.lookInto(path); {
		case isLog:
			found = append(found, logFile{path: path, inside: true})
		case packedName.MatchString(entry.Name()):
			r.stats.unread(path, "packed in a way that is not read")
		case why != "":
			r.stats.unread(path, why)
		default:
			r.stats.Skipped++
		}
		return nil
	})
	if err == nil && len(found) == 0 {
		hint := ""
		if r.stats.UnreadFiles > before {
			hint = "; " + strings.Join(r.stats.Unread, ", ") + ": unpack it, or name it"
		}
		return nil, fmt.Errorf("the folder %s holds no log: looked for *.log, *.csv, *.json, *.gz and for files that read like a log%s", path, hint)
	}
	return found, err
}

// link judges a link in a folder. Where it leads to a file of the same folder,
// that file is read; what lies elsewhere is not.
func (r *Reader) link(root, path string) {
	target, err := filepath.EvalSymlinks(path)
	if err == nil {
		if inside, err := filepath.Rel(root, target); err == nil && filepath.IsLocal(inside) {
			r.stats.Skipped++
			return
		}
	}
	r.stats.unread(path, "a link")
}

// lookInto reports whether the content of a file reads like a log, whatever it is
// called. Where it does not and may be a part of one all the same, it says why.
func (r *Reader) lookInto(path string) (isLog bool, why string) {
	sample, err := head(path, MaxEntry)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return true, "" // reading it will say so
	case err != nil && !errors.Is(err, io.EOF):
		return false, "its beginning cannot be read"
	}
	if _, ok := detect(sample[:min(len(sample), sampleSize)], r.prefixes); ok {
		return true, ""
	}
	// Without the NULs, UTF-16 reads as UTF-8.
	if holdsPhrase(bytes.ReplaceAll(sample, []byte{0}, nil)) {
		return false, "it speaks of connections and does not read like a log"
	}
	return false, ""
}

func isEmpty(entry fs.DirEntry) bool {
	info, err := entry.Info()
	return err == nil && info.Size() == 0
}

// head reads the beginning of a file, unpacked: so many bytes at most.
func head(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	plain, err := unpacked(f)
	if err != nil {
		return nil, err
	}
	sample, err := io.ReadAll(io.LimitReader(plain, most))
	if len(sample) > 0 {
		return sample, nil
	}
	return nil, err //nolint:wrapcheck // the callers tell no more than that there is one
}

// beginning is the first time in a file, zero where none is found. Reading the
// file will tell what is wrong with it.
func (r *Reader) beginning(path string) time.Time {
	sample, err := head(path, sampleSize)
	if err != nil {
		return time.Time{}
	}
	format := r.options.Format
	if format == Auto {
		format, _ = detect(sample, r.prefixes)
	}
	best, _ := bestPrefix(sample, r.prefixes)
	m := matcher{prefix: best, clock: &clock{}}
	for line := range bytes.SplitSeq(sample, []byte("\n")) {
		var e entry
		switch format {
		case JSON, Azure:
			for _, field := range []string{`"timestamp":"`, `"time":"`} {
				if _, after, ok := bytes.Cut(bytes.ReplaceAll(line, []byte(`": "`), []byte(`":"`)), []byte(field)); ok && e.time.IsZero() {
					e.time, _ = m.clock.read(after)
				}
			}
		case CSV:
			e.time, _ = m.clock.read(line)
		default:
			m.match(line, &e)
		}
		if !e.time.IsZero() {
			return e.time
		}
	}
	return time.Time{}
}

func (r *Reader) readFile(ctx context.Context, file logFile) error {
	f, err := os.Open(file.path)
	if file.inside && errors.Is(err, fs.ErrPermission) {
		r.stats.unread(file.path, "no permission")
		return nil
	}
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	err = r.Read(ctx, file.path, f)
	if file.inside && errors.Is(err, gzip.ErrHeader) {
		r.stats.unread(file.path, "damaged")
		return nil
	}
	return err
}
