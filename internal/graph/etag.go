package graph

import (
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// tagDevice makes the tag of the set of the device that the path names known, to who reaches the
// device. It must be read before what the answer shows of the set: then a set that changes in
// between has another tag.
func (c *call) tagDevice() error {
	if _, err := c.areasOf(c.req.Context(), c.deviceID()); err != nil {
		return err
	}
	tag, err := c.config.Engine.SetTag(c.req.Context(), c.deviceID())
	if err == nil {
		c.req.SetTag(tag)
	}
	return err
}

// sameSet is the condition that the action is made for the set that the device has; nil: there is
// none.
func (c *call) sameSet() func(tag string) bool {
	if !c.req.HasCondition() {
		return nil
	}
	return func(tag string) bool { return c.req.CheckMatch(tag) == nil }
}

// payloadTag is the tag of a payload. Its content has a version.
func payloadTag(p *catalog.Payload) string {
	return odata.TagOf(p.ID, p.Version, p.LastModified.Truncate(time.Microsecond).UTC(),
		p.DisplayName, p.Description, p.FileName, p.Tags,
		p.ShownProperties())
}

// assignmentsTag is the tag of a payload's assignments.
func assignmentsTag(list []catalog.Assignment) string {
	return odata.TagOf(append([]catalog.Assignment{}, list...))
}

// Conditions for changes of the catalog and of roles, which hold in the transaction of the change.

func (c *call) samePayload(p *catalog.Payload) error { return c.req.CheckMatch(payloadTag(p)) }

func (c *call) sameAssignments(p *catalog.Payload, list []catalog.Assignment) error {
	return c.req.CheckMatch(payloadTag(p), assignmentsTag(list))
}

func groupTag(g *catalog.DeviceGroup) string { return odata.TagOf(groupFields(g)) }

func (c *call) sameGroup(g *catalog.DeviceGroup) error { return c.req.CheckMatch(groupTag(g)) }

func roleTag(r *access.Role) string { return odata.TagOf(definitionFields(r)) }

func (c *call) sameRole(r *access.Role) error { return c.req.CheckMatch(roleTag(r)) }

func assignmentTag(a *access.RoleAssignment) string {
	return odata.TagOf(a.RoleID, assignmentFields(a))
}

func (c *call) sameAssignment(a *access.RoleAssignment) error {
	return c.req.CheckMatch(assignmentTag(a))
}
