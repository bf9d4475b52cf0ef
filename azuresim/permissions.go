package azuresim

import (
	"net/http"
	"slices"
	"strings"
)

// permissionsPath comes after the server at which the caller's permissions are
// asked for.
const permissionsPath = "/providers/microsoft.authorization/permissions"

// permissionsVersions are the api-versions of Microsoft.Authorization/permissions.
var permissionsVersions = []string{"2015-07-01", "2018-01-01-preview", "2018-07-01", "2022-04-01", "2022-05-01-preview"}

// permissions answers what the caller may do at a server, in the form of
// Microsoft's "Permissions - List For Resource": everything but what the estate
// denies.
func (c *call) permissions(sub *subscription) reply {
	if !slices.Contains(permissionsVersions, c.version) {
		return badAPIVersion("permissions", c.version, regions[0], permissionsVersions).reply()
	}
	if c.req.Method != http.MethodGet {
		return noVerb(c.req.Method).reply()
	}
	t, known := typeNamed(c.addr.types[0])
	if !known || !strings.EqualFold(c.addr.provider, namespace) {
		return noType(namespace, c.version).reply()
	}
	srv := c.find(sub, t)
	if srv == nil {
		return noServer(t.name, c.addr.names[0], c.addr.group).reply()
	}
	if srv.denies("permissions/read") || sub.denies("permissions/read") {
		return denied("Microsoft.Authorization/permissions/read", srv.id()).reply()
	}
	not := []string{}
	for _, d := range slices.Concat(srv.spec.Denied, sub.spec.Denied) {
		switch {
		case d == "locks/read":
			not = append(not, "Microsoft.Authorization/"+d)
		case slices.Contains(srv.spec.Denied, d):
			not = append(not, srv.armType()+"/"+d)
		}
	}
	return ok(map[string]any{"value": []any{map[string]any{
		"actions": []string{"*"}, "notActions": not, "dataActions": []string{}, "notDataActions": []string{},
	}}})
}
