// Package usage says who comes through which door of a server: it adds
// connection events up to clients, judges each client by the server's firewall,
// says whose an address is as far as that can be told, and answers whether the
// azure door can be closed without cutting somebody off.
//
// It never answers that closing is safe. Whatever is missing (rules that were not
// read, a short log, lines that could not be read) makes it "not enough evidence",
// and the best that a log can say is that nobody was seen. The package does not know
// where events and settings come from, nor how an answer is shown.
package usage
