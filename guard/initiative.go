package guard

// The shape of an initiative, Microsoft.Authorization/policySetDefinitions, and
// of an assignment, Microsoft.Authorization/policyAssignments, both in API version
// 2023-04-01.
type initiative struct {
	Properties initiativeProperties `json:"properties"`
}

type initiativeProperties struct {
	DisplayName       string      `json:"displayName"`
	PolicyType        string      `json:"policyType"`
	Description       string      `json:"description"`
	Metadata          metadata    `json:"metadata"`
	Parameters        parameter   `json:"parameters"`
	PolicyDefinitions []reference `json:"policyDefinitions"`
}

type reference struct {
	ReferenceID string `json:"policyDefinitionReferenceId"`
	ID          string `json:"policyDefinitionId"`
	Parameters  values `json:"parameters"`
}

type values struct {
	Effect           *value `json:"effect,omitempty"`
	MaximumAddresses *value `json:"maximumAddresses,omitempty"`
	ShortestPrefix   *value `json:"shortestPrefix,omitempty"`
}

type value struct {
	Value any `json:"value"`
}

type assignment struct {
	Properties assignmentProperties `json:"properties"`
}

type assignmentProperties struct {
	DisplayName           string    `json:"displayName"`
	Description           string    `json:"description"`
	PolicyDefinitionID    string    `json:"policyDefinitionId"`
	EnforcementMode       string    `json:"enforcementMode"`
	Parameters            values    `json:"parameters"`
	NonComplianceMessages []message `json:"nonComplianceMessages"`
}

type message struct {
	Message string `json:"message"`
}

// The ARM types, and the version that their shapes are from.
const (
	definitionType = "Microsoft.Authorization/policyDefinitions"
	initiativeType = "Microsoft.Authorization/policySetDefinitions"
	assignmentType = "Microsoft.Authorization/policyAssignments"
	policyVersion  = "2023-04-01"
)

// combine writes the initiative over some definitions. Each is a definition of
// its own, so that one that Azure refuses does not take the others with it.
func (r Request) combine(list []target) initiative {
	p := initiativeProperties{
		DisplayName: "Databases must not let in all of Azure or the internet",
		PolicyType:  "Custom",
		Description: "The firewall rules behind the back door \"Allow access to Azure services\", and those that admit the internet.",
		Metadata:    metadata{Category: "SQL", Version: "1.0.0"},
		Parameters:  parameter{Effect: effectSchema()},
	}
	for _, t := range list {
		passed := values{Effect: &value{effectParameter}}
		switch t.test {
		case byRange:
			p.Parameters.MaximumAddresses = r.addressesSchema()
			passed.MaximumAddresses = &value{maximumAddressesParameter}
		case byList:
			p.Parameters.ShortestPrefix = r.prefixSchema()
			passed.ShortestPrefix = &value{shortestPrefixParameter}
		case byPresence:
		}
		p.PolicyDefinitions = append(p.PolicyDefinitions, reference{ReferenceID: t.name, ID: scopeMark + "/providers/" + definitionType + "/" + t.name, Parameters: passed})
	}
	return initiative{p}
}

// assign writes the assignment of the initiative. With Deny it begins without
// enforcement: what would be refused is reported first.
func (r Request) assign(i initiative) assignment {
	mode := "Default"
	if r.Effect == Deny {
		mode = "DoNotEnforce"
	}
	passed := values{Effect: &value{r.effect()}}
	if i.Properties.Parameters.MaximumAddresses != nil {
		passed.MaximumAddresses = &value{r.addresses()}
	}
	if i.Properties.Parameters.ShortestPrefix != nil {
		passed.ShortestPrefix = &value{r.Prefix}
	}
	return assignment{assignmentProperties{
		DisplayName:        i.Properties.DisplayName,
		Description:        "Written by postern guard.",
		PolicyDefinitionID: scopeMark + "/providers/" + initiativeType + "/" + initiativeName,
		EnforcementMode:    mode,
		Parameters:         passed,
		NonComplianceMessages: []message{{
			"This firewall rule lets in every Azure customer, or more addresses than are allowed here. " +
				"Admit the addresses that need access, or use a private endpoint.",
		}},
	}}
}
