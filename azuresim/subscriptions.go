package azuresim

import (
	"net/http"
	"strings"
)

// tenants answers /tenants: there is one.
func (c *call) tenants() reply {
	return page(c, []string{c.sim.tenant}, true, func(id string) any {
		return map[string]any{
			"id": "/tenants/" + id, "tenantId": id, "tenantCategory": "Home",
			"displayName": "Simulated directory", "countryCode": "NL", "tenantType": "AAD",
			"domains": []string{"sim.onmicrosoft.com"}, "defaultDomain": "sim.onmicrosoft.com",
		}
	})
}

// subscriptions answers /subscriptions. The count beside the list is in the
// recordings and in no document.
func (c *call) subscriptions() reply {
	rep := page(c, c.sim.subs, true, func(sub *subscription) any { return c.subscriptionBody(sub) })
	if body, isList := rep.body.(map[string]any); isList && rep.status == http.StatusOK {
		body["count"] = map[string]any{"type": "Total", "value": len(c.sim.subs)}
	}
	return rep
}

func (c *call) subscriptionBody(sub *subscription) map[string]any {
	return map[string]any{
		"id":                  "/subscriptions/" + sub.id,
		"subscriptionId":      sub.id,
		"tenantId":            c.sim.tenant,
		"displayName":         sub.name,
		"state":               sub.state,
		"authorizationSource": "RoleBased",
		"managedByTenants":    []any{},
		"subscriptionPolicies": map[string]any{
			"locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off",
		},
	}
}

// ownResource answers for a subscription and for what ARM itself keeps in it.
func (c *call) ownResource(sub *subscription) reply {
	switch c.addr.under {
	case "locations":
		return ok(map[string]any{"value": c.locations(sub)})
	case "resourcegroups":
		if c.addr.group == "" {
			return page(c, sub.groups, true, func(g group) any { return groupBody(sub, g) })
		}
		g, there := sub.group(c.addr.group)
		if !there {
			return noGroup(c.addr.group).reply()
		}
		return ok(groupBody(sub, g))
	default:
		return ok(c.subscriptionBody(sub))
	}
}

func groupBody(sub *subscription, g group) map[string]any {
	return map[string]any{
		"id":   "/subscriptions/" + sub.id + "/resourceGroups/" + g.name,
		"name": g.name, "type": "Microsoft.Resources/resourceGroups", "location": g.location,
		"properties": map[string]any{"provisioningState": "Succeeded"},
	}
}

func (c *call) locations(sub *subscription) []any {
	value := make([]any, len(regions))
	for i, display := range regions {
		name := regionName(display)
		value[i] = map[string]any{
			"id": "/subscriptions/" + sub.id + "/locations/" + name, "name": name, "type": "Region",
			"displayName": display, "regionalDisplayName": display,
			"metadata": map[string]any{"regionType": "Physical", "regionCategory": "Recommended"},
		}
	}
	return value
}

// manifest answers what the provider offers, which is where az looks for the
// api-version of a resource that it is given by id.
func (c *call) manifest(sub *subscription) reply {
	if c.req.Method != http.MethodGet {
		return noVerb(c.req.Method).reply()
	}
	types := []any{manifestType("locations/azureAsyncOperation", allVersions()), manifestType("locations/operationResults", allVersions())}
	for _, t := range resourceTypes {
		types = append(types, manifestType(t.name, t.versions))
		for _, child := range t.children {
			types = append(types, manifestType(t.name+"/"+child.name, child.versions))
		}
	}
	return ok(map[string]any{
		"id":        "/subscriptions/" + sub.id + "/providers/" + namespace,
		"namespace": namespace, "registrationState": "Registered", "registrationPolicy": "RegistrationRequired",
		"resourceTypes": types,
	})
}

// manifestType lists a type's versions the newest first, as ARM does.
func manifestType(name string, versions []string) map[string]any {
	newest := make([]string, len(versions))
	for i, v := range versions {
		newest[len(versions)-1-i] = v
	}
	where := regions
	if strings.Contains(name, "/") {
		where = []string{}
	}
	return map[string]any{"resourceType": name, "locations": where, "apiVersions": newest, "capabilities": "None"}
}

func allVersions() []string {
	var all []string
	for _, t := range resourceTypes {
		all = append(all, t.versions...)
	}
	return append(all, "2018-06-01")
}
