package amapi

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/api/androidmanagement/v1"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// whyPersonal is why the action is not done on people's own devices.
const whyPersonal = "the device is a person's own: only its work profile is managed, and nothing is taken off that for a while"

// mostPrevious bounds the earlier names of a device that are looked at.
const mostPrevious = 20

// enroll makes a device that Google tells of a managed one. before is what is known of this
// enrollment; nil: nothing. What a message says may be long past, so the device itself is read.
func (c *Channel) enroll(ctx context.Context, told *androidmanagement.Device,
	before *Enrollment) error {
	if deleted(told) {
		return nil
	}
	g, _, err := c.readyClient(ctx)
	if err != nil {
		return err
	}
	r, err := g.device(ctx, told.Name)
	if isCode(err, http.StatusNotFound) {
		return nil // it has left already
	}
	if err != nil {
		return err
	}
	if deleted(r) || r.Name != told.Name {
		return nil
	}
	udid, err := c.identify(ctx, r)
	if err != nil {
		return err
	}
	ctx, l, err := c.lease(ctx, enrollmentLease+udid)
	if err != nil {
		return err
	}
	defer l.release(ctx)
	e := &Enrollment{Name: r.Name, UDID: udid, Standing: Beginning,
		State: EnrollmentState{EnrolledAt: googleTime(r.EnrollmentTime)}}
	var replaces []string
	for _, name := range r.PreviousDeviceNames[:min(len(r.PreviousDeviceNames), mostPrevious)] {
		if name != r.Name && len(name) <= maxName {
			replaces = append(replaces, name)
		}
	}
	old, err := c.store.AndroidEnrollmentByUDID(ctx, udid)
	switch {
	case errors.Is(err, ErrNotFound):
	case err != nil:
		return err
	case old.Name == r.Name && old.Standing == Current:
		return nil // another process was faster
	case old.Name != r.Name && old.State.EnrolledAt.After(e.State.EnrolledAt):
		e.Standing = Replaced // it has enrolled anew since
		return c.store.SaveAndroidEnrollment(ctx, e)
	case old.Name != r.Name:
		replaces = append(replaces, old.Name)
	}
	token, err := c.tokenOf(ctx, r)
	if err != nil {
		return err
	}
	return c.admit(ctx, e, r, token, replaces, before != nil && before.Standing == Turned)
}

// admit enrolls a device if whoever made its token may still do that. again says that they could
// not when it was asked before.
func (c *Channel) admit(ctx context.Context, e *Enrollment, r *androidmanagement.Device,
	token *StoredToken, replaces []string, again bool) error {
	d, unsupported := deviceOf(r, token)
	d.UDID = e.UDID
	begin := ctx
	if token != nil {
		d.Joins, d.Tags = token.Terms.NewDevice().Groups, token.Terms.Area.Tags
		begin = access.WithPermit(ctx, func(ctx context.Context, tx access.Tx) error {
			return token.Terms.Admit(ctx, tx, d.SerialNumber, e.UDID)
		})
	}
	err := c.store.SaveAndroidEnrollment(begin, e)
	if isReason(err) {
		if e.Standing = Turned; !again {
			c.recordRefusal(ctx, e, d.Name, token, err)
		}
		return c.store.SaveAndroidEnrollment(ctx, e)
	}
	if err != nil {
		return err
	}
	id, err := c.engine.Enroll(c.recorded(ctx, e.UDID, enrollActivity, d.Name, token), d,
		unsupported)
	if err != nil {
		return err
	}
	if e.State.Reported, err = c.lastNumber(ctx, replaces); err != nil {
		return err
	}
	e.Device, e.Standing = id, Current
	if err := c.departOthers(ctx, e, replaces); err != nil {
		return err
	}
	if err := c.store.SaveAndroidEnrollment(ctx, e, replaces...); err != nil {
		return err
	}
	c.log.Info("Android device enrolled", "device", id, "name", e.Name, "type", d.EnrollmentType,
		"unsupported", unsupported)
	c.queue.add(id, time.Time{})
	return nil
}

// lastNumber is the greatest number of a report that was processed under earlier names: numbers
// grow across the enrollments of a device.
func (c *Channel) lastNumber(ctx context.Context, names []string) (last int64, err error) {
	for _, name := range names {
		old, err := c.store.AndroidEnrollment(ctx, name)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return 0, err
		}
		last = max(last, old.State.Reported)
	}
	return last, nil
}

