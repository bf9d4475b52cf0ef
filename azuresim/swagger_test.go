package azuresim

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// swagger is Microsoft's Swagger documents, read as JSON Schema draft 4, from
// which Swagger 2.0 took its schemas.
type swagger struct {
	root     string
	compiler *jsonschema.Compiler

	mu      sync.Mutex
	docs    map[string]map[string]any // by absolute file
	schemas map[string]*jsonschema.Schema
}

// loadSwagger is one for all tests: compiling is most of their time.
var loadSwagger = sync.OnceValue(func() *swagger {
	dir, found := findShared()
	if !found {
		return nil
	}
	root, err := filepath.Abs(filepath.Join(dir, "openapi", "specification"))
	if err != nil {
		panic(err)
	}
	s := &swagger{root: root, compiler: jsonschema.NewCompiler(),
		docs: map[string]map[string]any{}, schemas: map[string]*jsonschema.Schema{}}
	s.compiler.DefaultDraft(jsonschema.Draft4)
	s.compiler.AssertFormat()
	s.compiler.UseLoader(jsonschema.SchemeURLLoader{"file": jsonschema.FileLoader{}})
	return s
})

// node is a place in a document.
type node struct {
	file string
	json map[string]any
}

func (s *swagger) doc(file string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, ok := s.docs[file]; ok {
		return d
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	var d map[string]any
	if err := json.Unmarshal(raw, &d); err != nil {
		panic(fmt.Errorf("%s: %w", file, err))
	}
	s.docs[file] = d
	return d
}

// follow resolves a node that is a reference.
func (s *swagger) follow(n node) node {
	ref, isRef := n.json["$ref"].(string)
	if !isRef {
		return n
	}
	file, pointer, _ := strings.Cut(ref, "#")
	target := n.file
	if file != "" {
		target = filepath.Join(filepath.Dir(n.file), filepath.FromSlash(file))
	}
	at := s.doc(target)
	for _, part := range strings.Split(strings.Trim(pointer, "/"), "/") {
		at = at[part].(map[string]any)
	}
	return s.follow(node{target, at})
}

// compiled is the validator for a definition that is referred to.
func (s *swagger) compiled(n node) (*jsonschema.Schema, error) {
	ref := n.json["$ref"].(string)
	file, pointer, _ := strings.Cut(ref, "#")
	target := n.file
	if file != "" {
		target = filepath.Join(filepath.Dir(n.file), filepath.FromSlash(file))
	}
	loc := (&url.URL{Scheme: "file", Path: target, Fragment: pointer}).String()
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.schemas[loc]; ok {
		return c, nil
	}
	c, err := s.compiler.Compile(loc)
	if err == nil {
		s.schemas[loc] = c
	}
	return c, err
}

const (
	pgDocs    = "postgresql/resource-manager/Microsoft.DBforPostgreSQL/stable/"
	hscDoc    = "postgresqlhsc/resource-manager/Microsoft.DBforPostgreSQL/stable/2022-11-08/postgresqlhsc.json"
	graphDocs = "resourcegraph/resource-manager/Microsoft.ResourceGraph/stable/"
	subsDoc   = "resources/resource-manager/Microsoft.Resources/stable/2022-12-01/subscriptions.json"
	rgDoc     = "resources/resource-manager/Microsoft.Resources/stable/2024-07-01/resources.json"
)

// documents are those that speak of an address at an api-version. ARM's own
// resources are compared with one version of each, whichever was asked for.
// 2025-08-01 has no Swagger here: its paths and statuses are those of
// 2024-08-01, its bodies are compared with the Bicep types.
func (s *swagger) documents(a address, version string) []string {
	if a.isGraph() {
		return []string{filepath.Join(s.root, graphDocs, version, "resourcegraph.json")}
	}
	if a.provider == "" || len(a.types) == 0 {
		return []string{filepath.Join(s.root, subsDoc), filepath.Join(s.root, rgDoc)}
	}
	if version == "2025-08-01" {
		version = "2024-08-01"
	}
	if version == "2022-11-08" {
		return []string{filepath.Join(s.root, hscDoc)}
	}
	files, _ := filepath.Glob(filepath.Join(s.root, pgDocs, version, "*.json"))
	return files
}

// response finds what the documents say of an answer: its path must be there,
// and its method, and its status.
func (s *swagger) response(a address, path, version, method string, status int) (node, error) {
	for _, file := range s.documents(a, version) {
		if _, err := os.Stat(file); err != nil {
			continue // a version that is refused has none
		}
		paths := s.doc(file)["paths"].(map[string]any)
		for template, item := range paths {
			if !fits(template, path) {
				continue
			}
			op, found := item.(map[string]any)[strings.ToLower(method)].(map[string]any)
			if !found {
				continue
			}
			responses := op["responses"].(map[string]any)
			key := strconv.Itoa(status)
			if _, listed := responses[key]; !listed && status >= 400 {
				key = "default"
			}
			r, listed := responses[key].(map[string]any)
			if !listed {
				return node{}, fmt.Errorf("%s of %s may not answer %d", method, template, status)
			}
			return node{file, r}, nil
		}
	}
	return node{}, fmt.Errorf("%s %s is in no document for %q", method, path, version)
}

// fits compares a path with a template such as /subscriptions/{id}, without
// case.
func fits(template, path string) bool {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if !strings.HasPrefix(want[i], "{") && !strings.EqualFold(want[i], got[i]) {
			return false
		}
	}
	return true
}

func TestSwaggerIsThere(t *testing.T) {
	sharedDir(t)
	s := loadSwagger()
	for _, version := range []string{"2017-12-01", "2018-06-01", "2022-12-01", "2024-08-01", "2022-11-08"} {
		a := address{provider: namespace, types: []string{"servers"}}
		if len(s.documents(a, version)) == 0 {
			t.Errorf("there is no Swagger document for %s", version)
		}
	}
}
