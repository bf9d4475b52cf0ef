package azuresim

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v4"
)

// EstateVersion is the first line of an estate file: its format, and the
// promise that a simulator which knows it reads the file as it was meant.
const EstateVersion = "postern.estate/v1"

type estateFile struct {
	Version string `yaml:"version"`
	Estate  `yaml:",inline"`
}

// LoadEstate reads an estate from YAML. The document starts with the key
// version and the value [EstateVersion]; a key that the format does not know, a
// key written twice and a second document are errors that name the line, and an
// estate that contradicts itself wraps [ErrEstate].
func LoadEstate(r io.Reader) (Estate, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return Estate{}, fmt.Errorf("read estate: %w", err)
	}
	var head struct {
		Version string `yaml:"version"`
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return Estate{}, errors.New("parse estate: the file is empty")
	}
	if err := yaml.Load(raw, &head); err != nil {
		return Estate{}, fmt.Errorf("parse estate: %w", err)
	}
	switch head.Version {
	case EstateVersion:
	case "":
		return Estate{}, fmt.Errorf("parse estate: no version (start the file with %q)", "version: "+EstateVersion)
	default:
		return Estate{}, fmt.Errorf("parse estate: version %q is not known here (want %s)", head.Version, EstateVersion)
	}
	var file estateFile
	if err := yaml.Load(raw, &file, yaml.WithKnownFields()); err != nil {
		return Estate{}, fmt.Errorf("parse estate: %w", err)
	}
	if err := file.check(); err != nil {
		return Estate{}, err
	}
	// A copy brings what is free in form to the types of JSON.
	for i, sub := range file.Subscriptions {
		for j, s := range sub.Servers {
			sub.Servers[j] = s.clone()
		}
		file.Subscriptions[i] = sub.withoutServers()
		file.Subscriptions[i].Servers = sub.Servers
	}
	for i, w := range file.Workspaces {
		file.Workspaces[i] = w.clone()
	}
	return file.Estate, nil
}

// WriteEstate writes an estate as [LoadEstate] reads it.
func WriteEstate(w io.Writer, e Estate) error {
	raw, err := yaml.Dump(estateFile{Version: EstateVersion, Estate: e})
	if err == nil {
		_, err = w.Write(raw)
	}
	if err != nil {
		return fmt.Errorf("write estate: %w", err)
	}
	return nil
}
