package azuresim

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// exchange is one recorded request and response.
type exchange struct {
	Request struct {
		Method string          `json:"method"`
		URL    string          `json:"url"`
		Body   json.RawMessage `json:"body"`
	} `json:"request"`
	Response struct {
		Status  int            `json:"status"`
		Headers map[string]any `json:"headers"` // text, or a list of texts
		Body    any            `json:"body"`
	} `json:"response"`
}

func (e exchange) url() *url.URL {
	u, err := url.Parse(e.Request.URL)
	if err != nil {
		panic(err)
	}
	return u
}

// readExchanges reads the recordings that match a pattern, by file name.
func readExchanges(dir, pattern string) (map[string][]exchange, error) {
	files, err := filepath.Glob(filepath.Join(dir, "recordings", pattern))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("find recordings %s: %w, %d files", pattern, err, len(files))
	}
	all := map[string][]exchange{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var list []exchange
		if json.Unmarshal(raw, &list) != nil {
			var one exchange
			if err := json.Unmarshal(raw, &one); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			list = []exchange{one}
		}
		all[strings.TrimSuffix(filepath.Base(file), ".json")] = list
	}
	return all, nil
}

// recordedProperties are the properties that live Azure was seen to answer
// with, by kind of resource. They are what a body may have beyond its document.
var recordedProperties = sync.OnceValues(func() (map[string]map[string]bool, error) {
	seen := map[string]map[string]bool{}
	dir, _ := findShared()
	for _, pattern := range []string{"exchanges/*.json", "sequences/*.json"} {
		all, err := readExchanges(dir, pattern)
		if err != nil {
			return nil, err
		}
		for _, list := range all {
			for _, e := range list {
				if a, ok := parseAddress(e.url().Path); ok && e.Response.Status < 300 {
					learn(seen, resourceOf(a), e.Response.Body, "")
				}
			}
		}
	}
	return seen, nil
})

// resourceOf is the kind of resource that an address is about, the same for
// one and for a list: "servers/firewallrules".
func resourceOf(a address) string {
	if a.provider == "" {
		return "own/" + a.under
	}
	return lower(a.provider + "/" + strings.Join(a.types, "/"))
}

func learn(seen map[string]map[string]bool, kind string, v any, path string) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			learn(seen, kind, e, path)
		}
	case map[string]any:
		for k, e := range v {
			below := withoutList(join(path, k))
			if seen[kind] == nil {
				seen[kind] = map[string]bool{}
			}
			seen[kind][below] = true
			learn(seen, kind, e, below)
		}
	}
}

// withoutList is the path of a property within one resource.
func withoutList(path string) string { return strings.TrimPrefix(path, "value.") }
