package usage_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/posternhq/postern/usage"
	"github.com/posternhq/postern/usage/pglog"
)

// weekLog is a week in which Azure's agent and the office come every hour, with
// the prefix made for each session, and lines put in on the fourth day.
func weekLog(prefix func(at time.Time, session int) string, inserted string) string {
	var b strings.Builder
	for hour := range 24*7 + 1 {
		at := monday.Add(time.Duration(hour) * time.Hour)
		if hour == 80 {
			b.WriteString(inserted)
		}
		for i, client := range [][2]string{{"[local]", "azuresu"}, {"203.0.113.9 port=1", "ann"}} {
			p := prefix(at, 10*hour+i)
			fmt.Fprintf(&b, "%sLOG:  connection received: host=%s\n%sLOG:  connection authorized: user=%s database=d application_name=x\n", p, client[0], p, client[1])
		}
	}
	return b.String()
}

func bySession(at time.Time, session int) string {
	return fmt.Sprintf("%s UTC-6909e0c0.%x-", at.Format(time.DateTime), session+0x1000)
}

func byProcess(at time.Time, session int) string {
	return fmt.Sprintf("%s UTC [%d] ", at.Format(time.DateTime), session+1000)
}

// answerTo reads logs, one after the other, and judges them on the eighth day.
func answerTo(t *testing.T, o pglog.Options, logs ...string) usage.Answer {
	t.Helper()
	tally := usage.NewTally()
	o.Now = monday.AddDate(0, 0, 8)
	r, err := pglog.New(o, tally.Add)
	if err != nil {
		t.Fatal(err)
	}
	for _, log := range logs {
		if err := r.Read(t.Context(), "a.log", strings.NewReader(log)); err != nil {
			t.Fatal(err)
		}
	}
	stats := r.Finish()
	return usage.NewAnswer(usage.Evidence{
		Sources: []usage.Source{{Name: "a.log", Kind: usage.LogSource, Log: &stats}}, Clients: tally.Clients(), Dropped: tally.Dropped,
		Access: usage.NewAccess(network(door, office)), MinWindow: usage.DefaultMinWindow, Now: o.Now,
	})
}

