package loganalytics

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/posternhq/postern/azuresim"
	"github.com/posternhq/postern/usage/pglog"
)

// benchRows is how many rows the benchmark's workspace has.
const benchRows = 200_000

// benchSim is a local Azure whose workspace has a log in which every second line is
// about a connection and the others are statements, which are left where they are.
func benchSim(b *testing.B) *asked {
	b.Helper()
	e := azuresim.Demo()
	e.Subscriptions[0].Servers[0].Logs.Demo = false
	sim, err := azuresim.New(e, azuresim.Options{Now: func() time.Time { return now }})
	if err != nil {
		b.Fatal(err)
	}
	for n := range benchRows / 4 {
		at := now.Add(-time.Duration(benchRows/4-n) * 10 * time.Second)
		prefix := fmt.Sprintf("%s UTC-%x.%x-LOG:  ", at.Format(time.DateTime), at.Unix(), n%30000)
		for _, message := range []string{
			fmt.Sprintf("connection received: host=20.50.%d.%d port=50001", n%10, n%100),
			"statement: select 1", "statement: select 2",
			"connection authorized: user=shop database=orders application_name=checkout SSL enabled (protocol=TLSv1.3, cipher=TLS_AES_256_GCM_SHA384, bits=256)",
		} {
			if err := sim.AddLog(azuresim.DemoServer, at, prefix+message); err != nil {
				b.Fatal(err)
			}
		}
	}
	return workspace(b, sim)
}

// BenchmarkRead reads a workspace of 200,000 rows as `postern usage` does.
func BenchmarkRead(b *testing.B) {
	a := benchSim(b)
	a.From = month
	for b.Loop() {
		reader, err := pglog.New(pglog.Options{Format: pglog.Azure, Server: a.Server, Now: now}, func(pglog.Event) {})
		if err != nil {
			b.Fatal(err)
		}
		found, err := Read(b.Context(), a.Options, func(in io.Reader) error { return reader.Read(b.Context(), "workspace", in) })
		if err != nil || found.Read != benchRows/2 || reader.Finish().Events[pglog.Authorized] != benchRows/4 {
			b.Fatalf("found %+v, %v", found, err)
		}
	}
	b.ReportMetric(benchRows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkPage is the part of it that is not the simulator's: one answer of 50,000
// rows, read and written as records.
func BenchmarkPage(b *testing.B) {
	body := []byte(`{"tables":[{"name":"PrimaryResult","columns":[{"name":"TimeGenerated"},{"name":"Message"},{"name":"ErrorLevel"},{"name":"ProcessId"}],"rows":[`)
	for n := range pageRows {
		at := now.Add(-time.Duration(pageRows-n) * time.Second)
		body = fmt.Appendf(body, `[%q,"%s UTC-%x.1f-LOG:  connection authorized: user=shop database=orders application_name=checkout SSL enabled (protocol=TLSv1.3, cipher=TLS_AES_256_GCM_SHA384, bits=256)","LOG",31],`,
			at.Format(time.RFC3339Nano), at.Format(time.DateTime), n)
	}
	body = append(body[:len(body)-1], "]}]}"...)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		answer, err := parseAnswer(body)
		if err != nil {
			b.Fatal(err)
		}
		entries, err := answer.entries(now.AddDate(-1, 0, 0), now)
		if err != nil || len(entries) != pageRows {
			b.Fatal(len(entries), err)
		}
		r := &reader{}
		if err := r.write(together(nil, entries), io.Discard); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(pageRows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
