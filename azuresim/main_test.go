package azuresim

import (
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sharedDir is the folder of Azure's own documents and recordings, which lies
// beside the module and is not part of it. Without it a test skips, by name;
// in CI it fails, so that the comparison cannot quietly stop happening.
func sharedDir(t testing.TB) string {
	t.Helper()
	dir, ok := findShared()
	if ok {
		return dir
	}
	const why = "Azure's documents and recordings are not at %s (set POSTERN_SHARED to where they are)"
	if os.Getenv("CI") == "true" {
		t.Fatalf(why, dir)
	}
	t.Skipf(why, dir)
	return ""
}

func findShared() (string, bool) {
	dir := os.Getenv("POSTERN_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared") // from azuresim, past the module's root
	}
	_, err := os.Stat(filepath.Join(dir, "azure", "openapi"))
	return filepath.Join(dir, "azure"), err == nil
}
