package loganalytics

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/posternhq/postern/arm"
)

// Options say whose log is read, where and of which time.
type Options struct {
	// Client speaks with Log Analytics at Endpoint, which has no trailing slash.
	Client   *arm.Client
	Endpoint *url.URL
	// Workspace is the workspace's id, a GUID, and Server the ARM id of the server.
	Workspace, Server string
	// From and To bound the time, To not being part of it.
	From, To time.Time
}

// Found is what a workspace has of a server's log.
type Found struct {
	// Tables are those that hold it.
	Tables []string
	// Rows is how many rows there are, and Read how many of them were handed on:
	// not statements, errors and their like.
	Rows, Read int64
	// First and Last are the times of the first and the last row, be it handed on
	// or not, zero where there is none.
	First, Last time.Time
	// Namesakes counts rows of servers with the same name under another id.
	Namesakes map[string]int64
	// Missing says what could not be read, one sentence each.
	Missing []string
}

// Read hands the log to a function, as the records of a diagnostic export, one
// JSON document a line, in the order of time. It returns when the function has.
//
// The workspace has no such table, may not be read or does not exist: these are
// errors. That it has nothing of this server is not.
func Read(ctx context.Context, o Options, into func(io.Reader) error) (Found, error) {
	if err := CheckWorkspace(o.Workspace); err != nil {
		return Found{}, err
	}
	if !serverID.MatchString(o.Server) {
		return Found{}, fmt.Errorf("read workspace %s: %q is no id of a server", o.Workspace, o.Server)
	}
	r := &reader{Options: o}
	r.From, r.To = o.From.Truncate(shortest), o.To.Add(shortest).Truncate(shortest)
	if err := r.survey(ctx); err != nil {
		return Found{}, r.failed(ctx, err)
	}
	asking, stop := context.WithCancel(ctx)
	in, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := r.pages(asking, out)
		_ = out.CloseWithError(err) // which never fails
		ended <- err
	}()
	err := into(in)
	stop()
	_ = in.CloseWithError(errNobodyReads) // which never fails
	switch failed := <-ended; {
	case failed != nil && (err == nil || errors.Is(err, failed)):
		return Found{}, r.failed(ctx, failed)
	case err != nil:
		return Found{}, err
	}
	return r.found, nil
}

var errNobodyReads = errors.New("nobody reads the log any more")

// reader reads the log of one server.
type reader struct {
	Options
	tables []*table
	found  Found
	// begin and end bound what is asked for in windows.
	begin, end time.Time
	// cut counts windows of which only a part was given, cutFirst is the first.
	cut      int
	cutFirst time.Time
}

// survey finds the tables that hold the log, and what they have of it.
func (r *reader) survey(ctx context.Context) error {
	r.found.Namesakes = map[string]int64{}
	var denied error
	absent, readable := 0, 0
	for _, t := range []*table{{name: ownTable}, {name: sharedTable}} {
		a, err := r.ask(ctx, t.survey(r.Server, r.From, r.To))
		f := arm.AsFailure(err)
		switch {
		case f != nil && f.Status == http.StatusBadRequest && f.Has("BadArgumentError", "SemanticError"):
			absent++ // the query itself is the same for every workspace
			continue
		case f != nil && f.Status == http.StatusForbidden:
			denied = err
			r.missing("the table %s may not be read", t.name)
			continue
		case err != nil:
			return err
		}
		readable++
		if err := r.count(t, a); err != nil {
			return err
		}
		if a.cut {
			// What it has may be more, earlier and later, and all of it is asked for.
			r.missing("Log Analytics gave only a part of its answer to how much the table %s has of this server", t.name)
			r.begin, r.end = r.From, r.To
		}
		if t.rows == 0 && !a.cut {
			continue
		}
		if a, err = r.ask(ctx, t.look(r.Server, r.From, r.To)); err != nil {
			return err
		}
		t.columns = a.columns
		r.tables = append(r.tables, t)
		r.found.Tables = append(r.found.Tables, t.name)
	}
	switch {
	case readable > 0:
	case denied != nil:
		return denied
	case absent > 0:
		return fmt.Errorf("it has neither the table %s nor %s, so no diagnostic setting sends %s there; make one:\n%s", ownTable, sharedTable, category, r.setting())
	}
	if r.begin.IsZero() {
		r.begin, r.end = r.found.First.Truncate(shortest), r.found.Last.Truncate(shortest).Add(shortest)
	}
	if len(r.tables) == 0 {
		r.missing("the workspace has nothing of this server from %s on: a diagnostic setting must send %s there (%s)", r.From.Format(time.DateOnly), category, r.setting())
	}
	return nil
}

// setting is the command that sends a server's log to the workspace.
func (r *reader) setting() string {
	return fmt.Sprintf(`az monitor diagnostic-settings create --name postern --resource %s --workspace WORKSPACE_RESOURCE_ID `+
		`--export-to-resource-specific true --logs '[{"category": %q, "enabled": true}]'`, r.Server, category)
}

