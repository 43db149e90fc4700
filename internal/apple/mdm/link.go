package mdm

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/origin"
)

// checkMaker returns access.ErrMakerMayNot if who made a link may not enroll devices any more.
func (c *Channel) checkMaker(ctx context.Context, link *Challenge) error {
	if c.config.Roles == nil {
		return nil
	}
	return c.config.passing(link.Terms.CheckMaker(ctx, c.config.Roles))
}

// linkOf returns the link that a device's identity came from; nil: it came from none.
func (c *Channel) linkOf(ctx context.Context, certificate string) (*Challenge, error) {
	link, err := c.store.LinkOf(ctx, certificate)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return link, err
}

// admission is a permit that finds out, in the transaction that begins an enrollment, why a link
// does not allow it: that is left in refusal.
func admission(link *Challenge, serial string, s sender, refusal *error) access.Permit {
	return func(ctx context.Context, tx access.Tx) error {
		*refusal = link.Terms.Admit(ctx, tx, serial, s.id)
		if isReason(*refusal) {
			return nil // it counts only for an identity that has enrolled nothing yet
		}
		return *refusal
	}
}

func isReason(err error) bool {
	return errors.Is(err, access.ErrMakerMayNot) || errors.Is(err, access.ErrOtherDevice) ||
		errors.Is(err, access.ErrBeyondLink) ||
		errors.Is(err, access.ErrEnrolledBefore)
}

type remoteKey struct{}

// withRemote keeps the address that a message comes from, for the audit record.
func withRemote(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), remoteKey{},
			origin.Host(r.RemoteAddr))))
	})
}

// entry is what the audit record says of what a device does to its enrollment, under the name of
// the operation.
func (c *Channel) entry(ctx context.Context, s sender, activity, name string,
	link *Challenge) audit.Entry {
	address, _ := ctx.Value(remoteKey{}).(string)
	e := audit.Entry{ID: uuid.NewString(), At: c.now().UTC(), Activity: activity, Kind: audit.Act,
		Result: audit.Success,
		Actor:  audit.Actor{ID: audit.DeviceActor + s.id, Name: name, Address: address}}
	if link != nil {
		e.Objects = []audit.Object{{Type: linkObject, ID: link.SHA256, Name: link.Terms.MakerName,
			After: link.noted()}}
	}
	return e
}

// recorded is the context of what a device does to its enrollment: the audit record's entry is
// written with it.
func (c *Channel) recorded(ctx context.Context, s sender, activity, name string,
	link *Challenge) context.Context {
	return audit.With(ctx, &audit.Draft{Entry: c.entry(ctx, s, activity, name, link)})
}

// recordRefusal records that a device was not enrolled. Its identity came from a link, but what it
// says of itself is not proved: it counts as a stranger, of whom not every attempt is recorded.
func (c *Channel) recordRefusal(ctx context.Context, s sender, name string, link *Challenge,
	cause error) {
	c.log.Info("enrollment refused", "udid", s.id, "err", cause)
	if c.config.Record == nil {
		return
	}
	e := c.entry(ctx, s, enrollActivity, name, link)
	e.Result, e.Status, e.Reason, e.Actor.ID = audit.Refused, http.StatusForbidden, cause.Error(),
		""
	if err := c.config.Record(ctx, e); err != nil {
		c.log.Error("a refused enrollment could not be recorded", "udid", s.id, "err", err)
	}
}

// The names of what devices do, in the audit record. The engine makes the first the second for a
// device that was enrolled.
const (
	enrollActivity   = "managedDevices.enroll"
	checkOutActivity = "managedDevices.checkOut"
)
