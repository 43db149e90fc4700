package graph

import (
	"errors"
	"net/http"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// How a device leaves. Its entity tag is that of its set, which says nothing of this.
var (
	toRetire       = &verb{name: "retire", method: "POST", suffix: "/{id}/retire"}
	toDeleteDevice = &verb{name: "delete", method: "DELETE", suffix: "/{id}"}
)

func retireRoutes(r *resource) []route {
	return []route{
		r.route(toRetire, may(access.RetireDevices), nil, (*call).retireDevice),
		r.route(toRetire.qualified(), may(access.RetireDevices), nil, (*call).retireDevice),
		r.route(toDeleteDevice, []access.Right{access.DeleteDevices, access.RetireDevices}, nil,
			(*call).deleteDevice),
	}
}

// retireDevice is POST …/retire: the device is asked to leave management, and what was managed goes
// with it. Other actions end.
func (c *call) retireDevice() error {
	if err := c.req.ReadNoBody(); err != nil {
		return err
	}
	if err := c.mayChange(access.Change{Device: c.deviceID()}); err != nil {
		return err
	}
	if err := c.config.Engine.Retire(c.req.Context(), c.deviceID(), false); err != nil {
		return retireFault(err)
	}
	return c.req.ReplyNoContent()
}

// deleteDevice is DELETE of a device: the record of one that left goes at once, that of one that is
// managed when it has left, which it is asked to.
func (c *call) deleteDevice() error {
	if err := c.mayChange(access.Change{Device: c.deviceID()}); err != nil {
		return err
	}
	err := c.config.Catalog.DeleteDevice(c.req.Context(), c.deviceID())
	if errors.Is(err, catalog.ErrManaged) {
		err = c.config.Engine.Retire(c.req.Context(), c.deviceID(), true)
	}
	if err != nil {
		return retireFault(err)
	}
	return c.req.ReplyNoContent()
}

// retireFault turns the errors of Engine.Retire into what the caller is told.
func retireFault(err error) error {
	conflict := func(message string) error {
		return &odata.Fault{Status: http.StatusConflict, Code: odata.CodeConflict, Message: message}
	}
	var cannot *engine.CannotRetireError
	switch {
	case errors.As(err, &cannot):
		return conflict(cannot.Reason)
	case errors.Is(err, engine.ErrNotManaged):
		return conflict("The device is not managed: there is nothing to retire. Its record can be deleted.")
	case errors.Is(err, engine.ErrNotManagedHere):
		return conflict("Another system manages the device. Retire it there.")
	default:
		return err
	}
}
