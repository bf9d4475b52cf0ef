// Package sharedtest finds the folder of recorded Azure traffic and published
// schemas that some tests read. It lies beside the checkout and is never part
// of it.
package sharedtest

import (
	"os"
	"path/filepath"
	"testing"
)

// Dir returns the path of a folder or file below the shared folder. Where that
// is absent the test skips and says so; in CI, where it must be there, it fails.
func Dir(t testing.TB, elem ...string) string {
	t.Helper()
	root := os.Getenv("POSTERN_SHARED")
	if root == "" {
		root = filepath.Join(moduleRoot(t), "..", "shared")
	}
	path := filepath.Join(append([]string{root}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is absent, and in CI it must be there", path)
		}
		t.Skipf("%s is absent: recorded Azure traffic and schemas are not part of the repository", path)
	}
	return path
}

func moduleRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("there is no go.mod above the test")
		}
		dir = parent
	}
}
