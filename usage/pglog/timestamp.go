package pglog

import (
	"bytes"
	"strconv"
	"time"
)

// clock reads the times of a log. Most lines have the time of the line before,
// so the last one is kept.
type clock struct {
	text []byte
	time time.Time
	// assumed is the first zone abbreviation that was taken for UTC.
	assumed string
}

// read takes a time off the front of b, as PostgreSQL writes it for %t, %m and
// %s: "2026-11-23 23:52:19[.338] UTC". It returns how many bytes that is, 0
// when b does not begin with a time. An ISO 8601 time, with T and Z, is taken
// too: Azure writes those.
func (c *clock) read(b []byte) (time.Time, int) {
	if n := len(c.text); n > 0 && bytes.HasPrefix(b, c.text) && (len(b) == n || !zoneByte(b[n])) {
		return c.time, n
	}
	const layout = "2006-01-02 15:04:05"
	if len(b) < len(layout) || b[4] != '-' || b[7] != '-' || (b[10] != ' ' && b[10] != 'T') || b[13] != ':' || b[16] != ':' {
		return time.Time{}, 0
	}
	var field [6]int
	for i, at := range [...]struct{ from, to int }{{0, 4}, {5, 7}, {8, 10}, {11, 13}, {14, 16}, {17, 19}} {
		for _, d := range b[at.from:at.to] {
			if d < '0' || d > '9' {
				return time.Time{}, 0
			}
			field[i] = field[i]*10 + int(d-'0')
		}
	}
	if field[1] < 1 || field[1] > 12 || field[2] < 1 || field[2] > 31 || field[3] > 23 || field[4] > 59 || field[5] > 60 {
		return time.Time{}, 0
	}
	nanos, n := fraction(b, len(layout))
	iso := b[10] == 'T'
	if !iso {
		// The zone stands after a space.
		if n+1 >= len(b) || b[n] != ' ' {
			return time.Time{}, 0
		}
		n++
	}
	offset, end, ok := c.zone(b, n)
	if !ok && !iso {
		return time.Time{}, 0
	}
	t := time.Date(field[0], time.Month(field[1]), field[2], field[3], field[4], field[5], nanos, time.UTC).Add(-offset)
	if !ok {
		return t, end
	}
	c.text, c.time = append(c.text[:0], b[:end]...), t
	return t, end
}

// fraction reads ".338" at n, and returns it in nanoseconds with its end.
func fraction(b []byte, n int) (nanos, end int) {
	if n >= len(b) || b[n] != '.' {
		return 0, n
	}
	scale := int(time.Second)
	for n++; n < len(b) && b[n] >= '0' && b[n] <= '9'; n++ {
		scale /= 10
		nanos += int(b[n]-'0') * scale
	}
	return nanos, n
}

func zoneByte(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == ':'
}

// zone reads "UTC", "CET" or "+05:30" at n, and returns its offset from UTC.
func (c *clock) zone(b []byte, n int) (offset time.Duration, end int, ok bool) {
	start := n
	if n < len(b) && (b[n] == '+' || b[n] == '-') {
		for n++; n < len(b) && (b[n] >= '0' && b[n] <= '9' || b[n] == ':'); n++ {
		}
		return numericZone(string(b[start:n])), n, n > start+1
	}
	for n < len(b) && (b[n] >= 'A' && b[n] <= 'Z' || b[n] >= 'a' && b[n] <= 'z') {
		n++
	}
	switch zone := string(b[start:n]); zone {
	case "":
		return 0, n, false
	case "UTC", "GMT", "Z":
	default:
		if c.assumed == "" {
			c.assumed = name(b[start:n])
		}
	}
	return 0, n, true
}

// numericZone reads "+05", "+0530" and "+05:30".
func numericZone(s string) time.Duration {
	digits := string(bytes.ReplaceAll([]byte(s[1:]), []byte(":"), nil))
	hours, _ := strconv.Atoi(digits[:min(2, len(digits))])
	minutes := 0
	if len(digits) >= 4 {
		minutes, _ = strconv.Atoi(digits[2:4])
	}
	offset := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if s[0] == '-' {
		return -offset
	}
	return offset
}

// epoch reads %n: seconds since 1970 with milliseconds, "1795564800.123". The
// zero time stands for what is no number.
func epoch(b []byte) time.Time {
	whole, part, _ := bytes.Cut(b, []byte("."))
	seconds, err := strconv.ParseInt(string(whole), 10, 64)
	if err != nil {
		return time.Time{}
	}
	nanos, _ := fraction(append([]byte("."), part...), 0)
	return time.Unix(seconds, int64(nanos)).UTC()
}
