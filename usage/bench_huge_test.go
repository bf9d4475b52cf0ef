package usage_test

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/posternhq/postern/usage"
	"github.com/posternhq/postern/usage/pglog"
)

// stream makes a log of a size without ever holding it: sessions of a thousand
// clients, as [writeLog] writes them.
type stream struct {
	left, lines int64
	n           int
	buf, rest   []byte
}

// Read implements [io.Reader].
func (s *stream) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		if s.left <= 0 {
			return 0, io.EOF
		}
		s.buf = s.buf[:0]
		for range 200 {
			s.buf = appendSession(s.buf, s.n)
			s.n++
			s.lines += 6
		}
		s.rest, s.left = s.buf, s.left-int64(len(s.buf))
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

var huge = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func appendSession(b []byte, n int) []byte {
	client := n % benchClients
	prefix := fmt.Sprintf("%s UTC-%x.%x-LOG:  ", huge.Add(time.Duration(n)*50*time.Millisecond).Format(time.DateTime), 0x6909e0c0+n/20, 1000+n%30000)
	from := fmt.Sprintf("host=20.50.%d.%d port=%d\n", client/250, client%250, 1024+n%60000)
	for _, message := range []string{
		"connection received: " + from,
		fmt.Sprintf("connection authorized: user=user%d database=orders application_name=worker SSL enabled (protocol=TLSv1.3, cipher=TLS_AES_256_GCM_SHA384, bits=256)\n", client%20),
		"duration: 1031.422 ms  statement: select o.id, o.placed_at, c.name from orders o join customers c on c.id = o.customer where o.state = 'open'\n",
		"automatic vacuum of table \"orders.public.basket\": index scans: 1\n",
		"temporary file: path \"base/pgsql_tmp/pgsql_tmp4711.0\", size 14680064\n",
		fmt.Sprintf("disconnection: session time: 0:00:03.102 user=user%d database=orders %s", client%20, from),
	} {
		b = append(append(b, prefix...), message...)
	}
	return b
}

// TestAHugeLogTakesLittleMemory reads a generated log of POSTERN_HUGE_LOG bytes,
// which is never on disk: POSTERN_HUGE_LOG=5e9 go test -run HugeLog -v ./usage
func TestAHugeLogTakesLittleMemory(t *testing.T) {
	size, err := strconv.ParseFloat(os.Getenv("POSTERN_HUGE_LOG"), 64)
	if err != nil {
		size = 20e6
	}
	runtime.GC()
	stop, begun := peakHeap(), time.Now()
	tally := usage.NewTally()
	r, err := pglog.New(pglog.Options{Now: huge.AddDate(0, 2, 0)}, tally.Add)
	if err != nil {
		t.Fatal(err)
	}
	in := &stream{left: int64(size)}
	if err := r.Read(t.Context(), "generated", in); err != nil {
		t.Fatal(err)
	}
	stats, took, peak := r.Finish(), time.Since(begun).Seconds(), stop()
	if n := len(tally.Clients()); n != benchClients || stats.Entries != in.lines || stats.Unreadable != 0 {
		t.Errorf("%d clients, counted %+v", n, stats)
	}
	const most = 64 << 20
	if peak > most {
		t.Errorf("it took %d MB of heap", peak>>20)
	}
	t.Logf("%.1f GB, %d lines in %.0f s, making them included: %.0f lines/s, %.0f MB/s, peak heap %.1f MB",
		float64(stats.Bytes)/1e9, in.lines, took, float64(in.lines)/took, float64(stats.Bytes)/1e6/took, float64(peak)/1e6)
}
