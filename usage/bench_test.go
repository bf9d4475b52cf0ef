package usage_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/posternhq/postern/usage"
	"github.com/posternhq/postern/usage/pglog"
)

// The log of the benchmarks: sessions of a thousand clients, each of three
// connection lines and three of other kinds, as a server with log_min_duration
// writes them.
const benchClients = 1000

// writeLog writes a log of at least so many bytes, and returns its size and lines.
func writeLog(b *testing.B, path string, size int64, csv bool) (written, lines int64) {
	b.Helper()
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	out := bufio.NewWriterSize(f, 1<<20)
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for n := 0; written < size; n++ {
		client := n % benchClients
		host := fmt.Sprintf("20.50.%d.%d", client/250, client%250)
		stamp := start.Add(time.Duration(n) * 20 * time.Millisecond).Format("2006-01-02 15:04:05")
		session := fmt.Sprintf("%x.%x", 0x6909e0c0+n/50, 1000+n%30000)
		for _, message := range []string{
			fmt.Sprintf("connection received: host=%s port=%d", host, 1024+n%60000),
			fmt.Sprintf("connection authorized: user=user%d database=orders application_name=worker SSL enabled (protocol=TLSv1.3, cipher=TLS_AES_256_GCM_SHA384, bits=256)", client%20),
			"duration: 1031.422 ms  statement: select o.id, o.placed_at, c.name from orders o join customers c on c.id = o.customer where o.state = 'open'",
			"automatic vacuum of table \"orders.public.basket\": index scans: 1",
			"temporary file: path \"base/pgsql_tmp/pgsql_tmp4711.0\", size 14680064",
			fmt.Sprintf("disconnection: session time: 0:00:03.102 user=user%d database=orders host=%s port=%d", client%20, host, 1024+n%60000),
		} {
			line := stamp + " UTC-" + session + "-LOG:  " + message + "\n"
			if csv {
				line = stamp + ".123 UTC,,,1," + `"` + host + `:1",` + session + `,1,"",` + stamp + ` UTC,3/1,0,LOG,00000,"` + strings.ReplaceAll(message, `"`, `""`) + `",,,,,,,,,"","client backend",,0` + "\n"
			}
			k, _ := out.WriteString(line)
			written += int64(k)
			lines++
		}
	}
	if err := out.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return written, lines
}

// peakHeap watches the heap until it is stopped, and reports the most it saw.
func peakHeap() (stop func() uint64) {
	done, peak := make(chan struct{}), make(chan uint64)
	go func() {
		var most uint64
		var m runtime.MemStats
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				peak <- most
				return
			case <-tick.C:
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
		}
	}()
	return func() uint64 { close(done); return <-peak }
}

// BenchmarkLog reads a log to clients, beside grep counting one message in it.
func BenchmarkLog(b *testing.B) {
	for _, bench := range []struct {
		name string
		size int64
		csv  bool
	}{{"stderr-50MB", 50e6, false}, {"stderr-400MB", 400e6, false}, {"csv-50MB", 50e6, true}} {
		path := filepath.Join(b.TempDir(), bench.name)
		size, lines := writeLog(b, path, bench.size, bench.csv)
		rate := func(b *testing.B) {
			b.SetBytes(size)
			b.ReportMetric(float64(lines)*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
		}
		b.Run(bench.name+"/postern", func(b *testing.B) {
			runtime.GC()
			stop := peakHeap()
			for b.Loop() {
				tally := usage.NewTally()
				r, err := pglog.New(pglog.Options{}, tally.Add)
				if err != nil {
					b.Fatal(err)
				}
				if err := r.ReadPath(b.Context(), path, nil); err != nil {
					b.Fatal(err)
				}
				if n := len(tally.Clients()); n != benchClients {
					b.Fatalf("%d clients", n)
				}
			}
			b.ReportMetric(float64(stop())/1e6, "peak-heap-MB")
			rate(b)
		})
		b.Run(bench.name+"/grep", func(b *testing.B) {
			for b.Loop() {
				// Output and not Run: grep stops at the first match when nobody listens.
				if _, err := exec.Command("grep", "-c", "connection authorized", path).Output(); err != nil {
					b.Fatal(err)
				}
			}
			rate(b)
		})
	}
}
