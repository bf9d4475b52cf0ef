package resourcetype_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/posternhq/postern/asset"
	"github.com/posternhq/postern/resourcetype"
)

func read(t *testing.T, typ resourcetype.Type, body string, children map[string]asset.Children) asset.Network {
	t.Helper()
	n, err := typ.Network(&asset.Asset{ID: "/x", Type: typ.Name, Body: json.RawMessage(body), Children: children})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPublicAccess(t *testing.T) {
	flexible, single, cluster := resourcetype.FlexibleServer(), resourcetype.SingleServer(), resourcetype.ClusterV2()
	tests := []struct {
		name string
		typ  resourcetype.Type
		body string
		want asset.Switch
		why  string
	}{
		{"flexible on", flexible, `{"properties":{"network":{"publicNetworkAccess":"Enabled"}}}`, asset.On, `publicNetworkAccess is "Enabled"`},
		{"flexible on, in other letters", flexible, `{"properties":{"network":{"publicNetworkAccess":"enabled"}}}`, asset.On, ""},
		{"flexible off", flexible, `{"properties":{"network":{"publicNetworkAccess":"Disabled"}}}`, asset.Off, `is "Disabled"`},
		{"flexible, a third value", flexible, `{"properties":{"network":{"publicNetworkAccess":"SecuredByPerimeter"}}}`, asset.Unclear, "does not know"},
		{"flexible, absent", flexible, `{"properties":{"network":{}}}`, asset.Unclear, "absent"},
		{"flexible, null", flexible, `{"properties":{"network":{"publicNetworkAccess":null}}}`, asset.Unclear, "absent"},
		{"flexible, no network", flexible, `{"properties":{}}`, asset.Unclear, "absent"},
		{"flexible, no properties", flexible, `{}`, asset.Unclear, "absent"},
		{"flexible, a word like Disabled", flexible, `{"properties":{"network":{"publicNetworkAccess":"Di\u017fabled"}}}`, asset.Unclear, "does not know"},
		{"flexible, a subnet that is none", flexible, `{"properties":{"network":{"publicNetworkAccess":"Enabled","delegatedSubnetResourceId":"None"}}}`, asset.Unclear, "which is no subnet"},
		{"flexible, no subnet", flexible, `{"properties":{"network":{"publicNetworkAccess":"Enabled","delegatedSubnetResourceId":""}}}`, asset.On, ""},
		{"single on", single, `{"properties":{"publicNetworkAccess":"Enabled"}}`, asset.On, ""},
		{"single off", single, `{"properties":{"publicNetworkAccess":"Disabled"}}`, asset.Off, ""},
		{"single, absent, is an old server", single, `{"properties":{}}`, asset.On, "on Single Server means enabled"},
		{"single, no properties", single, `{}`, asset.Unclear, "absent"},
		{"cluster, coordinator", cluster, `{"properties":{"coordinatorEnablePublicIpAccess":true,"nodeEnablePublicIpAccess":false}}`, asset.On, "the coordinator"},
		{"cluster, nodes", cluster, `{"properties":{"coordinatorEnablePublicIpAccess":false,"nodeEnablePublicIpAccess":true}}`, asset.On, "the worker nodes"},
		{"cluster, both", cluster, `{"properties":{"coordinatorEnablePublicIpAccess":true,"nodeEnablePublicIpAccess":true}}`, asset.On, "the coordinator and the worker nodes"},
		{"cluster, neither", cluster, `{"properties":{"coordinatorEnablePublicIpAccess":false,"nodeEnablePublicIpAccess":false}}`, asset.Off, ""},
		{"cluster, coordinator absent", cluster, `{"properties":{"nodeEnablePublicIpAccess":false}}`, asset.Unclear, "coordinatorEnablePublicIpAccess is absent"},
		{"cluster, nodes absent", cluster, `{"properties":{"coordinatorEnablePublicIpAccess":false}}`, asset.Unclear, "nodeEnablePublicIpAccess is absent"},
		{"cluster of one node", cluster, `{"properties":{"coordinatorEnablePublicIpAccess":false,"nodeCount":0}}`, asset.Off, "no worker nodes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := read(t, tt.typ, tt.body, nil).Public
			if got.State != tt.want || !strings.Contains(got.Why, tt.why) {
				t.Errorf("public access is %s (%s), want %s (%s)", got.State, got.Why, tt.want, tt.why)
			}
		})
	}
}

func TestChildren(t *testing.T) {
	list := func(items ...string) asset.Children {
		c := asset.Children{Items: []json.RawMessage{}}
		for _, i := range items {
			c.Items = append(c.Items, json.RawMessage(i))
		}
		return c
	}
	n := read(t, resourcetype.SingleServer(), `{"properties":{"privateEndpointConnections":[
		{"id":"/pec","properties":{"privateEndpoint":{"id":"/pe"},"privateLinkServiceConnectionState":{"status":"Approved"}}},{}]}}`,
		map[string]asset.Children{
			"firewallRules": list(
				`{"id":"/r1","name":"r1","properties":{"startIpAddress":"1.1.1.1","endIpAddress":"2.2.2.2","sourceAddressPrefixes":["AzureCloud"]}}`,
				`{"name":"no properties"}`,
				`{"name":"a number","properties":{"startIpAddress":5}}`,
			),
			"virtualNetworkRules": list(
				`{"name":"v","properties":{"virtualNetworkSubnetId":"/subnet","state":"Ready"}}`,
				`{"name":"none","properties":{}}`,
			),
		})
	want := asset.Network{
		Public: n.Public,
		FirewallRules: []asset.FirewallRule{
			{ID: "/r1", Name: "r1", Start: "1.1.1.1", End: "2.2.2.2", SourcePrefixes: []string{"AzureCloud"}},
			{Name: "no properties", Fault: "it has no properties"},
			{Name: "a number"},
		},
		SubnetRules: []asset.SubnetRule{
			{Name: "v", Subnet: "/subnet", State: "Ready"},
			{Name: "none", Fault: "it names no subnet"},
		},
		PrivateEndpoints: []asset.PrivateEndpoint{{ID: "/pec", Endpoint: "/pe", Status: "Approved"}, {}},
	}
	if n.FirewallRules[2].Fault == "" {
		t.Error("a rule whose address is a number has no fault")
	}
	n.FirewallRules[2].Fault = ""
	if diff := cmp.Diff(want, n, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("network (-want +got):\n%s", diff)
	}
}

