package usage

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
)

// maxTagsFile bounds a service tags file, in bytes. Microsoft's is about 5 MB.
const maxTagsFile = 64 << 20

// Tag is one of Azure's service tags.
type Tag struct {
	Name    string
	Region  string
	Service string
}

// Tags are Azure's service tags: which addresses belong to which of its services.
type Tags struct {
	// Cloud and Change say which file it is: "Public", 312.
	Cloud  string
	Change int64

	tags []Tag
	// byPrefix holds the tags of each range, and v4 and v6 the lengths of the
	// ranges that occur, longest first.
	byPrefix map[netip.Prefix][]int32
	v4, v6   []int
}

// ReadTags reads the JSON that Microsoft publishes weekly ("Azure IP Ranges and
// Service Tags"), or the pages that the Service Tag Discovery API answers, of the
// same form.
func ReadTags(pages ...io.Reader) (*Tags, error) {
	t := &Tags{byPrefix: map[netip.Prefix][]int32{}}
	lengths := map[bool]map[int]bool{true: {}, false: {}}
	for _, in := range pages {
		if err := t.read(in, lengths); err != nil {
			return nil, fmt.Errorf("read service tags: %w", err)
		}
	}
	if len(t.tags) == 0 {
		return nil, errors.New("read service tags: expected Microsoft's JSON with a list of values; it has none")
	}
	t.v4, t.v6 = longestFirst(lengths[true], 32), longestFirst(lengths[false], 128)
	return t, nil
}

// read adds the tags of one document, and notes the lengths of ranges that occur,
// for IPv4 under true.
func (t *Tags) read(in io.Reader, lengths map[bool]map[int]bool) error {
	data, err := io.ReadAll(io.LimitReader(in, maxTagsFile+1))
	if err != nil {
		return err
	}
	if len(data) > maxTagsFile {
		return fmt.Errorf("the file is larger than %d MB", maxTagsFile>>20)
	}
	var file struct {
		Change json.Number `json:"changeNumber"` // a number in the file, a text from the API
		Cloud  string      `json:"cloud"`
		Values []struct {
			Name       string `json:"name"`
			Properties struct {
				Region   string   `json:"region"`
				Service  string   `json:"systemService"`
				Prefixes []string `json:"addressPrefixes"`
			} `json:"properties"`
		} `json:"values"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return fmt.Errorf("it is no service tags file: %w", err)
	}
	t.Cloud = file.Cloud
	t.Change, _ = file.Change.Int64()
	for _, v := range file.Values {
		i := int32(len(t.tags)) //nolint:gosec // the size of the document bounds it
		t.tags = append(t.tags, Tag{Name: v.Name, Region: v.Properties.Region, Service: v.Properties.Service})
		for _, text := range v.Properties.Prefixes {
			p, err := netip.ParsePrefix(text)
			if err != nil {
				return fmt.Errorf("%q of tag %q is no address range", text, v.Name)
			}
			p = p.Masked()
			t.byPrefix[p] = append(t.byPrefix[p], i)
			lengths[p.Addr().Is4()][p.Bits()] = true
		}
	}
	return nil
}

func longestFirst(lengths map[int]bool, most int) []int {
	var out []int
	for n := most; n >= 0; n-- {
		if lengths[n] {
			out = append(out, n)
		}
	}
	return out
}

// find returns the most specific tag that holds an address: a service's over
// AzureCloud.<region> over AzureCloud, then the narrowest range, then the tag
// that names a region, then the first by name.
func (t *Tags) find(address netip.Addr) (Tag, bool) {
	lengths := t.v6
	if address.Is4() {
		lengths = t.v4
	}
	best, bestBits := int32(-1), 0
	for _, bits := range lengths {
		p, err := address.Prefix(bits)
		if err != nil {
			continue // no length is out of range
		}
		for _, i := range t.byPrefix[p] {
			if best < 0 || t.compare(i, bits, best, bestBits) < 0 {
				best, bestBits = i, bits
			}
		}
	}
	if best < 0 {
		return Tag{}, false
	}
	return t.tags[best], true
}

// compare orders two tags, the more specific first.
func (t *Tags) compare(a int32, aBits int, b int32, bBits int) int {
	x, y := t.tags[a], t.tags[b]
	return cmp.Or(
		cmp.Compare(breadth(x.Name), breadth(y.Name)),
		cmp.Compare(bBits, aBits),
		compareBool(y.Region != "", x.Region != ""),
		cmp.Compare(x.Name, y.Name),
	)
}

// breadth ranks a tag by how much it says.
func breadth(name string) int {
	switch lower := strings.ToLower(name); {
	case lower == "azurecloud":
		return 2
	case strings.HasPrefix(lower, "azurecloud."):
		return 1
	default:
		return 0
	}
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}
