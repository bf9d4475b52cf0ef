package rule

import "testing"

func TestSeverityOf(t *testing.T) {
	for _, tc := range []struct {
		likelihood Likelihood
		row        string
	}{
		{Improbable, "low low medium medium"},
		{Possible, "low medium high high"},
		{Probable, "medium high high critical"},
		{HighlyProbable, "medium high critical critical"},
	} {
		row := ""
		for _, impact := range Levels {
			level, err := SeverityOf(tc.likelihood, impact)
			if err != nil {
				t.Fatal(err)
			}
			row += " " + string(level)
		}
		if row[1:] != tc.row {
			t.Errorf("%s: %s, want %s", tc.likelihood, row[1:], tc.row)
		}
	}
	if _, err := SeverityOf("sometimes", Low); err == nil {
		t.Error("an unknown likelihood has a severity")
	}
	if !High.AtLeast(Medium) || Low.AtLeast(Medium) || !Low.AtLeast(Low) {
		t.Error("the order of the levels is wrong")
	}
}
