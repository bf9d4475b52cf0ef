package guard

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// bicepReader parses the part of Bicep that the templates are written in, back
// to the JSON that Azure gets. An expression that is no text and no number comes
// back as a text in angle brackets.
type bicepReader struct {
	text string
	at   int
}

func (r *bicepReader) value() (any, error) {
	rest := strings.TrimLeft(r.text[r.at:], " \n")
	r.at = len(r.text) - len(rest)
	switch {
	case strings.HasPrefix(rest, "{"):
		out := map[string]any{}
		r.at++
		for {
			rest = strings.TrimLeft(r.text[r.at:], " \n")
			r.at = len(r.text) - len(rest)
			if strings.HasPrefix(rest, "}") {
				r.at++
				return out, nil
			}
			key, found, _ := strings.Cut(rest, ": ")
			if strings.ContainsAny(key, "\n {") || found == "" {
				return nil, fmt.Errorf("no key at %q", rest)
			}
			r.at += len(key) + 2
			v, err := r.value()
			if err != nil {
				return nil, err
			}
			if _, twice := out[key]; twice {
				return nil, fmt.Errorf("key %q stands twice", key)
			}
			out[key] = v
		}
	case strings.HasPrefix(rest, "["):
		out := []any{}
		r.at++
		for {
			rest = strings.TrimLeft(r.text[r.at:], " \n")
			r.at = len(r.text) - len(rest)
			if strings.HasPrefix(rest, "]") {
				r.at++
				return out, nil
			}
			v, err := r.value()
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
	case strings.HasPrefix(rest, "'"):
		var b strings.Builder
		for i := 1; i < len(rest); i++ {
			switch c := rest[i]; {
			case c == '\\':
				i++
				b.WriteByte(rest[i])
			case c == '\'':
				r.at += i + 1
				return b.String(), nil
			case c == '$' && i+1 < len(rest) && rest[i+1] == '{', c == '\n':
				return nil, fmt.Errorf("an unescaped %q in a text", rest[i:i+1])
			default:
				b.WriteByte(c)
			}
		}
		return nil, errors.New("a text has no end")
	}
	word, _, _ := strings.Cut(rest, "\n")
	r.at += len(word)
	var number float64
	if json.Unmarshal([]byte(word), &number) == nil {
		return number, nil
	}
	return "<" + word + ">", nil
}

var bicepResource = regexp.MustCompile(`(?m)^resource (\w+) '([^']+)' = (if \(apart\) )?`)

// bicepResources reads every resource of a template, by its symbol.
func bicepResources(t *testing.T, template []byte) map[string]any {
	t.Helper()
	out := map[string]any{}
	for _, m := range bicepResource.FindAllSubmatchIndex(template, -1) {
		reader := &bicepReader{text: string(template), at: m[1]}
		v, err := reader.value()
		if err != nil {
			t.Fatal(err)
		}
		body := v.(map[string]any)
		body["@"] = string(template[m[4]:m[5]])
		body["apart"] = m[6] >= 0
		out[string(template[m[2]:m[3]])] = body
	}
	return out
}

// expected is a document as a template must say it: references as the template writes them.
func expected(t *testing.T, d Document, references map[string]string) map[string]any {
	t.Helper()
	var replace func(any) any
	replace = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for k := range v {
				v[k] = replace(v[k])
			}
		case []any:
			for i := range v {
				v[i] = replace(v[i])
			}
		case string:
			if r, ok := references[v]; ok {
				return r
			}
		}
		return v
	}
	return replace(read(t, d.JSON)).(map[string]any)
}

func TestBicepSaysTheSame(t *testing.T) {
	p := everything.Policy()
	template := everything.bicepPolicy(p)
	got := bicepResources(t, template)
	references := map[string]string{}
	for _, d := range p.all() {
		references[d.reference()] = "<" + d.symbol() + ".id>"
	}
	all := append(p.all(), p.Apart...)
	if len(got) != len(all) {
		t.Errorf("%d resources, want %d", len(got), len(all))
	}
	for _, d := range all {
		want := expected(t, d, references)
		want["name"], want["@"], want["apart"] = d.Name, d.Type+"@"+d.Version, d.Apart != ""
		if diff := cmp.Diff(want, got[d.symbol()]); diff != "" {
			t.Errorf("%s (-json +bicep)\n%s", d.symbol(), diff)
		}
	}
	if strings.Contains(string(template), scopeMark) {
		t.Error("a mark is left in the template")
	}
	group := everything
	group.Scope = Scope{ID: groups + "data", Group: "data"}
	if !strings.Contains(string(group.bicepPolicy(p)), "targetScope = 'managementGroup'\n") || !strings.Contains(string(template), "targetScope = 'subscription'\n") {
		t.Error("the template is for another kind of scope")
	}
}

