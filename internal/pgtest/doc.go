// Package pgtest runs a real PostgreSQL server for a test: Debian's package, on
// loopback, in a folder of its own, as the postgres user where the test is root.
// It listens on 127.0.0.1, and clients may come from any address of 127.0.0.0/8
// (Linux has them all), so that what tells clients apart by address can be
// tested on one machine. It is for tests only.
package pgtest
