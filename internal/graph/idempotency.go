package graph

import (
	"errors"
	"net/http"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// idempotencyKeyHeader names a call, so that it is carried out once however often it is sent (IETF
// draft "The Idempotency-Key HTTP Header Field").
const idempotencyKeyHeader = "Idempotency-Key"

const (
	longestIdempotencyKey = 255
	codeKeyReused         = "IdempotencyKeyReused"
)

// takesKey reports whether a route carries out a call with a key once.
func (rt *route) takesKey() bool {
	return rt.verb != nil && rt.verb.keyed
}

// readKey reads the header, and refuses it where it would not be obeyed.
func (c *call) readKey() error {
	values := c.req.HTTP.Header.Values(idempotencyKeyHeader)
	if len(values) == 0 || c.route.reads(c.req.HTTP.Method) {
		return nil
	}
	if !c.route.takesKey() {
		return odata.BadRequest(idempotencyKeyHeader,
			"Header '%s' is not supported here. Leave it out.", idempotencyKeyHeader)
	}
	name := values[0]
	printable := !strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' })
	if len(values) > 1 || name == "" || len(name) > longestIdempotencyKey || !printable {
		return odata.BadRequest(idempotencyKeyHeader,
			"Header '%s' is not valid: give it once, with 1 to %d printable ASCII characters.",
			idempotencyKeyHeader, longestIdempotencyKey)
	}
	c.key = &engine.Key{Caller: c.caller.ID, Name: name}
	return nil
}

// startFault turns what stops a call of the action, beside a refused set, into what the caller is
// told.
func startFault(err error) error {
	switch {
	case errors.Is(err, engine.ErrChanged):
		return odata.PreconditionFailed()
	case errors.Is(err, engine.ErrKeyReused):
		return &odata.Fault{Status: http.StatusUnprocessableEntity, Code: codeKeyReused,
			Target:  idempotencyKeyHeader,
			Message: "This Idempotency-Key was given to another call on this device less than 24 hours ago. Give each call a key of its own."}
	default:
		return err
	}
}
