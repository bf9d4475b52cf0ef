package snapshot

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"time"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/collect"
	"github.com/posternhq/postern/internal/wholefile"
)

// Writer writes a snapshot. It implements [collect.Sink].
type Writer struct {
	out  *bufio.Writer
	sum  hash.Hash
	json *json.Encoder
}

// NewWriter starts a snapshot of what a source held at a time.
func NewWriter(w io.Writer, tool, source string, collectedAt time.Time) (*Writer, error) {
	out := bufio.NewWriterSize(w, 1<<16)
	sum := sha256.New()
	s := &Writer{out: out, sum: sum, json: json.NewEncoder(io.MultiWriter(out, sum))}
	s.json.SetEscapeHTML(false)
	return s, s.write(header{Format: Format, Tool: tool, Source: source, CollectedAt: collectedAt})
}

// Asset implements [collect.Sink].
func (s *Writer) Asset(a *asset.Asset) error { return s.write(record{Asset: a}) }

// Gap implements [collect.Sink].
func (s *Writer) Gap(g asset.Gap) error { return s.write(record{Gap: &g}) }

// Finish writes the last lines. A snapshot without them is not one.
func (s *Writer) Finish(stats collect.Stats) error {
	if err := s.write(record{Stats: &stats}); err != nil {
		return err
	}
	if _, err := s.out.Write(newEnd(s.sum)); err != nil {
		return fmt.Errorf("write the snapshot: %w", err)
	}
	if err := s.out.Flush(); err != nil {
		return fmt.Errorf("write the snapshot: %w", err)
	}
	return nil
}

func (s *Writer) write(line any) error {
	if err := s.json.Encode(line); err != nil {
		return fmt.Errorf("write the snapshot: %w", err)
	}
	return nil
}

// File is a snapshot on its way to a file. It appears under its name only when
// it is whole: a crash leaves what stood there before.
type File struct {
	*Writer
	file *wholefile.File
	gzip *gzip.Writer
}

// Create starts a snapshot file, readable by its owner alone because it holds
// the estate's inventory. A name that ends in .gz is compressed.
func Create(path, tool, source string, collectedAt time.Time) (*File, error) {
	file, err := wholefile.Create(path, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create the snapshot: %w", err)
	}
	f := &File{file: file}
	var out io.Writer = file
	if strings.HasSuffix(strings.ToLower(path), ".gz") {
		f.gzip = gzip.NewWriter(file)
		out = f.gzip
	}
	if f.Writer, err = NewWriter(out, tool, source, collectedAt); err != nil {
		return nil, errors.Join(err, f.Discard())
	}
	return f, nil
}

// Finish writes the last lines and gives the file its name.
func (f *File) Finish(stats collect.Stats) error {
	err := f.Writer.Finish(stats)
	if err == nil && f.gzip != nil {
		err = f.gzip.Close()
	}
	if err != nil {
		return errors.Join(err, f.Discard())
	}
	if err := f.file.Commit(); err != nil {
		return fmt.Errorf("write the snapshot: %w", err)
	}
	return nil
}

// Discard gives up: nothing is left behind.
func (f *File) Discard() error { return f.file.Discard() }
