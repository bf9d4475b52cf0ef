package azuresim

import (
	"net/http"
	"slices"
	"strings"
)

// tagsChange is the change number of the simulated list of service tags, which
// never changes.
const tagsChange = "1"

func isServiceTags(a address) bool {
	return strings.EqualFold(a.provider, "Microsoft.Network") && a.group == "" && len(a.types) == 2 && len(a.names) == 1 &&
		strings.EqualFold(a.types[0], "locations") && strings.EqualFold(a.types[1], "serviceTags")
}

// serviceTags answers which addresses are Azure's own. As in Azure, the location
// says where to ask, and the answer has every region. The fields are those of
// Microsoft's example of api-version 2025-05-01; Microsoft.Network answers a list
// of pages in which the items are called values.
func (c *call) serviceTags(sub *subscription) reply {
	scope := "/subscriptions/" + sub.id
	switch {
	case !ownVersion.MatchString(c.version):
		return badOwnAPIVersion(c.version).reply()
	case c.req.Method != http.MethodGet:
		return noVerb(c.req.Method).reply()
	case sub.denies("serviceTags/read"):
		return denied("Microsoft.Network/locations/serviceTags/read", scope).reply()
	case !slices.Contains(regionNames(), lower(c.addr.names[0])):
		return badAPIVersion("locations/serviceTags", c.version, c.addr.names[0], []string{c.version}).reply()
	}
	rep := page(c, c.sim.tags, true, func(t ServiceTag) any { return t.body() })
	body, isPage := rep.body.(map[string]any)
	if !isPage || rep.status != http.StatusOK {
		return rep
	}
	body["values"] = body["value"]
	delete(body, "value")
	body["name"], body["cloud"], body["changeNumber"] = "Public", "Public", tagsChange
	body["id"] = scope + "/providers/Microsoft.Network/serviceTags/Public"
	body["type"] = "Microsoft.Network/serviceTags"
	return rep
}

func (t ServiceTag) body() map[string]any {
	return map[string]any{
		"name": t.Name, "id": t.Name,
		"properties": map[string]any{
			"changeNumber": tagsChange, "region": t.Region, "state": "GA",
			"networkFeatures": []string{"API", "NSG", "UDR", "FW"},
			"systemService":   t.Service, "addressPrefixes": append([]string{}, t.Prefixes...),
		},
	}
}