func TestAListThatWasNeverAskedForIsAGap(t *testing.T) {
	for _, typ := range resourcetype.All() {
		n := read(t, typ, `{"properties":{}}`, nil)
		if n.FirewallGap == nil || !strings.Contains(n.FirewallGap.Permission, typ.Name+"/firewallRules/read") {
			t.Errorf("%s: the gap of unread rules is %v", typ.Name, n.FirewallGap)
		}
	}
}

func TestABodyThatIsNoDocumentIsAnError(t *testing.T) {
	for _, typ := range resourcetype.All() {
		if _, err := typ.Network(&asset.Asset{ID: "/x", Body: json.RawMessage(`[]`)}); err == nil {
			t.Errorf("%s: an array was read as a server", typ.Name)
		}
	}
}

func TestTheTableIsSound(t *testing.T) {
	for _, typ := range resourcetype.All() {
		if typ.Label == "" || len(typ.APIVersions) == 0 || len(typ.Children) == 0 || typ.Document == nil || typ.Network == nil {
			t.Errorf("%s leaves something out", typ.Name)
		}
		found, ok := resourcetype.Lookup(strings.ToUpper(typ.Name))
		if !ok || found.Name != typ.Name {
			t.Errorf("%s is not found under its name in capitals", typ.Name)
		}
	}
}

// An odd field must hide no more than it stands for.
func TestAnOddFieldElsewhereHidesNothing(t *testing.T) {
	open := map[string]asset.Children{"firewallRules": {Items: []json.RawMessage{json.RawMessage(`{"properties":{"startIpAddress":"0.0.0.0","endIpAddress":"0.0.0.0"}}`)}}}
	n := read(t, resourcetype.FlexibleServer(), `{"location":7,"tags":["a"],"sku":1,"properties":{"state":5,"version":16,
		"network":{"publicNetworkAccess":"Enabled","privateDnsZoneArmResourceId":3},"privateEndpointConnections":{"a":1}}}`, open)
	if n.Public.State != asset.On || len(n.FirewallRules) != 1 || len(n.PrivateEndpoints) != 1 || n.PrivateEndpoints[0].Fault == "" {
		t.Errorf("the network is %+v", n)
	}
	n = read(t, resourcetype.SingleServer(), `{"properties":{"privateEndpointConnections":[7,{"properties":{"privateLinkServiceConnectionState":{"status":"Approved"}}}]}}`, open)
	if len(n.PrivateEndpoints) != 2 || n.PrivateEndpoints[0].Fault == "" || n.PrivateEndpoints[1].Status != "Approved" {
		t.Errorf("the endpoints are %+v", n.PrivateEndpoints)
	}
}

func TestADocumentThatSaysAKeyTwiceIsNotRead(t *testing.T) {
	typ := resourcetype.FlexibleServer()
	for _, body := range []string{
		`{"properties":{"network":{"publicNetworkAccess":"Enabled","PublicNetworkAccess":"Disabled"}}}`,
		`{"properties":{"network":{"publicNetworkAccess":"Enabled"}},"Properties":{"network":{"publicNetworkAccess":"Disabled"}}}`,
		`{"properties":{"network":{"publicNetworkAccess":"Enabled"},"NETWORK":{}}}`,
	} {
		if _, err := typ.Network(&asset.Asset{ID: "/x", Type: typ.Name, Body: json.RawMessage(body)}); err == nil || !strings.Contains(err.Error(), "twice") {
			t.Errorf("%s: error %v", body, err)
		}
	}
	n := read(t, typ, `{}`, map[string]asset.Children{"firewallRules": {Items: []json.RawMessage{
		json.RawMessage(`{"properties":{"startIpAddress":"0.0.0.0","endIpAddress":"0.0.0.0","StartIpAddress":"10.0.0.1"}}`),
	}}})
	if !strings.Contains(n.FirewallRules[0].Fault, "twice") {
		t.Errorf("the rule is %+v", n.FirewallRules[0])
	}
}

func TestAnOddSwitchIsAnErrorAndNoAnswer(t *testing.T) {
	for typ, body := range map[string]string{
		"Microsoft.DBforPostgreSQL/flexibleServers": `{"properties":{"network":{"publicNetworkAccess":false}}}`,
		"Microsoft.DBforPostgreSQL/servers":         `{"properties":{"publicNetworkAccess":0}}`,
		"Microsoft.DBforPostgreSQL/serverGroupsv2":  `{"properties":{"coordinatorEnablePublicIpAccess":"false","nodeEnablePublicIpAccess":false}}`,
	} {
		found, _ := resourcetype.Lookup(typ)
		if n, err := found.Network(&asset.Asset{ID: "/x", Type: typ, Body: json.RawMessage(body)}); err == nil {
			t.Errorf("%s: %s was read as %+v", typ, body, n.Public)
		}
	}
}
