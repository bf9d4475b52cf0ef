// Package azure collects assets from a live Azure through Resource Manager:
// one list call per type and subscription, then one call per server and child
// list, in parallel and within the budget that Azure sets.
//
// It reads raw JSON, because the typed clients drop fields that the service
// sends. It knows how Azure is asked, which the resourcetype table drives, and
// nothing of what the answers mean or of any rule.
package azure

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"golang.org/x/sync/errgroup"

	"github.com/posternhq/postern/arm"
	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/collect"
	"github.com/posternhq/postern/resourcetype"
)

// parallelSubscriptions is how many subscriptions are read side by side. Each
// costs at least a call per type, so a large tenant is mostly waiting.
const parallelSubscriptions = 32

// Options says what to collect and with what.
type Options struct {
	Cloud      arm.Cloud
	Credential azcore.TokenCredential
	// Subscriptions are ids or names; empty means all that the caller sees.
	Subscriptions []string
	// Types defaults to [resourcetype.All].
	Types []resourcetype.Type
	// Only, when set, picks the servers whose child lists are read; the others
	// are left out.
	Only func(*asset.Asset) bool
	// Concurrency is calls in flight per subscription, 1 to [arm.MaxConcurrency];
	// [arm.DefaultConcurrency] when 0. Four times that over all subscriptions.
	Concurrency int
	// Transport defaults to [arm.NewTransport].
	Transport http.RoundTripper
	// Now defaults to time.Now.
	Now func() time.Time
}

// Collector reads one Azure. It implements [collect.Collector].
type Collector struct {
	options  Options
	client   *arm.Client
	versions map[string]*atomic.Int32

	subscriptions     atomic.Int64
	subscriptionsDone atomic.Int64
	servers           atomic.Int64
	vanished          atomic.Int64
}

