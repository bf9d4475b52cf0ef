package azuresim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// truth stands before a simulation and compares everything it answers with
// Microsoft's documents. All tests of the package go through it, except those
// that order an answer which no Azure would give.
type truth struct {
	t    testing.TB
	next http.Handler

	mu   sync.Mutex
	seen map[string]bool // what has been compared, for a test to ask about
}

func (h *truth) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := httptest.NewRecorder()
	h.next.ServeHTTP(rec, r) // a cut connection is a panic and passes through
	if err := h.compare(r, rec); err != nil {
		h.t.Errorf("%s %s: answered %d, not as documented: %v\n%s", r.Method, r.URL, rec.Code, err, rec.Body)
	}
	for k, v := range rec.Header() {
		w.Header()[k] = v
	}
	w.WriteHeader(rec.Code)
	w.Write(rec.Body.Bytes())
}

func (h *truth) compare(r *http.Request, rec *httptest.ResponseRecorder) error {
	if _, anonymous := anonymousKind(r); anonymous {
		return nil // no document; real clients are the test of these
	}
	if id := rec.Header().Get("X-Ms-Request-Id"); !guidForm.MatchString(id) {
		return fmt.Errorf("request id %q is no GUID", id)
	}
	if raw := rec.Body.Bytes(); len(raw) > 0 && rec.Header().Get("Content-Type") != "application/json; charset=utf-8" {
		return fmt.Errorf("content type is %q", rec.Header().Get("Content-Type"))
	}
	if _, found := findShared(); !found {
		return nil
	}
	if logsPath.MatchString(r.URL.Path) {
		return compareLogs(rec)
	}
	a, _ := parseAddress(r.URL.Path)
	h.mu.Lock()
	h.seen[fmt.Sprintf("%s %s %s %d", r.Method, shapeOf(a), r.URL.Query().Get("api-version"), rec.Code)] = true
	h.mu.Unlock()
	body, err := decode(rec.Body.Bytes())
	switch {
	case err != nil:
		return err
	case rec.Code >= 400:
		return compareError(r, a, rec.Code, body)
	case isOperation(a):
		return compareOperation(rec.Code, body)
	case a.locks || a.permissions || isServiceTags(a):
		return compareUndocumented(body)
	default:
		return compareBody(r, a, rec, body)
	}
}

// shapeOf is an address without names.
func shapeOf(a address) string {
	switch {
	case a.locks:
		return "locks"
	case a.permissions:
		return "permissions"
	case a.isGraph():
		return "graph"
	case a.tenants:
		return "tenants"
	case a.provider == "" && a.subscription == "":
		return "subscriptions"
	case a.provider == "" && a.group != "":
		return "resourcegroup"
	case a.provider == "":
		return "subscription " + a.under
	case isOperation(a):
		return a.types[1]
	}
	shape := strings.Join(a.types, "/")
	if a.isList() {
		shape += " list"
		if len(a.types) == 1 && a.group != "" {
			shape += " of group"
		}
	}
	return shape
}

func decode(raw []byte) (any, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(raw))
}

// compareBody holds a success to the document of its path, method and status.
func compareBody(r *http.Request, a address, rec *httptest.ResponseRecorder, body any) error {
	s, version := loadSwagger(), r.URL.Query().Get("api-version")
	response, err := s.response(a, r.URL.Path, version, r.Method, rec.Code)
	if err != nil {
		return err
	}
	if err := compareHeaders(response, rec.Header()); err != nil {
		return err
	}
	if err := compareLink(r, body); err != nil {
		return err
	}
	schema, hasSchema := response.json["schema"].(map[string]any)
	switch {
	case !hasSchema && body == nil:
		return nil
	case !hasSchema:
		return comparedAccepted(body) // 202 of single and flexible: recorded, not documented
	case body == nil:
		return errors.New("there is no body")
	case version == "2025-08-01" && len(a.types) > 0:
		return compareBicep(a, body)
	}
	return s.compareSchema(a, node{response.file, schema}, body)
}

