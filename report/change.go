package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/fix/change"
	"github.com/posternhq/postern/fix/journal"
)

// The versions of the documents about changes. Within v1 fields are added and never
// removed, renamed or given another meaning.
const (
	ChangeVersion  = "postern.change/v1"
	ChangesVersion = "postern.changes/v1"
)

// ChangeDocument is what carrying out, resuming or undoing a change came to.
type ChangeDocument struct {
	Version string `json:"version"`
	change.Result
}

// ChangesDocument says where changes stand, the newest first.
type ChangesDocument struct {
	Version string           `json:"version"`
	Changes []change.Summary `json:"changes"`
}

// ChangeText tells what carrying out, resuming or undoing a change came to, and
// how to go on. Flags are added to the commands for that, so that they find the same
// journals and the same cloud.
func ChangeText(out io.Writer, width int, r change.Result, flags string) error {
	p := printer{out: out, width: width}
	p.line("%s", styleStrong.Render("Change "+Plain(r.Change)))
	for _, s := range r.Servers {
		outcome := changeStyle(s.Outcome).Render(string(s.Outcome))
		if len(s.Alarms) > 0 {
			outcome += ", " + styleOpen.Render(fmt.Sprintf("and it refused %s that the plan did not give up", plural(len(s.Alarms), "address")))
		}
		p.line("%s%s  %s", strings.Repeat(" ", indent), styleStrong.Render(Plain(s.Server.Name)), outcome)
		if s.Outcome != change.Blocked && s.Outcome != change.Undone {
			text := fmt.Sprintf("%d of %s in effect", s.InEffect, plural(s.Steps, "step"))
			if s.Unclear {
				text += ", and perhaps one more"
			}
			p.block(2*indent, text)
		}
		if s.Reason != "" {
			p.block(2*indent, Plain(s.Reason))
		}
		for _, d := range s.Differences {
			p.block(2*indent, "differs: "+Plain(d))
		}
		changeDoors(&p, s.DoorsBefore, s.DoorsAfter)
		for _, a := range s.Alarms {
			p.block(2*indent, styleOpen.Render("REFUSED")+"  "+refusal(a))
		}
		if s.Unwatched != "" {
			p.block(2*indent, styleUnknown.Render("NOT WATCHED")+"  "+Plain(s.Unwatched))
		}
		if s.Expected > 0 {
			p.block(2*indent, fmt.Sprintf("%s of clients that the plan cuts off", plural(s.Expected, "refusal")))
		}
		for _, n := range s.Notes {
			p.block(2*indent, Plain(n))
		}
	}
	if r.CanaryFailed != "" {
		p.block(indent, styleOpen.Render("The first servers did not do well, so the others were left alone")+": "+Plain(r.CanaryFailed))
	}
	if r.TakenBack() {
		nextCommands(&p, []string{"postern fix status " + r.Change}, flags)
	} else {
		nextCommands(&p, r.Next(), flags)
	}
	if p.err != nil {
		return fmt.Errorf("write what became of the change: %w", p.err)
	}
	return nil
}

// ChangeJSON writes the same as one document.
func ChangeJSON(out io.Writer, r change.Result) error {
	return changeDocument(out, ChangeDocument{ChangeVersion, r})
}

func changeDocument(out io.Writer, document any) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(document); err != nil {
		return fmt.Errorf("write what became of the change: %w", err)
	}
	return nil
}

func changeStyle(o change.Outcome) lipgloss.Style {
	switch o {
	case change.Done, change.Undone:
		return stylePass
	case change.Untouched:
		return styleQuiet
	case change.Interrupted, change.Held:
		return styleUnknown
	default:
		return styleOpen
	}
}

// changeDoors says what became of each door that was there before or is now.
func changeDoors(p *printer, before, after []journal.Door) {
	was := map[exposure.Kind]exposure.State{}
	for _, d := range before {
		was[d.Kind] = d.State
	}
	for _, d := range after {
		if was[d.Kind] == d.State || was[d.Kind] == "" {
			continue
		}
		p.block(2*indent, fmt.Sprintf("the %s door was %s and is %s", d.Kind, was[d.Kind], d.State))
	}
}

