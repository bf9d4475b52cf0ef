package fix

import "errors"

// Why a server gets no plan. [PlanServer] wraps them with the details.
var (
	// ErrNothingToClose: none of the doors asked about is there.
	ErrNothingToClose = errors.New("nothing to close")
	// ErrNotRead: what the plan would rest on was not read or not understood.
	ErrNotRead = errors.New("not everything was read")
	// ErrNoEvidence: clients are to be kept by evidence, and there is none.
	ErrNoEvidence = errors.New("no evidence of who connects")
	// ErrNobodyKnown: clients depend on a door, and nothing was given by which one
	// could be known as yours.
	ErrNobodyKnown = errors.New("nothing tells which clients are yours")
)
