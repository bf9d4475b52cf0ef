package scan_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/collect"
	"github.com/posternhq/postern/collect/snapshot"
	"github.com/posternhq/postern/report"
	"github.com/posternhq/postern/rules"
	"github.com/posternhq/postern/scan"
)

// writeSnapshot writes an estate of n flexible servers with five rules each;
// every tenth lets all of Azure in.
func writeSnapshot(b *testing.B, n int) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "estate.json")
	f, err := snapshot.Create(path, "bench", "bench", time.Now())
	if err != nil {
		b.Fatal(err)
	}
	const typ = "Microsoft.DBforPostgreSQL/flexibleServers"
	for i := range n {
		id := fmt.Sprintf("/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg%d/providers/%s/db-%06d", i%100, typ, i)
		list := asset.Children{}
		for r := range 5 {
			start, end := fmt.Sprintf("203.0.%d.%d", i%256, r*8), fmt.Sprintf("203.0.%d.%d", i%256, r*8+7)
			if r == 0 && i%10 == 0 {
				start, end = "0.0.0.0", "0.0.0.0"
			}
			list.Items = append(list.Items, json.RawMessage(fmt.Sprintf(
				`{"id":"%s/firewallRules/rule-%d","name":"rule-%d","type":"%s/firewallRules","properties":{"startIpAddress":"%s","endIpAddress":"%s"}}`,
				id, r, r, typ, start, end)))
		}
		err := f.Asset(&asset.Asset{
			ID: id, Type: typ, Name: fmt.Sprintf("db-%06d", i), SubscriptionID: "00000000-0000-0000-0000-000000000000",
			ResourceGroup: fmt.Sprintf("rg%d", i%100), Location: "West Europe", Tags: map[string]string{"team": "bench"},
			Origin: asset.Origin{Source: "arm", APIVersion: "2025-08-01"},
			Body: json.RawMessage(`{"id":"` + id + `","location":"West Europe","tags":{"team":"bench"},"sku":{"name":"Standard_D4ds_v5","tier":"GeneralPurpose"},` +
				`"properties":{"state":"Ready","version":"16","administratorLogin":"dba","fullyQualifiedDomainName":"db.postgres.database.azure.com",` +
				`"network":{"publicNetworkAccess":"Enabled"},"backup":{"backupRetentionDays":7,"geoRedundantBackup":"Disabled"},` +
				`"highAvailability":{"mode":"Disabled","state":"NotEnabled"},"storage":{"storageSizeGB":512}}}`),
			Children: map[string]asset.Children{"firewallRules": list},
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := f.Finish(collect.Stats{Source: "bench", Subscriptions: 1, CollectedAt: time.Now()}); err != nil {
		b.Fatal(err)
	}
	return path
}

// peakHeap samples how much memory is in use while do runs, in bytes.
func peakHeap(do func()) uint64 {
	runtime.GC()
	var peak atomic.Uint64
	done := make(chan struct{})
	sampled := make(chan struct{})
	go func() {
		defer close(sampled)
		var m runtime.MemStats
		for {
			runtime.ReadMemStats(&m)
			peak.Store(max(peak.Load(), m.HeapAlloc))
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	do()
	close(done)
	<-sampled
	return peak.Load()
}

// The numbers of docs/numbers.md: judging a snapshot into the JSON stream. The
// peak must be the same whatever the size of the estate.
func BenchmarkSnapshotToStream(b *testing.B) {
	catalogue, err := rules.Catalogue()
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprintf("%dServers", n), func(b *testing.B) {
			path := writeSnapshot(b, n)
			var took time.Duration
			var peak uint64
			servers := 0
			for b.Loop() {
				peak = max(peak, peakHeap(func() {
					start := time.Now()
					source, err := snapshot.Open(path)
					if err != nil {
						b.Fatal(err)
					}
					summary, err := scan.Run(context.Background(), scan.Options{
						Collector: source, Rules: catalogue.All(), Handler: report.NewJSONL(io.Discard, false),
					})
					if err != nil || summary.Resources != n || summary.Fail != n/10 {
						b.Fatalf("%+v, %v", summary, err)
					}
					took += time.Since(start)
					servers += n
				}))
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(servers)/took.Seconds(), "servers/s")
			b.ReportMetric(float64(peak)/(1<<20), "MiB-peak")
		})
	}
}
