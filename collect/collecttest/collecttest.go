// Package collecttest is the contract of collect.Collector as a test: every
// implementation passes the same suite.
package collecttest

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/collect"
)

// Sink gathers what a collector hands over. It fails the test when calls overlap.
type Sink struct {
	T      *testing.T
	Assets []*asset.Asset
	Gaps   []asset.Gap
	// Refuse, when set, is the answer to the next asset.
	Refuse error

	busy atomic.Bool
}

func (s *Sink) enter() func() {
	if !s.busy.CompareAndSwap(false, true) {
		s.T.Error("the collector called its sink twice at the same time")
	}
	return func() { s.busy.Store(false) }
}

// Asset implements [collect.Sink].
func (s *Sink) Asset(a *asset.Asset) error {
	defer s.enter()()
	if s.Refuse != nil {
		return s.Refuse
	}
	s.Assets = append(s.Assets, a)
	return nil
}

// Gap implements [collect.Sink].
func (s *Sink) Gap(g asset.Gap) error {
	defer s.enter()()
	s.Gaps = append(s.Gaps, g)
	return nil
}

// Run holds a collector to the contract. Open is called once for each part of
// the suite and must give a source with at least two assets.
func Run(t *testing.T, open func(*testing.T) collect.Collector) {
	t.Run("hands over whole assets, each once", func(t *testing.T) {
		sink := &Sink{T: t}
		c := open(t)
		stats, err := c.Collect(t.Context(), sink)
		if err != nil {
			t.Fatal(err)
		}
		if stats.Partial {
			t.Error("a collection that ran to its end says it is partial")
		}
		if stats.CollectedAt.IsZero() || stats.Subscriptions == 0 || stats.Source == "" || c.Source() == "" {
			t.Errorf("the stats leave something out: %+v", stats)
		}
		if len(sink.Assets) < 2 {
			t.Fatalf("%d assets; the suite needs two or more", len(sink.Assets))
		}
		seen := map[string]bool{}
		for _, a := range sink.Assets {
			key := strings.ToLower(a.ID)
			if seen[key] {
				t.Errorf("%s was handed over twice", a.ID)
			}
			seen[key] = true
			if a.ID == "" || a.Type == "" || a.Name == "" || a.Origin.Source == "" || !json.Valid(a.Body) {
				t.Errorf("asset %q is not whole: %+v", a.ID, a)
			}
			if len(a.Children) == 0 {
				t.Errorf("asset %s has no child lists", a.ID)
			}
		}
	})

	t.Run("a sink that refuses ends it", func(t *testing.T) {
		full := errors.New("disk full")
		if _, err := open(t).Collect(t.Context(), &Sink{T: t, Refuse: full}); !errors.Is(err, full) {
			t.Errorf("Collect returned %v, want the sink's error", err)
		}
	})

	t.Run("cancelled half-way it says so and fails not", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		sink := &cancelling{Sink: Sink{T: t}, cancel: cancel}
		stats, err := open(t).Collect(ctx, sink)
		if err != nil {
			t.Fatalf("Collect returned %v, want no error", err)
		}
		if !stats.Partial {
			t.Error("the stats do not say that the collection is partial")
		}
		if len(sink.Assets) == 0 {
			t.Error("what was read before is lost")
		}
	})
}

// cancelling ends the context with the first asset it is handed.
type cancelling struct {
	Sink
	cancel context.CancelFunc
}

// Asset implements [collect.Sink].
func (c *cancelling) Asset(a *asset.Asset) error {
	c.cancel()
	return c.Sink.Asset(a)
}
