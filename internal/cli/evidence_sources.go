package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/posternhq/postern/arm"
	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/report"
	"github.com/posternhq/postern/usage"
	"github.com/posternhq/postern/usage/loganalytics"
	"github.com/posternhq/postern/usage/pgactivity"
	"github.com/posternhq/postern/usage/pglog"
)

const (
	// workspaceReach is how far back a workspace is read without --since: as long
	// as one keeps its rows, unless told otherwise.
	workspaceReach = 30 * 24 * time.Hour
	// ingestionSkew is by how much the time that Azure notes of a row may differ
	// from the time that the row tells.
	ingestionSkew = 10 * time.Minute
)

// gatherer reads the sources of evidence about one server, one after the other.
type gatherer struct {
	*evidence
	env     Env
	server  *asset.Asset
	tally   *usage.Tally
	sources []usage.Source
	// seen is when samples saw clients that a log has told of.
	seen map[client]usage.Client
}

// client is who a client is, for the logs and for samples alike.
type client struct{ address, user, database, application string }

func clientOf(c usage.Client) client {
	return client{c.Address, c.User, c.Database, c.Application}
}

// reader reads logs of the server into the tally.
func (g *gatherer) reader(format pglog.Format) (*pglog.Reader, error) {
	options := g.reading
	options.Server, options.Format = g.server.ID, format
	return pglog.New(options, g.tally.Add)
}

func (g *gatherer) files(ctx context.Context, stdin io.Reader) error {
	reader, err := g.reader(g.reading.Format)
	if err != nil {
		return err
	}
	if err := reader.ReadPaths(ctx, g.logs, stdin); err != nil {
		return logError(err)
	}
	log := reader.Finish()
	g.sources = append(g.sources, usage.Source{Name: logNames(g.logs), Kind: usage.LogSource, Log: &log, Missing: nodesMissing(g.server)})
	return nil
}

// logAnalytics reads the log that the workspace holds.
func (g *gatherer) logAnalytics(ctx context.Context, l *live) error {
	client, err := loganalytics.NewClient(loganalytics.Access{
		Cloud: l.cloud, Credential: l.credential, Bearer: g.env.getenv(arm.TokenVariable) != "",
		Token: g.env.getenv(loganalytics.TokenVariable), Transport: l.transport, Now: g.env.Now(),
	})
	if err != nil {
		return err
	}
	reader, err := g.reader(pglog.Azure)
	if err != nil {
		return err
	}
	since := g.reading.Since
	if since.IsZero() {
		since = g.env.Now().Add(-workspaceReach)
	}
	name := "Log Analytics workspace " + g.workspace
	found, err := loganalytics.Read(ctx, loganalytics.Options{
		Client: client, Endpoint: l.cloud.LogAnalytics, Workspace: g.workspace, Server: g.server.ID,
		From: since.Add(-ingestionSkew), To: g.env.Now().Add(ingestionSkew),
	}, func(in io.Reader) error { return reader.Read(ctx, name, in) })
	switch {
	case errors.As(err, new(*pglog.FormatError)):
		return logError(err)
	case err != nil:
		return err
	}
	log := reader.Finish()
	log.Files = 0 // a workspace has none
	withLeft(&log, found, g.reading.Since)
	if len(found.Tables) > 0 {
		name += ", " + strings.Join(found.Tables, " and ")
	}
	g.sources = append(g.sources, usage.Source{
		Name: name, Kind: usage.LogSource, Log: &log, Missing: append(nodesMissing(g.server), found.Missing...),
		Limits: []string{"What the workspace has not taken in yet: the last minutes before it was asked."},
	})
	return nil
}

// withLeft counts the entries that were left in a workspace, which are none about a
// connection: that they are there says how far the log goes.
func withLeft(log *pglog.Stats, found loganalytics.Found, since time.Time) {
	log.Namesakes = found.Namesakes
	left := found.Rows - found.Read
	if left <= 0 {
		return
	}
	log.Entries += left
	first, last := found.First, found.Last
	if first.Before(since) {
		first = since
	}
	if log.First.IsZero() || first.Before(log.First) {
		log.First = first
	}
	if last.After(log.Last) {
		log.Last = last
	}
}

