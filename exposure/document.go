package exposure

import "github.com/posternhq/postern/asset"

// Document declares what a policy sees as `exposure`. It is a declaration only:
// [Exposure.Document] builds the values. Pointers are fields that may be unread.
type Document struct {
	PublicAccess string       `json:"public_access"`
	Why          string       `json:"why"`
	Azure        DoorDocument `json:"azure"`
	Internet     DoorDocument `json:"internet"`
	Range        DoorDocument `json:"range"`
	Subnet       DoorDocument `json:"subnet"`
	Private      DoorDocument `json:"private"`
}

// DoorDocument declares one door of a [Document].
type DoorDocument struct {
	State     string         `json:"state"`
	Reason    string         `json:"reason"`
	Open      *bool          `json:"open"`
	Latent    *bool          `json:"latent"`
	Rules     []RuleDocument `json:"rules"`
	Addresses int64          `json:"addresses"`
	Ranges    []string       `json:"ranges"`
	Members   []string       `json:"members"`
}

// RuleDocument declares one firewall rule of a [DoorDocument].
type RuleDocument struct {
	Kind  string `json:"kind"`
	ID    string `json:"id"`
	Name  string `json:"name"`
	Value string `json:"value"`
	Start string `json:"start"`
	End   string `json:"end"`
}

// Unread is a field of a document whose value is not known.
type Unread struct {
	// Path leads to the field: ["exposure", "azure", "open"].
	Path []string
	// Reason says what was missing.
	Reason string
}

// Document is the exposure as a policy sees it, with the fields that are not
// known listed apart, so that a policy that depends on one cannot mistake it for
// a no or for an empty list. Open and latent are then absent; what a door is
// made of stands there as far as it was read.
func (e Exposure) Document() (map[string]any, []Unread) {
	doc := map[string]any{"public_access": string(e.PublicAccess), "why": e.Why}
	var unread []Unread
	if e.PublicAccess == asset.Unclear {
		unread = append(unread, Unread{Path: []string{"exposure", "public_access"}, Reason: e.Why})
	}
	for _, d := range e.Doors {
		door := map[string]any{
			"state": string(d.State), "reason": d.Reason,
			"rules": ruleDocuments(d.Rules), "addresses": int64(d.Addresses), //nolint:gosec // at most 2^32
			"ranges": d.Ranges, "members": d.Members,
		}
		for field, truth := range map[string]Truth{"open": d.Open, "latent": d.Latent} {
			if truth == Maybe {
				unread = append(unread, Unread{Path: []string{"exposure", string(d.Kind), field}, Reason: d.Reason})
			} else {
				door[field] = truth == Yes
			}
		}
		if d.State == Unknown {
			// A word like unknown is no answer either: `state != "open"` must not pass.
			unread = append(unread, Unread{Path: []string{"exposure", string(d.Kind), "state"}, Reason: d.Reason})
		}
		if d.Missing != "" {
			for _, field := range []string{"rules", "addresses", "ranges", "members"} {
				unread = append(unread, Unread{Path: []string{"exposure", string(d.Kind), field}, Reason: d.Missing})
			}
		}
		doc[string(d.Kind)] = door
	}
	return doc, unread
}

func ruleDocuments(rules []asset.FirewallRule) []any {
	out := make([]any, 0, len(rules))
	for _, r := range rules {
		out = append(out, map[string]any{
			"kind": "firewall rule", "id": r.ID, "name": r.Name,
			"value": Value(r), "start": r.Start, "end": r.End,
		})
	}
	return out
}