var terraformResource = regexp.MustCompile(`(?s)\nresource "azapi_resource" "(\w+)" \{\n(  count     = var\.apart \? 1 : 0\n)?` +
	`  type      = "([^"]+)"\n  name      = "([^"]+)"\n  parent_id = var\.scope\n  body = jsondecode\(<<-JSON\n(.*?)\n    JSON\n  \)\n\}\n`)

func TestTerraformSaysTheSame(t *testing.T) {
	p := everything.Policy()
	text := string(everything.terraformPolicy(p))
	references := map[string]string{}
	for _, d := range p.all() {
		references[d.reference()] = "${azapi_resource." + d.symbol() + ".id}"
	}
	all := append(p.all(), p.Apart...)
	found := terraformResource.FindAllStringSubmatch(text, -1)
	if len(found) != len(all) || strings.Count(text, "\nresource ") != len(all) {
		t.Fatalf("%d resources, want %d", len(found), len(all))
	}
	for i, d := range all {
		m := found[i]
		head := []string{d.symbol(), d.Type + "@" + d.Version, d.Name}
		if diff := cmp.Diff(head, []string{m[1], m[3], m[4]}); diff != "" || (m[2] != "") != (d.Apart != "") {
			t.Errorf("resource %d (-want +got)\n%s", i, diff)
		}
		if diff := cmp.Diff(expected(t, d, references), read(t, []byte(m[5]))); diff != "" {
			t.Errorf("%s (-json +terraform)\n%s", d.symbol(), diff)
		}
		// What else begins like this, Terraform would evaluate.
		rest := m[5]
		for _, r := range references {
			rest = strings.ReplaceAll(rest, r, "")
		}
		if strings.Contains(rest, "${") || strings.Contains(rest, "%{") || strings.Contains(rest, scopeMark) {
			t.Errorf("%s holds something for Terraform to evaluate, or a mark", d.symbol())
		}
	}
}

func TestEventsNameEveryOperation(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range everything.Events() {
		operations := filtered(d)
		if len(operations) == 0 || len(operations) > mostValues {
			t.Errorf("%s filters by %d values, and Event Grid takes 1 to %d", d.Name, len(operations), mostValues)
		}
		for _, o := range operations {
			seen[o] = true
		}
	}
	for _, at := range targets {
		for _, o := range at.operations() {
			if !seen[o] {
				t.Errorf("no event tells of %s", o)
			}
		}
	}
	only := Request{Services: []Service{PostgreSQL}}
	var want []string
	for _, server := range []string{"flexibleServers", "servers", "serverGroupsv2"} {
		for _, operation := range []string{"/firewallRules/write", "/firewallRules/delete", "/write"} {
			want = append(want, "Microsoft.DBforPostgreSQL/"+server+operation)
		}
	}
	if diff := cmp.Diff(want, filtered(only.Events()[0])); diff != "" || len(only.Events()) != 1 {
		t.Errorf("PostgreSQL's operations (-want +got)\n%s", diff)
	}
}

func TestEventTemplatesSayTheSame(t *testing.T) {
	documents := everything.Events()
	bicep := bicepResources(t, bicepEvents(documents))
	tf := terraformResource.FindAllStringSubmatch(string(everything.terraformEvents(documents)), -1)
	if len(bicep) != len(documents) || len(tf) != len(documents) || len(documents) < 2 {
		t.Fatalf("%d documents, %d in Bicep, %d in Terraform", len(documents), len(bicep), len(tf))
	}
	for i, d := range documents {
		want := expected(t, d, map[string]string{webhookMark: "<webhookUrl>"})
		want["name"], want["@"], want["apart"] = d.Name, d.Type+"@"+d.Version, false
		if diff := cmp.Diff(want, bicep[d.symbol()]); diff != "" {
			t.Errorf("%s (-json +bicep)\n%s", d.Name, diff)
		}
		body := strings.Replace(tf[i][5], "${jsonencode(var.webhook_url)}", `"`+webhookMark+`"`, 1)
		if diff := cmp.Diff(read(t, d.JSON), read(t, []byte(body))); diff != "" {
			t.Errorf("%s (-json +terraform)\n%s", d.Name, diff)
		}
	}
}