// sample watches who is connected to the live server.
func (g *gatherer) sample(ctx context.Context) error {
	o := pgactivity.Options{DSN: g.dsn, Watch: g.watch, Interval: g.interval, Now: g.env.Now}
	if isTerminal(g.env.Err) {
		planned := 1 + int(g.watch/cmp.Or(g.interval, pgactivity.DefaultInterval))
		o.Progress = func(samples int) {
			fmt.Fprintf(g.env.Err, "\r\x1b[KSampling who is connected: %d of %d", samples, planned)
		}
		defer fmt.Fprint(g.env.Err, "\r\x1b[K")
	}
	r, err := pgactivity.Watch(ctx, o)
	if err != nil {
		return err
	}
	limits := r.Limits
	if name := hostOf(g.server); name != "" && !strings.EqualFold(name, hostPart(r.Server)) {
		limits = append(limits, fmt.Sprintf("Whether %s is this server: its own name is %s.", r.Server, name))
	}
	g.sources = append(g.sources, usage.Source{
		Name: "pg_stat_activity of " + r.Server, Kind: usage.SampleSource,
		Sample: &usage.Sample{First: r.First, Last: r.Last, Samples: r.Samples, Interval: r.Interval, Limits: limits},
	})
	g.merge(r.Sightings)
	return nil
}

// merge adds what samples saw. A session of a client that a log has told of is in
// the log, so such a client keeps the log's numbers; its application may have
// changed since it was let in, which is when the log told of it.
func (g *gatherer) merge(sightings []pgactivity.Sighting) {
	logged := map[client][]usage.Client{}
	for _, c := range g.tally.Clients() {
		if c.Connections+c.Authenticated > 0 && !c.Ambiguous {
			k := client{address: c.Address, user: c.User, database: c.Database}
			logged[k] = append(logged[k], c)
		}
	}
	g.seen = map[client]usage.Client{}
	for _, s := range sightings {
		first := s.First
		if !s.BackendStart.IsZero() && s.BackendStart.Before(first) {
			first = s.BackendStart
		}
		sighted := usage.Client{
			Address: s.Address, User: s.User, Database: s.Database, Application: s.Application,
			First: first, Last: s.Last, Connections: s.Sessions, Unencrypted: s.Unencrypted,
		}
		of := logged[client{address: s.Address, user: s.User, database: s.Database}]
		if len(of) == 0 || s.Address == "" {
			g.tally.Sighted(sighted)
			continue
		}
		same := slices.IndexFunc(of, func(c usage.Client) bool { return c.Application == s.Application })
		k := clientOf(of[max(0, same)])
		if before, again := g.seen[k]; again {
			sighted = wider(before, sighted)
		}
		g.seen[k] = sighted
	}
}

// clients are those of all sources.
func (g *gatherer) clients() []usage.Client {
	all := g.tally.Clients()
	for i, c := range all {
		if s, ok := g.seen[clientOf(c)]; ok && !c.Ambiguous {
			all[i] = wider(c, s)
		}
	}
	return all
}

// wider is a client, seen for as long as another was too.
func wider(c, other usage.Client) usage.Client {
	if c.First.IsZero() || other.First.Before(c.First) {
		c.First = other.First
	}
	if other.Last.After(c.Last) {
		c.Last = other.Last
	}
	return c
}

// hostOf is the name that a server's own document gives it, empty where it gives
// none.
func hostOf(a *asset.Asset) string {
	var document struct {
		Properties struct {
			Host string `json:"fullyQualifiedDomainName"`
		} `json:"properties"`
	}
	if json.Unmarshal(a.Body, &document) != nil {
		return ""
	}
	return document.Properties.Host
}

func hostPart(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}

// logNames names the logs in one text.
func logNames(paths []string) string {
	names := slices.Clone(paths)
	for i, p := range names {
		if p == pglog.Stdin {
			names[i] = "standard input"
		}
	}
	return strings.Join(names, ", ")
}

// nodesMissing says what a log of a cluster lacks: its nodes have a log each, and
// nothing in one tells of the others.
func nodesMissing(server *asset.Asset) []string {
	cluster := strings.EqualFold(server.Type, "Microsoft.DBforPostgreSQL/serverGroupsv2")
	var document struct {
		Properties struct {
			Cluster *struct{} `json:"cluster"`
		} `json:"properties"`
	}
	if !cluster && (json.Unmarshal(server.Body, &document) != nil || document.Properties.Cluster == nil) {
		return nil
	}
	return []string{"the server is a cluster, whose nodes log each for itself, and it cannot be told whether the logs of all are here"}
}

// logError says what to do about a log in another format. The first line of a
// log is other people's text, and so may the names in a folder of logs be.
func logError(err error) error {
	plain := errors.New(report.Plain(err.Error()))
	if errors.As(err, new(*pglog.FormatError)) {
		return fmt.Errorf("%w\ngive the server's log_line_prefix with --log-line-prefix, or the format with --log-format", plain)
	}
	return plain
}
