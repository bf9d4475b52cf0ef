package usage_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go4.org/netipx"

	"github.com/posternhq/postern/usage"
)

const tagsFile = `{"changeNumber": 312, "cloud": "Public", "values": [
 {"name": "AzureCloud", "id": "AzureCloud", "properties": {"region": "", "systemService": "", "addressPrefixes": ["20.0.0.0/8", "2603:1000::/24"]}},
 {"name": "AzureCloud.westeurope", "properties": {"region": "westeurope", "systemService": "", "addressPrefixes": ["20.50.0.0/16", "20.50.1.0/28", "2603:1020::/32"]}},
 {"name": "DataFactory", "properties": {"region": "", "systemService": "DataFactory", "addressPrefixes": ["20.50.1.0/28"]}},
 {"name": "DataFactory.WestEurope", "properties": {"region": "westeurope", "systemService": "DataFactory", "addressPrefixes": ["20.50.1.0/28"]}},
 {"name": "PowerBI", "properties": {"region": "", "systemService": "PowerBI", "addressPrefixes": ["20.50.0.0/20", "2603:1020:206::/48"]}}
]}`

func TestTheMostSpecificTagIsFound(t *testing.T) {
	tags, err := usage.ReadTags(strings.NewReader(tagsFile))
	if err != nil {
		t.Fatal(err)
	}
	if tags.Change != 312 || tags.Cloud != "Public" {
		t.Errorf("the file is %d, %q", tags.Change, tags.Cloud)
	}
	book := usage.Book{Tags: tags}
	for address, want := range map[string]string{
		"20.50.1.2":           "DataFactory.WestEurope",
		"20.50.15.255":        "PowerBI",
		"20.50.16.0":          "AzureCloud.westeurope",
		"20.51.0.1":           "AzureCloud",
		"2603:1020:206::9":    "PowerBI",
		"2603:1020:207::9":    "AzureCloud.westeurope",
		"2603:1001::9":        "AzureCloud",
		"203.0.113.9":         "",
		"10.0.0.1":            "",
		"[local]":             "",
		"vm7.westeurope.test": "",
	} {
		got := book.Origin(address)
		if got.Tag != want || (got.Owner == usage.InAzure) != (want != "") {
			t.Errorf("%s is %+v, want %q", address, got, want)
		}
		if want != "" && !strings.Contains(got.Note, "another customer") {
			t.Errorf("%s has the note %q", address, got.Note)
		}
	}
	if got := book.Origin("203.0.113.9").Owner; got != usage.Outside {
		t.Errorf("an address outside is %s", got)
	}
}

