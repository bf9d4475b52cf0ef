package exposure

// Truth is yes, no, or not known from what was read. Its arithmetic is Kleene's:
// a no decides an And whatever the other side is.
type Truth int8

// The truths, ordered so that And is the smaller of two.
const (
	No Truth = iota
	Maybe
	Yes
)

// And is Yes when both are, No when either is, and Maybe otherwise.
func (t Truth) And(u Truth) Truth { return min(t, u) }

// Not turns Yes and No around and leaves Maybe.
func (t Truth) Not() Truth { return Yes - t }

// String returns yes, no or unknown.
func (t Truth) String() string {
	return [...]string{No: "no", Maybe: "unknown", Yes: "yes"}[t]
}

// MarshalText writes the truth as [Truth.String] does.
func (t Truth) MarshalText() ([]byte, error) { return []byte(t.String()), nil }
