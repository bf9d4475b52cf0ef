package shell

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFill(t *testing.T) {
	for _, tc := range []struct {
		name        string
		shell       Shell
		value       string
		alone, part string
	}{
		{"plain", Bash, "AllowAllAzureIps", "run AllowAllAzureIps", "run 'x/AllowAllAzureIps?v=1'"},
		{"id", Bash, "/subscriptions/1/resourceGroups/rg", "run /subscriptions/1/resourceGroups/rg", "run 'x//subscriptions/1/resourceGroups/rg?v=1'"},
		{"space", Bash, "a b", "run 'a b'", "run 'x/a b?v=1'"},
		{"command", Bash, "$(reboot)`reboot`;reboot&|", "run '$(reboot)`reboot`;reboot&|'", "run 'x/$(reboot)`reboot`;reboot&|?v=1'"},
		{"quote", Bash, "a'; reboot '", `run 'a'\''; reboot '\'''`, `run 'x/a'\''; reboot '\''?v=1'`},
		{"backslash", Bash, `a\'`, `run 'a\'\'''`, `run 'x/a\'\''?v=1'`},
		{"option", Bash, "--ids", "run '\ufffd-ids'", "run 'x/\ufffd-ids?v=1'"},
		{"file of az", Bash, "@/etc/passwd", "run '\ufffd/etc/passwd'", "run 'x/\ufffd/etc/passwd?v=1'"},
		{"newline and escape", Bash, "a\nreboot\x1b[2J\r", "run 'a\ufffdreboot\ufffd[2J\ufffd'", "run 'x/a\ufffdreboot\ufffd[2J\ufffd?v=1'"},
		{"turned text", Bash, "a\u202eb\u200b", "run 'a\ufffdb\ufffd'", "run 'x/a\ufffdb\ufffd?v=1'"},
		{"broken UTF-8", Bash, "a\xffb", "run 'a\ufffdb'", "run 'x/a\ufffdb?v=1'"},
		{"history", Bash, "!!", "run '!!'", "run 'x/!!?v=1'"},
		{"missing", Bash, "", "run <name>", "run 'x/<name>?v=1'"},
		{"plain", PowerShell, "AllowAllAzureIps", "run AllowAllAzureIps", "run 'x/AllowAllAzureIps?v=1'"},
		{"quote", PowerShell, "a'; reboot '", "run 'a''; reboot '''", "run 'x/a''; reboot ''?v=1'"},
		{"typographic quote", PowerShell, "a’; reboot ‘", "run 'a’’; reboot ‘‘'", "run 'x/a’’; reboot ‘‘?v=1'"},
		{"variable", PowerShell, "$(reboot)", "run '$(reboot)'", "run 'x/$(reboot)?v=1'"},
		{"double quote", PowerShell, `a" b`, "run 'a\ufffd b'", "run 'x/a\ufffd b?v=1'"},
		{"digits", PowerShell, "1kb", "run '1kb'", "run 'x/1kb?v=1'"},
	} {
		t.Run(string(tc.shell)+" "+tc.name, func(t *testing.T) {
			for text, want := range map[string]string{"run <name>": tc.alone, "run 'x/<name>?v=1'": tc.part} {
				tpl, faults := Parse(tc.shell, text, []string{"name"})
				if len(faults) > 0 {
					t.Fatal(faults)
				}
				if diff := cmp.Diff(want, tpl.Fill(map[string]string{"name": tc.value})); diff != "" {
					t.Errorf("%s (-want +got):\n%s", text, diff)
				}
			}
		})
	}
}

