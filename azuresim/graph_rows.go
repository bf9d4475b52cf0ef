package azuresim

import (
	"encoding/json"
	"strings"
)

// graphColumns are those of the table Resources.
var graphColumns = []column{
	{"id", "string"}, {"name", "string"}, {"type", "string"}, {"tenantId", "string"}, {"kind", "string"},
	{"location", "string"}, {"resourceGroup", "string"}, {"subscriptionId", "string"}, {"managedBy", "string"},
	{"sku", "dynamic"}, {"plan", "dynamic"}, {"properties", "dynamic"}, {"tags", "dynamic"},
	{"identity", "dynamic"}, {"zones", "dynamic"}, {"extendedLocation", "dynamic"},
}

// graphRows are the resources of some subscriptions, or of all where none is
// named, as far as the caller may see them. Of what may not be read Resource
// Graph does not speak; it refuses only a caller who may read nothing asked for.
func (c *call) graphRows(subscriptions []string) (relation, *fail) {
	wanted := map[string]bool{}
	for _, id := range subscriptions {
		wanted[lower(id)] = true
	}
	rows := relation{columns: graphColumns}
	readable := false
	for _, sub := range c.sim.subs {
		if len(wanted) > 0 && !wanted[lower(sub.id)] || sub.denies("resources/read") {
			continue
		}
		readable = true
		for _, srv := range sub.settled(c) {
			// Single servers are not in the index, says Microsoft's list of
			// supported types.
			if srv.typ.kind != Single && !srv.denies("read") {
				rows.records = append(rows.records, c.graphServer(srv))
			}
		}
		for _, r := range sub.spec.Resources {
			rows.records = append(rows.records, c.graphResource(sub, r))
		}
	}
	if !readable {
		return relation{}, c.graphDenied()
	}
	return rows, nil
}

// graphServer is a server as its own API shows it in the newest version.
func (c *call) graphServer(srv *instance) record {
	var body map[string]any
	versions := srv.typ.versions
	raw := marshal(srv.typ.body(srv, versions[len(versions)-1]))
	_ = json.Unmarshal(raw, &body) // which brings it to the types of encoding/json
	row := c.graphRow(srv.sub, srv.id(), srv.location())
	row["sku"], row["tags"], row["properties"] = body["sku"], body["tags"], body["properties"]
	return row
}

func (c *call) graphResource(sub *subscription, r Resource) record {
	id, _ := r.fullID(sub.id) // which check has seen
	row := c.graphRow(sub, id, withDefault(r.Location, "eastus"))
	row["properties"] = map[string]any{}
	if r.Properties != nil {
		row["properties"] = r.Properties
	}
	if len(r.Tags) > 0 {
		tags := map[string]any{}
		for k, v := range r.Tags {
			tags[k] = v
		}
		row["tags"] = tags
	}
	return row
}

// graphRow is what every resource has. Resource Graph writes types and groups in
// lower case and keeps the spelling of ids.
func (c *call) graphRow(sub *subscription, id, location string) mapRecord {
	a, _ := parseAddress(id)
	return mapRecord{
		"id": id, "name": a.names[len(a.names)-1], "type": lower(a.provider + "/" + strings.Join(a.types, "/")),
		"tenantId": c.sim.tenant, "kind": "", "location": regionName(location), "resourceGroup": lower(a.group),
		"subscriptionId": lower(sub.id), "managedBy": "", "sku": nil, "plan": nil, "properties": nil, "tags": nil,
		"identity": nil, "zones": nil, "extendedLocation": nil,
	}
}
