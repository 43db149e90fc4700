package mdm

import (
	"context"
	"crypto/x509"
	"fmt"

	"github.com/micromdm/nanomdm/mdm"
	"github.com/smallstep/scep"
)

// adopt pins an identity that a device renewed. Devices that renew their certificate do not
// authenticate anew: the first message with the new one is whichever comes next, often a
// TokenUpdate (https://github.com/micromdm/micromdm/issues/557). It is taken if it was issued for
// this device and no other, which is what a renewal signed with the old identity proves, and later
// than the one in use: an old identity, or a replay of its messages, never comes back this way.
// What the server knows of the device stays.
func (c *Channel) adopt(r *mdm.Request, s sender, e *Enrollment,
	renewed *Certificate) (adopted bool, err error) {
	if e == nil || renewed == nil || e.Certificate == s.certificate || renewed.Enrollment != s.id ||
		!renewed.Revoked.IsZero() ||
		e.Stage != Enrolled && e.Stage != Reachable {
		return false, nil
	}
	pinned, err := c.issued(r.Context(), s.id, e.Certificate)
	if err != nil || pinned == nil || !r.Certificate.NotBefore.After(pinned.NotBefore) {
		return false, err
	}
	err = c.store.UpdateIdentity(r.Context(), s.id, s.certificate,
		func(now *Enrollment, renewed *Certificate) error {
			if adopted = now.Certificate == e.Certificate && now.Stage == e.Stage &&
				renewed != nil &&
				renewed.Revoked.IsZero(); adopted {
				now.Certificate = s.certificate
			}
			return nil
		})
	if err == nil && adopted {
		c.log.Info("device renewed its identity", "device", e.Device, "udid", s.id, "certificate",
			renewed.Serial)
	}
	return adopted, err
}

// adoptRenewed is adopt for a message whose sender is not known yet.
func (c *Channel) adoptRenewed(r *mdm.Request, s sender) error {
	e, renewed, err := c.store.Identity(r.Context(), s.id, s.certificate)
	if err == nil {
		_, err = c.adopt(r, s, e, renewed)
	}
	return err
}

// renews is the enrollment whose identity signs a request for another one; empty: nobody's does.
func (c *Channel) renews(ctx context.Context, m *pkiMessage) (string, error) {
	if m.kind != scep.RenewalReq {
		return "", nil
	}
	signer := fingerprint(m.signer.Raw)
	_, held, err := c.store.Identity(ctx, "", signer)
	if err != nil || held == nil || held.Enrollment == "" || !held.Revoked.IsZero() ||
		!c.now().Before(held.NotAfter) {
		return "", err
	}
	e, _, err := c.store.Identity(ctx, held.Enrollment, signer)
	if err != nil || e == nil || e.Certificate != signer || e.Stage == Left {
		return "", err
	}
	return e.ID, nil
}

// issued is a certificate that the server issued; nil: it did not.
func (c *Channel) issued(ctx context.Context, enrollment,
	sha256 string) (*x509.Certificate, error) {
	_, stored, err := c.store.Identity(ctx, enrollment, sha256)
	if err != nil || stored == nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(stored.DER)
	if err != nil {
		return nil, fmt.Errorf("stored certificate %s: %w", stored.Serial, err)
	}
	return parsed, nil
}
