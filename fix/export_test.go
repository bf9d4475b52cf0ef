package fix

// Redigest gives a plan that a test changed the digest that fits, as somebody
// who edits a plan on purpose would.
func Redigest(p *Plan) []byte {
	doc, _, err := encode(p)
	if err != nil {
		panic(err)
	}
	return doc
}
