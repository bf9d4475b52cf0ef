// Command schema writes the JSON Schemas of Postern's machine-readable output
// into docs/, generated from the Go types that the output is made of and the
// comments on them.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"

	"github.com/invopop/jsonschema"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/exposure"
	"github.com/posternhq/postern/fix"
	"github.com/posternhq/postern/report"
	"github.com/posternhq/postern/rule"
	"github.com/posternhq/postern/usage"
)

//go:generate go run . ../../..

func main() {
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "schema:", err)
		os.Exit(1)
	}
}

// write generates all schemas; root is the module's folder.
func write(root string) error {
	if err := os.Chdir(root); err != nil {
		return fmt.Errorf("go to the module: %w", err)
	}
	r := &jsonschema.Reflector{
		Anonymous: true,
		// Within a version fields may be added: readers must not refuse them.
		AllowAdditionalProperties: true,
		Mapper:                    enumerations,
	}
	if err := r.AddGoComments("github.com/posternhq/postern", "./"); err != nil {
		return fmt.Errorf("read the comments: %w", err)
	}
	for name, value := range map[string]any{
		"scan.schema.json":    report.Document{},
		"stream.schema.json":  report.Line{},
		"usage.schema.json":   report.UsageDocument{},
		"plan.schema.json":    fix.Plan{},
		"change.schema.json":  report.ChangeDocument{},
		"changes.schema.json": report.ChangesDocument{},
	} {
		content, err := json.MarshalIndent(r.Reflect(value), "", "  ")
		if err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join("docs", name), append(content, '\n'), 0o644); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}

// enumerations describes the types whose values are a closed list.
func enumerations(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[rule.Verdict]():
		return enum(rule.Pass, rule.Fail, rule.Skip, rule.Unknown)
	case reflect.TypeFor[exposure.Kind]():
		return enum(exposure.Kinds...)
	case reflect.TypeFor[exposure.State]():
		return enum(exposure.Open, exposure.Latent, exposure.Closed, exposure.Unknown)
	case reflect.TypeFor[exposure.Truth]():
		return enum(exposure.Yes.String(), exposure.No.String(), exposure.Maybe.String())
	case reflect.TypeFor[usage.Outcome]():
		return enum(usage.SafeToClose, usage.CutsOff, usage.NotEnough, usage.NotOpen)
	case reflect.TypeFor[usage.SourceKind]():
		return enum(usage.LogSource, usage.SampleSource)
	case reflect.TypeFor[usage.Class]():
		return enum(usage.Classes...)
	case reflect.TypeFor[fix.Keep]():
		return enum(fix.Keeps...)
	case reflect.TypeFor[fix.Act]():
		return enum(fix.Put, fix.Delete)
	case reflect.TypeFor[fix.Fate]():
		return enum(fix.Fates...)
	case reflect.TypeFor[fix.Claim]():
		return enum(fix.Owned, fix.Candidate)
	case reflect.TypeFor[asset.Switch]():
		return enum(asset.On, asset.Off, asset.Unclear)
	}
	return nil
}

func enum[T any](values ...T) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for _, v := range values {
		s.Enum = append(s.Enum, v)
	}
	return s
}
