package rule

// Verdict is what a rule says of a resource.
type Verdict string

// The verdicts.
const (
	// Pass: read, judged, fine.
	Pass Verdict = "pass"
	// Fail: read, judged, not fine.
	Fail Verdict = "fail"
	// Skip: the rule does not apply to this resource.
	Skip Verdict = "skip"
	// Unknown: it could not be decided.
	Unknown Verdict = "unknown"
)

// Verdicts are all verdicts, the worst first.
var Verdicts = []Verdict{Fail, Unknown, Pass, Skip}

// Result is a verdict with its grounds.
type Result struct {
	Verdict Verdict `json:"verdict"`
	// Reason says in a sentence or two why. For unknown it says exactly what
	// was missing. What the resource's owner chose to call things appears in
	// it, without characters that do not print.
	Reason string `json:"reason"`
	// Evidence names what makes a failure, in the order of the policy. Its
	// fields are as they were read: whoever shows them must escape them.
	Evidence []Evidence `json:"evidence,omitempty"`
}

// Evidence is one thing that makes a failure.
type Evidence struct {
	// Kind is what it is in words: "firewall rule", "setting".
	Kind string `json:"kind"`
	// ID is the ARM id, empty for what has none.
	ID string `json:"id,omitempty"`
	// Name is what its owner calls it, or the path of a setting.
	Name string `json:"name"`
	// Value is what it says: "0.0.0.0–0.0.0.0".
	Value string `json:"value"`
}
