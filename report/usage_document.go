package report

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/scan"
	"github.com/posternhq/postern/usage"
	"github.com/posternhq/postern/usage/pglog"
)

// UsageVersion names the JSON document of `postern usage`. Within v1 fields are
// added and never removed, renamed or given another meaning.
const UsageVersion = "postern.usage/v1"

// UsageDocument is who uses a server as one JSON document; docs/usage.md
// describes its fields.
type UsageDocument struct {
	Version   string         `json:"version"`
	Tool      scan.Tool      `json:"tool"`
	Source    string         `json:"source"`
	CreatedAt time.Time      `json:"created_at"`
	Server    UsageServer    `json:"server"`
	Door      exposure.Door  `json:"azure_door"`
	Window    UsageWindow    `json:"window"`
	Log       UsageLog       `json:"log"`
	Clients   []usage.Judged `json:"clients"`
	Blind     []string       `json:"blind"`
	Outcome   usage.Outcome  `json:"outcome"`
	CutsOff   int            `json:"cuts_off"`
	Missing   []string       `json:"missing"`
	Why       string         `json:"why"`
}

// UsageServer names the server.
type UsageServer struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"`
}

// UsageWindow is the time that the log covers. Seconds is from first to last,
// CoveredSeconds without stretches of more than a day that have no entry.
type UsageWindow struct {
	First          *time.Time `json:"first"`
	Last           *time.Time `json:"last"`
	Seconds        int64      `json:"seconds"`
	CoveredSeconds int64      `json:"covered_seconds"`
}

// UsageLog counts what was read of the log.
type UsageLog struct {
	Files      int                  `json:"files"`
	Bytes      int64                `json:"bytes"`
	Entries    int64                `json:"entries"`
	Earlier    int64                `json:"earlier"`
	Unreadable int64                `json:"unreadable_lines"`
	Truncated  int                  `json:"truncated_lines"`
	Foreign    int64                `json:"foreign_records"`
	Unjoined   int64                `json:"connections_without_address"`
	Events     map[pglog.Kind]int64 `json:"events"`
}

// UsageJSON writes the document.
func UsageJSON(out io.Writer, u Usage) error {
	a, log := u.Answer, u.Log
	doc := UsageDocument{
		Version: UsageVersion, Tool: u.Tool, Source: u.Source, CreatedAt: u.Now,
		Server: UsageServer{ID: u.Server.ID, Name: u.Server.Name, Type: u.Server.Type},
		Door:   a.Door,
		Log: UsageLog{
			Files: log.Files, Bytes: log.Bytes, Entries: log.Entries, Earlier: log.Earlier, Unreadable: log.Unreadable,
			Truncated: log.Truncated, Foreign: log.Foreign, Unjoined: log.Unjoined, Events: log.Events,
		},
		Clients: append([]usage.Judged{}, a.Clients...), Blind: append([]string{}, a.Blind...),
		Outcome: a.Outcome, CutsOff: a.CutsOff, Missing: append([]string{}, a.Missing...), Why: a.Why,
	}
	if w := a.Window; !w.First.IsZero() {
		doc.Window = UsageWindow{
			First: &w.First, Last: &w.Last,
			Seconds: int64(w.Last.Sub(w.First).Seconds()), CoveredSeconds: int64(w.Covered().Seconds()),
		}
	}
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return fmt.Errorf("write the JSON document: %w", err)
	}
	return nil
}
