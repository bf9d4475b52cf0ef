package azuresim

import "testing"

// What the estate denies must show in the caller's permissions as it does in the
// calls.
func TestPermissionsAtAServer(t *testing.T) {
	const (
		id          = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.DBforPostgreSQL/flexibleServers/"
		permissions = "/providers/Microsoft.Authorization/permissions?api-version=2022-04-01"
	)
	s := newSim(t, Estate{Subscriptions: []Subscription{{
		ID: "00000000-0000-0000-0000-000000000001", Name: "one", Servers: []DBServer{
			{Kind: Flexible, Name: "everything", ResourceGroup: "rg"},
			{Kind: Flexible, Name: "something", ResourceGroup: "rg", Denied: []string{"firewallRules/write", "locks/read"}},
			{Kind: Flexible, Name: "nothing", ResourceGroup: "rg", Denied: []string{"permissions/read"}},
		},
	}}}, Options{})
	for _, c := range []struct {
		path   string
		status int
		not    []any
	}{
		{id + "everything" + permissions, 200, []any{}},
		{id + "SOMETHING" + permissions, 200, []any{"Microsoft.DBforPostgreSQL/flexibleServers/firewallRules/write", "Microsoft.Authorization/locks/read"}},
		{id + "nothing" + permissions, 403, nil},
		{id + "missing" + permissions, 404, nil},
		{id + "everything/providers/Microsoft.Authorization/permissions?api-version=1999-01-01", 400, nil},
		{"/subscriptions/00000000-0000-0000-0000-000000000001" + permissions, 404, nil},
	} {
		a := s.get(c.path)
		if a.status != c.status {
			t.Errorf("%s: %d %s, want %d", c.path, a.status, a.raw, c.status)
			continue
		}
		if c.status != 200 {
			continue
		}
		got, _ := a.items()[0]["notActions"].([]any)
		if len(got) != len(c.not) {
			t.Errorf("%s: not %v, want %v", c.path, got, c.not)
			continue
		}
		for i := range got {
			if got[i] != c.not[i] {
				t.Errorf("%s: not %v, want %v", c.path, got, c.not)
			}
		}
	}
}