// count reads a survey: the server's own rows, and those of its namesakes.
func (r *reader) count(t *table, a answer) error {
	for _, row := range a.rows {
		id, _ := a.value(row, "_ResourceId").(string)
		rows, isNumber := a.value(row, "Rows").(float64)
		if id == "" || !isNumber || rows < 0 {
			return errors.New("the answer to how many rows there are is not one")
		}
		switch {
		case strings.EqualFold(id, r.Server):
			first, err := a.instant(row, "First")
			last, errLast := a.instant(row, "Last")
			if err = errors.Join(err, errLast); err != nil {
				return err
			}
			t.rows += int64(rows)
			r.found.Rows += int64(rows)
			if r.found.First.IsZero() || first.Before(r.found.First) {
				r.found.First = first
			}
			if last.After(r.found.Last) {
				r.found.Last = last
			}
		case strings.EqualFold(lastPart(id), lastPart(r.Server)):
			r.found.Namesakes[strings.ToLower(id)] += int64(rows)
		}
	}
	return nil
}

// pages writes the records of all windows, and says what is missing of them.
func (r *reader) pages(ctx context.Context, out io.Writer) error {
	if len(r.tables) == 0 {
		return nil
	}
	from, to := r.begin, r.end
	pieces := r.found.Rows/pageRows + 1
	length := max(shortest, (to.Sub(from) / time.Duration(pieces)).Truncate(shortest))
	for ; from.Before(to); from = from.Add(length) {
		end := from.Add(length)
		if end.After(to) {
			end = to
		}
		if err := r.window(ctx, from, end, out); err != nil {
			return err
		}
	}
	if r.cut > 0 {
		r.missing("Log Analytics gave only a part of its rows, for %d of the stretches of time asked for, the first at %s", r.cut, r.cutFirst.Format(time.RFC3339))
	}
	return nil
}

// window writes the records of a window, in halves where it is too much at once.
func (r *reader) window(ctx context.Context, from, to time.Time, out io.Writer) error {
	var all []entry
	cut := false
	for _, t := range r.tables {
		a, err := r.ask(ctx, t.page(r.Server, from, to))
		long := to.Sub(from) > shortest
		if long && (err != nil && tooMuch(ctx, err) || err == nil && a.cut && r.cut < maxCut) {
			middle := from.Add((to.Sub(from) / 2).Truncate(shortest))
			if err := r.window(ctx, from, middle, out); err != nil {
				return err
			}
			return r.window(ctx, middle, to, out)
		}
		if err != nil {
			return err
		}
		cut = cut || a.cut
		entries, err := a.entries(from, to)
		if err != nil {
			return err
		}
		all = together(all, entries)
	}
	if cut {
		if r.cut == 0 {
			r.cutFirst = from
		}
		r.cut++
	}
	r.found.Read += int64(len(all))
	return r.write(all, out)
}

// write writes entries as records.
func (r *reader) write(entries []entry, out io.Writer) error {
	var lines bytes.Buffer
	for _, e := range entries {
		if err := e.record(&lines, r.Server); err != nil {
			return fmt.Errorf("write a record: %w", err)
		}
	}
	_, err := out.Write(lines.Bytes())
	return err
}

// tooMuch reports whether a shorter window may be answered: the query took too
// long for the service or for us, or its answer is too large for the client, which
// says so in words only.
func tooMuch(ctx context.Context, err error) bool {
	if f := arm.AsFailure(err); f != nil {
		return f.Status == http.StatusGatewayTimeout || f.Status == http.StatusRequestEntityTooLarge
	}
	return ctx.Err() == nil && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, arm.ErrTooLarge))
}

// ask runs one query.
func (r *reader) ask(ctx context.Context, query string) (answer, error) {
	document, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		return answer{}, fmt.Errorf("write a query: %w", err)
	}
	body, err := r.Client.Post(ctx, r.Endpoint.String()+"/v1/workspaces/"+r.Workspace+"/query", document)
	if err != nil {
		return answer{}, err
	}
	return parseAnswer(body)
}

// failed says which workspace an error is about and what to do, without the token,
// which a server may have sent back.
func (r *reader) failed(ctx context.Context, err error) error {
	hint := ""
	if f := arm.AsFailure(err); f != nil {
		switch f.Status {
		case http.StatusUnauthorized, http.StatusForbidden:
			hint = "\nit takes Microsoft.OperationalInsights/workspaces/query/read on the workspace and …/query/*/read on its tables, which the role Log Analytics Reader has, " +
				"and a token for " + r.Endpoint.String()
		case http.StatusNotFound:
			hint = "\ngive the id of a workspace (its customerId, not its name) in this cloud"
		}
	}
	if arm.Interrupted(ctx, err) {
		return err
	}
	return fmt.Errorf("read workspace %s: %w%s", r.Workspace, r.Client.ScrubError(err), hint)
}

func (r *reader) missing(format string, args ...any) {
	r.found.Missing = append(r.found.Missing, fmt.Sprintf(format, args...))
}
