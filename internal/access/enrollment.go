package access

import (
	"context"
	"errors"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// EnrollmentTerms is what an enrollment link allows, and for whom. It belongs to the area of who
// made it: what they may do is decided when the link is made, and anew when a device comes with it.
type EnrollmentTerms struct {
	// Identity.ID; empty: the server itself, without limits
	Maker       string     `json:"maker,omitempty"`
	MakerName   string     `json:"makerName,omitempty"`   // under which their actions are recorded
	Members     []string   `json:"members,omitempty"`     // Identity.Members when it was made
	Application bool       `json:"application,omitempty"` // Identity.Application
	Area        fleet.Area `json:"area"`
	Group       string     `json:"group,omitempty"` // that a new device joins; empty: none
	// serial number or UDID of the one device that may use it; empty: any
	For     string `json:"for,omitempty"`
	Replace bool   `json:"replace,omitempty"` // a device that is enrolled may enroll anew
}

// NewDevice is where a device comes to be that enrolls for the first time.
func (t *EnrollmentTerms) NewDevice() (p fleet.Place) {
	if t.Group != "" {
		p.Groups = []string{t.Group}
	}
	if p.Tags = t.Area.Tags; p.Tags == nil {
		p.Tags = []string{fleet.DefaultTag}
	}
	return p
}

// Means reports whether the terms allow a device of this serial number and UDID, as it says itself.
// A device that does not tell what the link asks for is not the one.
func (t *EnrollmentTerms) Means(serial, udid string) bool {
	return t.For == "" || strings.EqualFold(t.For, serial) || strings.EqualFold(t.For, udid)
}

// The reasons why a link does not enroll a device.
var (
	ErrMakerMayNot    = errors.New("who made the enrollment link may not enroll devices there, or not any more")
	ErrOtherDevice    = errors.New("the enrollment link is for another device")
	ErrBeyondLink     = errors.New("the device is beyond the area to which the enrollment link belongs")
	ErrEnrolledBefore = errors.New("the device is enrolled, and the enrollment link does not say that it may be replaced")
)

// scope is where the maker may enroll devices with what they have now.
func (t *EnrollmentTerms) scope(ctx context.Context,
	roles func(context.Context, []string) ([]Grant, error)) (fleet.Scope, error) {
	if t.Maker == "" || t.Application {
		return fleet.Everywhere, nil
	}
	held, err := roles(ctx, t.Members)
	p := Principal{Grants: held}
	return p.Scope(EnrollDevices), err
}

// Hold returns ErrMakerMayNot if who made the link may not enroll devices anywhere any more.
func (t *EnrollmentTerms) Hold(ctx context.Context, roles Granter) error {
	scope, err := t.scope(ctx, roles.Grants)
	if err == nil && len(scope) == 0 {
		err = ErrMakerMayNot
	}
	return err
}

// Admit decides, in the transaction that begins an enrollment, whether the terms allow it to a
// device of this serial number and UDID. The error is one of the reasons.
func (t *EnrollmentTerms) Admit(ctx context.Context, tx Tx, serial, udid string) error {
	if !t.Means(serial, udid) {
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
