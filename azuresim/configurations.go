package azuresim

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// parameter is a server parameter that every server of some generations has.
type parameter struct {
	name     string
	kinds    []Kind
	def      string
	dataType string // Boolean, Integer or Enumeration
	allowed  string
	about    string
	readOnly bool
}

// parameters are the few that say something about exposure and its traces. A
// live server has hundreds; an estate can name any other.
var parameters = []parameter{
	{name: "array_nulls", kinds: []Kind{Single, Flexible, Citus}, def: "on", dataType: "Boolean", allowed: "on,off",
		about: "Whether NULL in array input means null."},
	{name: "connection_throttle.enable", kinds: []Kind{Flexible}, def: "off", dataType: "Boolean", allowed: "on,off",
		about: "Slow down an address after failed logins."},
	{name: "connection_throttling", kinds: []Kind{Single}, def: "on", dataType: "Boolean", allowed: "on,off",
		about: "Slow down an address after failed logins."},
	{name: "log_checkpoints", kinds: []Kind{Single, Flexible, Citus}, def: "on", dataType: "Boolean", allowed: "on,off",
		about: "Log each checkpoint."},
	{name: "log_connections", kinds: []Kind{Single, Citus}, def: "on", dataType: "Boolean", allowed: "on,off",
		about: "Log each successful connection."},
	{name: "log_connections", kinds: []Kind{Flexible}, def: "on", dataType: "Boolean", allowed: "on,off",
		about: "Log each successful connection.", readOnly: true},
	{name: "log_disconnections", kinds: []Kind{Single, Citus}, def: "off", dataType: "Boolean", allowed: "on,off",
		about: "Log when a client disconnects."},
	{name: "log_disconnections", kinds: []Kind{Flexible}, def: "on", dataType: "Boolean", allowed: "on,off",
		about: "Log when a client disconnects.", readOnly: true},
	{name: "log_duration", kinds: []Kind{Single, Flexible, Citus}, def: "off", dataType: "Boolean", allowed: "on,off",
		about: "Log how long each statement took."},
	{name: "log_retention_days", kinds: []Kind{Single}, def: "3", dataType: "Integer", allowed: "1-7",
		about: "Days that log files are kept."},
	{name: "logfiles.retention_days", kinds: []Kind{Flexible}, def: "3", dataType: "Integer", allowed: "1-7",
		about: "Days that log files are kept."},
	{name: "require_secure_transport", kinds: []Kind{Flexible}, def: "on", dataType: "Boolean", allowed: "on,off",
		about: "Refuse connections without TLS."},
	{name: "ssl_min_protocol_version", kinds: []Kind{Flexible}, def: "TLSv1.2", dataType: "Enumeration", allowed: "TLSv1.2,TLSv1.3",
		about: "The oldest TLS version that is accepted."},
}

// parameters are those of the server: the known ones of its kind, and those
// that the estate adds, in order of name.
func (s *instance) parameters() []parameter {
	byName := map[string]parameter{}
	for name := range s.spec.Configurations {
		byName[name] = parameter{name: name, dataType: "Enumeration", about: "Named in the estate."}
	}
	for _, p := range parameters {
		if slices.Contains(p.kinds, s.typ.kind) {
			byName[p.name] = p
		}
	}
	return slices.SortedFunc(maps.Values(byName), func(a, b parameter) int { return strings.Compare(a.name, b.name) })
}

// value is what a parameter stands at, and where that comes from.
func (s *instance) value(p parameter) (value, source string) {
	if v, set := s.spec.Configurations[p.name]; set && v != p.def {
		return v, "user-override"
	}
	return p.def, "system-default"
}

func configurations(s *instance, version string) []map[string]any {
	all := s.parameters()
	items := make([]map[string]any, len(all))
	for i, p := range all {
		items[i] = map[string]any{
			"id": s.id() + "/configurations/" + p.name, "name": p.name, "type": s.armType() + "/configurations",
			"properties": s.parameterBody(p),
		}
		if s.typ.kind == Citus {
			items[i]["systemData"] = s.systemData()
		}
	}
	return items
}

// parameterBody is a parameter in the words of its generation: single servers
// write True and False as text, Citus has a value for each role.
func (s *instance) parameterBody(p parameter) map[string]any {
	value, source := s.value(p)
	body := map[string]any{"description": p.about, "dataType": p.dataType, "allowedValues": p.allowed}
	if s.typ.kind == Citus {
		role := func(name string) map[string]any {
			return map[string]any{"role": name, "value": value, "defaultValue": p.def, "source": source}
		}
		body["serverRoleGroupConfigurations"] = []any{role("Coordinator"), role("Worker")}
		body["requiresRestart"] = false
		body["provisioningState"] = "Succeeded"
		return body
	}
	body["value"], body["defaultValue"], body["source"] = value, p.def, source
	if s.typ.kind == Single {
		body["isConfigPendingRestart"], body["isDynamicConfig"] = "False", "True"
		return body
	}
	body["isConfigPendingRestart"], body["isDynamicConfig"] = false, true
	body["isReadOnly"] = p.readOnly
	body["documentationLink"] = fmt.Sprintf("https://www.postgresql.org/docs/%s/runtime-config.html", s.version())
	return body
}

func putConfiguration(s *instance, name string, content []byte) (change, *fail) {
	i := slices.IndexFunc(s.parameters(), func(p parameter) bool { return strings.EqualFold(p.name, name) })
	if i < 0 {
		return change{}, noChild(s.typ.name+"/configurations", name)
	}
	p := s.parameters()[i]
	var body struct {
		Properties struct {
			Value  *string `json:"value"`
			Source string  `json:"source"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(content, &body); err != nil {
		return change{}, badContent(err)
	}
	v := body.Properties.Value
	if v == nil && body.Properties.Source == "system-default" {
		v = &p.def // this is how az resets a parameter
	}
	switch {
	case v == nil || p.dataType == "Boolean" && !known(lower(*v), "on", "off"):
		return change{}, badParameter("value")
	case p.readOnly:
		// That it is refused is documented; the code is the simulator's own.
		return change{}, &fail{status: http.StatusBadRequest, code: "ReadOnlyParameter",
			message: fmt.Sprintf("The server parameter '%s' is read-only.", p.name)}
	}
	return change{
		name: map[Kind]string{Single: "UpdateElasticServerConfig", Flexible: "UpdateConfigurationManagementOperation"}[s.typ.kind],
		apply: func(to *DBServer) {
			if to.Configurations == nil {
				to.Configurations = map[string]string{}
			}
			to.Configurations[p.name] = *v
		},
	}, nil
}
