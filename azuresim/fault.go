package azuresim

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Fault is one way in which the simulated service misbehaves, and for whom.
type Fault struct {
	// Action is what happens: an HTTP status, or one of the names that
	// [ParseFault] lists.
	Action string
	// Path is a part of the request path, in any case; empty is every path
	// that needs a token. With a path a fault reaches the login and metadata
	// endpoints too.
	Path string
	// Method is an HTTP method in capitals; empty is every method.
	Method string
	// Times is how many requests the fault changes before it is over; 0 is all.
	Times int
	// RetryAfter is for 429 and 503, whole seconds. Zero means a second for
	// 429 and no header for 503.
	RetryAfter time.Duration
	// Delay is for slow, where real time passes, and for late-effect and
	// forget-operation, where the simulation's does.
	Delay time.Duration
	// To is where redirect and foreign-next point: scheme and host. Empty means
	// https://elsewhere.invalid.
	To string
	// Code is the error code of fail-operation. Empty means
	// InternalServerError.
	Code string
}

// ErrFault is wrapped by every error that says a fault makes no sense.
var ErrFault = errors.New("fault is not usable")

// The faults that are no HTTP status.
const (
	faultCut      = "cut"
	faultCutBody  = "cut-body"
	faultSlow     = "slow"
	faultNotJSON  = "not-json"
	faultEmpty    = "empty-last-page"
	faultVanish   = "vanish"
	faultForeign  = "foreign-next"
	faultSelf     = "self-next"
	faultRedirect = "redirect"
	faultFailOp   = "fail-operation"
	faultCutAfter = "cut-after"
	faultEndless  = "endless-operation"
	faultNoEffect = "no-effect"
	faultLate     = "late-effect"
	faultForget   = "forget-operation"
	faultPartial  = "partial-result"
)

var faultNames = []string{
	faultCut, faultCutBody, faultSlow, faultNotJSON, faultEmpty, faultVanish, faultForeign, faultSelf, faultRedirect, faultFailOp,
	faultCutAfter, faultEndless, faultNoEffect, faultLate, faultForget, faultPartial,
}

var faultStatuses = []int{400, 401, 403, 404, 408, 409, 429, 500, 502, 503, 504}

// ParseFault reads a fault from text:
//
//	ACTION[,KEY=VALUE]...
//
// ACTION is an HTTP status (400, 401, 403, 404, 408, 409, 429, 500, 502, 503,
// 504), answered with a body as Azure would write it, or one of
//
//	cut              break the connection before the first byte of the answer
//	cut-body         break it in the middle of the body: half a page
//	slow             wait before answering, and then answer; needs delay
//	not-json         answer 200 with a page of HTML
//	empty-last-page  let the last page of a list link to one more, empty
//	vanish           the server is listed, and is gone when asked for
//	foreign-next     let every page link to another host
//	self-next        let every page link to itself
//	redirect         answer 307 to the same path on another host
//	fail-operation   accept a change, and let its operation fail
//	cut-after        serve the request, and break the connection instead of answering
//	endless-operation  accept a change, and let its operation never end
//	no-effect        accept a change, say that it succeeded, and change nothing
//	late-effect      let a change take effect only some time after it is said to
//	                 have succeeded; needs delay
//	forget-operation  answer 404 about a change some time after it was accepted;
//	                 needs delay
//	partial-result   answer a query of logs with half of its rows and an error
//
// KEY is one of
//
//	path=TEXT            only paths with TEXT in them, in any case
//	method=NAME          only this HTTP method
//	times=N              only the first N matching requests
//	retry-after=SECONDS  for 429 and 503, whole seconds
//	delay=DURATION       for slow, late-effect and forget-operation, such as 200ms or 5s
//	to=URL               for foreign-next and redirect, scheme and host
//	code=NAME            for fail-operation, the error's code
//
// A value ends at the next comma and cannot contain one. Examples:
//
//	429,path=/firewallRules,times=3,retry-after=2
//	403,path=/billing-db/firewallRules,method=GET
//	fail-operation,method=DELETE,code=ServerBusy
//
// Faults that answer in the place of the service come before those that bend
// what it answers; of two alike that match a request the first decides. slow
// waits beside any other. The error wraps [ErrFault].
func ParseFault(text string) (Fault, error) {
	parts := strings.Split(text, ",")
	f := Fault{Action: parts[0]}
	seen := map[string]bool{}
	for _, part := range parts[1:] {
		key, value, found := strings.Cut(part, "=")
		if !found || value == "" {
			return Fault{}, fmt.Errorf("%w: parse %q: %q is no KEY=VALUE", ErrFault, text, part)
		}
		if seen[key] {
			return Fault{}, fmt.Errorf("%w: parse %q: %s is given twice", ErrFault, text, key)
		}
		seen[key] = true
		if err := f.set(key, value); err != nil {
			return Fault{}, fmt.Errorf("%w: parse %q: %w", ErrFault, text, err)
		}
	}
	if err := f.check(); err != nil {
		return Fault{}, err
	}
	return f, nil
}

