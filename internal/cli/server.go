package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/collect"
)

// server finds the one server that a name or an id fits, and says where it was
// read. Of the others no rules are read, and with an id no other subscription is.
func (s *source) server(ctx context.Context, env Env, name string) (*asset.Asset, string, error) {
	is := func(a *asset.Asset) bool {
		return asset.SameID(a.ID, name) || strings.EqualFold(a.Name, name)
	}
	if subscription, ok := subscriptionOf(name); ok && s.from == "" && len(s.subscriptions) == 0 {
		s.subscriptions = []string{subscription}
	}
	collector, err := s.open(ctx, env, is)
	if err != nil {
		return nil, "", err
	}
	found := &finder{is: is}
	var stats collect.Stats
	err = watched(env, collector, func() error {
		stats, err = collector.Collect(ctx, found)
		return err
	})
	switch {
	case err != nil:
		return nil, "", err
	case len(found.assets) == 0:
		return nil, "", found.missing(name, stats)
	case len(found.assets) > 1:
		var ids []string
		for _, a := range found.assets {
			ids = append(ids, a.ID)
		}
		return nil, "", usagef("%q fits %d servers; give the id of one:\n  %s", name, len(ids), strings.Join(ids, "\n  "))
	}
	return found.assets[0], collector.Source(), nil
}

func subscriptionOf(id string) (string, bool) {
	rest, ok := strings.CutPrefix(strings.ToLower(id), "/subscriptions/")
	if !ok {
		return "", false
	}
	subscription, _, _ := strings.Cut(rest, "/")
	return subscription, subscription != ""
}

// finder keeps the assets that a name fits, and counts what could not be read.
type finder struct {
	is     func(*asset.Asset) bool
	assets []*asset.Asset
	gaps   []asset.Gap
}

// Asset implements [collect.Sink].
func (f *finder) Asset(a *asset.Asset) error {
	if f.is(a) {
		f.assets = append(f.assets, a)
	}
	return nil
}

// Gap implements [collect.Sink].
func (f *finder) Gap(g asset.Gap) error {
	f.gaps = append(f.gaps, g)
	return nil
}

// missing says that there is no such server, and what could hide it.
func (f *finder) missing(server string, stats collect.Stats) error {
	err := fmt.Errorf("no server %q was found in %d subscriptions; give its name or ARM id", server, stats.Subscriptions)
	for _, g := range f.gaps {
		err = fmt.Errorf("%w\nit may be where Postern could not look: %s", err, g)
	}
	if stats.Partial {
		err = fmt.Errorf("%w\nthe search was interrupted", err)
	}
	if stats.Partial || len(f.gaps) > 0 {
		return &unknownError{err}
	}
	return err
}
