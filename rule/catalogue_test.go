package rule

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func page(id string, pairs ...string) *fstest.MapFile {
	source := strings.ReplaceAll(goodPage, "abc-def", id)
	for i := 0; i < len(pairs); i += 2 {
		source = strings.Replace(source, pairs[i], pairs[i+1], 1)
	}
	return &fstest.MapFile{Data: []byte(source)}
}

func TestLoad(t *testing.T) {
	const alias = "/rules/default/old-name"
	c, err := Load(fstest.MapFS{
		"b/y-y/rule.md": page("y-y", alias, "/rules/default/cis-4.3.8"),
		"b/x-x/rule.md": page("x-x", alias, "other"),
		"a/z-z/rule.md": page("z-z", alias, "more"),
		"README.md":     &fstest.MapFile{Data: []byte("no page")},
	})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, p := range c.All() {
		ids = append(ids, p.ID)
	}
	if diff := cmp.Diff([]string{"z-z", "x-x", "y-y"}, ids); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{
		"y-y": "y-y", "Y-Y": "y-y", "/rules/default/CIS-4.3.8": "y-y", "rules/default/cis-4.3.8": "y-y",
		"cis-4.3.8": "y-y", "other": "x-x", "default": "", "": "", "rules": "",
	} {
		got := ""
		if p, ok := c.Find(name); ok {
			got = p.ID
		}
		if got != want {
			t.Errorf("Find(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestLoadProblems(t *testing.T) {
	for name, tc := range map[string]struct {
		fsys fs.FS
		want string
	}{
		"the same alias": {
			fstest.MapFS{"a/x-x/rule.md": page("x-x"), "a/y-y/rule.md": page("y-y")},
			"a/y-y/rule.md: the name \"rules/default/old-name\" is taken by a/x-x/rule.md\na/y-y/rule.md: the name \"old-name\" is taken by a/x-x/rule.md",
		},
		"the same id": {
			fstest.MapFS{"a/x-x/rule.md": page("x-x", "  - /rules/default/old-name\n", ""), "b/x-x/rule.md": page("x-x", "  - /rules/default/old-name\n", "")},
			`b/x-x/rule.md: the name "x-x" is taken by a/x-x/rule.md`,
		},
		"faults of several pages": {
			fstest.MapFS{"b/y-y/rule.md": page("x-x"), "a/x-x/rule.md": page("x-x", "kind:", "kynd:")},
			"a/x-x/rule.md:2:1: the front matter lacks the key \"kind\"\n" +
				"a/x-x/rule.md:7:1: no key \"kynd\" in the front matter; did you mean \"kind\"? allowed: aliases, disable_edit, frameworks, id, integration_id, kind, lifecycle, policy, rule_category, severity, source, title, type\n" +
				"b/y-y/rule.md:5:5: id is \"x-x\"; allowed: the folder's name, \"y-y\"",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Load(tc.fsys)
			if err == nil || c != nil {
				t.Fatal("there is a catalogue")
			}
			if diff := cmp.Diff(tc.want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoadNothing(t *testing.T) {
	c, err := Load(fstest.MapFS{})
	if err != nil || len(c.All()) != 0 {
		t.Errorf("an empty tree: %v, %v", c, err)
	}
	if _, err := Load(brokenFS{}); err == nil || !strings.Contains(err.Error(), "look for pages") {
		t.Errorf("a tree that cannot be read: %v", err)
	}
}

type brokenFS struct{}

func (brokenFS) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
}