func TestParseFaults(t *testing.T) {
	const inWord = " stands inside a word; put the word between single quotes"
	for _, tc := range []struct {
		name  string
		shell Shell
		text  string
		want  []Fault
	}{
		{"unknown", Bash, "run <nmae>", []Fault{{4, `no placeholder <nmae>; did you mean "name"? allowed: id, name`}}},
		{"double quotes", Bash, `é "<name>"`, []Fault{{3, "<name> stands in double quotes; allowed: alone, or between single quotes"}}},
		{"comment", Bash, "# don't <name>", []Fault{{8, "<name> stands in a comment; allowed: alone, or between single quotes"}}},
		{"inside a word", Bash, "a<name> <id>b", []Fault{{1, "<name>" + inWord}, {8, "<id>" + inWord}}},
		{"after a quoted part", Bash, "'a'<name>", []Fault{{3, "<name>" + inWord}}},
		{"two together", Bash, "<id><name>", []Fault{{0, "<id>" + inWord}, {4, "<name>" + inWord}}},
		{"escaped quote", Bash, `\"<name>`, []Fault{{2, "<name>" + inWord}}},
		{"backquote", Bash, "`run <name>`", []Fault{{0, "a backquote is not allowed in a command that is filled in"}, {5, "<name>" + inWord}, {11, "a backquote is not allowed in a command that is filled in"}}},
		{"here-document", Bash, "cat <<X\n<name>\nX", []Fault{{4, "a here-document is not allowed in a command that is filled in"}}},
		{"dollar quote", Bash, "$'<name>'", []Fault{{0, "$'…' is not allowed in a command that is filled in"}}},
		{"typographic double quotes", PowerShell, "“<name>“", []Fault{{1, "<name> stands in double quotes; allowed: alone, or between single quotes"}}},
		{"block comment", PowerShell, "<# <name> #>", []Fault{{0, "a block comment is not allowed in a command that is filled in"}}},
		{"here-string", PowerShell, "@'\n<name>\n'@", []Fault{{0, "a here-string is not allowed in a command that is filled in"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, faults := Parse(tc.shell, tc.text, []string{"id", "name"})
			if diff := cmp.Diff(tc.want, faults); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPlaceholders(t *testing.T) {
	tpl, faults := Parse(Bash, "run \\\n  --a <name> --b '<id>/<name>' # it's done", []string{"id", "name"})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if diff := cmp.Diff([]string{"name", "id"}, tpl.Placeholders()); diff != "" {
		t.Errorf("placeholders (-want +got):\n%s", diff)
	}
}

// A real shell takes any value for one argument.
func TestShellSeesOneArgument(t *testing.T) {
	sh, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not installed")
	}
	tpl, faults := Parse(Bash, `printf '%s\0' <name> 'a/<name>/b'`, []string{"name"})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	values := []string{"$(id)", "a'b", `a\'b`, "a\nb", "`id`", "*", "~", "{a,b}", "a;id", "!x", "\"", "#a", "é’"}
	values = append(values, rapid.SliceOfN(rapid.StringN(1, 20, -1), 40, 40).Example(1)...)
	var script strings.Builder
	var want []string
	for _, v := range values {
		script.WriteString(tpl.Fill(map[string]string{"name": v}) + "\n")
		if v == "" {
			v = "<name>"
		}
		want = append(want, harmless(Bash, v), "a/"+harmless(Bash, v)+"/b")
	}
	cmd := exec.CommandContext(t.Context(), sh, "-c", script.String())
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
}

// Without quotes, nothing but letters, digits and a few signs is ever written.
func TestQuoteProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringN(1, -1, -1).Draw(t, "value")
		for _, s := range []Shell{Bash, PowerShell} {
			q := s.Quote(value)
			if safe.MatchString(q) {
				continue
			}
			if !strings.HasPrefix(q, "'") || !strings.HasSuffix(q, "'") {
				t.Fatalf("%s quotes %q as %q", s, value, q)
			}
			scan := newScanner(s)
			for _, r := range q[:len(q)-1] {
				scan.scan(r)
				if scan.state == double || scan.state == comment {
					t.Fatalf("%s quotes %q as %q, which leaves the quotes", s, value, q)
				}
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"az x --ids <id>", "a '<name>' \"b\" # c\n<id>", "`<id>`", "<<<<", "'", "\\", "@'<name>'@", "<#>"} {
		f.Add(s, "a'b\n")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		for _, s := range []Shell{Bash, PowerShell} {
			tpl, faults := Parse(s, text, []string{"id", "name"})
			if (tpl == nil) == (len(faults) == 0) {
				t.Fatal("neither a template nor faults, or both")
			}
			for _, f := range faults {
				if f.Offset < 0 || f.Offset > len(text) {
					t.Fatalf("a fault at %d of %d", f.Offset, len(text))
				}
			}
			if tpl != nil {
				tpl.Fill(map[string]string{"id": value, "name": value})
			}
		}
	})
}
