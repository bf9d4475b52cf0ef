package guard

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const someone = "11111111-2222-3333-4444-55555555abCD"

func TestParseScope(t *testing.T) {
	subscription := Scope{ID: "/subscriptions/" + strings.ToLower(someone)}
	for in, want := range map[string]Scope{
		"":                                {},
		someone:                           subscription,
		"/subscriptions/" + someone:       subscription,
		"/Subscriptions/" + someone + "/": subscription,
		"/providers/microsoft.management/managementgroups/Data_(1)": {ID: groups + "Data_(1)", Group: "Data_(1)"},
	} {
		got, err := ParseScope(in)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v\n%s", in, err, diff)
		}
	}
	for in, want := range map[string]string{
		"production":             "neither a subscription id",
		"/subscriptions/nothing": "neither a subscription id",
		"/subscriptions/" + someone + "/resourceGroups/rg": "lies below a subscription",
		groups:                   "neither a subscription id",
		groups + "a'b":           "neither a subscription id",
		groups + "a/b":           "neither a subscription id",
		groups + "$(reboot)":     "neither a subscription id",
		groups + "-a":            "neither a subscription id",
		someone + "0":            "neither a subscription id",
		someone + "\n" + someone: "neither a subscription id",
	} {
		if _, err := ParseScope(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", in, err, want)
		}
	}
}

func TestParseOthers(t *testing.T) {
	check := func(what string, err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", what, err, want)
		}
	}
	_, err := ParseEffect("deni")
	check("effect", err, `"deni" is not one of audit, deny; did you mean "deny"?`)
	_, err = ParseEffect("disabled")
	check("effect", err, `"disabled" is not one of audit, deny`)
	_, err = ParseServices([]string{"postgres"})
	check("service", err, `did you mean "postgresql"?`)
	_, err = ParseServices(nil)
	check("service", err, "no service is named")
	_, err = ParseFormat("hcl")
	check("format", err, "is not one of json, bicep, terraform")
	for _, prefix := range []string{"/7", "/0", "/33", "-1", "wide", "//8", ""} {
		_, err = ParsePrefix(prefix)
		check("prefix "+prefix, err, "is no prefix length from /8")
	}
	for in, want := range map[string]string{
		"http://postern.example.com/events":        "https only",
		"postern.example.com":                      "is no address",
		"https://":                                 "is no address",
		"https://postern.example.com/?code=secret": "perhaps a secret",
		"https://me:secret@postern.example.com/":   "perhaps a secret",
	} {
		_, err = ParseWebhook(in)
		check("webhook "+in, err, want)
		if err != nil && strings.Contains(err.Error(), "=secret") || err != nil && strings.Contains(err.Error(), ":secret") {
			t.Errorf("the error shows the secret: %v", err)
		}
	}
	services, err := ParseServices([]string{"sql", "ALL"})
	if diff := cmp.Diff(Services, services); diff != "" || err != nil {
		t.Errorf("all: %v\n%s", err, diff)
	}
	if n, err := ParsePrefix("24"); n != 24 || err != nil {
		t.Errorf("24 is read as %d, %v", n, err)
	}
	if DefaultPrefix != 8 {
		t.Errorf("the widest range is /%d", DefaultPrefix)
	}
}

func FuzzParseScope(f *testing.F) {
	f.Add(someone)
	f.Add(groups + "data")
	f.Add("/subscriptions/" + someone + "/resourceGroups/x")
	f.Fuzz(func(t *testing.T, s string) {
		scope, err := ParseScope(s)
		if err == nil && strings.ContainsAny(scope.ID, "'\"`$\\|&\n {};") {
			t.Errorf("%q gives %q, which a shell would act on", s, scope.ID)
		}
	})
}
