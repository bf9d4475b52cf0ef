package azuresim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// reply is an answer before it is written.
type reply struct {
	status int
	header http.Header
	// body is what to answer in JSON; nil is an answer without a body. A
	// []byte is sent as it is.
	body any
	cut  cut
}

// cut is where the connection breaks.
type cut int

const (
	cutNot    cut = iota
	cutBefore     // before the first byte of the answer
	cutInside     // in the middle of the body
)

func ok(body any) reply { return reply{status: http.StatusOK, header: http.Header{}, body: body} }

// send writes the reply with the headers that every answer of ARM carries.
func (rep reply) send(w http.ResponseWriter, r *http.Request) {
	raw, isRaw := rep.body.([]byte)
	if !isRaw && rep.body != nil {
		raw = marshal(rep.body)
	}
	h := w.Header()
	for k, v := range rep.header {
		h[k] = v
	}
	request := newGUID()
	correlation := withDefault(r.Header.Get("X-Ms-Correlation-Request-Id"), request)
	h.Set("X-Ms-Request-Id", request)
	h.Set("X-Ms-Correlation-Request-Id", correlation)
	h.Set("X-Ms-Routing-Request-Id", fmt.Sprintf("LOCAL:%s:%s", time.Now().UTC().Format("20060102T150405Z"), correlation))
	h.Set("Cache-Control", "no-cache")
	if rep.body != nil && h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json; charset=utf-8")
	}
	if rep.cut == cutInside {
		h.Set("Content-Length", strconv.Itoa(len(raw)))
		w.WriteHeader(rep.status)
		_, _ = w.Write(raw[:len(raw)/2])
		_ = http.NewResponseController(w).Flush() // or the half would stay in a buffer
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(rep.status)
	_, _ = w.Write(raw) // a client that went away is its own affair
}

// sleep waits for d or until the request is over.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// marshal writes JSON as Azure does, with & and < as they are.
func marshal(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // of maps that New has seen marshal
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
