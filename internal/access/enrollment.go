package access

import (
	"context"
	"errors"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// EnrollmentTerms says what an enrollment link or token allows, and for whom. It belongs to an area
// of whoever made it (the maker). What the maker may do is checked when the link is made, and again
// when a device uses it.
type EnrollmentTerms struct {
	// Maker is the Identity.ID of whoever made the link; empty: the server itself, without limits.
	Maker string `json:"maker,omitempty"`
	// the name under which the maker's actions are recorded
	MakerName string `json:"makerName,omitempty"`
	// the maker's Identity.Members when the link was made
	Members     []string   `json:"members,omitempty"`
	Application bool       `json:"application,omitempty"` // Identity.Application
	Area        fleet.Area `json:"area"`
	Group       string     `json:"group,omitempty"` // group that a new device joins; empty: none
	// For is the serial number or UDID of the only device that may use the link; empty: any device
	// may.
	For     string `json:"for,omitempty"`
	Replace bool   `json:"replace,omitempty"` // a device that is already enrolled may enroll again
}

// NewDevice returns the groups and scope tags of a device that enrolls for the first time.
func (t *EnrollmentTerms) NewDevice() (p fleet.Place) {
	if t.Group != "" {
		p.Groups = []string{t.Group}
	}
	if p.Tags = t.Area.Tags; p.Tags == nil {
		p.Tags = []string{fleet.DefaultTag}
	}
	return p
}

// AllowsDevice reports whether the link is for a device of this serial number and UDID, which are
// as the device claims. If the link is for one device, a device that does not tell its own is not
// that one.
func (t *EnrollmentTerms) AllowsDevice(serial, udid string) bool {
	return t.For == "" || strings.EqualFold(t.For, serial) || strings.EqualFold(t.For, udid)
}

// Reasons why a link does not enroll a device.
var (
	ErrMakerMayNot = errors.New("who made the enrollment link may not enroll devices there, " +
		"or not any more")
	ErrOtherDevice    = errors.New("the enrollment link is for another device")
	ErrBeyondLink     = errors.New("the device is beyond the area to which the enrollment link belongs")
	ErrEnrolledBefore = errors.New("the device is enrolled, and the enrollment link does not say " +
		"that it may be replaced")
)

// scope returns where the maker may enroll devices, with the grants that roles returns.
func (t *EnrollmentTerms) scope(ctx context.Context,
	roles func(context.Context, []string) ([]Grant, error)) (fleet.Scope, error) {
	if t.Maker == "" || t.Application {
		return fleet.Everywhere, nil
	}
	held, err := roles(ctx, t.Members)
	p := Principal{Grants: held}
	return p.Scope(EnrollDevices), err
}

// CheckMaker returns ErrMakerMayNot if the maker may no longer enroll devices anywhere.
func (t *EnrollmentTerms) CheckMaker(ctx context.Context, roles Granter) error {
	scope, err := t.scope(ctx, roles.Grants)
	if err == nil && len(scope) == 0 {
		err = ErrMakerMayNot
	}
	return err
}

// Admit decides, in the transaction that begins an enrollment, whether the link may enroll a device
// of this serial number and UDID. The error is one of the reasons above, or one of the store.
func (t *EnrollmentTerms) Admit(ctx context.Context, tx Tx, serial, udid string) error {
	if !t.AllowsDevice(serial, udid) {
		return ErrOtherDevice
	}
	scope, err := t.scope(ctx, func(ctx context.Context, members []string) ([]Grant, error) {
		return grants(ctx, tx, members)
	})
	if err != nil {
		return err
	}
	place := t.NewDevice()
	d, err := tx.DeviceByUDID(ctx, udid)
	switch {
	case err == nil:
		if place, err = tx.Place(ctx, d.ID); err != nil {
			return err
		}
	case !errors.Is(err, fleet.ErrNotFound):
		return err
	case t.Group != "":
		if exists, err := tx.GroupExists(ctx, t.Group); err != nil || !exists {
			return errors.Join(err, ErrBeyondLink)
		}
	}
	switch {
	case len(scope) == 0:
		return ErrMakerMayNot
	case !t.Area.Device(place):
		return ErrBeyondLink
	case len(scope.Around(place)) == 0:
		return ErrMakerMayNot
	case d != nil && d.Enrolled && !t.Replace:
		return ErrEnrolledBefore
	}
	return nil
}
