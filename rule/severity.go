package rule

import (
	"fmt"
	"slices"
)

// Severity is how bad a failure is, and why.
type Severity struct {
	Level      Level      `json:"level"`
	Likelihood Likelihood `json:"likelihood"`
	Impact     Level      `json:"impact"`
	// Reasoning says why the likelihood and the impact are what they are.
	Reasoning string `json:"reasoning"`
}

// Level is a degree of severity or of impact.
type Level string

// The levels, from the least.
const (
	Low      Level = "low"
	Medium   Level = "medium"
	High     Level = "high"
	Critical Level = "critical"
)

// Levels are all levels, from the least.
var Levels = []Level{Low, Medium, High, Critical}

// AtLeast reports whether l is as severe as m or more.
func (l Level) AtLeast(m Level) bool { return slices.Index(Levels, l) >= slices.Index(Levels, m) }

// Likelihood is how probable it is that a failing resource is abused.
type Likelihood string

// The likelihoods, from the least.
const (
	Improbable     Likelihood = "improbable"
	Possible       Likelihood = "possible"
	Probable       Likelihood = "probable"
	HighlyProbable Likelihood = "highly probable"
)

// Likelihoods are all likelihoods, from the least.
var Likelihoods = []Likelihood{Improbable, Possible, Probable, HighlyProbable}

// severities is the table of likelihood and impact that Datadog documents for
// its posture findings, with the impacts from low to critical.
var severities = map[Likelihood][4]Level{
	Improbable:     {Low, Low, Medium, Medium},
	Possible:       {Low, Medium, High, High},
	Probable:       {Medium, High, High, Critical},
	HighlyProbable: {Medium, High, Critical, Critical},
}

// SeverityOf looks the severity up in the table. It is an error to ask for a
// likelihood or an impact that is not one of those above.
func SeverityOf(likelihood Likelihood, impact Level) (Level, error) {
	row, known := severities[likelihood]
	column := slices.Index(Levels, impact)
	if !known || column < 0 {
		return "", fmt.Errorf("look up the severity of %q and %q: not in the table", likelihood, impact)
	}
	return row[column], nil
}
