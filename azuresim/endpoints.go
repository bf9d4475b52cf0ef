package azuresim

// privateEndpoints are the connections of a server as a list of their own.
func privateEndpoints(s *instance, _ string) []map[string]any {
	items := make([]map[string]any, len(s.spec.PrivateEndpoints))
	for i, p := range s.spec.PrivateEndpoints {
		items[i] = s.endpointBody(p)
		if s.typ.kind == Citus {
			items[i]["systemData"] = s.systemData()
		}
	}
	return items
}

// endpointsInBody are the same connections as they stand in the server's body,
// where single servers leave out name and type.
func (s *instance) endpointsInBody() []any {
	items := make([]any, len(s.spec.PrivateEndpoints))
	for i, p := range s.spec.PrivateEndpoints {
		body := s.endpointBody(p)
		switch s.typ.kind {
		case Single:
			delete(body, "name")
			delete(body, "type")
		case Citus:
			delete(body["properties"].(map[string]any), "provisioningState")
		}
		items[i] = body
	}
	return items
}

func (s *instance) endpointBody(p PrivateEndpoint) map[string]any {
	status := withDefault(p.Status, "Approved")
	properties := map[string]any{
		"privateEndpoint": map[string]any{"id": s.inGroup("Microsoft.Network", "privateEndpoints/"+p.Name)},
		"privateLinkServiceConnectionState": map[string]any{
			"status": status, "description": "Set in the estate", "actionsRequired": "None",
		},
		"provisioningState": "Succeeded",
	}
	separator := "."
	switch s.typ.kind {
	case Single:
		separator = "-"
		properties["provisioningState"] = "Ready"
	case Flexible:
		properties["groupIds"] = []string{"postgresqlServer"}
	case Citus:
		properties["groupIds"] = []string{"coordinator"}
	}
	name := p.Name + separator + steadyGUID(s.id()+"/"+p.Name)
	return map[string]any{
		"id":   s.id() + "/privateEndpointConnections/" + name,
		"name": name, "type": s.armType() + "/privateEndpointConnections",
		"properties": properties,
	}
}
