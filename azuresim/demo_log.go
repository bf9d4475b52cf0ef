package azuresim

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// demoDays is how far the demo's log reaches back.
const demoDays = 30

// DemoLog writes the log of the demo's server, [DemoServer], of the thirty days
// up to now, as a diagnostic setting exports it: a JSON document a line. It is
// the same for the same now, and what a query of [DemoWorkspace] finds in a
// simulation that began at now.
//
// In it are Azure's own user from loopback every quarter of an hour; a service behind
// the shop's NAT gateway and, at night, an invoicing app, which have no rule but
// the door; people in the office, which has a rule; and a stranger inside Azure,
// who guesses a password in vain and later has one.
func DemoLog(w io.Writer, now time.Time) error {
	out := bufio.NewWriter(w)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	for _, l := range demoLines(now) {
		rec := logRecord{at: l.at, message: l.text}
		err := lines.Encode(map[string]any{
			"time": l.at.Format("2006-01-02T15:04:05Z"), "resourceId": strings.ToUpper(DemoServer), "location": "westeurope",
			"category": "PostgreSQLLogs", "operationName": "LogEvent",
			"properties": map[string]any{
				"timestamp": l.at.Format("2006-01-02 15:04:05.000 UTC"), "processId": rec.process(),
				"errorLevel": rec.severity(), "sqlerrcode": rec.sqlState(), "message": l.text,
			},
		})
		if err != nil {
			return fmt.Errorf("write the demo's log: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the demo's log: %w", err)
	}
	return nil
}

// demoClient is somebody of the demo's log and when they come.
type demoClient struct {
	address, user, database, application string
	lasts                                time.Duration // how long a session lasts
	refused                              bool          // the password is wrong
	plain                                bool          // no TLS: it comes from the machine itself
	comes                                func(minute time.Time) bool
}

// demoClients are asked every minute. Their hours are UTC.
var demoClients = []demoClient{
	{
		address: "127.0.0.1", user: "azuresu", database: "postgres", application: "", lasts: time.Second, plain: true,
		comes: func(m time.Time) bool { return m.Minute()%15 == 4 },
	},
	{
		address: demoNATAddress, user: "checkout", database: "orders", application: "checkout-service", lasts: 55 * time.Minute,
		comes: func(m time.Time) bool { return m.Minute() == 1 || m.Minute() == 31 && m.Hour() >= 7 && m.Hour() < 21 },
	},
	{
		address: demoAppAddress, user: "invoicing", database: "orders", application: "invoicing nightly", lasts: 7 * time.Minute,
		comes: func(m time.Time) bool { return m.Hour() == 2 && m.Minute() == 15 },
	},
	{
		address: demoOfficeAddress, user: "anna", database: "orders", application: "psql", lasts: 40 * time.Minute,
		comes: func(m time.Time) bool {
			return isWorkday(m) && (m.Hour() == 8 && m.Minute() == 12 || m.Hour() == 13 && m.Minute() == 47)
		},
	},
	{
		address: demoStrangerAddress, user: "postgres", database: "postgres", lasts: time.Second, refused: true,
		comes: func(m time.Time) bool { return m.YearDay()%9 == 2 && m.Hour() == 3 && m.Minute() < 5 },
	},
	{
		address: demoStrangerAddress, user: "reporting", database: "orders", application: "pg_dump", lasts: 11 * time.Minute,
		comes: func(m time.Time) bool { return m.YearDay()%9 == 3 && m.Hour() == 3 && m.Minute() == 40 },
	},
}

func isWorkday(t time.Time) bool { return t.Weekday() != time.Saturday && t.Weekday() != time.Sunday }

// demoSession is one connection of the demo's log.
type demoSession struct {
	demoClient
	start     time.Time
	pid, port int
}

// demoLine is a line of the demo's log, with its prefix, and its time.
type demoLine struct {
	at   time.Time
	text string
}

// demoLines are the lines of the demo's log in the order of time, as PostgreSQL
// 16 writes them with Azure's prefix and log_disconnections on.
func demoLines(now time.Time) []demoLine {
	now = now.UTC().Truncate(time.Second)
	var lines []demoLine
	first := now.Add(-demoDays * 24 * time.Hour).Truncate(time.Minute).Add(time.Minute)
	for m := first; !m.After(now); m = m.Add(time.Minute) {
		for i, c := range demoClients {
			if c.comes(m) {
				lines = append(lines, newDemoSession(c, i, m).lines()...)
			}
		}
	}
	lines = slices.DeleteFunc(lines, func(l demoLine) bool { return l.at.After(now) })
	slices.SortStableFunc(lines, func(a, b demoLine) int { return a.at.Compare(b.at) })
	return lines
}

// newDemoSession makes up what nobody chooses: the second, the process, the port.
func newDemoSession(c demoClient, i int, minute time.Time) demoSession {
	n := int(minute.Unix()/60)*31 + i*7919
	return demoSession{demoClient: c, start: minute.Add(time.Duration(i*8+3) * time.Second), pid: 1000 + n%30000, port: 32768 + (n*17)%28000}
}

// lines are what the session leaves in the log.
func (s demoSession) lines() []demoLine {
	line := func(at time.Time, severity, format string, args ...any) demoLine {
		return demoLine{at, fmt.Sprintf("%s-%x.%x-%s:  %s",
			at.Format("2006-01-02 15:04:05 UTC"), s.start.Unix(), s.pid, severity, fmt.Sprintf(format, args...))}
	}
	received := line(s.start, "LOG", "connection received: host=%s port=%d", s.address, s.port)
	if s.refused {
		return []demoLine{received, line(s.start, "FATAL", "password authentication failed for user %q", s.user)}
	}
	as := fmt.Sprintf("user=%s database=%s", s.user, s.database)
	more := ""
	if s.application != "" {
		more = " application_name=" + s.application
	}
	if !s.plain {
		more += " SSL enabled (protocol=TLSv1.3, cipher=TLS_AES_256_GCM_SHA384, bits=256)"
	}
	return []demoLine{
		received,
		line(s.start, "LOG", "connection authorized: %s%s", as, more),
		line(s.start.Add(s.lasts), "LOG", "disconnection: session time: %d:%02d:%02d.000 %s host=%s port=%d",
			int(s.lasts.Hours()), int(s.lasts.Minutes())%60, int(s.lasts.Seconds())%60, as, s.address, s.port),
	}
}
