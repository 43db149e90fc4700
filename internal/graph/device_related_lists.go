package graph

import (
	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// The lists of what a device relates to, which scripts read one device after the other. There is
// nothing in them.
var (
	toListDetectedApps = &verb{name: "listDetectedApps", method: "GET",
		suffix: "/{id}/detectedApps", part: "detectedApps", many: true, betaOnly: true}
	toListUsers = &verb{name: "listUsers", method: "GET", suffix: "/{id}/users", part: "users",
		many: true}
)

func deviceRelatedRoutes(r *resource) (all []route) {
	for _, one := range []struct {
		verb *verb
		of   odata.TypeName
	}{{toListDetectedApps, "detectedApp"}, {toListUsers, "user"}} {
		s := newShape(string(one.of), odata.Properties{{"id", odata.String}})
		all = append(all, r.route(one.verb, may(access.ReadDevices), odata.ListOptions,
			func(c *call) error { return c.nothingOfDevice(r.name, one.verb.part, s) }).
			answering(one.of))
	}
	return all
}

// nothingOfDevice lists none of what the device that the path names could relate to.
func (c *call) nothingOfDevice(set, part string, s *shape) error {
	if _, err := c.selected(s); err != nil {
		return err
	}
	if _, _, err := c.req.PageByID(); err != nil {
		return err
	}
	if _, err := c.areasOf(c.req.Context(), c.deviceID()); err != nil {
		return err
	}
	if _, err := c.config.Devices.Device(c.req.Context(), c.deviceID()); err != nil {
		return err
	}
	return c.req.ReplyPage(odata.Page{Value: []odata.Fields{},
		Collection: "deviceManagement/" + set + "/" + string(c.deviceID()) + "/" + part})
}
