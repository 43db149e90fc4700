package odata

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/plaintext"
)

// The codes of error bodies (Microsoft Graph error responses and resource types).
const (
	CodeBadRequest         = "BadRequest"
	CodeUnauthenticated    = "InvalidAuthenticationToken"
	CodeNotFound           = "ResourceNotFound"
	CodeConflict           = "Conflict"
	CodeMethodNotAllowed   = "MethodNotAllowed"
	CodeTimeout            = "RequestTimeout"
	CodePreconditionFailed = "PreconditionFailed"
	CodeFailedDependency   = "FailedDependency"
	CodeTooLarge           = "RequestEntityTooLarge"
	CodeMediaType          = "UnsupportedMediaType"
	CodeInternal           = "InternalServerError"
	CodeUnavailable        = "ServiceUnavailable"
)

// Fault is an error that is told to the caller. Its message holds nothing that an outsider may not
// read.
type Fault struct {
	Status  int // of HTTP
	Code    string
	Message string
	Target  string            // the property, option or header at fault; empty: none
	Header  map[string]string // what the answer has in its header
}

func (f *Fault) Error() string { return f.Message }

// BadRequest refuses a request because of the property, option or header target, which the message
// names.
func BadRequest(target, format string, args ...any) *Fault {
	return &Fault{
		Status:  http.StatusBadRequest,
		Code:    CodeBadRequest,
		Message: fmt.Sprintf(format, args...),
		Target:  target,
	}
}

// NotFound says that there is no such thing.
func NotFound(format string, args ...any) *Fault {
	return &Fault{
		Status:  http.StatusNotFound,
		Code:    CodeNotFound,
		Message: fmt.Sprintf(format, args...),
	}
}

// Busy says to come again after a time, of which whole seconds can be told.
func Busy(after time.Duration) *Fault {
	return &Fault{
		Status:  http.StatusServiceUnavailable,
		Code:    CodeUnavailable,
		Message: "The server is busy. Try again later.",
		Header:  map[string]string{"Retry-After": WholeSeconds(after)},
	}
}

// PreconditionFailed says that a thing is not what If-Match says that it is.
func PreconditionFailed() *Fault {
	return &Fault{
		Status: http.StatusPreconditionFailed,
		Code:   CodePreconditionFailed,
		Target: "If-Match",
		Message: "It has changed since the entity tag in If-Match was read. " +
			"Read it again, and decide anew.",
	}
}

// WholeSeconds is a wait as Retry-After has it, 1 at least.
func WholeSeconds(wait time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(wait.Seconds()))))
}

// The most characters of what an error says: it may quote what the caller sent.
const (
	// has room for the names of all settings of a policy that are not known
	longestMessage = 32 << 10
	longestTarget  = 300
)

// Bounded is the fault with a message and a target of which neither is too long to be told.
func (f *Fault) Bounded() *Fault {
	bounded := *f
	bounded.Message = plaintext.Cut(f.Message, longestMessage)
	bounded.Target = plaintext.Cut(f.Target, longestTarget)
	return &bounded
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

// ReplyFault answers with an error.
func (r *Request) ReplyFault(f *Fault, now time.Time) { f.write(r.Writer, r.ID, r.ClientID, now) }

// write answers a request that has these ids with the error.
func (f *Fault) write(w http.ResponseWriter, id, clientID string, now time.Time) {
	var body errorBody
	body.Error.Code = f.Code
	body.Error.Message = f.Message
	body.Error.Target = f.Target
	body.Error.InnerError = innerError{
		Date:            now.UTC().Format("2006-01-02T15:04:05"),
		RequestID:       id,
		ClientRequestID: clientID,
	}
	for name, value := range f.Header {
		w.Header().Set(name, value)
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("odata: an error body of strings does not marshal: %v", err))
	}
	write(w, "application/json", f.Status, text)
}
