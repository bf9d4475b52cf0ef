package azuresim

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// fail is an answer that says no, in ARM's form.
type fail struct {
	status  int
	code    string
	message string
	// gateway is set where ARM itself refuses and the resource provider never
	// sees the request. Recordings carry a header for it.
	gateway bool
	// retryAfter, rounded up to whole seconds, goes into Retry-After. Zero
	// means no such header.
	retryAfter time.Duration
	// challenge goes into WWW-Authenticate.
	challenge string
	// more stands in the error beside code and message.
	more map[string]any
}

func (f *fail) reply() reply {
	body := map[string]any{"code": f.code, "message": f.message}
	maps.Copy(body, f.more)
	r := reply{status: f.status, header: http.Header{}, body: map[string]any{"error": body}}
	if f.gateway {
		r.header.Set("X-Ms-Failure-Cause", "gateway")
	}
	if f.retryAfter > 0 {
		r.header.Set("Retry-After", wholeSeconds(f.retryAfter))
	}
	if f.challenge != "" {
		r.header.Set("WWW-Authenticate", f.challenge)
	}
	return r
}

// wholeSeconds rounds up, because a client that comes back a moment too early
// is refused again. It is never below one second.
func wholeSeconds(d time.Duration) string {
	return strconv.FormatInt(max(1, int64((d+time.Second-1)/time.Second)), 10)
}

func noAPIVersion() *fail {
	return &fail{status: http.StatusBadRequest, gateway: true, code: "MissingApiVersionParameter",
		message: "The api-version query parameter (?api-version=) is required for all requests."}
}

// badAPIVersion is what ARM says of a version that a type does not have, in
// the words of the recording.
func badAPIVersion(typ, version, location string, supported []string) *fail {
	return &fail{status: http.StatusBadRequest, gateway: true, code: "NoRegisteredProviderFound",
		message: fmt.Sprintf("No registered resource provider found for location '%s' and API version '%s' for type '%s'. "+
			"The supported api-versions are '%s'. The supported locations are '%s'.",
			location, version, typ, strings.Join(supported, ", "), strings.Join(regionNames(), ", "))}
}

func badOwnAPIVersion(version string) *fail {
	return &fail{status: http.StatusBadRequest, gateway: true, code: "InvalidApiVersionParameter",
		message: fmt.Sprintf("The api-version '%s' is invalid. The supported versions are dates such as '2022-12-01'.", version)}
}

func noProvider(provider string) *fail {
	return &fail{status: http.StatusNotFound, gateway: true, code: "InvalidResourceNamespace",
		message: fmt.Sprintf("The resource namespace '%s' is invalid.", provider)}
}

func noType(provider, version string) *fail {
	return &fail{status: http.StatusNotFound, gateway: true, code: "InvalidResourceType",
		message: fmt.Sprintf("The resource type could not be found in the namespace '%s' for api version '%s'.", provider, version)}
}

func noRoute(path string) *fail {
	return &fail{status: http.StatusNotFound, gateway: true, code: "NotFound",
		message: fmt.Sprintf("The simulator has nothing at '%s'.", path)}
}

func noVerb(method string) *fail {
	return &fail{status: http.StatusMethodNotAllowed, code: "MethodNotAllowed",
		message: fmt.Sprintf("The requested resource does not support http method '%s'.", method)}
}

func noSubscription(id string) *fail {
	if !guidForm.MatchString(id) {
		return &fail{status: http.StatusBadRequest, gateway: true, code: "InvalidSubscriptionId",
			message: fmt.Sprintf("The provided subscription identifier '%s' is malformed or invalid.", id)}
	}
	return &fail{status: http.StatusNotFound, gateway: true, code: "SubscriptionNotFound",
		message: fmt.Sprintf("The subscription '%s' could not be found.", id)}
}

func readOnlySubscription(id string) *fail {
	return &fail{status: http.StatusConflict, gateway: true, code: "ReadOnlyDisabledSubscription",
		message: fmt.Sprintf("The subscription '%s' is disabled and therefore marked as read only. "+
			"You cannot perform any write actions on this subscription until it is re-enabled.", id)}
}

func noGroup(name string) *fail {
	return &fail{status: http.StatusNotFound, gateway: true, code: "ResourceGroupNotFound",
		message: fmt.Sprintf("Resource group '%s' could not be found.", name)}
}

func noServer(typ, name, group string) *fail {
	return &fail{status: http.StatusNotFound, gateway: true, code: "ResourceNotFound",
		message: fmt.Sprintf("The Resource '%s/%s/%s' under resource group '%s' was not found. "+
			"For more details please go to https://aka.ms/ARMResourceNotFoundFix", namespace, typ, name, group)}
}

func noParent(action, typ, parentID string) *fail {
	return &fail{status: http.StatusNotFound, gateway: true, code: "ParentResourceNotFound",
		message: fmt.Sprintf("Failed to perform '%s' on resource(s) of type '%s', because the parent resource '%s' could not be found.",
			action, typ, parentID)}
}

// noChild is the resource provider's own 404, in the words of the recording.
func noChild(typ, name string) *fail {
	return &fail{status: http.StatusNotFound, code: "ResourceNotFound",
		message: fmt.Sprintf("The requested resource of type '%s/%s' with name '%s' was not found.", namespace, typ, name)}
}

func denied(action, scope string) *fail {
	return &fail{status: http.StatusForbidden, gateway: true, code: "AuthorizationFailed",
		message: fmt.Sprintf("The client '%s' with object id '%s' does not have authorization to perform action '%s' over scope '%s' "+
			"or the scope is invalid. If access was recently granted, please refresh your credentials.",
			clientID, objectID, action, scope)}
}

// serverBusy is quoted from a report against API 2025-08-01.
func serverBusy(name string) *fail {
	return &fail{status: http.StatusConflict, code: "ServerIsBusy",
		message: fmt.Sprintf("Cannot complete operation while server '%s' is busy processing another operation. Try again later.", name)}
}

// badParameter is the code that single servers answer to a rule name with
// spaces in it.
func badParameter(name string) *fail {
	return &fail{status: http.StatusBadRequest, code: "InvalidParameterValue",
		message: fmt.Sprintf("Invalid value given for parameter '%s'. Specify a valid parameter value.", name)}
}

func badContent(err error) *fail {
	return &fail{status: http.StatusBadRequest, gateway: true, code: "InvalidRequestContent",
		message: fmt.Sprintf("The request content was invalid and could not be deserialized: '%v'.", err)}
}
