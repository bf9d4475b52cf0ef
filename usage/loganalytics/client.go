package loganalytics

import (
	"fmt"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/posternhq/postern/arm"
)

// TokenVariable is the environment variable that may hold a bearer token for Log
// Analytics.
const TokenVariable = "AZURE_LOG_ANALYTICS_TOKEN" //nolint:gosec // the name of a variable, and no token

// Access says how Log Analytics is reached.
type Access struct {
	Cloud arm.Cloud
	// Credential is the one for Resource Manager. Bearer is set where it is a token
	// that was handed in, which is good for Resource Manager only.
	Credential azcore.TokenCredential
	Bearer     bool
	// Token is a bearer for Log Analytics, from [TokenVariable]; empty for none.
	Token     string
	Transport http.RoundTripper
	Now       time.Time
}

// NewClient makes a client for a cloud's Log Analytics. A token that was handed in
// for Resource Manager goes to no other host.
func NewClient(a Access) (*arm.Client, error) {
	if a.Cloud.LogAnalytics == nil {
		return nil, fmt.Errorf("find Log Analytics: the cloud %s names no address of it that a token may be sent to (logAnalyticsResourceId of its endpoint document)", a.Cloud.Name)
	}
	o := arm.Options{Endpoint: a.Cloud.LogAnalytics, Scope: a.Cloud.LogAnalyticsScope(), Credential: a.Credential, Transport: a.Transport}
	howTo := fmt.Sprintf("export %s=$(az account get-access-token --resource %s --query accessToken -o tsv)", TokenVariable, a.Cloud.LogAnalytics)
	switch {
	case a.Token != "":
		credential, err := arm.NewToken(TokenVariable, a.Token, a.Now)
		if err != nil {
			return nil, fmt.Errorf("%w\n  %s", err, howTo)
		}
		o.Credential = credential
	case a.Cloud.LogAnalyticsIsARM():
		o.Scope = a.Cloud.Scope()
	case a.Bearer:
		return nil, fmt.Errorf("the token in %s is for Resource Manager and is not sent to %s; give one for that in %s:\n  %s",
			arm.TokenVariable, a.Cloud.LogAnalytics.Host, TokenVariable, howTo)
	}
	return arm.NewClient(o), nil
}
