// Package usage says who comes through which door of a server: it adds
// connection events up to clients, judges each client by the server's firewall,
// says whose an address is as far as that can be told, and answers whether the
// azure door can be closed without cutting somebody off.
//
// It answers that closing is safe only when nothing is missing: rules that were not
// read, a short log or one with a break in it, lines that could not be read or that a
// client may have written, make it "not enough evidence". The package does not know
// where events and settings come from, nor how an answer is shown.
package usage
