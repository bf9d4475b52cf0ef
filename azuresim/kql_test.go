package azuresim

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// claimsOf reads what a token says, as a client that names its principal does.
func claimsOf(t *testing.T, token string) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(raw, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

var kqlNow = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func kqlTable() relation {
	return relation{
		columns: []column{{"At", "datetime"}, {"Text", "string"}, {"N", "real"}, {"Bag", "dynamic"}},
		records: []record{
			mapRecord{"At": kqlNow.Add(-time.Hour), "Text": "Connection received: host=10.0.0.1", "N": 1.0, "Bag": map[string]any{"a": []any{"x", "y"}}},
			mapRecord{"At": kqlNow.Add(-48 * time.Hour), "Text": `it's "quoted"`, "N": 10.0, "Bag": map[string]any{"on": true}},
			mapRecord{"At": kqlNow, "Text": "", "N": nil, "Bag": nil},
		},
	}
}

func TestWhere(t *testing.T) {
	for condition, want := range map[string]string{
		"At > ago(1d)": "0 2",
		"At >= datetime(2026-11-23T11:00:00Z) and At < now()":             "0",
		"At between (datetime(2026-11-21) .. datetime(2026-11-23T11:00))": "0 1",
		"Text == 'connection received: host=10.0.0.1'":                    "",
		"Text =~ 'connection received: host=10.0.0.1'":                    "0",
		"Text !~ 'connection received: host=10.0.0.1'":                    "1 2",
		`Text == 'it\'s "quoted"'`:                                        "1",
		`Text == @'it''s "quoted"'`:                                       "1",
		"Text contains 'RECEIVED'":                                        "0",
		"Text contains_cs 'RECEIVED'":                                     "",
		"Text has 'host'":                                                 "0",
		"Text has 'hos'":                                                  "",
		"Text !has 'host'":                                                "1 2",
		"Text has_any ('quoted', 'none')":                                 "1",
		"Text has_all ('quoted', 'none')":                                 "",
		"Text has_all ('it', 'quoted')":                                   "1",
		"Text in ('', 'x')":                                               "2",
		"Text !in ('', 'x')":                                              "0 1",
		"Text in~ ('CONNECTION received: host=10.0.0.1')":                 "0",
		"Text startswith 'connection'":                                    "0",
		"Text !startswith_cs 'connection'":                                "0 1 2",
		"Text matches regex @'host=[0-9.]+$'":                             "0",
		"N == 10":                                                         "1",
		"N != 10":                                                         "0 2",
		"N < 10":                                                          "0",
		"isnull(N)":                                                       "2",
		"isnotempty(Text) and not(N <= 1)":                                "1",
		"isempty(Text) or (N == 1 and Bag.a[1] == 'y')":                   "0 2",
		"Bag['on'] == true":                                               "1",
		"tostring(Bag.a) == '[\"x\",\"y\"]'":                              "0",
		"tolower(Text) startswith_cs 'connection'":                        "0",
		"Bag.none == 'x'":                                                 "",
		"N == 1 // and nothing else":                                      "0",
	} {
		q, err := parseKQL("T | where "+condition, kqlNow)
		if err != nil {
			t.Errorf("%s: %v", condition, err)
			continue
		}
		r, err := q.run(kqlTable())
		if err != nil {
			t.Errorf("%s: %v", condition, err)
			continue
		}
		var got []string
		for _, rec := range r.records {
			for i, original := range kqlTable().records {
				if rec.value("At") == original.value("At") {
					got = append(got, string(rune('0'+i)))
				}
			}
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: rows %q, want %q", condition, s, want)
		}
	}
}

func TestSummarize(t *testing.T) {
	for query, want := range map[string]string{
		"T | summarize n = count(), min(N), last = max(At) by isIt = tostring(Bag.on)": `{"isIt":"","n":2,"min_N":1,"last":"2026-11-23T12:00:00Z"} {"isIt":"true","n":1,"min_N":10,"last":"2026-11-21T12:00:00Z"}`,
		"T | where N > 99 | summarize count(), max(N)":                                 `{"count_":0,"max_N":null}`,
		"T | where N > 99 | summarize count() by Text":                                 ``,
		"T | where N > 0 | sort by N | project N | limit 1":                            `{"N":10}`,
		"T | count": `{"Count":3}`,
	} {
		q, err := parseKQL(query, kqlNow)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		r, err := q.run(kqlTable())
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		var rows []string
		for _, rec := range r.records {
			var cells []string
			for _, c := range r.columns {
				cells = append(cells, string(marshal(c.name))+":"+string(marshal(logsValue(rec.value(c.name)))))
			}
			rows = append(rows, "{"+strings.Join(cells, ",")+"}")
		}
		if got := strings.Join(rows, " "); got != want {
			t.Errorf("%s:\n%s\nwant %s", query, got, want)
		}
	}
}

func FuzzKQL(f *testing.F) {
	for _, seed := range []string{
		"T | where At >= datetime(2026-11-23T11:00:00Z) and Text has_any ('a', \"b\") | project At, x = Bag.a[0] | order by At asc | take 1",
		"T | summarize count(), min(At) by tostring(Bag.on)", "T | where Text !in~ ('a') or not(isempty(N))", "T | where Text matches regex @'('", "T|where N between (1 .. 2)",
		"T | where Text == 'a\\", "T | take 99999999999999999999", "T | where N == 1d", "T | project Bag[", "// c",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := parseKQL(text, kqlNow)
		if err == nil {
			_, err = q.run(kqlTable())
		}
		if err != nil && err.message == "" {
			t.Errorf("%q is refused without a word", text)
		}
	})
}