func (f *Fault) set(key, value string) error {
	var err error
	switch key {
	case "path":
		f.Path = value
	case "method":
		f.Method = strings.ToUpper(value)
	case "times":
		f.Times, err = strconv.Atoi(value)
		if err != nil || f.Times < 1 {
			return fmt.Errorf("times %q is no whole number from 1", value)
		}
	case "retry-after":
		seconds, err := strconv.Atoi(value)
		if err != nil || seconds < 1 || seconds > 86400 {
			return fmt.Errorf("retry-after %q is no number of seconds from 1 to 86400", value)
		}
		f.RetryAfter = time.Duration(seconds) * time.Second
	case "delay":
		f.Delay, err = time.ParseDuration(value)
		if err != nil || f.Delay <= 0 {
			return fmt.Errorf("delay %q is no duration such as 200ms", value)
		}
	case "to":
		f.To = value
	case "code":
		f.Code = value
	default:
		return fmt.Errorf("unknown key %q (want path, method, times, retry-after, delay, to or code)", key)
	}
	return nil
}

// check says what in a fault makes no sense, alone or together.
func (f Fault) check() error {
	status, isStatus := f.status()
	switch {
	case !isStatus && !slices.Contains(faultNames, f.Action):
		return fmt.Errorf("%w: unknown action %q (want an HTTP status such as 429, or one of %s)",
			ErrFault, f.Action, strings.Join(faultNames, ", "))
	case isStatus && !slices.Contains(faultStatuses, status):
		return fmt.Errorf("%w: status %d is not one that can be ordered (want one of %v)", ErrFault, status, faultStatuses)
	case f.RetryAfter != 0 && status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable:
		return fmt.Errorf("%w: retry-after is for 429 and 503, not for %s", ErrFault, f.Action)
	case f.Delay == 0 && known(f.Action, faultSlow, faultLate, faultForget):
		return fmt.Errorf("%w: %s needs a delay", ErrFault, f.Action)
	case f.Delay != 0 && !known(f.Action, faultSlow, faultLate, faultForget):
		return fmt.Errorf("%w: delay is for slow, late-effect and forget-operation, not for %s", ErrFault, f.Action)
	case f.Code != "" && f.Action != faultFailOp:
		return fmt.Errorf("%w: code is for fail-operation, not for %s", ErrFault, f.Action)
	case f.To != "" && f.Action != faultForeign && f.Action != faultRedirect:
		return fmt.Errorf("%w: to is for foreign-next and redirect, not for %s", ErrFault, f.Action)
	case f.Times < 0 || f.RetryAfter < 0 || f.Delay < 0:
		return fmt.Errorf("%w: a number is below zero", ErrFault)
	}
	if f.To != "" {
		u, err := url.Parse(f.To)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || strings.TrimSuffix(u.Path, "/") != "" {
			return fmt.Errorf("%w: to %q is no scheme and host, such as https://elsewhere.invalid", ErrFault, f.To)
		}
	}
	return nil
}

func (f Fault) status() (int, bool) {
	n, err := strconv.Atoi(f.Action)
	return n, err == nil && f.Action == strconv.Itoa(n)
}

// String is the fault as [ParseFault] reads it.
func (f Fault) String() string {
	var b strings.Builder
	b.WriteString(f.Action)
	add := func(key, value string, set bool) {
		if set {
			b.WriteString("," + key + "=" + value)
		}
	}
	add("path", f.Path, f.Path != "")
	add("method", f.Method, f.Method != "")
	add("times", strconv.Itoa(f.Times), f.Times > 0)
	add("retry-after", wholeSeconds(f.RetryAfter), f.RetryAfter > 0)
	add("delay", f.Delay.String(), f.Delay > 0)
	add("to", f.To, f.To != "")
	add("code", f.Code, f.Code != "")
	return b.String()
}
