// Package change carries out a plan of package fix: it reads before each step,
// writes its journal before each act, adds before it deletes, verifies afterwards,
// and can resume or undo whatever was interrupted, from the journal and from what
// the cloud says. It decides nothing about doors or clients, and knows Azure only
// through [Cloud].
package change
