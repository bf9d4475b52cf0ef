package arm

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Failure is an answer of ARM other than 200.
type Failure struct {
	// Status is the HTTP status, Code and Message what the service said.
	Status  int
	Code    string
	Message string
	// Told is how long a 429 asked to wait, as it said it.
	Told string
	// LaterPage is set when the list had begun: pages of it were read before.
	LaterPage bool
	// pause is how long the answer asked to wait, or a usual pause.
	pause time.Duration
}

// newFailure reads ARM's error body. Services spell it in more than one way,
// and a proxy in between may answer with anything.
func newFailure(resp *http.Response, body []byte) *Failure {
	f := &Failure{Status: resp.StatusCode, Told: resp.Header.Get("Retry-After"), pause: pollPause(resp.Header)}
	var doc struct {
		Error   *struct{ Code, Message string }
		Code    string
		Message string
	}
	if json.Unmarshal(body, &doc) == nil {
		f.Code, f.Message = doc.Code, doc.Message
		if doc.Error != nil {
			f.Code, f.Message = doc.Error.Code, doc.Error.Message
		}
	}
	if f.Code == "" && f.Message == "" {
		f.Message = http.StatusText(resp.StatusCode)
	}
	return f
}

// Error is the code and message as Azure gave them.
func (f *Failure) Error() string {
	said := strings.TrimPrefix(f.Code+": "+f.Message, ": ")
	if f.Status == http.StatusTooManyRequests && f.Told != "" {
		said += " (still told to wait " + f.Told + " s)"
	}
	return fmt.Sprintf("Azure answered HTTP %d: %s", f.Status, said)
}

// Has reports whether the failure has one of the ARM error codes.
func (f *Failure) Has(codes ...string) bool {
	for _, c := range codes {
		if strings.EqualFold(f.Code, c) {
			return true
		}
	}
	return false
}

// Gone reports whether Azure itself says that a resource is no more. Any proxy can
// answer 404.
func (f *Failure) Gone() bool {
	return f != nil && f.Status == http.StatusNotFound && !f.LaterPage &&
		f.Has("ResourceNotFound", "ParentResourceNotFound", "ResourceGroupNotFound")
}

// Unregistered reports whether the subscription never used the provider: Azure
// keeps one registered while it has resources.
func (f *Failure) Unregistered() bool {
	return !f.LaterPage && f.Status == http.StatusConflict && f.Has("MissingSubscriptionRegistration")
}

// NotOffered reports whether this cloud does not have the resource type in any
// API version. The same code with a list of versions means that it has.
func (f *Failure) NotOffered() bool {
	return !f.LaterPage && (f.Status == http.StatusNotFound || f.Status == http.StatusBadRequest) &&
		f.Has("InvalidResourceType") && !strings.Contains(strings.ToLower(f.Message), "supported api-versions are")
}

// WrongVersion reports whether another API version may be known here.
func (f *Failure) WrongVersion() bool {
	return !f.LaterPage && f.Has("NoRegisteredProviderFound", "InvalidResourceType", "InvalidApiVersionParameter")
}

// AsFailure returns the failure in an error, nil where there is none.
func AsFailure(err error) *Failure {
	var f *Failure
	errors.As(err, &f)
	return f
}
