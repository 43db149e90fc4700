package graph

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/origin"
	"github.com/syncpayloads/syncpayloads/internal/plaintext"
)

// recorded runs an operation that changes something. What it changes and that it did are committed
// together.
func (c *call) recorded(handle func(*call) error) error {
	entry := c.entry()
	entry.Result = audit.Success
	ctx := catalog.WithSight(access.WithPermit(c.req.Context(), c.stillAllowed), c.seesTags)
	c.req.SetContext(audit.With(ctx, &audit.Draft{Entry: entry}))
	if err := handle(c); err != nil {
		return err
	}
	// What was asked for was so already, and nothing was written.
	if d := audit.Of(c.req.Context()); d != nil {
		if err := c.config.Audit.Record(c.req.Context(), d.Complete()); err != nil {
			c.config.Log.Error("an operation could not be recorded", "request-id", c.req.ID, "err",
				err)
		}
	}
	return nil
}

// entry is what the record says of this call before it is known how it ends.
func (c *call) entry() audit.Entry {
	e := audit.Entry{ID: uuid.NewString(), At: c.config.Now().UTC(), Activity: c.route.name,
		Kind: c.route.kind(c.req.HTTP.Method), Request: c.req.ID,
		Actor: audit.Actor{Address: origin.Address(c.req.HTTP, c.config.TrustForwarded)}}
	if e.Activity == "" {
		e.Activity = c.req.HTTP.Method + " " + odata.Clip(c.req.HTTP.URL.Path)
	}
	if c.caller != nil {
		e.Actor.ID, e.Actor.Name, e.Actor.Roles = c.caller.ID, c.caller.Name, c.caller.RoleNames()
	}
	return e
}

func (rt *route) reads(method string) bool {
	return rt.unchanging || odata.IsSafe(method)
}

// object is the type of what a route is about: managedDevice of managedDevices.get.
func (rt *route) object() string {
	if rt.resource == nil {
		return ""
	}
	return rt.resource.object
}

// kind is what sort of operation a route is, to the record.
func (rt *route) kind(method string) audit.Kind {
	switch {
	case rt.reads(method):
		return audit.Read
	case rt.verb != nil && rt.verb.kind != "":
		return rt.verb.kind
	case method == http.MethodPatch, method == http.MethodPut:
		return audit.Update
	case method == http.MethodDelete:
		return audit.Delete
	default:
		return audit.Act
	}
}

// longestReason is the most characters that the record has of an error.
const longestReason = 1000

// recordRefusal records an attempt that ended in a fault: every one to change something, and every
// one to read what the caller may not.
func (c *call) recordRefusal(f *odata.Fault, cause error) {
	var hidden errHidden
	unauthorized := f.Status == http.StatusUnauthorized || f.Status == http.StatusForbidden ||
		errors.As(cause, &hidden)
	// A flood of what is too much must not fill the record.
	if c.route.reads(c.req.HTTP.Method) && !unauthorized || f.Status == http.StatusTooManyRequests {
		return
	}
	e := c.entry()
	e.Result, e.Status, e.Reason = audit.Refused, f.Status, plaintext.Cut(f.Message, longestReason)
	switch {
	case f.Status >= http.StatusInternalServerError:
		e.Result = audit.Failure
	case errors.As(cause, &hidden):
		e.Reason = audit.Beyond + f.Message
	}
	if id := c.req.PathValue("id"); id != "" {
		e.Objects = []audit.Object{{Type: c.route.object(), ID: odata.Clip(id)}}
	}
	if err := c.config.Audit.Record(c.req.Context(), e); err != nil {
		c.config.Log.Error("a refused attempt could not be recorded", "request-id", c.req.ID, "err",
			err)
	}
}
