package mdm

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/micromdm/nanomdm/mdm"
	"github.com/micromdm/nanomdm/service"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/apple/propertylist/tolerant"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// maxParked is how long after its issue an identity may begin an enrollment. A device begins at
// once; an identity that was put by must not outlive the link that gave it.
const maxParked = 24 * time.Hour

// maxReplaced is how many replaced push tokens are remembered against replays. Tokens change
// rarely: when a device is restored or its push certificate's environment changes.
const maxReplaced = 16

var _ service.Checkin = (*Channel)(nil)

// Authenticate begins an enrollment. A certificate that no device has used begins a new one; the
// pinned certificate only repeats what was said; one that was pinned earlier is refused, because a
// replay must not reset the device.
func (c *Channel) Authenticate(r *mdm.Request, m *mdm.Authenticate) error {
	ctx := r.Context()
	s, err := identify(r, &m.Enrollment)
	if err != nil {
		return err
	}
	if s.userChannel {
		return refuse(http.StatusBadRequest, "Authenticate is of the device channel only")
	}
	said, _ := tolerant.Read(m.Raw, factMembers)
	facts := readFacts(said)
	defer c.checkIns.Lock(s.id)()
	device, unsupported := facts.device(s)
	if err := c.adoptRenewed(r, s); err != nil {
		return err
	}
	link, err := c.linkOf(ctx, s.certificate)
	if err != nil {
		return err
	}
	var refusal error
	pinning := ctx
	if link != nil {
		pinning = access.WithPermit(ctx, admission(link, facts.SerialNumber, s, &refusal))
	}
	stage, issued := Pinned, r.Certificate.NotBefore.Add(clockSkew)
	err = c.store.UpdateIdentity(pinning, s.id, s.certificate,
		func(e *Enrollment, certificate *Certificate) error {
			if certificate != nil && certificate.Enrollment == "" && certificate.Revoked.IsZero() {
				if c.now().Sub(issued) > maxParked {
					return refuse(http.StatusForbidden,
						"certificate %s, issued at %s, came too late: device %s needs a new link",
						certificate.Serial, issued, s.id)
				}
				if link == nil {
					return refuse(http.StatusForbidden,
						"certificate %s came from no enrollment link",
						certificate.Serial)
				}
				if !link.Terms.AllowsDevice(facts.SerialNumber, s.id) {
					refusal = access.ErrOtherDevice
				}
				if refusal != nil {
					return refuse(http.StatusForbidden, "device %s is not enrolled: %w", s.id,
						refusal)
				}
				certificate.Enrollment = s.id
				*e = Enrollment{ID: s.id, User: s.user, Platform: device.Platform, Stage: Pinned,
					Certificate: s.certificate, Topic: m.Topic}
			}
			stage = e.Stage
			return s.admit(e, certificate)
		})
	if isReason(refusal) && errors.Is(err, refusal) {
		c.recordRefusal(ctx, s, device.Name, link, refusal)
	}
	if err != nil || stage != Pinned {
		return err
	}
	if link != nil {
		device.Joins, device.Tags = link.Terms.NewDevice().Groups, link.Terms.Area.Tags
	}
	id, err := c.engine.Enroll(c.recorded(ctx, s, enrollActivity, device.Name, link), device,
		unsupported)
	if err != nil {
		return err
	}
	c.log.Info("device enrolled", "device", id, "udid", s.id, "platform", device.Platform,
		"unsupported", unsupported)
	return c.updatePinned(ctx, s, func(e *Enrollment) error {
		e.Device, e.Stage = id, Enrolled
		return nil
	})
}

// updatePinned changes the sender's enrollment if its certificate is the pinned one.
func (c *Channel) updatePinned(ctx context.Context, s sender, fn func(*Enrollment) error) error {
	return c.store.UpdateIdentity(ctx, s.id, s.certificate,
		func(e *Enrollment, certificate *Certificate) error {
			if err := s.admit(e, certificate); err != nil {
				return err
			}
			return fn(e)
		})
}

// TokenUpdate tells how to wake the device. The first one completes the enrollment, and the device
// is woken.
func (c *Channel) TokenUpdate(r *mdm.Request, m *mdm.TokenUpdate) error {
	s, err := identify(r, &m.Enrollment)
	if err != nil {
		return err
	}
	if s.userChannel {
		_, _, err := c.known(r, &m.Enrollment)
		return err
	}
	if len(m.Token) == 0 || m.PushMagic == "" || m.Topic == "" {
		return refuse(http.StatusBadRequest,
			"TokenUpdate of device %s lacks Topic, Token or PushMagic", s.id)
	}
	if err := c.adoptRenewed(r, s); err != nil {
		return err
	}
	defer c.checkIns.Lock(s.id)()
	var news Enrollment
	err = c.updatePinned(r.Context(), s, func(e *Enrollment) error {
		if e.Stage == Pinned {
			return refuse(http.StatusForbidden, "device %s has not finished Authenticate", s.id)
		}
		news = Enrollment{}
		if e.learnToken(m) {
			news = *e
		}
		return nil
	})
	if err == nil && news.Device != "" {
		go c.greet(context.WithoutCancel(r.Context()), news)
	}
	return err
}