func refusal(r change.Refusal) string {
	text := Plain(r.Address)
	if r.User != "" {
		text += ", user " + Plain(r.User)
	}
	if r.Database != "" {
		text += ", database " + Plain(r.Database)
	}
	if !r.At.IsZero() {
		text += ", at " + instant(r.At)
	}
	return text
}

func nextCommands(p *printer, commands []string, flags string) {
	if len(commands) == 0 {
		return
	}
	p.line("")
	p.line("%s", styleQuiet.Render("To go on:"))
	for _, c := range commands {
		if !strings.HasPrefix(c, "postern fix status ") {
			c += flags
		} else if journal := strings.Index(flags, " --journal "); journal >= 0 {
			c += flags[journal:] // the only one that status takes
		}
		p.command(indent, c)
	}
}

// ChangesText tells where changes stand, from their journals. With the records of
// each it is the audit of what was done.
func ChangesText(out io.Writer, width int, changes []change.Summary, records bool, flags string) error {
	p := printer{out: out, width: width}
	if len(changes) == 0 {
		p.line("There are no changes.")
	}
	for i, s := range changes {
		if i > 0 {
			p.line("")
		}
		p.line("%s  %s  %s", styleStrong.Render(Plain(s.Change)), stateStyle(s.State).Render(string(s.State)),
			styleQuiet.Render(fmt.Sprintf("begun %s by %s", instant(s.Began), Plain(s.Who))))
		if s.Holder != nil {
			p.block(indent, fmt.Sprintf("process %d is at work on it", s.Holder.PID))
		}
		if s.Damage != "" {
			p.block(indent, styleUnknown.Render("THE JOURNAL IS DAMAGED")+"  "+Plain(s.Damage))
		}
		for _, server := range s.Servers {
			changeServer(&p, server)
		}
		if s.CanaryFailed != "" {
			p.block(indent, "The servers that went first did not do well: "+Plain(s.CanaryFailed))
		}
		if records {
			changeRecords(&p, s)
		}
		nextCommands(&p, s.Next(), flags)
	}
	if p.err != nil {
		return fmt.Errorf("write where the changes stand: %w", p.err)
	}
	return nil
}

// ChangesJSON writes the same as one document.
func ChangesJSON(out io.Writer, changes []change.Summary) error {
	if changes == nil {
		changes = []change.Summary{}
	}
	return changeDocument(out, ChangesDocument{ChangesVersion, changes})
}

func changeServer(p *printer, s change.ServerSummary) {
	text := fmt.Sprintf("%d of %s in effect", s.InEffect, plural(s.Steps, "step"))
	switch {
	case s.Unknown:
		text = "how far it got is not known: records are missing, and only the server can tell"
	case s.Unclear:
		text += ", and perhaps one more"
	}
	p.block(indent, fmt.Sprintf("%s  %s, %s", Plain(s.Server.Name), s.Phase, text))
	if s.Stopped != "" {
		p.block(2*indent, Plain(s.Stopped))
	}
	for _, d := range s.Differences {
		p.block(2*indent, "differs: "+Plain(d))
	}
	for _, a := range s.Alarms {
		p.block(2*indent, styleOpen.Render("REFUSED")+"  "+refusal(a))
	}
}

func changeRecords(p *printer, s change.Summary) {
	p.line("")
	for _, r := range s.Records {
		p.line("%s%s", strings.Repeat(" ", indent), AuditLine(r))
	}
}

// AuditLine is one record of a journal for a person: when, who, where and what.
func AuditLine(r journal.Record) string {
	parts := []string{instant(r.At), Plain(r.Who), Plain(r.Server[strings.LastIndexByte(r.Server, '/')+1:]), Plain(r.What)}
	if r.Error != "" {
		parts = append(parts, "("+Plain(r.Error)+")")
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "  ")
}

func stateStyle(s change.State) lipgloss.Style {
	switch s {
	case change.Applied, change.TakenBack:
		return stylePass
	default:
		return styleUnknown
	}
}