// Each of these logs hides a client that only the azure door admits, in a way that
// was once read as if there were none.
func TestNoLogThatHidesAClientIsCalledSafe(t *testing.T) {
	const pid = "%t [%p] "
	at := monday.Add(80 * time.Hour)
	s := bySession(at, 80000)
	p := byProcess(at, 80000)
	early := bySession(monday.Add(-2*time.Hour), 80000)
	in := func(prefix, user string) string {
		return prefix + "LOG:  connection authorized: user=" + user + " database=d application_name=y\n"
	}
	from := func(prefix, host string) string {
		return prefix + "LOG:  connection received: host=" + host + " port=2\n"
	}
	week := func(inserted string) []string { return []string{weekLog(bySession, inserted)} }
	others := pglog.Options{Prefix: pid}
	tests := []struct {
		name    string
		options pglog.Options
		logs    []string
	}{
		{"half of its only line is lost", pglog.Options{}, week(from(s, "20.50.1.2") + "abase=d application_name=y\n")},
		{"its line is cut off by the file's end", pglog.Options{}, []string{weekLog(bySession, "") + from(s, "20.50.1.2") + s + "LOG:  connection auth"}},
		{"its messages are in another language", pglog.Options{}, week(from(s, "20.50.1.2") + strings.Replace(in(s, "shop"), "LOG:  connection authorized", "PROTOKOLL:  Verbindung autorisiert", 1))},
		{"its line is cut within the message", pglog.Options{}, week(from(s, "20.50.1.2") + s + "LOG:  connection auth\n")},
		{"its line is cut after the severity", pglog.Options{}, week(from(s, "20.50.1.2") + s + "LOG:  \n")},
		{"its line is cut within the year", pglog.Options{}, week(from(s, "20.50.1.2") + "202\n")},
		{"its line lost its beginning", pglog.Options{}, week(from(s, "20.50.1.2") + "SSL enabled (protocol=TLSv1.3)\n")},
		{"its line is glued to another", pglog.Options{}, week(from(s, "20.50.1.2") + s + "LOG:  checkpoint starting: time" + in(s, "shop"))},
		{"its line is glued to a statement", pglog.Options{}, week(from(s, "20.50.1.2") + s + "STATEMENT:  select 1" + in(s, "shop"))},
		{"its line and another are cut and glued", pglog.Options{}, week(from(s, "20.50.1.2") + s + "LOG:  connection auth" + s + "LOG:  checkpoint starting: time\n")},
		{"a crash left a hole in its line", pglog.Options{}, week(from(s, "20.50.1.2") + strings.Replace(in(s, "shop"), "connection authorized", strings.Repeat("\x00", 21), 1))},
		{"its address is cut to one of the office's", pglog.Options{}, week(strings.TrimSuffix(from(s, "203.0.113.99"), "9 port=2\n") + "\n" + in(s, "shop"))},
		{"its address is cut to one of the office's at its end", pglog.Options{}, week(s + "LOG:  disconnection: session time: 0:00:01.000 user=shop database=d host=203.0.113.9\n")},
		{"a tool indented its lines", pglog.Options{}, week("\t" + from(s, "20.50.1.2") + "\t" + in(s, "shop"))},
		{"its role begins like Azure's and is for replication", pglog.Options{}, week(from(s, "20.50.1.2") + s + "LOG:  replication connection authorized: user=azuresu\n\tx application_name=y\n")},
		{"its role is called as Azure's once was", pglog.Options{}, week(from(s, "20.50.1.2") + in(s, "azure_superuser"))},
		{"an end with another address is forged while it waits", pglog.Options{}, week(in(s, "shop") + s + "LOG:  disconnection: session time: 0:00:01.000 user=shop database=d host=203.0.113.9 port=1\n")},
		{"its end is forged before the time asked about", pglog.Options{Since: monday}, []string{
			from(early, "20.50.1.2") + in(early, "shop") + early + "LOG:  disconnection: session time: 0:00:01.000 user=shop database=d host=20.50.1.2 port=1\n" + weekLog(bySession, ""),
		}},
		{"it began before the time asked about, without a session id", pglog.Options{Prefix: "%t %h ", Since: monday}, []string{
			strings.ReplaceAll(in(early, "shop"), early, monday.Add(-2*time.Hour).Format(time.DateTime)+" UTC 20.50.1.2 ") +
				weekLog(func(at time.Time, session int) string { return at.Format(time.DateTime) + " UTC 203.0.113.9 " }, ""),
		}},
		{"the server had no room for it", pglog.Options{}, week(from(s, "20.50.1.2") + s + "FATAL:  sorry, too many clients already\n")},
		{"its messages are in German, and LOG is LOG", pglog.Options{}, week(s + "LOG:  Verbindung empfangen: Host=20.50.1.2 Port=2\n" + s + "LOG:  Verbindung autorisiert: Benutzer=shop Datenbank=d\n")},
		{"its messages are in Spanish, and LOG is LOG", pglog.Options{}, week(s + "LOG:  conexión recibida: host=20.50.1.2 port=2\n" + s + "LOG:  conexión autorizada: usuario=shop database=d\n")},
		{"its messages are in French, and LOG is LOG", pglog.Options{}, week(s + "LOG:  connexion reçue : hôte=20.50.1.2 port=2\n" + s + "LOG:  connexion autorisée : utilisateur=shop\n")},
		{"its messages are in Japanese, and LOG is LOG", pglog.Options{}, week(s + "LOG:  接続を受け付けました: ホスト=20.50.1.2\n" + s + "LOG:  接続の認証完了: ユーザー=shop\n")},
		{"it was only authenticated", pglog.Options{}, week(from(s, "20.50.1.2") + s + "LOG:  connection authenticated: identity=\"shop\" method=md5 (x:1)\n")},
		{"its role has a line break", pglog.Options{}, week(from(s, "20.50.1.2") + s + "LOG:  connection authorized: user=ev\n\til database=d application_name=y\n")},
		{"its role is named like Azure's", pglog.Options{}, week(from(s, "20.50.1.2") + in(s, "azuresu database=d"))},
		{"its role and application are named like Azure's", pglog.Options{}, week(from(s, "20.50.1.2") + in(s, "azuresu database=d application_name=z"))},
		{"a second address is forged for it", pglog.Options{}, week(from(s, "203.0.113.9") + from(s, "20.50.1.2") + in(s, "shop"))},
		{"a second address is forged first", pglog.Options{}, week(from(s, "203.0.113.9") + in(s, "shop") + from(s, "20.50.1.2"))},
		{"its address is forged within a line", pglog.Options{}, week(s + "LOG:  statement: select 1\r" + from(s, "203.0.113.9") + in(s, "shop"))},
		{"its process id is used by another node", others, []string{weekLog(byProcess, from(p, "20.50.1.2")+from(p, "203.0.113.9")+in(p, "shop"))}},
		{"its process id was another's long ago", others, []string{weekLog(byProcess, from(byProcess(at.Add(-time.Hour), 80000), "203.0.113.9")+in(p, "shop"))}},
		{"its process id was another's in the file before", others, []string{from(byProcess(monday, 80000), "203.0.113.9"), in(byProcess(monday, 80000), "shop") + weekLog(byProcess, "")}},
		{"its end is another's by the process id", others, []string{weekLog(byProcess, from(p, "203.0.113.9")+in(p, "shop")+p+"LOG:  disconnection: session time: 0:00:01.000 user=shop database=d host=20.50.1.2 port=2\n")}},
		{"it began before the time asked about", pglog.Options{Since: monday.Add(-time.Hour)}, []string{
			from(bySession(monday.Add(-2*time.Hour), 80000), "20.50.1.2") + in(bySession(monday.Add(-2*time.Hour), 80000), "shop") +
				weekLog(bySession, s+"LOG:  disconnection: session time: 0:00:01.000 user=ann database=d host=203.0.113.9 port=2\n"),
		}},
		{"it began before the time asked about, and ends are not logged", pglog.Options{Since: monday.Add(-time.Hour)}, []string{
			from(bySession(monday.Add(-2*time.Hour), 80000), "20.50.1.2") + in(bySession(monday.Add(-2*time.Hour), 80000), "shop") + weekLog(bySession, ""),
		}},
		{"names stand in the prefix", pglog.Options{Prefix: "%t-%c-%u "}, []string{
			strings.ReplaceAll(weekLog(bySession, from(s, "20.50.1.2")), "-LOG", "-[unknown] LOG"),
		}},
		{"its lines came while connections were not logged", pglog.Options{}, []string{
			strings.ReplaceAll(weekLog(bySession, ""), "2026-11-05", "2026-11-04"),
		}},
		{"its entries lie in the future", pglog.Options{}, week(strings.ReplaceAll(s, "2026", "2036") + "LOG:  checkpoint starting: time\n")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if a := answerTo(t, tt.options, tt.logs...); a.Outcome != usage.NotEnough && a.Outcome != usage.CutsOff {
				t.Errorf("the answer is %q", a.Line())
			}
		})
	}
	// Without anything hidden, the same logs are enough.
	for name, a := range map[string]usage.Answer{
		"by session": answerTo(t, pglog.Options{}, week("")...),
		"by process": answerTo(t, others, weekLog(byProcess, "")),
		"a knock":    answerTo(t, pglog.Options{}, week(from(s, "20.50.1.2")+s+"FATAL:  password authentication failed for user \"shop\"\n")...),
	} {
		if a.Outcome != usage.SafeToClose {
			t.Errorf("%s: %s", name, a.Line())
		}
	}
}
