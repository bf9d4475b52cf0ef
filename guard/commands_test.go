package guard

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The script runs against an az that only writes down what it is told. What it
// puts must be whole documents, with the scope in them, in an order in which each
// finds what it names.
func TestTheScriptPutsEveryDocument(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not installed")
	}
	const scope = "/providers/Microsoft.Management/managementGroups/data(1)"
	r := everything
	r.Scope = Scope{ID: scope, Group: "data(1)"}
	unnamed := everything
	for _, request := range []Request{r, unnamed} {
		dir := t.TempDir()
		for _, f := range request.PolicyFiles(JSON) {
			path := filepath.Join(dir, filepath.FromSlash(f.Name))
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, f.Content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		stub := "#!/bin/sh\ncase $1 in account) echo 00000000-0000-0000-0000-000000000000; exit;; provider) exit;; esac\n" +
			"n=$(ls \"$CALLS\" | wc -l)\nprintf %s \"$5\" >\"$CALLS/$(printf %02d \"$n\").url\"\nprintf %s \"$7\" >\"$CALLS/$(printf %02d \"$n\").json\"\n"
		calls, bin := t.TempDir(), t.TempDir()
		if err := os.WriteFile(filepath.Join(bin, "az"), []byte(stub), 0o700); err != nil {
			t.Fatal(err)
		}
		// From another folder, as docs/keep-it-closed.md has it.
		cmd := exec.Command(bash, filepath.Join(dir, "policy.sh"))
		cmd.Dir = t.TempDir()
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "CALLS="+calls)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		at := request.Scope.ID
		if at == "" {
			at = "/subscriptions/00000000-0000-0000-0000-000000000000"
		}
		urls, _ := filepath.Glob(filepath.Join(calls, "*.url"))
		var got, want []string
		for _, path := range urls {
			url, _ := os.ReadFile(path)
			got = append(got, string(url))
		}
		policy := request.Policy()
		for i, d := range policy.all() {
			want = append(want, at+"/providers/"+d.Type+"/"+d.Name+"?api-version="+d.Version)
			body, err := os.ReadFile(strings.TrimSuffix(urls[i], ".url") + ".json")
			if err != nil {
				t.Fatal(err)
			}
			d.JSON = []byte(strings.ReplaceAll(string(d.JSON), scopeMark, at))
			if diff := cmp.Diff(read(t, d.JSON), read(t, body)); diff != "" {
				t.Errorf("%s (-document +put)\n%s", d.Name, diff)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("calls (-want +got)\n%s", diff)
		}
	}
}

func TestEveryCommandNamesItsTemplate(t *testing.T) {
	for _, f := range Formats {
		for _, files := range [][]File{everything.PolicyFiles(f), everything.EventFiles(f)} {
			var script string
			for _, file := range files {
				if strings.HasSuffix(file.Name, ".sh") {
					script = string(file.Content)
				}
			}
			for _, file := range files {
				name := file.Name
				if f == Terraform {
					name = "-chdir=" + filepath.Dir(name)
				}
				if filepath.Ext(file.Name) == "."+map[Format]string{JSON: "json", Bicep: "bicep", Terraform: "tf"}[f] && !strings.Contains(script, name) &&
					!strings.HasPrefix(file.Name, eventsName) {
					t.Errorf("%s: the script does not use %s", f, file.Name)
				}
			}
		}
	}
}