func (s *swagger) compareSchema(a address, schema node, body any) error {
	compiled, err := s.compiled(schema)
	if err != nil {
		return fmt.Errorf("compile the document: %w", err)
	}
	var invalid *jsonschema.ValidationError
	if err := compiled.Validate(body); errors.As(err, &invalid) {
		if bad := untolerated(invalid); len(bad) > 0 {
			return errors.New(strings.Join(bad, "; "))
		}
	} else if err != nil {
		return err
	}
	all, err := recordedProperties()
	if err != nil {
		return err
	}
	allowed := all[resourceOf(a)]
	extra := slices.DeleteFunc(s.unknown(schema, body, ""), func(path string) bool { return allowed[withoutList(path)] })
	if len(extra) > 0 {
		return fmt.Errorf("properties that neither the document nor a recording has: %v", extra)
	}
	return nil
}

// untolerated are the problems that no recording excuses.
//
//   - Subscription lists "require" a nextLink; the recorded last page has none.
//   - Resource Graph's document calls an answer's data an object, and its example
//     has a list; error details are of any type in what users quote.
//   - A server may be of a PostgreSQL version that is newer than the document
//     (its enum is marked as open).
func untolerated(e *jsonschema.ValidationError) []string {
	if len(e.Causes) > 0 {
		var bad []string
		for _, c := range e.Causes {
			bad = append(bad, untolerated(c)...)
		}
		return bad
	}
	at := strings.Join(e.InstanceLocation, "/")
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		if at == "" && slices.Equal(k.Missing, []string{"nextLink"}) {
			return nil
		}
	case *kind.Enum:
		if serverVersion.MatchString(at) {
			return nil
		}
	case *kind.Type:
		if at == "data" || graphDetail.MatchString(at) {
			return nil
		}
	}
	return []string{"/" + at + ": " + e.Error()}
}

var serverVersion = regexp.MustCompile(`^(value/\d+/)?properties/version$`)

var graphDetail = regexp.MustCompile(`^error/details/\d+/(line|characterPositionInLine|token)$`)

func compareBicep(a address, body any) error {
	b := loadBicep()
	ref, found := b.resource(a.provider + "/" + strings.Join(a.types, "/") + "@2025-08-01")
	if !found {
		return errors.New("there is no Bicep type")
	}
	items := []any{body}
	if a.isList() {
		list := body.(map[string]any)
		items = list["value"].([]any)
		for k := range list {
			if k != "value" && k != "nextLink" {
				return fmt.Errorf("a list with %q", k)
			}
		}
	}
	for _, item := range items {
		raw, _ := json.Marshal(item)
		var plain any
		if err := json.Unmarshal(raw, &plain); err != nil {
			return err
		}
		if bad := b.problems(ref, plain, ""); len(bad) > 0 {
			return errors.New(strings.Join(bad, "; "))
		}
	}
	return nil
}

// compareHeaders wants every header that the document gives the response.
// Documents spell them with hyphens of their own.
func compareHeaders(response node, got http.Header) error {
	want, _ := response.json["headers"].(map[string]any)
	for name := range want {
		plain := strings.ReplaceAll(lower(name), "-", "")
		if !slices.ContainsFunc(keys(got), func(k string) bool { return strings.ReplaceAll(lower(k), "-", "") == plain }) {
			return fmt.Errorf("no header %s", name)
		}
	}
	return nil
}

func keys(h http.Header) []string {
	var names []string
	for k := range h {
		names = append(names, k)
	}
	return names
}

