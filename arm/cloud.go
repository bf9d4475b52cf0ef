package arm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
)

// Cloud says where one Azure is: the public one, a sovereign one, or a local one.
type Cloud struct {
	// Name is what a person calls it.
	Name string
	// ARM is the endpoint of Azure Resource Manager, without a trailing slash.
	ARM *url.URL
	// Audience is what a token must be for, and Authority who issues it.
	Audience  string
	Authority string
	// LogAnalytics is the endpoint of the Log Analytics query API, without a
	// trailing slash, and also the audience of its tokens: one that was issued for
	// a host is of no use at another. It is nil where the cloud names none.
	LogAnalytics *url.URL
	// Custom is set for clouds that are not Microsoft's own three.
	Custom bool
}

// Scope is what a token for Resource Manager must be for.
func (c Cloud) Scope() string { return c.Audience + "/.default" }

// LogAnalyticsScope is what a token for Log Analytics must be for.
func (c Cloud) LogAnalyticsScope() string { return c.LogAnalytics.String() + "/.default" }

// LogAnalyticsIsARM reports whether Log Analytics is at the same scheme, host and
// port as Resource Manager, as in a local Azure. Only there may a bearer token for
// Resource Manager be sent to it.
func (c Cloud) LogAnalyticsIsARM() bool {
	return c.LogAnalytics != nil && c.ARM != nil && sameOrigin(c.ARM, c.LogAnalytics) == nil
}

// metadataVersion is the version of the endpoint document that az and Terraform
// ask a cloud for.
const metadataVersion = "2022-09-01"

var known = map[string]cloud.Configuration{
	"public": cloud.AzurePublic,
	"usgov":  cloud.AzureGovernment,
	"china":  cloud.AzureChina,
}

// logAnalytics is where Microsoft's clouds have the query API: the field
// logAnalyticsResourceId of their endpoint documents.
var logAnalytics = map[string]string{
	"public": "https://api.loganalytics.io",
	"usgov":  "https://api.loganalytics.us",
	"china":  "https://api.loganalytics.azure.cn",
}

// ResolveCloud turns public, usgov, china or the URL of an ARM endpoint into a
// cloud. A URL is asked, without a token, for its endpoint document; when
// haveBearer is set the document is not needed and its absence no error. Plain
// http is accepted for loopback addresses only.
func ResolveCloud(ctx context.Context, name string, haveBearer bool, client *http.Client) (Cloud, error) {
	if conf, ok := known[strings.ToLower(name)]; ok {
		service := conf.Services[cloud.ResourceManager]
		arm, err := url.Parse(strings.TrimRight(service.Endpoint, "/"))
		if err != nil {
			return Cloud{}, fmt.Errorf("parse the endpoint of cloud %s: %w", name, err)
		}
		logs, err := url.Parse(logAnalytics[strings.ToLower(name)])
		if err != nil {
			return Cloud{}, fmt.Errorf("parse the Log Analytics endpoint of cloud %s: %w", name, err)
		}
		return Cloud{Name: strings.ToLower(name), ARM: arm, Audience: service.Audience, Authority: conf.ActiveDirectoryAuthorityHost, LogAnalytics: logs}, nil
	}
	arm, err := parseEndpoint(name)
	if err != nil {
		return Cloud{}, err
	}
	c := Cloud{Name: arm.Host, ARM: arm, Audience: arm.String() + "/", Custom: true}
	doc, err := fetchMetadata(ctx, arm, client)
	if err != nil {
		if haveBearer {
			return c, nil
		}
		return Cloud{}, fmt.Errorf("ask %s for its endpoints: %w; give a token in AZURE_ACCESS_TOKEN to do without them", arm, err)
	}
	return doc.apply(c)
}

func parseEndpoint(name string) (*url.URL, error) {
	const hint = "give public, usgov, china or the https address of an ARM endpoint"
	u, err := url.Parse(strings.TrimRight(name, "/"))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read cloud %q: %w; %s", name, err, hint)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("cloud %q is not known; %s", name, hint)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("cloud %q has more than a host and a path; %s", u.Redacted(), hint)
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, fmt.Errorf("cloud %q is plain http, which would show the token to the network; use https (http is for loopback addresses)", name)
	}
	u.Host = strings.ToLower(u.Host)
	return u, nil
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

type metadata struct {
	Name            string `json:"name"`
	ResourceManager string `json:"resourceManager"`
	Authentication  struct {
		LoginEndpoint string   `json:"loginEndpoint"`
		Audiences     []string `json:"audiences"`
		Tenant        string   `json:"tenant"`
	} `json:"authentication"`
	LogAnalytics string `json:"logAnalyticsResourceId"`
}

func fetchMetadata(ctx context.Context, arm *url.URL, client *http.Client) (metadata, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, arm.String()+"/metadata/endpoints?api-version="+metadataVersion, nil)
	if err != nil {
		return metadata{}, err
	}
	// Who issues tokens is for this host to say and not for another.
	still := *client
	still.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := still.Do(req)
	if err != nil {
		return metadata{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return metadata{}, fmt.Errorf("read the endpoint document: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return metadata{}, fmt.Errorf("the endpoint document answered HTTP %d", resp.StatusCode)
	}
	return parseMetadata(body)
}

// parseMetadata reads the endpoint document. Older versions answer an array of
// such objects, and a byte order mark may stand before either.
func parseMetadata(body []byte) (metadata, error) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	var docs []metadata
	if bytes.HasPrefix(body, []byte("[")) {
		if err := json.Unmarshal(body, &docs); err != nil {
			return metadata{}, fmt.Errorf("read the endpoint document: %w", err)
		}
		if len(docs) == 0 {
			return metadata{}, errors.New("the endpoint document names no cloud")
		}
		return docs[0], nil
	}
	var doc metadata
	if err := json.Unmarshal(body, &doc); err != nil {
		return metadata{}, fmt.Errorf("read the endpoint document: %w", err)
	}
	return doc, nil
}

// apply takes from the document who issues tokens and for what. Where ARM is
// stays what the person said: a document may not send the token elsewhere.
func (m metadata) apply(c Cloud) (Cloud, error) {
	if m.ResourceManager != "" {
		u, err := url.Parse(m.ResourceManager)
		if err != nil || hostPort(u) != hostPort(c.ARM) {
			return Cloud{}, fmt.Errorf("the endpoint document of %s places Resource Manager at %q; if that is right, give it as --cloud", c.ARM, m.ResourceManager)
		}
	}
	if m.Name != "" {
		c.Name = m.Name
	}
	if len(m.Authentication.Audiences) > 0 {
		c.Audience = m.Authentication.Audiences[0]
	}
	c.Authority = m.Authentication.LoginEndpoint
	// An address that no token may be sent to is as good as none.
	if u, err := parseEndpoint(m.LogAnalytics); err == nil {
		c.LogAnalytics = u
	}
	return c, nil
}
