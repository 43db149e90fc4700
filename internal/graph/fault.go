package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
	"github.com/syncpayloads/syncpayloads/internal/plaintext"
)

// The codes of error bodies (Microsoft Graph error responses and resource types).
const (
	codeBadRequest       = "BadRequest"
	codeUnauthenticated  = "InvalidAuthenticationToken"
	codeNotFound         = "ResourceNotFound"
	codeMethodNotAllowed = "MethodNotAllowed"
	codeTooLarge         = "RequestEntityTooLarge"
	codeMediaType        = "UnsupportedMediaType"
	codeInternal         = "InternalServerError"
	codeUnavailable      = "ServiceUnavailable"
)

// busyRetryAfter is after how long a caller may try again when the database is busy.
const busyRetryAfter = 5 * time.Second

// fault is an error that is told to the caller. Its message holds nothing that an outsider may not read.
type fault struct {
	status  int
	code    string
	message string
	target  string // the property, option or header at fault; empty: none
	header  map[string]string
}

func (f *fault) Error() string { return f.message }

// badRequest refuses a request because of the property, option or header target, which the message names.
func badRequest(target, format string, args ...any) *fault {
	return &fault{status: http.StatusBadRequest, code: codeBadRequest, message: fmt.Sprintf(format, args...), target: target}
}

func notFound(format string, args ...any) *fault {
	return &fault{status: http.StatusNotFound, code: codeNotFound, message: fmt.Sprintf(format, args...)}
}

// unavailable tells to come again after a time, of which whole seconds can be told.
func unavailable(after time.Duration) *fault {
	return &fault{status: http.StatusServiceUnavailable, code: codeUnavailable, message: "The server is busy. Try again later.",
		header: map[string]string{"Retry-After": wholeSeconds(after)}}
}

// wholeSeconds is a wait as Retry-After has it, 1 at least.
func wholeSeconds(wait time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(wait.Seconds()))))
}

// The most characters of what an error says: it may quote what the caller sent.
const (
	longestMessage = 32 << 10 // has room for the names of all settings of a policy that are not known
	longestReason  = 1000     // of it in the audit record
	longestTarget  = 300
)

// faultOf turns any error into what the caller is told.
func (s *server) faultOf(err error) *fault {
	f := *s.anyFault(err)
	f.message, f.target = plaintext.Cut(f.message, longestMessage), plaintext.Cut(f.target, longestTarget)
	return &f
}

func (s *server) anyFault(err error) *fault {
	var f *fault
	var wrong *invalid.Input
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &wrong):
		return badRequest(wrong.Property, "Property '%s': %s.", wrong.Property, wrong.Reason)
	case errors.As(err, &tooLarge):
		return bodyTooLarge(tooLarge.Limit)
	case errors.Is(err, fleet.ErrNotFound):
		return notFound("There is no device with this id.")
	case errors.Is(err, catalog.ErrNotFound):
		return notFound("There is no object with this id.")
	case errors.Is(err, context.DeadlineExceeded), s.Busy(err):
		return unavailable(busyRetryAfter)
	default:
		return &fault{status: http.StatusInternalServerError, code: codeInternal,
			message: "The server failed to handle the request. Its log has the cause under the request-id."}
	}
}

// refused tells why a set was refused, naming the element of the request's collection.
func refused(r *action.Refusal, w *wording) *fault {
	element := fmt.Sprintf("%s[%d].%s", w.collection, r.Index, w.id)
	switch r.Reason {
	case action.Duplicate:
		return badRequest(element, "Property '%s' is not valid: '%s' is named more than once.", element, r.Payload)
	case action.NotAssigned:
		return badRequest(element, "Property '%s' is not valid: '%s' is neither assigned to this device nor removed from it.",
			element, r.Payload)
	case action.WrongType:
		element = fmt.Sprintf("%s[%d].%s", w.collection, r.Index, w.kind)
		return badRequest(element, "Property '%s' is not valid: '%s' is of type '%s'.", element, r.Payload, w.typeName(r.Type))
	default:
		return badRequest(w.collection,
			"Property '%s' is not valid: with what it restores the action has %d elements; at most %d are possible.",
			w.collection, r.Index, action.MaxPayloads)
	}
}

type errorBody struct {
	Error struct {
		Code       string     `json:"code"`
		Message    string     `json:"message"`
		Target     string     `json:"target,omitempty"`
		InnerError innerError `json:"innerError"`
	} `json:"error"`
}

type innerError struct {
	Date            string `json:"date"`
	RequestID       string `json:"request-id"`
	ClientRequestID string `json:"client-request-id"`
}

// fail answers a call with an error, and logs it if the caller is not told the cause.
func (c *call) fail(err error) {
	if errors.Is(err, context.Canceled) && c.r.Context().Err() != nil {
		// The caller has gone, or seems to have: to answer nothing would be 200.
		unavailable(busyRetryAfter).tell(c.w, c.requestID, c.clientRequestID, c.Now())
		return
	}
	f := c.faultOf(err)
	c.recordRefusal(f, err)
	if f.status >= http.StatusInternalServerError {
		c.Log.Error("request failed", "request-id", c.requestID, "method", c.r.Method, "path", c.r.URL.Path,
			"status", f.status, "error", err)
	}
	f.tell(c.w, c.requestID, c.clientRequestID, c.Now())
}

// tell answers a request that has these ids with the error.
func (f *fault) tell(w http.ResponseWriter, requestID, clientRequestID string, now time.Time) {
	var body errorBody
	body.Error.Code, body.Error.Message, body.Error.Target = f.code, f.message, f.target
	body.Error.InnerError = innerError{Date: now.UTC().Format("2006-01-02T15:04:05"), RequestID: requestID,
		ClientRequestID: clientRequestID}
	for name, value := range f.header {
		w.Header().Set(name, value)
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("graph: an error body of strings does not marshal: %v", err))
	}
	write(w, "application/json", f.status, text)
}

// Unavailable answers a request with the error of a busy server, without looking at what it asks or who asks; it is for who
// keeps requests from the surface when there are too many. Callers are told to come again after retryAfter, in whole seconds.
func Unavailable(w http.ResponseWriter, r *http.Request, now time.Time, retryAfter time.Duration) {
	requestID, clientRequestID := identify(w, r)
	unavailable(retryAfter).tell(w, requestID, clientRequestID, now)
}

// timestamp is a DateTimeOffset as served; the zero time is null.
func timestamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	// .NET, and so PowerShell, reads no more than seven decimals.
	return t.UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano)
}
