package usage_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
			"20.50.1.2":    {Owner: usage.Yours, Name: "agents, west", Tag: "DataFactory.WestEurope", Region: "westeurope", Service: "DataFactory"},
			"203.0.113.15": {Owner: usage.Yours, Name: "office"},
			"20.0.0.5":     {Owner: usage.Yours, Name: "NAT gateway", Tag: "AzureCloud"},
			"2603::1":      {Owner: usage.Yours, Name: "v6"},
			"20.0.0.10":    book.Origin("20.0.0.10"),
		}
		if diff := cmp.Diff(want, got); diff != "" || got["20.0.0.10"].Owner != usage.InAzure {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
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
