// Package journal keeps the record of a change: what is about to be done is
// written, and on disk, before it is done, so that a run that was killed at any
// instant can be told from one that was not, taken up again, or undone.
//
// A journal is JSON Lines, one file a change, with the whole plan in its first
// record: it needs nothing else. Each record carries a checksum that covers it and
// everything before it. A file that was cut or damaged is read up to the last
// record that is whole, and says so. The locks that keep two runs apart live in
// the same folder. docs/journal.md describes the records one by one.
//
// The package knows neither Azure nor what a record leads to.
package journal