// compareUndocumented holds the answers that no document here speaks of (locks,
// permissions, service tags) to what Microsoft's reference pages have: known fields and no
// others.
func compareUndocumented(body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	type lock struct {
		ID, Name, Type string
		Properties     struct{ Level, Notes string }
		// A grant, in a list of permissions.
		Actions, NotActions, DataActions, NotDataActions []string
	}
	var known struct {
		lock                          // one of them
		Value                         []lock
		ChangeNumber, Cloud, NextLink string
		Values                        []struct {
			Name, ID   string
			Properties struct {
				ChangeNumber, Region, State, SystemService string
				NetworkFeatures, AddressPrefixes           []string
			}
		}
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(&known)
}

// compareLogs holds an answer of Log Analytics to the form that Microsoft's
// pages give it: tables, an error, or both.
func compareLogs(rec *httptest.ResponseRecorder) error {
	type problem struct {
		Code, Message string
		InnerError    *struct {
			Code, Message string
			InnerError    any
		}
		Details []any
	}
	var body struct {
		Tables []struct {
			Name    string
			Columns []struct{ Name, Type string }
			Rows    [][]any
		}
		Error *problem
	}
	d := json.NewDecoder(bytes.NewReader(rec.Body.Bytes()))
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil {
		return err
	}
	switch {
	case rec.Code == http.StatusOK && (len(body.Tables) != 1 || body.Tables[0].Name != "PrimaryResult" || body.Tables[0].Rows == nil):
		return errors.New("not one primary result")
	case rec.Code != http.StatusOK && (body.Error == nil || body.Error.Code == "" || body.Error.Message == "" || body.Tables != nil):
		return errors.New("not an error alone")
	}
	for _, t := range body.Tables {
		for _, row := range t.Rows {
			if len(row) != len(t.Columns) {
				return fmt.Errorf("%d values for %d columns", len(row), len(t.Columns))
			}
		}
	}
	return nil
}

// compareLink wants a nextLink to lead back to where the client came from.
func compareLink(r *http.Request, body any) error {
	list, _ := body.(map[string]any)
	link, there := list["nextLink"].(string)
	if !there {
		return nil
	}
	u, err := url.Parse(link)
	if err != nil || !u.IsAbs() || u.Host != r.Host || u.Path != r.URL.Path || u.Query().Get("api-version") == "" {
		return fmt.Errorf("nextLink %q does not lead to another page of the same list", link)
	}
	return nil
}

// comparedAccepted holds the body of a 202 to the recordings.
func comparedAccepted(body any) error {
	m, _ := body.(map[string]any)
	if len(m) != 2 || m["operation"] == nil || m["startTime"] == nil {
		return fmt.Errorf("a 202 with %v, recorded are operation and startTime", m)
	}
	return nil
}

// compareOperation holds a poll to the common definition of an operation's
// status, and a result to its status alone: it is in no document.
func compareOperation(status int, body any) error {
	m, isObject := body.(map[string]any)
	if _, isPoll := m["status"]; !isPoll {
		if !slices.Contains([]int{200, 202, 204}, status) {
			return fmt.Errorf("a result with %d", status)
		}
		return nil
	}
	s := loadSwagger()
	def := node{s.root + "/x", map[string]any{"$ref": "common-types/resource-management/v5/types.json#/definitions/OperationStatusResult"}}
	compiled, err := s.compiled(def)
	if err == nil && isObject {
		err = compiled.Validate(body)
	}
	if extra := s.unknown(def, body, ""); err == nil && len(extra) > 0 {
		err = fmt.Errorf("unknown properties %v", extra)
	}
	return err
}

// compareError holds a refusal to the document, or, where the path is none
// that a document has, to ARM's common form of an error.
func compareError(r *http.Request, a address, status int, body any) error {
	s := loadSwagger()
	schema := node{s.root + "/x", map[string]any{"$ref": "common-types/resource-management/v5/types.json#/definitions/ErrorResponse"}}
	response, err := s.response(a, r.URL.Path, r.URL.Query().Get("api-version"), r.Method, status)
	if own, has := response.json["schema"].(map[string]any); err == nil && has {
		schema = node{response.file, own}
	}
	compiled, err := s.compiled(schema)
	if err == nil {
		err = compiled.Validate(body)
	}
	var invalid *jsonschema.ValidationError
	if errors.As(err, &invalid) && len(untolerated(invalid)) == 0 {
		err = nil
	}
	if extra := s.unknown(schema, body, ""); err == nil && len(extra) > 0 {
		err = fmt.Errorf("unknown properties %v", extra)
	}
	inner, _ := body.(map[string]any)["error"].(map[string]any)
	if err == nil && (inner["code"] == nil || inner["message"] == nil) {
		err = errors.New("an error without code or message")
	}
	return err
}
