package usage

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
	"go4.org/netipx"
)

// maxOwnFile bounds a list of own addresses, in bytes.
const maxOwnFile = 4 << 20

// Holding is an address, or a range of them, and who has it.
type Holding struct {
	Range netipx.IPRange
	// Name is what people call whoever has it.
	Name      string
	Certainty Certainty
	// Resource is the ARM id of the resource that has it, Kind says what that is,
	// and Note why it is not certain. They are empty for what somebody listed.
	Resource, Kind, Note string
}

// Own is a list of addresses that are one's own, with names.
type Own struct {
	entries []Holding
	// single finds the entries of one address, wide holds the others, in order.
	single map[netip.Addr]int
	wide   []int
}

// NewOwn makes a list of what resources hold. What is owned goes before a
// candidate, and then the narrower range before the wider.
func NewOwn(holdings []Holding) *Own {
	sorted := slices.Clone(holdings)
	rank := map[Certainty]int{Owned: 0, Candidate: 1}
	slices.SortStableFunc(sorted, func(a, b Holding) int {
		return cmp.Or(cmp.Compare(rank[a.Certainty], rank[b.Certainty]), cmp.Compare(width(a.Range), width(b.Range)))
	})
	o := &Own{}
	for _, h := range sorted {
		o.append(h)
	}
	return o
}

// width is how many bits of an address a range leaves open. One that is no prefix
// counts as the widest.
func width(r netipx.IPRange) int {
	p, ok := r.Prefix()
	if !ok {
		return r.From().BitLen()
	}
	return p.Addr().BitLen() - p.Bits()
}

// Holdings are the entries, the one that is asked first before the others.
func (o *Own) Holdings() []Holding {
	if o == nil {
		return nil
	}
	return slices.Clone(o.entries)
}

func (o *Own) append(h Holding) {
	at := len(o.entries)
	o.entries = append(o.entries, h)
	if h.Range.From() != h.Range.To() {
		o.wide = append(o.wide, at)
		return
	}
	if o.single == nil {
		o.single = map[netip.Addr]int{}
	}
	if _, taken := o.single[h.Range.From()]; !taken {
		o.single[h.Range.From()] = at
	}
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
	o.append(Holding{Range: span, Name: name, Certainty: Owned})
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

// find returns the first entry that holds the address.
func (o *Own) find(address netip.Addr) (Holding, bool) {
	if o == nil {
		return Holding{}, false
	}
	best, found := o.single[address]
	for _, at := range o.wide {
		if found && at > best {
			break
		}
		if o.entries[at].Range.Contains(address) {
			best, found = at, true
			break
		}
	}
	if !found {
		return Holding{}, false
	}
	return o.entries[best], true
}
