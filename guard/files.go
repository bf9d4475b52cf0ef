package guard

import (
	"fmt"
	"strings"
)

// Format is how the documents are written.
type Format string

// The formats.
const (
	JSON      Format = "json"
	Bicep     Format = "bicep"
	Terraform Format = "terraform"
)

// Formats are all of them.
var Formats = []Format{JSON, Bicep, Terraform}

// ParseFormat reads a format.
func ParseFormat(word string) (Format, error) {
	for _, f := range Formats {
		if strings.EqualFold(word, string(f)) {
			return f, nil
		}
	}
	return "", fmt.Errorf("%q is not one of %s", word, oneOf(strings.ToLower(word), names(Formats)))
}

// File is one file to write.
type File struct {
	// Name is relative, with slashes.
	Name    string
	Content []byte
}

// PolicyFiles are the policy and the commands that put it in place.
func (r Request) PolicyFiles(f Format) []File {
	p := r.Policy()
	var out []File
	switch f {
	case Bicep:
		out = append(out, File{bicepPolicyFile, r.bicepPolicy(p)})
	case Terraform:
		out = append(out, File{terraformPolicyFile, r.terraformPolicy(p)})
	case JSON:
		for _, d := range append(p.all(), p.Apart...) {
			out = append(out, File{d.file(), append(r.at(d.JSON), '\n')})
		}
	}
	return append(out, scripts("policy", r.PolicyCommands(f))...)
}

// EventFiles are the event subscriptions and the commands that make them.
func (r Request) EventFiles(f Format) []File {
	documents := r.Events()
	var out []File
	switch f {
	case Bicep:
		out = append(out, File{bicepEventsFile, bicepEvents(documents)})
	case Terraform:
		out = append(out, File{terraformEventsFile, r.terraformEvents(documents)})
	case JSON:
		for _, d := range documents {
			out = append(out, File{d.file(), append(d.JSON, '\n')})
		}
	}
	return append(out, scripts("events", r.EventCommands(f))...)
}

// The names of the templates. Terraform reads a folder as a whole, so each of its two
// has one of its own.
const (
	bicepPolicyFile     = "postern-policy.bicep"
	bicepEventsFile     = "postern-events.bicep"
	terraformPolicyFile = "policy/postern-policy.tf"
	terraformEventsFile = "events/postern-events.tf"
)

// Commands are the same steps for two shells; PowerShell is empty where both
// would say the same.
type Commands struct {
	Bash, PowerShell string
}

func scripts(what string, c Commands) []File {
	out := []File{{what + ".sh", []byte("#!/usr/bin/env bash\n# Written by postern guard.\nset -euo pipefail\ncd \"$(dirname \"$0\")\"\n\n" + c.Bash)}}
	if c.PowerShell != "" {
		out = append(out, File{what + ".ps1", []byte("# Written by postern guard.\n$ErrorActionPreference = 'Stop'\nSet-Location $PSScriptRoot\n\n" + c.PowerShell)})
	}
	return out
}
