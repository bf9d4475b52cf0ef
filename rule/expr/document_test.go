package expr

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRead(t *testing.T) {
	server := declare(t, "server", serverDocument{})
	for _, tc := range []struct {
		name, body string
		want       map[string]any
		unread     []string
	}{
		{
			"everything", `{"name":"s","tags":{"a":"b"},"properties":{"version":"16","days":3,"load":0.5,"public":true,"network":{"access":"on"},"peers":[{"name":"p"}],"more":1},"sku":{}}`,
			map[string]any{
				"name": "s", "tags": map[string]string{"a": "b"},
				"properties": map[string]any{
					"version": "16", "days": int64(3), "load": 0.5, "public": true,
					"network": map[string]any{"access": "on"}, "peers": []any{map[string]any{"name": "p"}},
				},
			}, nil,
		},
		{"null is absent", `{"name":null,"properties":{"network":null}}`, map[string]any{"properties": map[string]any{}}, nil},
		{"another case", `{"Name":"s","PROPERTIES":{"Version":"16"}}`, map[string]any{"name": "s", "properties": map[string]any{"version": "16"}}, nil},
		{"the exact name counts", `{"NAME":"a","name":"b","Name":"c"}`, map[string]any{"name": "b"}, nil},
		{"a whole number in another spelling", `{"properties":{"days":3.0,"load":2}}`, map[string]any{"properties": map[string]any{"days": int64(3), "load": 2.0}}, nil},
		{
			"wrong types", `{"name":5,"tags":[],"properties":{"version":16,"days":"3","load":"x","public":"yes","network":"on","peers":{}}}`,
			map[string]any{"properties": map[string]any{}},
			[]string{
				"server.name is a number where text is declared",
				"server.properties.days is text where whole number is declared",
				"server.properties.load is text where number is declared",
				"server.properties.network is text where server.properties.network is declared",
				"server.properties.peers is an object where list of server.properties.peers[] is declared",
				"server.properties.public is text where true or false is declared",
				"server.properties.version is a number where text is declared",
				"server.tags is a list where map of texts is declared",
			},
		},
		{"not a whole number", `{"properties":{"days":3.5}}`, map[string]any{"properties": map[string]any{}}, []string{"server.properties.days is a number where whole number is declared"}},
		{"a number beyond all numbers", `{"properties":{"days":1e99,"load":1e999}}`, map[string]any{"properties": map[string]any{}}, []string{
			"server.properties.days is a number where whole number is declared", "server.properties.load is a number where number is declared",
		}},
		{
			"a bad element spoils its list", `{"properties":{"peers":[{"name":"p"},{"name":5}]}}`, map[string]any{"properties": map[string]any{}},
			[]string{"server.properties.peers cannot be read: server.properties.peers.name is a number where text is declared"},
		},
		{"a null element spoils its list", `{"properties":{"peers":[null]}}`, map[string]any{"properties": map[string]any{}}, []string{"server.properties.peers cannot be read: server.properties.peers is null where server.properties.peers[] is declared"}},
		{"a tag that is no text", `{"tags":{"a":1}}`, map[string]any{}, []string{`server.tags holds a number under "a" where text is declared`}},
		{"nothing", `{}`, map[string]any{}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, unread, err := server.Read([]byte(tc.body), "server")
			if err != nil {
				t.Fatal(err)
			}
			var reasons []string
			for _, u := range unread {
				reasons = append(reasons, u.Reason)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("document (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.unread, reasons); diff != "" {
				t.Errorf("unread (-want +got):\n%s", diff)
			}
		})
	}
	for _, body := range []string{``, `null`, `[]`, `"x"`, `{"a":`, `{} {}`, `{}x`} {
		if _, _, err := server.Read([]byte(body), "server"); err == nil {
			t.Errorf("%q is taken for a document", body)
		}
	}
}

func TestDeclare(t *testing.T) {
	type inner struct {
		X *string `json:"x"`
	}
	type Embedded struct {
		Name *string        `json:"name"`
		Tags map[string]any `json:"tags"`
	}
	type outer struct {
		Embedded
		Inner  inner   `json:"inner"`
		Same   []inner `json:"same"`
		hidden int
		Skip   int `json:"-"`
	}
	type first struct {
		Tags map[string]string `json:"tags"`
	}
	o, err := Declare("thing", first{}, outer{hidden: 1})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, name := range o.Fields() {
		f, _ := o.Field(name)
		got = append(got, name+": "+f.String())
	}
	if diff := cmp.Diff([]string{"inner: inner", "name: text", "same: list of inner", "tags: map of texts"}, got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	single, _ := o.Field("inner")
	several, _ := o.Field("same")
	elem, _ := several.Elem()
	a, _ := single.Object()
	b, _ := elem.Object()
	if a != b {
		t.Error("one Go type became two objects")
	}
	if _, err := Declare("thing", Embedded{}); err == nil {
		t.Error("a map of anything is declared")
	}
	if _, err := NewEnv(map[string]*Object{"a": declare(t, "same", inner{}), "b": declare(t, "same", inner{})}); err == nil {
		t.Error("two objects share a name")
	}
}
