// Package expr checks and evaluates CEL expressions over documents whose fields
// are declared.
//
// A document is a tree of plain values. Its shape is declared by Go structs, so
// a misspelt field is an error with its place when an expression is compiled,
// never a silent false when it runs. What a document lacks or could not be read
// is no zero value either: an expression that depends on it has no value, and
// [Undecided] says what was missing.
//
// Expressions come from people nobody has vetted. They can call only the
// functions listed in [Functions]; none of them reads a file, a clock or the
// network, and what they may spend is bounded.
//
// The package knows nothing of pages, rules or Azure.
package expr
