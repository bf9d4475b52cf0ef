package arm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// The pauses between two looks at something that goes on in Azure. Recorded
// answers ask for up to 60 seconds in Retry-After.
const (
	defaultPoll = 5 * time.Second
	longestPoll = 2 * time.Minute
	// shortestPoll keeps an answer of "0 seconds" from being taken at its word.
	shortestPoll = 100 * time.Millisecond
)

// OperationError is a change that Azure accepted and then did not carry out. Its
// own status is HTTP 200.
type OperationError struct {
	// Status is the operation's: Failed, Canceled.
	Status  string
	Code    string
	Message string
}

// Error is what the operation says of itself.
func (e *OperationError) Error() string {
	said := strings.Trim(e.Code+": "+e.Message, ": ")
	if said == "" {
		said = "it does not say why"
	}
	return fmt.Sprintf("the operation ended as %s: %s", e.Status, said)
}

// Put creates or replaces a resource and follows the operation to its end. While
// the server is busy with another one it waits, until the context ends. An error
// does not prove that nothing was done.
func (c *Client) Put(ctx context.Context, address string, document []byte) error {
	return c.change(ctx, http.MethodPut, address, document)
}

// Delete deletes a resource in the same way. One that is not there is no error.
func (c *Client) Delete(ctx context.Context, address string) error {
	return c.change(ctx, http.MethodDelete, address, nil)
}

// change sends a change until the server takes it, and follows it.
func (c *Client) change(ctx context.Context, method, address string, document []byte) error {
	for {
		err := c.changeOnce(ctx, method, address, document)
		pause, busy := busyFor(err)
		if !busy {
			return err
		}
		if waitErr := sleep(ctx, pause); waitErr != nil {
			return fmt.Errorf("wait until the server is no longer busy: %w (it said: %w)", waitErr, err)
		}
	}
}

func (c *Client) changeOnce(ctx context.Context, method, address string, document []byte) error {
	a, err := c.do(ctx, method, address, document)
	if err != nil {
		return err
	}
	switch {
	case method == http.MethodDelete && a.StatusCode == http.StatusNoContent:
		return nil
	case method == http.MethodDelete && a.StatusCode == http.StatusNotFound:
		if f := newFailure(a.Response, a.body); !f.Has("ResourceNotFound") {
			return f
		}
		return nil
	}
	if err := a.want(http.StatusOK, http.StatusCreated, http.StatusAccepted); err != nil {
		return err
	}
	return c.follow(ctx, address, a)
}

// busyFor reports whether an error only says that the server is busy with another
// change, and how long to wait. Both codes are from public issues: ServerIsBusy
// comes as HTTP 409, ServerBusy at the end of an operation.
func busyFor(err error) (time.Duration, bool) {
	var failed *OperationError
	if errors.As(err, &failed) && (strings.EqualFold(failed.Code, "ServerBusy") || strings.EqualFold(failed.Code, "ServerIsBusy")) {
		return 2 * defaultPoll, true
	}
	f := AsFailure(err)
	if f == nil || f.Status != http.StatusConflict || !f.Has("ServerIsBusy", "ServerBusy") {
		return 0, false
	}
	return f.pause, true
}

// follow waits for the end of an operation by the protocol that was recorded: the
// address in Azure-AsyncOperation answers HTTP 200 with a status, failures
// included; Location answers 202 until it is over.
func (c *Client) follow(ctx context.Context, address string, a answer) error {
	link, asks := a.Header.Get("Azure-AsyncOperation"), c.operationStatus
	if link == "" {
		link, asks = a.Header.Get("Location"), c.operationResult
	}
	if link == "" {
		if a.StatusCode == http.StatusAccepted {
			return errors.New("the change was accepted and its answer does not say where to ask for the outcome")
		}
		return nil
	}
	next, err := c.linked(address, link, "the address of the operation")
	if err != nil {
		return err
	}
	header := a.Header
	for {
		if err := sleep(ctx, pollPause(header)); err != nil {
			return fmt.Errorf("follow the operation: %w", err)
		}
		over, seen, err := asks(ctx, next)
		if err != nil || over {
			return err
		}
		header = seen
	}
}

// operationStatus looks at an operation once.
func (c *Client) operationStatus(ctx context.Context, address string) (bool, http.Header, error) {
	a, err := c.do(ctx, http.MethodGet, address, nil)
	if err != nil {
		return false, nil, fmt.Errorf("ask how the operation went: %w", err)
	}
	if err := a.want(http.StatusOK, http.StatusAccepted); err != nil {
		return false, nil, fmt.Errorf("ask how the operation went: %w", err)
	}
	var doc struct {
		Status string
		Error  *struct{ Code, Message string }
	}
	if err := json.Unmarshal(a.body, &doc); err != nil {
		return false, nil, fmt.Errorf("ask how the operation went: the answer is no JSON (it begins %q): %w", beginning(a.body), err)
	}
	switch strings.ToLower(doc.Status) {
	case "succeeded":
		return true, nil, nil
	case "failed", "canceled", "cancelled":
		failed := &OperationError{Status: doc.Status}
		if doc.Error != nil {
			failed.Code, failed.Message = doc.Error.Code, doc.Error.Message
		}
		return true, nil, failed
	case "":
		return false, nil, fmt.Errorf("ask how the operation went: the answer has no status (it begins %q)", beginning(a.body))
	default:
		return false, a.Header, nil
	}
}

// operationResult asks for the result of an operation that has no status.
func (c *Client) operationResult(ctx context.Context, address string) (bool, http.Header, error) {
	a, err := c.do(ctx, http.MethodGet, address, nil)
	if err != nil {
		return false, nil, fmt.Errorf("ask how the operation went: %w", err)
	}
	if a.StatusCode == http.StatusAccepted {
		return false, a.Header, nil
	}
	return true, nil, a.want(http.StatusOK, http.StatusCreated, http.StatusNoContent)
}

// pollPause is how long an answer asks to wait before the next look.
func pollPause(h http.Header) time.Duration {
	if h.Get("Retry-After") == "" && h.Get("retry-after-ms") == "" && h.Get("x-ms-retry-after-ms") == "" {
		return defaultPoll
	}
	return min(max(retryAfter(h, time.Now()), shortestPoll), longestPoll)
}
