package usage

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"go.yaml.in/yaml/v4"
	"go4.org/netipx"
)

// maxOwnFile bounds a list of own addresses, in bytes.
const maxOwnFile = 4 << 20

// Own is a list of addresses that are one's own, with names.
type Own struct{ entries []ownEntry }

type ownEntry struct {
	span netipx.IPRange
	name string
}

// ReadOwn reads a list of own addresses: lines of an address, a prefix or a
// range and then a name ("20.50.1.2 invoicing", "203.0.113.8/29 office",
// "20.0.0.1-20.0.0.9 NAT gateway"), with comments from # on; or YAML, a list of
// {address: …, name: …}. An error names the line.
func ReadOwn(in io.Reader) (*Own, error) {
	data, err := io.ReadAll(io.LimitReader(in, maxOwnFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the list of own addresses: %w", err)
	case len(data) > maxOwnFile:
		return nil, fmt.Errorf("read the list of own addresses: it is larger than %d MB", maxOwnFile>>20)
	}
	o := &Own{}
	read := o.readLines
	if isYAML(data) {
		read = o.readYAML
	}
	if err := read(data); err != nil {
		return nil, fmt.Errorf("read the list of own addresses: %w", err)
	}
	return o, nil
}

// isYAML reports whether the first line that says something begins as YAML does
// and as no address can.
func isYAML(data []byte) bool {
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		line = bytes.TrimSpace(line)
		if len(line) > 0 && line[0] != '#' {
			return line[0] == '-' || line[0] == '['
		}
	}
	return false
}

func (o *Own) readYAML(data []byte) error {
	var list []struct {
		Address string `yaml:"address"`
		Name    string `yaml:"name"`
	}
	if err := yaml.Unmarshal(data, &list); err != nil {
		return fmt.Errorf("expected a list of {address: …, name: …}: %w", err)
	}
	for i, item := range list {
		if err := o.add(item.Address, item.Name); err != nil {
			return fmt.Errorf("entry %d: %w", i+1, err)
		}
	}
	return nil
}

func (o *Own) readLines(data []byte) error {
	s := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; s.Scan(); n++ {
		text, _, _ := strings.Cut(s.Text(), "#")
		fields := strings.Fields(text)
		if len(fields) == 0 {
			continue
		}
		if err := o.add(fields[0], strings.Join(fields[1:], " ")); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("a line is too long: %w", err)
	}
	return nil
}

func (o *Own) add(address, name string) error {
	span, err := parseSpan(address)
	if err != nil {
		return err
	}
	if name == "" {
		return fmt.Errorf("%s has no name", address)
	}
	o.entries = append(o.entries, ownEntry{span: span, name: name})
	return nil
}

var errNoAddress = errors.New("no address, prefix (a/n) or range (a-b)")

func parseSpan(text string) (netipx.IPRange, error) {
	if ip, err := netip.ParseAddr(text); err == nil {
		return netipx.IPRangeFrom(ip, ip), nil
	}
	if p, err := netip.ParsePrefix(text); err == nil {
		return netipx.RangeOfPrefix(p.Masked()), nil
	}
	if r, err := netipx.ParseIPRange(text); err == nil {
		return r, nil
	}
	return netipx.IPRange{}, fmt.Errorf("%q is %w", text, errNoAddress)
}

// find returns the name of the first entry that holds the address.
func (o *Own) find(address netip.Addr) (string, bool) {
	for _, e := range o.entries {
		if e.span.Contains(address) {
			return e.name, true
		}
	}
	return "", false
}
