package usage

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/usage/pglog"
)

// missing lists what keeps the evidence from being enough.
func missing(e Evidence, a Answer) []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for _, d := range e.Access.doubts {
		say("not all rules were read: %s", d)
	}
	if a.Door.State == exposure.Unknown && len(e.Access.doubts) == 0 {
		say("the azure door is unknown: %s", a.Door.Reason)
	}
	logs := 0
	for _, s := range e.Sources {
		of := ""
		if len(e.Sources) > 1 {
			of = s.Name + ": "
		}
		tell := func(format string, args ...any) { say("%s", of+fmt.Sprintf(format, args...)) }
		for _, m := range s.Missing {
			tell("%s", m)
		}
		if s.Log == nil {
			continue
		}
		logs++
		if logMissing(s.Log, tell) {
			logUncertain(s.Log, tell)
		}
	}
	if logs == 0 {
		say("no log was read: samples show who is connected at an instant, and not who came between two of them")
	} else if !a.Window.First.IsZero() {
		windowMissing(e, a, say)
	}
	clientsMissing(e, a, say)
	return out
}

func clientsMissing(e Evidence, a Answer, say func(string, ...any)) {
	if n := a.Count(Unknown); n > 0 {
		say("it is not known how %s %s in", count(n, "client"), verb(n, "comes", "come"))
	}
	hidden := 0
	for _, c := range a.Clients {
		if c.Hidden != "" {
			hidden++
		}
	}
	if hidden > 0 {
		say("others may hide behind %s", count(hidden, "client"))
	}
	if e.Dropped > 0 {
		say("there were more than %d clients, and %s of the others were not kept", MaxClients, count(int(e.Dropped), "connection"))
	}
}

// windowMissing says whether the logs vouch for long enough, and until now.
func windowMissing(e Evidence, a Answer, say func(string, ...any)) {
	w := a.Window
	if len(w.Stretches) == 0 {
		return // the sources have said that nobody was let in
	}
	if length := a.Rests.Length(); length < e.MinWindow-min(maxSlack, e.MinWindow/slackShare) {
		text := fmt.Sprintf("the log vouches for %s, and it takes %s", spanInHours(length), Span(e.MinWindow))
		if gap := w.Gap(); gap.Length() > 0 {
			text = fmt.Sprintf("the log vouches for %s without a break, and it takes %s: from %s to %s it tells of nobody let in, so connections were not logged or a piece is missing",
				spanInHours(length), Span(e.MinWindow), instant(gap.From), instant(gap.To))
		}
		say("%s", text)
	} else if next := w.after(a.Rests.To); !next.IsZero() {
		// A stretch that is long enough, and a break after it.
		say("after %s, which is where the longest stretch ends, the log tells of nobody let in until %s: connections were not logged, or a piece is missing", instant(a.Rests.To), instant(next))
	}
	if later := w.Last.Sub(a.Rests.To); later > maxPause && w.after(a.Rests.To).IsZero() {
		say("after %s the log goes on for %s and tells of nobody let in: log_connections may have been switched off", instant(a.Rests.To), Span(later))
	}
	if age := e.Now.Sub(a.Rests.To); age > maxAge {
		say("what the log vouches for ended %s ago, on %s; give a log that ends within the last %s", Span(age), instant(a.Rests.To), Span(maxAge))
	}
}

// logMissing lists what a log lacks. It reports false when there is nothing in
// it, so that no more need be said.
func logMissing(log *pglog.Stats, say func(string, ...any)) bool {
	events := log.Events
	// A file that was not read counts whatever is in the others.
	if log.UnreadFiles > 0 {
		say("%s not read: %s", verb(log.UnreadFiles, "1 file that may be a log was", fmt.Sprintf("%d files that may be logs were", log.UnreadFiles)), listed(log.Unread, log.UnreadFiles))
	}
	if len(log.Namesakes) > 0 {
		var ids []string
		for _, id := range slices.Sorted(maps.Keys(log.Namesakes)) {
			ids = append(ids, fmt.Sprintf("%s of %s", count(int(log.Namesakes[id]), "record"), id))
		}
		say("a server of this name has records under another id, which may be this one before it was moved: %s", listed(ids, len(ids)))
	}
	switch {
	case log.Entries == 0:
		say("the log holds no entry of this server in the time asked about")
		return false
	case events[pglog.Received]+events[pglog.Authorized]+events[pglog.Disconnected] == 0:
		say("the log has %s and none of a connection: log_connections is off, or its messages are not in English", entries(log.Entries))
	case len(log.Hours) == 0:
		say("no line of the log tells when anybody was let in: log_connections is off in part, or nobody came")
	}
	// What came before the time asked about says nothing of how well the rest reads.
	lost := log.Unreadable + int64(log.Truncated)
	if total := log.Entries + lost; lost*100 > total*MaxUnreadable {
		say("%s of %d could not be read, more than %d %%", lines(lost), total, MaxUnreadable)
	}
	return true
}

// logUncertain lists what of a log may be otherwise than it reads.
func logUncertain(log *pglog.Stats, say func(string, ...any)) {
	if n := log.Torn; n > 0 {
		say("%s that could not be read may tell of a connection", lines(n))
	}
	if n := log.Truncated; n > 0 {
		say("%s in the middle of a line, which may tell of a connection", verb(n, "1 file ends", fmt.Sprintf("%d files end", n)))
	}
	if n := log.OtherLanguage; n > 0 {
		say("%s not in English (lc_messages), and those about connections cannot be told among them", verb(int(n), "1 entry is", fmt.Sprintf("%d entries are", n)))
	}
	if n := log.Untimed; n > 0 {
		say("%s no time: the log_line_prefix needs %%t, %%m or %%n", verb(int(n), "1 entry has", fmt.Sprintf("%d entries have", n)))
	}
	if n := log.Implausible; n > 0 {
		say("%s a time in the future or more than ten years ago", verb(int(n), "1 entry has", fmt.Sprintf("%d entries have", n)))
	}
	if n := log.Contested; n > 0 {
		say("%s said to come from two addresses: the logs of two nodes are mixed, or a line is forged", verb(int(n), "1 session is", fmt.Sprintf("%d sessions are", n)))
	}
	if n := log.Embedded; n > 0 {
		say("%s within another message, where a client can have put %s", verb(int(n), "1 message about a connection stands", fmt.Sprintf("%d messages about connections stand", n)), verb(int(n), "it", "them"))
	}
	if log.ForgeablePrefix != "" {
		say("the log_line_prefix %q holds names that clients choose, so a stranger can forge lines: use csvlog or jsonlog, or the prefix %q", log.ForgeablePrefix, pglog.DefaultPrefix)
	}
	if n := log.Unended; n > 0 {
		say("%s began before the time asked about, and the log does not tell when sessions end (log_disconnections)", count(int(n), "session"))
	}
	if n := log.Unnamed; n > 0 {
		say("%s not name the server", verb(int(n), "1 record does", fmt.Sprintf("%d records do", n)))
	}
}

// listed names some of many.
func listed(names []string, all int) string {
	const most = 3
	shown := names[:min(len(names), most)]
	text := strings.Join(shown, ", ")
	if more := all - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// instant writes a time of a log for people.
func instant(t time.Time) string { return t.UTC().Format(time.DateTime) + " UTC" }
