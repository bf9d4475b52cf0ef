package azure

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/posternhq/postern/arm"
	"github.com/posternhq/postern/asset"
)

// maxMessage bounds what is kept of an error text, in bytes.
const maxMessage = 600

// newGap turns whatever went wrong into a gap.
func newGap(scope, operation, permission string, err error) asset.Gap {
	g := asset.Gap{Scope: scope, Operation: operation, Permission: permission, Message: err.Error()}
	var f *arm.Failure
	if errors.As(err, &f) {
		g.Status = f.Status
		g.Message = strings.TrimPrefix(f.Error(), fmt.Sprintf("Azure answered HTTP %d: ", f.Status))
	}
	if g.Status == http.StatusUnauthorized {
		g.Message += "; the token may have expired while the scan ran: get a fresh one"
	}
	if len(g.Message) > maxMessage {
		g.Message = strings.ToValidUTF8(g.Message[:maxMessage], "") + "…"
	}
	return g
}