// New returns a collector. Nothing is asked of Azure before Collect.
func New(o Options) (*Collector, error) {
	if o.Concurrency == 0 {
		o.Concurrency = arm.DefaultConcurrency
	}
	if o.Concurrency < 1 || o.Concurrency > arm.MaxConcurrency {
		return nil, fmt.Errorf("use a concurrency of %d: it must lie between 1 and %d", o.Concurrency, arm.MaxConcurrency)
	}
	if o.Only == nil {
		o.Only = func(*asset.Asset) bool { return true }
	}
	if o.Types == nil {
		o.Types = resourcetype.All()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Collector{options: o, versions: map[string]*atomic.Int32{}}
	for _, t := range o.Types {
		c.versions[t.Name] = new(atomic.Int32)
	}
	c.client = arm.NewClient(arm.Options{
		Endpoint: o.Cloud.ARM, Scope: o.Cloud.Scope(), Credential: o.Credential, Transport: o.Transport, Concurrency: o.Concurrency,
	})
	return c, nil
}

// Source implements [collect.Collector].
func (c *Collector) Source() string { return "Azure (" + c.options.Cloud.Name + ")" }

// Progress is how far a collection has come.
type Progress struct {
	Subscriptions, SubscriptionsDone int
	Servers                          int
	Calls, Throttled                 int
	// Waiting is how many calls stand still at this moment because Azure asked
	// for it.
	Waiting int
}

// Progress may be called at any time, from any goroutine.
func (c *Collector) Progress() Progress {
	s := c.client.Stats()
	return Progress{
		Subscriptions: int(c.subscriptions.Load()), SubscriptionsDone: int(c.subscriptionsDone.Load()),
		Servers: int(c.servers.Load()), Calls: s.Calls, Throttled: s.Throttled, Waiting: s.Waiting,
	}
}

// Collect implements [collect.Collector]. It fails when there is no token, when
// the subscriptions cannot be listed, or when a chosen one is not among them.
func (c *Collector) Collect(ctx context.Context, sink collect.Sink) (collect.Stats, error) {
	started := c.options.Now()
	err := c.collect(ctx, sink)
	s := c.client.Stats()
	return collect.Stats{
		Source: c.Source(), CollectedAt: started,
		Subscriptions: int(c.subscriptions.Load()), Vanished: int(c.vanished.Load()),
		Calls: s.Calls, Throttled: s.Throttled, Waited: s.Waited, Partial: ctx.Err() != nil,
	}, c.client.ScrubError(err)
}

func (c *Collector) collect(ctx context.Context, sink collect.Sink) error {
	// A sink that refuses ends everything; what Azure refuses ends nothing.
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	out := &serialSink{sink: sink, stop: stop}
	if err := c.client.Authenticate(ctx); ctx.Err() != nil {
		out.gap(c.newGap("/subscriptions", "list the subscriptions", "Microsoft.Resources/subscriptions/read", errInterrupted))
		return out.err
	} else if err != nil {
		return err
	}
	subscriptions, err := c.chosenSubscriptions(ctx, out)
	if err != nil {
		return err
	}
	c.subscriptions.Store(int64(len(subscriptions)))

	var group errgroup.Group
	group.SetLimit(parallelSubscriptions)
	for _, s := range subscriptions {
		group.Go(func() error {
			c.subscription(ctx, s, out)
			c.subscriptionsDone.Add(1)
			return nil
		})
	}
	_ = group.Wait() // the functions return no errors
	return out.err
}

// subscription reads all types of one subscription.
func (c *Collector) subscription(ctx context.Context, s subscription, out *serialSink) {
	var types, servers errgroup.Group
	servers.SetLimit(c.options.Concurrency)
	for _, t := range c.options.Types {
		types.Go(func() error {
			scope := "/subscriptions/" + s.ID
			// Pages that shift while they are read can show a server twice.
			seen := map[string][sha256.Size]byte{}
			err := c.listType(ctx, s, t, func(version string, item json.RawMessage) error {
				found, err := newAsset(s, t, version, item)
				if err != nil {
					out.gap(c.newGap(scope, "read a "+t.Label, t.ReadPermission(), err))
					return nil
				}
				key, sum := foldID(found.ID), sha256.Sum256(item)
				before, again := seen[key]
				switch {
				case !again && c.options.Only(found):
					seen[key] = sum
					servers.Go(func() error { c.server(ctx, t, found, out); return nil })
				case again && before != sum:
					out.gap(c.newGap(found.ID, "read a "+t.Label, t.ReadPermission(), errChanged))
				}
				return nil
			})
			if err != nil {
				out.gap(c.gap(ctx, scope, "list "+t.Label+"s", t.ReadPermission(), err))
			}
			return nil
		})
	}
	_ = types.Wait() // the functions return no errors
	_ = servers.Wait()
}

// listType lists the resources of one type, with the newest API version that
// this cloud knows.
func (c *Collector) listType(ctx context.Context, s subscription, t resourcetype.Type, each func(version string, item json.RawMessage) error) error {
	current := c.versions[t.Name]
	for {
		i := current.Load()
		version := t.APIVersions[i]
		err := c.client.List(ctx, c.client.Address("/subscriptions/"+s.ID+"/providers/"+t.Name, version), func(item json.RawMessage) error {
			return each(version, item)
		})
		switch f := arm.AsFailure(err); {
		case f == nil:
			return err
		case f.Unregistered():
			return nil
		case f.WrongVersion() && int(i)+1 < len(t.APIVersions):
			current.CompareAndSwap(i, i+1)
		case f.NotOffered():
			return nil
		default:
			return err
		}
	}
}

// server reads the child lists of one server and hands it over, unless it has
// vanished since it was listed.
func (c *Collector) server(ctx context.Context, t resourcetype.Type, a *asset.Asset, out *serialSink) {
	path := arm.EscapedPath(a.ID)
	for _, child := range t.Children {
		list := asset.Children{Items: []json.RawMessage{}}
		err := c.client.List(ctx, c.client.Address(path+"/"+child.Name, a.Origin.APIVersion), func(item json.RawMessage) error {
			list.Items = append(list.Items, item)
			return nil
		})
		if err != nil {
			if arm.AsFailure(err).Gone() && nothingRead(a) && c.gone(ctx, path, a.Origin.APIVersion) {
				c.vanished.Add(1)
				return
			}
			gap := c.gap(ctx, a.ID, "list "+child.Label+"s", t.ChildReadPermission(child.Name), err)
			list.Gap = &gap
		}
		a.Children[child.Name] = list
	}
	c.servers.Add(1)
	out.asset(a)
}

// gone asks for the server itself: a 404 on its children alone does not prove
// that it is no more, and a server must not disappear from a report by mistake.
func (c *Collector) gone(ctx context.Context, path, version string) bool {
	_, err := c.client.Get(ctx, c.client.Address(path, version))
	return arm.AsFailure(err).Gone()
}

// nothingRead reports whether no child of a server was read: what was read is
// judged, whatever became of the server since.
func nothingRead(a *asset.Asset) bool {
	for _, list := range a.Children {
		if len(list.Items) > 0 {
			return false
		}
	}
	return true
}

func (c *Collector) gap(ctx context.Context, scope, operation, permission string, err error) asset.Gap {
	if arm.Interrupted(ctx, err) {
		err = errInterrupted
	}
	return c.newGap(scope, operation, permission, err)
}

// newGap makes a gap of an error, and keeps the token out of it.
func (c *Collector) newGap(scope, operation, permission string, err error) asset.Gap {
	gap := newGap(scope, operation, permission, err)
	gap.Message = c.client.Scrub(gap.Message)
	return gap
}

// serialSink hands over one thing at a time and remembers the first refusal.
type serialSink struct {
	mu   sync.Mutex
	sink collect.Sink
	stop context.CancelCauseFunc
	err  error
}

func (s *serialSink) asset(a *asset.Asset) { s.hand(func() error { return s.sink.Asset(a) }) }
func (s *serialSink) gap(g asset.Gap)      { s.hand(func() error { return s.sink.Gap(g) }) }

func (s *serialSink) hand(over func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	if s.err = over(); s.err != nil {
		s.stop(s.err)
	}
}