func TestOwnAddressesAreYours(t *testing.T) {
	lists := map[string]string{
		"lines": "# ours\n\n20.50.1.2  agents, west # the fast ones\n203.0.113.8/29 office\r\n20.0.0.1-20.0.0.9 NAT gateway\n2603::/16 v6",
		"yaml":  "# ours\n- {address: 20.50.1.2, name: 'agents, west'}\n- {address: 203.0.113.8/29, name: office}\n- {address: 20.0.0.1-20.0.0.9, name: NAT gateway}\n- {address: '2603::/16', name: v6}\n",
	}
	for name, list := range lists {
		own, err := usage.ReadOwn(strings.NewReader(list))
		if err != nil {
			t.Fatal(name, err)
		}
		tags, err := usage.ReadTags(strings.NewReader(tagsFile))
		if err != nil {
			t.Fatal(err)
		}
		book := usage.Book{Own: own, Tags: tags}
		got := map[string]usage.Origin{}
		for _, address := range []string{"20.50.1.2", "203.0.113.15", "20.0.0.5", "2603::1", "20.0.0.10"} {
			got[address] = book.Origin(address)
		}
		want := map[string]usage.Origin{
			"20.50.1.2":    {Owner: usage.Yours, Certainty: usage.Owned, Name: "agents, west", Tag: "DataFactory.WestEurope", Region: "westeurope", Service: "DataFactory"},
			"203.0.113.15": {Owner: usage.Yours, Certainty: usage.Owned, Name: "office"},
			"20.0.0.5":     {Owner: usage.Yours, Certainty: usage.Owned, Name: "NAT gateway", Tag: "AzureCloud"},
			"2603::1":      {Owner: usage.Yours, Certainty: usage.Owned, Name: "v6"},
			"20.0.0.10":    book.Origin("20.0.0.10"),
		}
		if diff := cmp.Diff(want, got); diff != "" || got["20.0.0.10"].Owner != usage.InAzure {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestWhatAResourceHoldsIsYoursAsFarAsThatIsSure(t *testing.T) {
	hold := func(span, name string, c usage.Certainty) usage.Holding {
		p := netip.MustParsePrefix(span)
		return usage.Holding{Range: netipx.RangeOfPrefix(p), Name: name, Certainty: c, Resource: "/" + name, Kind: "kind", Note: "note of " + name}
	}
	tags, err := usage.ReadTags(strings.NewReader(tagsFile))
	if err != nil {
		t.Fatal(err)
	}
	own, err := usage.ReadOwn(strings.NewReader("20.50.1.1 listed\n20.50.3.0/24 office"))
	if err != nil {
		t.Fatal(err)
	}
	resources := usage.NewOwn([]usage.Holding{
		hold("20.50.1.2/32", "app", usage.Candidate), hold("20.50.2.9/32", "app", usage.Candidate),
		hold("20.50.1.0/28", "prefix", usage.Owned), hold("20.50.1.1/32", "nat", usage.Owned), hold("10.0.0.4/32", "nic", usage.Candidate),
	})
	book := usage.Book{Own: own, Resources: resources, Tags: tags}
	partly := book
	partly.ResourceGaps = []string{"a page was not read"}
	for address, want := range map[string]string{
		"20.50.1.1":   "yours owned listed /nat ",             // a list of your own goes first,
		"20.50.1.3":   "yours owned prefix /prefix note",      // then what is owned,
		"20.50.1.2":   "yours owned prefix /prefix note",      // be it wider than a candidate,
		"20.50.2.9":   "yours candidate app /app note",        // then candidates.
		"20.50.3.7":   "yours owned office  ",                 // Of nobody's,
		"20.50.4.7":   "azure unknown tenant   inside Azure",  // nothing can be said
		"203.0.113.9": "outside azure    in no Azure range",   // but where it is.
		"10.0.0.4":    "yours candidate nic /nic note of nic", // A private one has no tag.
	} {
		o := book.Origin(address)
		got := strings.Join([]string{string(o.Owner), string(o.Certainty), o.Name, o.Resource, o.Note}, " ")
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s is %q, want %q", address, got, want)
		}
		of := partly.Origin(address)
		if of.Certainty == usage.UnknownTenant || o.Owner == usage.Yours && of != o {
			t.Errorf("%s, with resources read in part, is %+v", address, of)
		}
	}
	if o := partly.Origin("20.50.4.7"); o.Owner != usage.NotKnown || o.Tag == "" || !strings.Contains(o.Note, "whose it is is not known") {
		t.Errorf("with resources read in part, a stranger is %+v", o)
	}
	answer := usage.NewAnswer(usage.Evidence{Book: usage.Book{TagsGap: "denied", ResourceGaps: []string{"one", "two"}}})
	for _, want := range []string{"Which addresses are inside Azure: denied.", "Which addresses are yours: one.", "Which addresses are yours: two."} {
		if !slices.Contains(answer.Blind, want) {
			t.Errorf("%q is not among %q", want, answer.Blind)
		}
	}
}

func TestTagsOfSeveralPages(t *testing.T) {
	const page = `{"changeNumber":"9","cloud":"Public","values":[{"name":"%s","properties":{"addressPrefixes":["%s"]}}],"nextLink":"x"}`
	tags, err := usage.ReadTags(strings.NewReader(fmt.Sprintf(page, "One", "20.1.0.0/16")), strings.NewReader(fmt.Sprintf(page, "Two", "20.2.0.0/16")))
	if err != nil {
		t.Fatal(err)
	}
	book := usage.Book{Tags: tags}
	if one, two := book.Origin("20.1.0.1").Tag, book.Origin("20.2.0.1").Tag; one != "One" || two != "Two" || tags.Change != 9 {
		t.Errorf("found %q and %q in change %d", one, two, tags.Change)
	}
}

func TestBadAddressFilesAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"[]":            "no service tags file",
		"{}":            "list of values",
		`{"values":[{}`: "no service tags file",
		"<html>sign in": "no service tags file",
		`{"values":[{"name":"A","properties":{"addressPrefixes":["20.0.0.0/33"]}}]}`: `"20.0.0.0/33" of tag "A" is no address range`,
	} {
		if _, err := usage.ReadTags(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gave %v, want %q", text, err, want)
		}
	}
	for text, want := range map[string]string{
		"20.0.0.0/33 x":                         "line 1: \"20.0.0.0/33\" is no address",
		"\n\n20.0.0.1":                          "line 3: 20.0.0.1 has no name",
		"20.0.0.9-20.0.0.1 x":                   "line 1",
		"- {address: x, name: y}":               "entry 1",
		"- [1, 2]":                              "expected a list",
		"1.2.3.4 " + strings.Repeat("x", 1<<17): "too long",
	} {
		if _, err := usage.ReadOwn(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q gave %v, want %q", text, err, want)
		}
	}
}

func FuzzReadOwn(f *testing.F) {
	f.Add([]byte("203.0.113.8/29 office\n"))
	f.Add([]byte("- {address: 20.50.1.2, name: x}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if own, err := usage.ReadOwn(bytes.NewReader(data)); err == nil {
			usage.Book{Own: own}.Origin("203.0.113.9")
		}
	})
}
