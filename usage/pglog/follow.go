package pglog

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Follow reads what is added to a log from now on, and gives its events to emit
// as they come. The path is a file, or a folder whose logs are all followed; it
// is looked at again after each poll. A file that is cut to nothing is read from
// its beginning, one that is renamed is read to its end, and one that appears is
// read whole. Packed files and lists of records in one JSON document are not
// followed.
//
// It returns nil when ctx ends, and an error when there is nothing to follow or
// reading fails. Emit is called one at a time, and not after Follow returns.
func Follow(ctx context.Context, path string, poll time.Duration, o Options, emit func(Event)) error {
	if path == Stdin {
		return errors.New("follow the log: standard input cannot be followed; name a file or a folder")
	}
	if _, err := New(o, emit); err != nil {
		return err
	}
	f := &follower{path: path, options: o, emit: emit}
	defer f.close()
	if err := f.look(true); err != nil {
		return err
	}
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := f.look(false)
		if err == nil {
			err = f.read(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
	}
}

// follower follows the files of a path.
type follower struct {
	path    string
	options Options
	emit    func(Event)
	files   []*followed
}

// followed is a file, wherever it was renamed to.
type followed struct {
	path string
	info os.FileInfo
	// file is nil until there is something to read: a folder may hold thousands
	// that nobody writes to any more.
	file   *os.File
	offset int64
	reader *Reader
	format Format
	sample []byte
	// gone counts the looks since a name of the path last led to the file, or
	// something was last added to it.
	gone int
}

const (
	// recently is how lately a file must have been written to be opened at once.
	recently = time.Hour
	// patientLooks is how often a file that was renamed away is read still: the
	// server writes to it until it is told of the new one.
	patientLooks = 5
)

// look finds the files of the path. Those that are there at first are followed
// from their end, those that appear later from their beginning.
func (f *follower) look(first bool) error {
	paths, err := f.paths()
	if err != nil {
		if first {
			return fmt.Errorf("open the log: %w", err)
		}
		return nil // between two files of a rotation there may be none
	}
	byPath := map[string]*followed{}
	for _, known := range f.files {
		known.gone++
		byPath[known.path] = known
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			continue // renamed meanwhile: the next look finds it
		}
		known := byPath[path]
		if known == nil || !os.SameFile(known.info, info) {
			known = f.known(info)
		}
		if known != nil {
			known.path, known.info, known.gone = path, info, 0
			continue
		}
		reader, err := New(f.options, f.emit)
		if err != nil {
			return err
		}
		reader.join.file++
		added := &followed{path: path, info: info, reader: reader}
		if first {
			added.offset = info.Size()
		}
		if !first || time.Since(info.ModTime()) < recently || len(paths) == 1 {
			if err := added.open(); err != nil {
				return err
			}
		}
		f.files = append(f.files, added)
	}
	return nil
}

func (f *follower) paths() ([]string, error) {
	info, err := os.Stat(f.path)
	if err != nil || !info.IsDir() {
		return []string{f.path}, err
	}
	root, err := filepath.EvalSymlinks(f.path)
	if err != nil {
		return nil, err
	}
	var paths []string
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() && logName.MatchString(entry.Name()) && !strings.HasSuffix(entry.Name(), ".gz") {
			paths = append(paths, path)
		}
		if errors.Is(err, fs.ErrNotExist) && path != root {
			return nil // it went while the folder was being read
		}
		return err
	})
	return paths, err
}

// known is the file that a name leads to, nil for a new one.
func (f *follower) known(info os.FileInfo) *followed {
	for _, k := range f.files {
		if os.SameFile(k.info, info) {
			return k
		}
	}
	return nil
}

// read reads what was added to each file, and lets go of those that are gone.
func (f *follower) read(ctx context.Context) error {
	kept := f.files[:0]
	var failed error
	for _, file := range f.files {
		if failed == nil {
			failed = file.read(ctx)
		}
		if file.gone > patientLooks {
			file.reader.Finish()
			file.close()
			continue
		}
		kept = append(kept, file)
	}
	f.files = kept
	return failed
}

func (f *follower) close() {
	for _, file := range f.files {
		file.close()
	}
}

func (f *followed) open() error {
	file, err := os.Open(f.path)
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		_ = file.Close() // nothing was written
		return fmt.Errorf("open the log: %w", err)
	}
	if !os.SameFile(info, f.info) {
		_ = file.Close() // renamed meanwhile: the next look finds it
		return nil
	}
	f.file = file
	return nil
}

func (f *followed) close() {
	if f.file != nil {
		_ = f.file.Close() // nothing was written
	}
}

// followedPiece is how much of a file is read at a time, in bytes. A record that
// is longer is read in pieces, and is unreadable.
const followedPiece = 4 * MaxEntry

// read reads the whole lines that were added.
func (f *followed) read(ctx context.Context) error {
	if f.file == nil {
		if f.info.Size() == f.offset || f.gone > 0 {
			return nil
		}
		if err := f.open(); err != nil || f.file == nil {
			return err
		}
	}
	info, err := f.file.Stat()
	if err != nil {
		return fmt.Errorf("follow %s: %w", f.path, err)
	}
	if info.Size() < f.offset {
		f.offset, f.sample = 0, nil // cut to nothing, and begun anew
	}
	if info.Size() > f.offset {
		f.gone = 0
	}
	for f.offset < info.Size() && ctx.Err() == nil {
		piece := make([]byte, min(info.Size()-f.offset, followedPiece))
		n, err := f.file.ReadAt(piece, f.offset)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("follow %s: %w", f.path, err)
		}
		piece = piece[:n]
		if ok, err := f.begin(); err != nil || !ok {
			return err
		}
		whole := f.whole(piece)
		if whole == 0 && n < followedPiece {
			return nil // the line is still being written
		}
		if whole == 0 {
			whole = n
		}
		in := bufio.NewReader(bytes.NewReader(piece[:whole]))
		err = f.reader.decode(ctx, f.reader.decoder(f.format, f.sample, &lines{in: in}, &bytesIn{in: in}))
		if err != nil && !errors.Is(err, errOtherFormat) {
			return err
		}
		f.offset += int64(whole)
	}
	return nil
}

// begin finds the file's format out from its beginning. It reports false while
// there is too little of it.
func (f *followed) begin() (bool, error) {
	if f.sample != nil {
		return true, nil
	}
	sample := make([]byte, sampleSize)
	n, err := f.file.ReadAt(sample, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("follow %s: %w", f.path, err)
	}
	sample = bytes.TrimPrefix(sample[:n], []byte("\xef\xbb\xbf"))
	if end := bytes.LastIndexByte(sample, '\n'); end >= 0 {
		sample = sample[:end+1]
	} else if n < sampleSize {
		return false, nil
	}
	f.format = f.reader.options.Format
	if f.format == Auto {
		found, ok := detect(sample, f.reader.prefixes)
		if !ok {
			return false, &FormatError{Name: f.path, Expected: f.reader.expected(Auto), First: firstLine(sample)}
		}
		f.format = found
	}
	f.sample = sample
	return true, nil
}

// whole is the length of the whole records at the front of a piece. A record of
// csvlog may go over several lines.
func (f *followed) whole(piece []byte) int {
	if f.format != CSV {
		return bytes.LastIndexByte(piece, '\n') + 1
	}
	whole, state := 0, csvBegin
	for at := 0; ; {
		i := bytes.IndexByte(piece[at:], '\n')
		if i < 0 {
			return whole
		}
		state = state.line(chomp(piece[at : at+i+1]))
		at += i + 1
		if state != csvQuoted {
			whole, state = at, csvBegin
		}
	}
}