// greet wakes a device whose way to be woken has just become known: its work waits for that.
func (c *Channel) greet(ctx context.Context, e Enrollment) {
	if err := c.Wake(ctx, e.Device); err != nil {
		c.log.Info("device not woken after TokenUpdate; the engine tries again", "device", e.Device,
			"err", err)
	}
}

// learnToken takes over push data, unless it was replaced before: then the message is a replay, and
// newer data stays.
func (e *Enrollment) learnToken(m *mdm.TokenUpdate) bool {
	news := pushFingerprint(m.Topic, m.PushMagic, m.Token)
	old := ""
	if len(e.Token) > 0 {
		old = pushFingerprint(e.Topic, e.PushMagic, e.Token)
	}
	if news == old || slices.Contains(e.Replaced, news) {
		return false
	}
	if old != "" {
		e.Replaced = append(slices.Clone(e.Replaced), old)
		e.Replaced = e.Replaced[max(0, len(e.Replaced)-maxReplaced):]
	}
	e.Topic, e.PushMagic, e.Token, e.Stage = m.Topic, m.PushMagic, m.Token, Reachable
	return true
}

func pushFingerprint(topic, magic string, token []byte) string {
	return fingerprint([]byte(topic + "\x00" + magic + "\x00" + hex.EncodeToString(token)))
}

// CheckOut ends the enrollment, and its certificate with it. Repeated, it changes nothing.
func (c *Channel) CheckOut(r *mdm.Request, m *mdm.CheckOut) error {
	ctx := r.Context()
	s, err := identify(r, &m.Enrollment)
	if err != nil {
		return err
	}
	defer c.checkIns.Lock(s.id)()
	e, certificate, err := c.store.Identity(ctx, s.id, s.certificate)
	if err != nil {
		return err
	}
	if e != nil && e.Stage == Left && e.Certificate == s.certificate {
		return nil
	}
	if err := s.admit(e, certificate); err != nil || s.userChannel {
		return err
	}
	if e.Device != "" {
		link, err := c.linkOf(ctx, s.certificate)
		if err != nil {
			return err
		}
		err = c.engine.Unenroll(c.recorded(ctx, s, checkOutActivity, "", link), e.Device)
		if err != nil && !errors.Is(err, fleet.ErrNotFound) { // its record may be deleted
			return err
		}
	}
	c.log.Info("device left management", "device", e.Device, "udid", s.id)
	return c.store.UpdateIdentity(ctx, s.id, s.certificate,
		func(e *Enrollment, certificate *Certificate) error {
			if err := s.admit(e, certificate); err != nil {
				return err
			}
			e.Stage, e.PushMagic, e.Token = Left, "", nil
			certificate.Revoked = c.now().UTC().Truncate(time.Second)
			return nil
		})
}

// UserAuthenticate is answered 410 Gone: users are not managed here, only devices (Apple,
// "UserAuthenticate").
func (c *Channel) UserAuthenticate(r *mdm.Request, m *mdm.UserAuthenticate) ([]byte, error) {
	s, _, err := c.known(r, &m.Enrollment)
	if err != nil {
		return nil, err
	}
	return nil, refuse(http.StatusGone, "users of device %s are not managed", s.id)
}

// SetBootstrapToken accepts the token and keeps nothing: the profile does not claim to escrow it.
func (c *Channel) SetBootstrapToken(r *mdm.Request, m *mdm.SetBootstrapToken) error {
	_, _, err := c.known(r, &m.Enrollment)
	return err
}

// GetBootstrapToken answers that there is none, with an empty body (Apple, "Get Bootstrap Token").
func (c *Channel) GetBootstrapToken(r *mdm.Request,
	m *mdm.GetBootstrapToken) (*mdm.BootstrapToken, error) {
	_, _, err := c.known(r, &m.Enrollment)
	return nil, err
}

// DeclarativeManagement is answered 404: no device was asked to use it.
func (c *Channel) DeclarativeManagement(r *mdm.Request,
	m *mdm.DeclarativeManagement) ([]byte, error) {
	s, _, err := c.known(r, &m.Enrollment)
	if err != nil {
		return nil, err
	}
	return nil, refuse(http.StatusNotFound,
		"device %s asks for declarative management, which is not served", s.id)
}

// GetToken is answered 404: the profile does not claim com.apple.mdm.token.
func (c *Channel) GetToken(r *mdm.Request, m *mdm.GetToken) (*mdm.GetTokenResponse, error) {
	s, _, err := c.known(r, &m.Enrollment)
	if err != nil {
		return nil, err
	}
	return nil, refuse(http.StatusNotFound, "device %s asks for a token of %s, which is not served",
		s.id, m.TokenServiceType)
}