// departOthers ends the management of what was taken for other devices, and is this one under
// earlier names.
func (c *Channel) departOthers(ctx context.Context, e *Enrollment, names []string) error {
	for _, name := range names {
		old, err := c.store.AndroidEnrollment(ctx, name)
		if errors.Is(err, ErrNotFound) || err == nil && (old.Standing != Current ||
			old.Device == e.Device) {
			continue
		}
		if err == nil {
			err = c.unenroll(ctx, old)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// depart takes note that a device left management.
func (c *Channel) depart(ctx context.Context, e *Enrollment) error {
	ctx, l, err := c.lease(ctx, enrollmentLease+e.UDID)
	if err != nil {
		return err
	}
	defer l.release(ctx)
	now, err := c.store.AndroidEnrollment(ctx, e.Name)
	if err != nil || now.Standing != Current {
		return err
	}
	if err := c.unenroll(ctx, now); err != nil {
		return err
	}
	return c.store.EndAndroidEnrollment(ctx, e.Name)
}

func (c *Channel) unenroll(ctx context.Context, e *Enrollment) error {
	err := c.engine.Unenroll(c.recorded(ctx, e.UDID, checkOutActivity, "", nil), e.Device)
	if err != nil && !errors.Is(err, fleet.ErrNotFound) {
		return err
	}
	c.log.Info("Android device left management", "device", e.Device, "name", e.Name)
	return nil
}

// identify is by what the fleet knows a device: its serial number, for which Google vouches; on a
// person's own device the id that Android makes for the enterprise, and without either the name of
// its first enrollment that is known.
func (c *Channel) identify(ctx context.Context, r *androidmanagement.Device) (string, error) {
	if h := r.HardwareInfo; h != nil {
		if h.SerialNumber != "" && r.Ownership != personallyOwned {
			return "android-serial-" + h.SerialNumber, nil
		}
		if h.EnterpriseSpecificId != "" {
			return "android-work-" + h.EnterpriseSpecificId, nil
		}
	}
	names := append([]string{r.Name}, r.PreviousDeviceNames...)
	for _, name := range names[:min(len(names), mostPrevious)] {
		e, err := c.store.AndroidEnrollment(ctx, name)
		if err == nil {
			return e.UDID, nil
		}
		if !errors.Is(err, ErrNotFound) {
			return "", err
		}
	}
	return "android-" + r.Name[strings.LastIndexByte(r.Name, '/')+1:], nil
}

// tokenOf is the token of ours that a device enrolled with; nil: with another one.
func (c *Channel) tokenOf(ctx context.Context, r *androidmanagement.Device) (*StoredToken, error) {
	if r.EnrollmentTokenName == "" && r.EnrollmentTokenData == "" {
		return nil, nil
	}
	t, err := c.store.AndroidToken(ctx, r.EnrollmentTokenData, r.EnrollmentTokenName)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return t, err
}

const personallyOwned = "PERSONALLY_OWNED"

// personalEnrollment is Graph's deviceEnrollmentType of a work profile on a person's own device.
const personalEnrollment = "userEnrollment"

// deviceOf is a device as it enrolls. Google does not tell a dedicated device from a fully managed
// one; the token does.
func deviceOf(r *androidmanagement.Device, token *StoredToken) (d fleet.Device,
	unsupported string) {
	d = factsOf(r).Device
	d.Platform = fleet.Android
	if d.Name == "" {
		d.Name = "Android device"
	}
	switch {
	case r.Ownership == personallyOwned:
		d.UserEnrolled, d.EnrollmentType = true, personalEnrollment
		return d, whyPersonal
	case r.ManagementMode == "PROFILE_OWNER":
		d.EnrollmentType = CorporateWorkProfile.EnrollmentType()
	case token != nil && (token.Mode != CorporateWorkProfile || r.ManagementMode == ""):
		d.EnrollmentType = token.Mode.EnrollmentType()
	default:
		d.EnrollmentType = FullyManaged.EnrollmentType()
	}
	return d, ""
}

func isReason(err error) bool {
	return errors.Is(err, access.ErrMakerMayNot) || errors.Is(err, access.ErrBeyondLink) ||
		errors.Is(err, access.ErrOtherDevice) || errors.Is(err, access.ErrEnrolledBefore)
}

// The names of what devices do, in the audit record, as of all devices.
const (
	enrollActivity   = "managedDevices.enroll"
	checkOutActivity = "managedDevices.checkOut"
)

// entry is what the audit record says of what a device does to its enrollment.
func (c *Channel) entry(udid, activity, name string, token *StoredToken) audit.Entry {
	e := audit.Entry{ID: uuid.NewString(), At: c.now().UTC(), Activity: activity, Kind: audit.Act,
		Result: audit.Success, Actor: audit.Actor{ID: audit.DeviceActor + udid, Name: name}}
	if token != nil {
		e.Objects = []audit.Object{{Type: tokenObject, ID: token.ID, Name: token.Terms.MakerName,
			After: token.noted()}}
	}
	return e
}

// recorded is the context of what a device does to its enrollment: the audit record's entry is
// written with it.
func (c *Channel) recorded(ctx context.Context, udid, activity, name string,
	token *StoredToken) context.Context {
	return audit.With(ctx, &audit.Draft{Entry: c.entry(udid, activity, name, token)})
}

func (c *Channel) recordRefusal(ctx context.Context, e *Enrollment, name string,
	token *StoredToken, cause error) {
	c.log.Info("enrollment refused", "device", e.Name, "err", cause)
	if c.config.Record == nil {
		return
	}
	entry := c.entry(e.UDID, enrollActivity, name, token)
	entry.Result, entry.Status, entry.Reason = audit.Refused, http.StatusForbidden, cause.Error()
	if err := c.config.Record(ctx, entry); err != nil {
		c.log.Error("a refused enrollment could not be recorded", "device", e.Name, "err", err)
	}
}
