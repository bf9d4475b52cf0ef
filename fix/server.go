package fix

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/resourcetype"
)

// Type names whose servers differ in how they are changed.
const (
	flexible = "Microsoft.DBforPostgreSQL/flexibleServers"
	single   = "Microsoft.DBforPostgreSQL/servers"
	citus    = "Microsoft.DBforPostgreSQL/serverGroupsv2"
)

// serverOf is what a plan keeps of a server.
func serverOf(a *asset.Asset, t resourcetype.Type, n asset.Network) (Server, error) {
	s := Server{
		ID: a.ID, Name: a.Name, Type: t.Name, Label: t.Label,
		SubscriptionID: a.SubscriptionID, ResourceGroup: a.ResourceGroup, Location: a.Location,
		APIVersion: cmp.Or(a.Origin.APIVersion, t.APIVersions[0]),
		Public:     n.Public.Why,
	}
	if n.InjectedSubnet != "" {
		s.Public = "the server lives in the subnet " + n.InjectedSubnet
	}
	var doc struct {
		Properties struct {
			State            any `json:"state"`
			UserVisibleState any `json:"userVisibleState"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(a.Body, &doc); err != nil {
		return Server{}, fmt.Errorf("read the state of %s: %w", a.ID, err)
	}
	state := doc.Properties.State
	if t.Name == single {
		state = doc.Properties.UserVisibleState
	}
	if state != nil {
		s.State = fmt.Sprint(state)
	}
	if err := checkServer(s); err != nil {
		return Server{}, fmt.Errorf("plan %s: %w", a.Name, err)
	}
	return s, nil
}

// checkServer makes sure that a server's id is the one its fields spell: changes
// are sent to addresses made of it.
func checkServer(s Server) error {
	for _, part := range []string{s.SubscriptionID, s.ResourceGroup, s.Name} {
		if err := checkSegment(part); err != nil {
			return fmt.Errorf("the server's id %q: %q %w", s.ID, part, err)
		}
	}
	want := fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/%s/%s", s.SubscriptionID, s.ResourceGroup, s.Type, s.Name)
	if !asset.SameID(s.ID, want) {
		return fmt.Errorf("the server's id is %q, and its fields say %q", s.ID, want)
	}
	if !apiVersion.MatchString(s.APIVersion) {
		return fmt.Errorf("the API version %q is none", s.APIVersion)
	}
	return nil
}

// blocked says why the server cannot be changed as things stand, one sentence a
// reason, empty when it can.
func (d *draft) blocked() []string {
	var out []string
	n, s := d.Network, d.server
	switch off := n.Public.State == asset.Off; {
	case n.InjectedSubnet != "":
		out = append(out, "The server lives in a virtual network: Azure enforces no firewall rule there and refuses to change one. Nobody comes by these rules; they can stay.")
	case off && s.Type == flexible:
		out = append(out, "Public access is off ("+n.Public.Why+"): nobody comes by these rules, and Azure discards changes of them. "+
			"Leave it off; if it must be switched on again, plan and apply right after, for the door is open from then on.")
	case off && s.Type == single:
		out = append(out, "Public access is off ("+n.Public.Why+"): nobody comes by these rules, and Azure refuses to change them. "+
			"Leave it off; if it must be switched on again, plan and apply right after, for the door is open from then on.")
	}
	for _, l := range d.Locks {
		out = append(out, fmt.Sprintf("The lock %q (%s) on %s forbids it: remove it with `%s`, apply, and set it again.",
			l.Name, l.Level, lockScope(l.ID), bash("az lock delete --ids", l.ID)))
	}
	if s.State != "" && !strings.EqualFold(s.State, "Ready") {
		out = append(out, fmt.Sprintf("The server's state is %q, and rules are changed only when it is Ready: wait or start it, then plan again.", s.State))
	}
	return out
}

// lockScope is what a lock holds for: its id up to the lock's own part.
func lockScope(id string) string {
	at := strings.Index(strings.ToLower(id), "/providers/microsoft.authorization/locks/")
	if at <= 0 {
		return id
	}
	return id[:at]
}
