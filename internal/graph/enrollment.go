package graph

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// Enroller makes links by which devices enroll.
type Enroller interface {
	// EnrollmentLinkOn makes a link that enrolls one device, until it expires, as far as the terms
	// go.
	EnrollmentLinkOn(ctx context.Context, ttl time.Duration,
		terms access.EnrollmentTerms) (url string, expires time.Time, err error)
}

const (
	defaultEnrollmentTTL = day
	longestEnrollmentTTL = 30 * day
	longestDeviceName    = 128 // characters of a serial number or UDID
)

// createEnrollment is POST /api/enrollments, which is not Graph's.
func (c *call) createEnrollment() error {
	body, err := c.req.ReadBody()
	if err != nil {
		return err
	}
	if err := body.Only("expiresIn", "for", "replace", "groupId"); err != nil {
		return err
	}
	ttl, err := readValidity(body, defaultEnrollmentTTL, longestEnrollmentTTL)
	if err != nil {
		return err
	}
	terms, err := c.enrollmentTerms(body)
	if err != nil {
		return err
	}
	url, expires, err := c.config.Enroller.EnrollmentLinkOn(c.req.Context(), ttl, terms)
	if err != nil {
		return err
	}
	return c.req.Reply(http.StatusCreated, odata.Fields{{"url", url},
		{"expiresDateTime", odata.Timestamp(expires)}, {"for", odata.TextOrNull(terms.For)},
		{"replace", terms.Replace}, {"groupId", odata.TextOrNull(terms.Group)},
		{tagProperty, terms.NewDevice().Tags}})
}

// readValidity is how long something shall be valid, as `expiresIn` says; usual, if it does not.
func readValidity(body *odata.Object, usual, longest time.Duration) (time.Duration, error) {
	text, given, err := body.Text("expiresIn")
	if err != nil || !given {
		return usual, err
	}
	d, ok := odata.ParseDuration(text)
	if !ok || d <= 0 || d > longest {
		return 0, odata.BadRequest("expiresIn",
			"Property 'expiresIn' is not valid: give a duration such as 24h or PT24H, at most %d days.", longest/day)
	}
	return d, nil
}

// makerTerms are those of something by which devices enroll on behalf of the caller.
func (c *call) makerTerms() access.EnrollmentTerms {
	return access.EnrollmentTerms{Maker: c.caller.ID, MakerName: c.caller.Name,
		Members: c.caller.Members, Application: c.caller.Application}
}

// enrollmentTerms reads what a link shall allow. It belongs to the caller, and to one of their
// areas.
func (c *call) enrollmentTerms(body *odata.Object) (t access.EnrollmentTerms, err error) {
	t = c.makerTerms()
	given := false
	if t.For, given, err = body.Text("for"); err != nil {
		return t, err
	}
	unfit := func(r rune) bool { return r <= ' ' || r > '~' }
	if given && (t.For == "" || len(t.For) > longestDeviceName ||
		strings.ContainsFunc(t.For, unfit)) {
		return t, odata.BadRequest("for",
			"Property 'for' is not valid: give a serial number or UDID, or leave it out.")
	}
	switch v := body.Values["replace"].(type) {
	case nil:
	case bool:
		t.Replace = v
	default:
		return t, odata.BadRequest("replace", "Property 'replace' must be true or false.")
	}
	err = c.placeNewDevices(body, &t)
	return t, err
}

// placeNewDevices reads which group new devices shall join, by id or by name, and puts that and the
// area into the terms.
func (c *call) placeNewDevices(body *odata.Object, t *access.EnrollmentTerms) error {
	text, _, err := body.Text("groupId")
	if err != nil {
		return err
	}
	name, named, err := body.Text("groupName")
	if err != nil {
		return err
	}
	if named && text != "" {
		return odata.BadRequest("groupName",
			"Properties 'groupId' and 'groupName' name the same thing: give one of them.")
	}
	wanted := lower(text)
	return c.decide(func(ctx context.Context, tx access.Tx) (err error) {
		if named {
			if wanted, err = c.groupNamed(ctx, tx, name); err != nil {
				return err
			}
		}
		t.Area, t.Group, err = c.enrollmentArea(ctx, tx, wanted)
		return err
	})
}

// groupNamed is the one group of a name in the caller's reach that new devices can join.
func (c *call) groupNamed(ctx context.Context, tx access.Tx, name string) (string, error) {
	ids, err := tx.GroupsNamed(ctx, name)
	if err != nil {
		return "", err
	}
	ids = slices.DeleteFunc(ids, func(id string) bool {
		return len(c.scope.Where(func(a fleet.Area) bool { return a.Group(id) })) == 0
	})
	switch len(ids) {
	case 0:
		return "", odata.BadRequest("groupName",
			"Property 'groupName' is not valid: there is no group of devices '%s'.",
			odata.Clip(name))
	case 1:
		return ids[0], nil
	default:
		return "", odata.BadRequest("groupName",
			"Property 'groupName' is not valid: %d groups are called '%s'. Give the id of one in 'groupId'.",
			len(ids), odata.Clip(name))
	}
}

// enrollmentArea is the area that a link belongs to, and the group of it that a new device joins,
// if there is one. Without a wish it is the caller's whole reach, or their first role assignment's
// area, and its first group.
func (c *call) enrollmentArea(ctx context.Context, tx access.Tx,
	group string) (fleet.Area, string, error) {
	scope := c.scope
	if group != "" {
		exists, err := tx.GroupExists(ctx, group)
		if err != nil {
			return fleet.Area{}, "", err
		}
		if scope = scope.Where(func(a fleet.Area) bool { return a.Group(group) }); !exists ||
			len(scope) == 0 {
			return fleet.Area{}, "", odata.BadRequest("groupId",
				"Property 'groupId' is not valid: there is no group of devices '%s'.",
				odata.Clip(group))
		}
	}
	if scope.Everything() {
		return fleet.Area{}, group, nil
	}
	for _, area := range scope {
		if group != "" || area.Groups == nil {
			return area, group, nil
		}
		for _, one := range area.Groups {
			if exists, err := tx.GroupExists(ctx, one); err != nil || exists {
				return area, one, err
			}
		}
	}
	return fleet.Area{}, "",
		forbidden("'%s' is limited to groups of devices that do not exist any more.", c.caller.Name)
}

const mostEnrollments = 100

// listEnrollments is GET /api/devices/{id}/enrollments: when a device enrolled, enrolled anew and
// left, the newest first, as far as events are kept.
func (c *call) listEnrollments() error {
	if _, err := c.areasOf(c.req.Context(), c.deviceID()); err != nil {
		return err
	}
	if _, err := c.config.Devices.Device(c.req.Context(), c.deviceID()); err != nil {
		return err
	}
	list, err := c.config.History.Memberships(c.req.Context(), c.deviceID(), mostEnrollments)
	if err != nil {
		return err
	}
	items := make([]odata.Fields, len(list))
	for i := range list {
		items[i] = eventFields(&list[i], nil)
	}
	return c.req.ReplyOwnPage(items, nil)
}
