package pglog

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// lines reads a text line by line in memory that does not grow.
type lines struct {
	in  *bufio.Reader
	buf []byte
	// bytes counts what was read.
	bytes int64
}

// line is one line of a text.
type line struct {
	// text is the line without its end, at most MaxEntry bytes of it. It is valid
	// until the next line is read.
	text []byte
	// quotes counts the double quotes of the whole line, the part beyond MaxEntry
	// included.
	quotes int
	// whole is unset when something was dropped, and ended when the file stops
	// before the line does.
	whole, ended bool
}

// next returns the next line, io.EOF after the last.
func (l *lines) next() (line, error) {
	out := line{whole: true, ended: true}
	l.buf = l.buf[:0]
	for {
		piece, err := l.in.ReadSlice('\n')
		l.bytes += int64(len(piece))
		out.quotes += bytes.Count(piece, []byte{'"'})
		switch {
		case err == nil && len(l.buf) == 0:
			// The common case: the line lies in the reader's own buffer.
			out.text = chomp(piece)
			return out, nil
		case err == nil, errors.Is(err, bufio.ErrBufferFull), errors.Is(err, io.EOF):
			room := MaxEntry - len(l.buf)
			if len(piece) > room {
				piece, out.whole = piece[:room], false
			}
			l.buf = append(l.buf, piece...)
			if errors.Is(err, bufio.ErrBufferFull) {
				continue
			}
			if err != nil {
				if len(l.buf) == 0 {
					return line{}, io.EOF
				}
				out.ended = false
			}
			out.text = l.buf
			if out.whole {
				out.text = chomp(l.buf)
			}
			return out, nil
		default:
			return line{}, err //nolint:wrapcheck // the reader of the file says which file
		}
	}
}

// chomp takes "\n" or "\r\n" off the end.
func chomp(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r"))
}

// unpacked undoes gzip where the content says so, and takes a byte order mark
// away.
func unpacked(in io.Reader) (*bufio.Reader, error) {
	const size = 256 << 10
	buffered := bufio.NewReaderSize(in, size)
	if magic, _ := buffered.Peek(2); string(magic) == "\x1f\x8b" {
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, fmt.Errorf("unpack it: %w", err)
		}
		buffered = bufio.NewReaderSize(z, size)
	}
	if mark, _ := buffered.Peek(3); string(mark) == "\xef\xbb\xbf" {
		_, _ = buffered.Discard(3)
	}
	return buffered, nil
}

// bytesIn reads bytes one by one and counts them.
type bytesIn struct {
	in    *bufio.Reader
	bytes int64
}

func (b *bytesIn) byte() (byte, error) {
	c, err := b.in.ReadByte()
	if err == nil {
		b.bytes++
	}
	return c, err //nolint:wrapcheck // the reader of the file says which file
}
