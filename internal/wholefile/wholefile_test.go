//go:build unix

package wholefile_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/posternhq/postern/internal/wholefile"
)

func write(t *testing.T, path, content string, commit bool) {
	t.Helper()
	f, err := wholefile.Create(path, 0o640)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(f, content); err != nil {
		t.Fatal(err)
	}
	end := f.Commit
	if !commit {
		end = f.Discard
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != content {
		t.Errorf("%s holds %q, %v; want %q", path, got, err, content)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode() != mode {
		t.Errorf("%s has mode %v, %v; want %v", path, info.Mode(), err, mode)
	}
}

func alone(t *testing.T, dir string, want int) {
	t.Helper()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != want {
		t.Errorf("the folder holds %v, %v; want %d", entries, err, want)
	}
}

func TestAFileIsWholeOrAsItWas(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	write(t, path, "never", false)
	alone(t, dir, 0)
	write(t, path, "new", true)
	expect(t, path, "new", 0o640)
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, path, "newer", true)
	expect(t, path, "newer", 0o600)
	write(t, path, "never", false)
	expect(t, path, "newer", 0o600)
	alone(t, dir, 1)
}

func TestALinkStaysALink(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	write(t, target, "old", true)
	if err := os.Symlink(target, link); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	write(t, link, "new", true)
	expect(t, target, "new", 0o640)
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is now %v, %v", info, err)
	}
}

func TestAPipeIsWrittenToAndNotReplaced(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip("no named pipes here: ", err)
	}
	read := make(chan string)
	go func() {
		content, _ := os.ReadFile(path)
		read <- string(content)
	}()
	write(t, path, "through", true)
	if got := <-read; got != "through" {
		t.Errorf("through the pipe came %q", got)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Errorf("the pipe is now %v, %v", info, err)
	}
}

func TestWhatCannotBeAFileIsRefusedAtOnce(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{"": "no name", dir: "is a folder", filepath.Join(dir, "no", "f"): "no such file"} {
		if _, err := wholefile.Create(path, 0o600); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", path, err, want)
		}
	}
	alone(t, dir, 0)
}
