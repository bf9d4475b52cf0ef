package snapshot

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/collect"
)

// Snapshot is a file that has been checked from its first byte to its last. It
// implements [collect.Collector].
type Snapshot struct {
	path   string
	header header
	stats  collect.Stats
}

// Open checks a snapshot: the format, and that every byte is as it was written.
// A file that is damaged, cut short or of a newer format is refused with the
// reason. Compression is recognised by content, whatever the file is called.
func Open(path string) (*Snapshot, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open the snapshot: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("open the snapshot: %s is no regular file, and a snapshot is read twice; put it into one", path)
	}
	s := &Snapshot{path: path}
	if s.stats, err = s.read(func([]byte) error { return nil }); err != nil {
		return nil, err
	}
	return s, nil
}

// read goes through the file from end to end, hands every line of an asset or a
// gap over, and returns the stats. It does not trust an earlier reading: the file
// may have changed since.
func (s *Snapshot) read(each func(line []byte) error) (collect.Stats, error) {
	var stats *collect.Stats
	ended := false
	sum := sha256.New()
	err := s.lines(func(line []byte) error {
		switch {
		case ended:
			return errors.New("something follows its last line")
		case bytes.HasPrefix(line, []byte(`{"end":`)):
			ended = true
			if !bytes.Equal(line, newEnd(sum)) {
				return errors.New("its checksum does not fit: it was changed after it was written")
			}
			return nil
		case bytes.HasPrefix(line, []byte(`{"stats":`)):
			var r record
			if err := json.Unmarshal(line, &r); err != nil {
				return fmt.Errorf("its stats cannot be read: %w", err)
			}
			stats = r.Stats
		case !bytes.HasPrefix(line, []byte(`{"format":`)):
			if err := each(line); err != nil {
				return err
			}
		}
		sum.Write(line)
		return nil
	})
	switch {
	case err != nil:
		return collect.Stats{}, err
	case !ended:
		return collect.Stats{}, s.damaged(errors.New("it is cut short: its last line is missing"))
	case stats == nil:
		return collect.Stats{}, s.damaged(errors.New("it does not say how far the collecting got"))
	}
	return *stats, nil
}

func (s *Snapshot) damaged(err error) error {
	return fmt.Errorf("snapshot %s is damaged: %w; take a new one with `postern snapshot`", s.path, err)
}

// Source implements [collect.Collector].
func (s *Snapshot) Source() string {
	return fmt.Sprintf("snapshot of %s, taken %s", s.header.Source, s.header.CollectedAt.UTC().Format("2006-01-02 15:04 UTC"))
}

// Collect implements [collect.Collector]. The calls that the stats count are
// those of this reading: none.
func (s *Snapshot) Collect(ctx context.Context, sink collect.Sink) (collect.Stats, error) {
	stats := s.stats
	stats.Source, stats.Calls, stats.Throttled, stats.Waited = s.header.Source, 0, 0, 0

	// Decoding goes ahead of the sink, which judges: on two cores the two take
	// the time of one.
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	const ahead = 64
	records := make(chan record, ahead)
	failed := make(chan error, 1)
	go func() {
		defer close(records)
		failed <- s.decode(ctx, records)
	}()
	for r := range records {
		var err error
		if r.Asset != nil {
			err = sink.Asset(r.Asset)
		} else {
			err = sink.Gap(*r.Gap)
		}
		if err != nil {
			stop(err)
			for range records {
				// The decoder is let run on until it sees that it should stop.
				continue
			}
			return stats, err
		}
	}
	err := <-failed
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		stats.Partial = true
		return stats, sink.Gap(asset.Gap{Scope: s.path, Operation: "read the snapshot", Message: "the scan was interrupted before this was read to its end"})
	}
	return stats, err
}

func (s *Snapshot) decode(ctx context.Context, out chan<- record) error {
	_, err := s.read(func(line []byte) error {
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			return fmt.Errorf("a line cannot be read: %w", err)
		}
		if r.Asset == nil && r.Gap == nil {
			return errors.New("a line is neither an asset nor a gap")
		}
		select {
		case out <- r:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	return err
}

// lines reads the header into s and hands every later line over, newline
// included. The line is valid until the function returns.
func (s *Snapshot) lines(each func([]byte) error) error {
	file, err := os.Open(s.path)
	if err != nil {
		return fmt.Errorf("open the snapshot: %w", err)
	}
	defer file.Close()
	in, err := plain(bufio.NewReaderSize(file, 1<<16))
	if err != nil {
		return s.damaged(err)
	}
	for first := true; ; first = false {
		line, err := readLine(in)
		switch {
		case errors.Is(err, io.EOF) && len(line) == 0:
			if first {
				return s.damaged(errors.New("it is empty"))
			}
			return nil
		case err != nil:
			return s.damaged(readable(err))
		}
		if first {
			if s.header, err = readHeader(line); err != nil {
				return fmt.Errorf("read snapshot %s: %w", s.path, err)
			}
		}
		if err := each(line); err != nil {
			if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
				return err
			}
			return s.damaged(err)
		}
	}
}

func readHeader(line []byte) (header, error) {
	var h header
	if err := json.Unmarshal(line, &h); err != nil || !strings.HasPrefix(h.Format, formatPrefix) {
		return h, errors.New("it is no snapshot: its first line does not say so; `postern snapshot -o FILE` writes one")
	}
	if h.Format != Format {
		return h, fmt.Errorf("it has the format %s and this Postern reads %s; use the Postern that wrote it (%s) or a newer one", h.Format, Format, h.Tool)
	}
	return h, nil
}

func readable(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return errors.New("it is cut short in the middle of a line")
	}
	return err
}

// plain undoes compression where there is any.
func plain(in *bufio.Reader) (*bufio.Reader, error) {
	// A file too short for the magic number is not compressed, whatever it is.
	if magic, _ := in.Peek(2); !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return in, nil
	}
	unzipped, err := gzip.NewReader(in)
	if err != nil {
		return nil, err
	}
	return bufio.NewReaderSize(unzipped, 1<<16), nil
}

// readLine reads up to and with the newline. A last line without one is half a
// line.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		if len(line)+len(part) > maxLine {
			return nil, fmt.Errorf("a line is longer than %d MiB", maxLine>>20)
		}
		line = append(line, part...)
		switch {
		case err == nil:
			return line, nil
		case errors.Is(err, bufio.ErrBufferFull):
		default:
			return line, err
		}
	}
}
