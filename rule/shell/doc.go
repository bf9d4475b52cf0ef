// Package shell fills placeholders in commands that a person will copy and run.
//
// The values are names that somebody gave to things in a cloud, and somebody
// may have chosen them with a shell in mind. Whatever a value is, it ends up as
// one argument, or as part of one: it is quoted for the shell unless it is
// plainly safe, and what a terminal or a program could act on by itself is made
// harmless.
package shell
