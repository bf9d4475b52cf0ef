package guard

import "strconv"

// The shape of an event subscription, Microsoft.EventGrid/eventSubscriptions, API
// version 2022-06-15.
type eventSubscription struct {
	Properties eventProperties `json:"properties"`
}

type eventProperties struct {
	Destination         destination `json:"destination"`
	Filter              filter      `json:"filter"`
	EventDeliverySchema string      `json:"eventDeliverySchema"`
}

type destination struct {
	EndpointType string  `json:"endpointType"`
	Properties   webhook `json:"properties"`
}

type webhook struct {
	EndpointURL string `json:"endpointUrl"`
}

type filter struct {
	IncludedEventTypes []string         `json:"includedEventTypes"`
	AdvancedFilters    []advancedFilter `json:"advancedFilters"`
}

type advancedFilter struct {
	OperatorType string   `json:"operatorType"`
	Key          string   `json:"key"`
	Values       []string `json:"values"`
}

const (
	eventsType    = "Microsoft.EventGrid/eventSubscriptions"
	eventsVersion = "2022-06-15"
	eventsName    = "postern-rule-changes"
	// webhookMark stands in a document for the address that events go to.
	webhookMark = "{webhookUrl}"
	// mostValues is how many values the filters of one event subscription may hold.
	mostValues = 25
)

// eventTypes are what a subscription tells of a change that was made; a change
// that failed or was cancelled made none.
var eventTypes = []string{"Microsoft.Resources.ResourceWriteSuccess", "Microsoft.Resources.ResourceDeleteSuccess"}

// operations are the names in the activity log of what can open or close a door
// of a target: its firewall rules, and the server itself, whose public access may
// be switched back on.
func (t target) operations() []string {
	if t.test == byList {
		return []string{t.server + "/write"}
	}
	return []string{t.resource() + "/write", t.resource() + "/delete", t.server + "/write"}
}

// Events writes the event subscriptions: as few as hold all operations, each type
// of resource in one of them.
func (r Request) Events() []Document {
	var groups [][]string
	seen := map[string]bool{}
	for _, t := range targetsOf(r.Services) {
		if seen[t.resource()] {
			continue
		}
		seen[t.resource()] = true
		operations := t.operations()
		if last := len(groups) - 1; last >= 0 && len(groups[last])+len(operations) <= mostValues {
			groups[last] = append(groups[last], operations...)
		} else {
			groups = append(groups, operations)
		}
	}
	out := make([]Document, 0, len(groups))
	for i, operations := range groups {
		name := eventsName
		if i > 0 {
			name += "-" + strconv.Itoa(i+1)
		}
		out = append(out, document(eventsType, eventsVersion, name, eventSubscription{eventProperties{
			Destination: destination{EndpointType: "WebHook", Properties: webhook{EndpointURL: webhookMark}},
			Filter: filter{
				IncludedEventTypes: eventTypes,
				AdvancedFilters:    []advancedFilter{{OperatorType: "StringIn", Key: "data.operationName", Values: operations}},
			},
			EventDeliverySchema: "CloudEventSchemaV1_0",
		}}))
	}
	return out
}
