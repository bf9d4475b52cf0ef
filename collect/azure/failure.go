package azure

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/posternhq/postern/asset"
)

// failure is an answer of ARM other than 200.
type failure struct {
	status  int
	code    string
	message string
	// told is how long a 429 asked to wait, as it said it.
	told string
	// laterPage is set when the list had begun: pages of it were read before.
	laterPage bool
}

// newFailure reads ARM's error body. Services spell it in more than one way,
// and a proxy in between may answer with anything.
func newFailure(resp *http.Response, body []byte) *failure {
	f := &failure{status: resp.StatusCode, told: resp.Header.Get("Retry-After")}
	var doc struct {
		Error   *struct{ Code, Message string }
		Code    string
		Message string
	}
	if json.Unmarshal(body, &doc) == nil {
		f.code, f.message = doc.Code, doc.Message
		if doc.Error != nil {
			f.code, f.message = doc.Error.Code, doc.Error.Message
		}
	}
	if f.code == "" && f.message == "" {
		f.message = http.StatusText(resp.StatusCode)
	}
	return f
}

// Error is the code and message as Azure gave them.
func (f *failure) Error() string {
	said := strings.TrimPrefix(f.code+": "+f.message, ": ")
	if f.status == http.StatusTooManyRequests && f.told != "" {
		said += " (still told to wait " + f.told + " s)"
	}
	return fmt.Sprintf("Azure answered HTTP %d: %s", f.status, said)
}

// has reports whether the failure has one of the ARM error codes.
func (f *failure) has(codes ...string) bool {
	for _, c := range codes {
		if strings.EqualFold(f.code, c) {
			return true
		}
	}
	return false
}

// gone reports whether Azure itself says that a resource is no more. Any proxy can
// answer 404.
func (f *failure) gone() bool {
	return f != nil && f.status == http.StatusNotFound && !f.laterPage &&
		f.has("ResourceNotFound", "ParentResourceNotFound", "ResourceGroupNotFound")
}

// unregistered reports whether the subscription never used the provider: Azure
// keeps one registered while it has resources.
func (f *failure) unregistered() bool {
	return !f.laterPage && f.status == http.StatusConflict && f.has("MissingSubscriptionRegistration")
}

// notOffered reports whether this cloud does not have the resource type in any
// API version. The same code with a list of versions means that it has.
func (f *failure) notOffered() bool {
	return !f.laterPage && (f.status == http.StatusNotFound || f.status == http.StatusBadRequest) &&
		f.has("InvalidResourceType") && !strings.Contains(strings.ToLower(f.message), "supported api-versions are")
}

// wrongVersion reports whether another API version may be known here.
func (f *failure) wrongVersion() bool {
	return !f.laterPage && f.has("NoRegisteredProviderFound", "InvalidResourceType", "InvalidApiVersionParameter")
}

// maxMessage bounds what is kept of an error text, in bytes.
const maxMessage = 600

// newGap turns whatever went wrong into a gap.
func newGap(scope, operation, permission string, err error) asset.Gap {
	g := asset.Gap{Scope: scope, Operation: operation, Permission: permission, Message: err.Error()}
	var f *failure
	if errors.As(err, &f) {
		g.Status = f.status
		g.Message = strings.TrimPrefix(f.Error(), fmt.Sprintf("Azure answered HTTP %d: ", f.status))
	}
	if g.Status == http.StatusUnauthorized {
		g.Message += "; the token may have expired while the scan ran: get a fresh one"
	}
	if len(g.Message) > maxMessage {
		g.Message = strings.ToValidUTF8(g.Message[:maxMessage], "") + "…"
	}
	return g
}
