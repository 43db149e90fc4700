package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// fail answers a call with an error, and logs it if the caller is not told the cause.
func (c *call) fail(err error) {
	if errors.Is(err, context.Canceled) && c.req.Context().Err() != nil {
		// The caller has gone, or seems to have: to answer nothing would be 200.
		c.req.ReplyFault(odata.Busy(busyRetryAfter), c.config.Now())
		return
	}
	f := c.server.anyFault(err).Bounded()
	c.recordRefusal(f, err)
	if f.Status >= http.StatusInternalServerError {
		c.config.Log.Error("request failed", "request-id", c.req.ID, "method", c.req.HTTP.Method,
			"path", c.req.HTTP.URL.Path,
			"status", f.Status, "error", err)
	}
	c.req.ReplyFault(f, c.config.Now())
}

// busyRetryAfter is after how long a caller may try again when the database is busy.
const busyRetryAfter = 5 * time.Second

// anyFault turns any error into what the caller is told.
func (s *server) anyFault(err error) *odata.Fault {
	var f *odata.Fault
	var wrong *invalid.Input
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &wrong):
		return odata.BadRequest(wrong.Property, "Property '%s': %s.", wrong.Property, wrong.Reason)
	case errors.Is(err, fleet.ErrNotFound):
		return odata.NotFound("There is no device with this id.")
	case errors.Is(err, catalog.ErrNotFound):
		return odata.NotFound("There is no object with this id.")
	case errors.Is(err, context.DeadlineExceeded), s.config.Busy(err):
		return odata.Busy(busyRetryAfter)
	default:
		return &odata.Fault{Status: http.StatusInternalServerError, Code: odata.CodeInternal,
			Message: "The server failed to handle the request. Its log has the cause under the request-id."}
	}
}

// refused tells why a set was refused, naming the element of the request's collection.
func refused(r *action.Refusal, w *wording) *odata.Fault {
	element := fmt.Sprintf("%s[%d].%s", w.collection, r.Index, w.id)
	switch r.Reason {
	case action.Duplicate:
		return odata.BadRequest(element,
			"Property '%s' is not valid: '%s' is named more than once.", element, r.Payload)
	case action.NotAssigned:
		return odata.BadRequest(element,
			"Property '%s' is not valid: '%s' is neither assigned to this device nor removed from it.",
			element, r.Payload)
	case action.WrongType:
		element = fmt.Sprintf("%s[%d].%s", w.collection, r.Index, w.kind)
		return odata.BadRequest(element, "Property '%s' is not valid: '%s' is of type '%s'.",
			element, r.Payload, w.typeName(r.Type))
	default:
		return odata.BadRequest(w.collection,
			"Property '%s' is not valid: with what it restores the action has %d elements; at most %d are possible.",
			w.collection, r.Index, action.MaxPayloads)
	}
}
