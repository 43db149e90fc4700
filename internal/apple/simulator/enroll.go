package simulator

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/google/uuid"
)

// enrollment is one installed MDM payload with the identity and the push address that belong to it.
// It never changes.
type enrollment struct {
	mdmPayload
	profileID string
	key       identityKey
	identity  *x509.Certificate
	token     pushToken
	magic     string
}

// Enroll installs the enrollment profile of a link and checks in: SCEP, Authenticate, TokenUpdate.
// A device that is enrolled renews: it gets a new identity and push address and keeps its stores.
// After an error it is not enrolled, or still enrolled as before if nothing was sent yet.
func (d *Device) Enroll(ctx context.Context, link string) error {
	d.session.Lock()
	defer d.session.Unlock()
	if err := d.enroll(ctx, link); err != nil {
		return fmt.Errorf("enroll %s from %s: %w", d.Facts().DeviceName, link, err)
	}
	return nil
}

func (d *Device) enroll(ctx context.Context, link string) error {
	if d.isOffline() {
		return ErrOffline
	}
	raw, header, err := exchange(ctx, d.fleet.web, http.MethodGet, link, "", nil)
	if err != nil {
		return err
	}
	const want = "application/x-apple-aspen-config"
	if media, _, _ := mime.ParseMediaType(header.Get("Content-Type")); media != want {
		return fmt.Errorf("the link gives Content-Type %q, a device installs a profile only as %s",
			header.Get("Content-Type"), want)
	}
	profile, err := parseEnrollmentProfile(raw)
	if err != nil {
		return err
	}
	key, err := d.fleet.key(profile.scep.Bits)
	if err != nil {
		return err
	}
	identity, err := requestIdentity(ctx, d.fleet.web, profile.scep, key)
	if err != nil {
		return err
	}
	next := &enrollment{mdmPayload: profile.mdm, profileID: profile.profile.Identifier, key: key,
		identity: identity,
		magic:    strings.ToUpper(uuid.NewString())}
	rand.Read(next.token[:])
	return d.checkIn(ctx, next, profile.profile)
}

// checkIn replaces the old enrollment by the next: Authenticate ends the old one on the server,
// too.
func (d *Device) checkIn(ctx context.Context, next *enrollment, profile *Profile) error {
	d.setEnrollment(nil, nil)
	client := d.fleet.mdmClient(d, next)
	defer client.done()
	if err := client.checkIn(ctx, d.authenticate(next)); err != nil {
		return fmt.Errorf("check-in Authenticate: %w", err)
	}
	// Before TokenUpdate, as the server may push at once. The connection then waits until the
	// check-in is over.
	d.setEnrollment(next, profile)
	d.fleet.expectPushes(next, d)
	if err := client.checkIn(ctx, d.tokenUpdate(next)); err != nil {
		d.setEnrollment(nil, nil)
		return fmt.Errorf("check-in TokenUpdate: %w", err)
	}
	d.fleet.startPolling(d)
	return nil
}

// setEnrollment replaces enrollment and enrollment profile.
func (d *Device) setEnrollment(next *enrollment, profile *Profile) {
	d.mu.Lock()
	previous := d.enrollment
	d.enrollment = next
	kept := d.profiles[:0]
	for _, installed := range d.profiles {
		if !installed.fromEnrollment {
			kept = append(kept, installed)
		}
	}
	d.profiles = kept
	if profile != nil {
		d.profiles = append(d.profiles, installedProfile{profile, true})
	}
	d.mu.Unlock()
	d.fleet.forgetPushes(previous)
}

func (d *Device) authenticate(e *enrollment) map[string]any {
	facts := d.Facts()
	message := map[string]any{"MessageType": "Authenticate", "Topic": e.Topic,
		"DeviceName": facts.DeviceName,
		"Model":      facts.Model, "ModelName": facts.ModelName, "ProductName": facts.ProductName,
		"OSVersion": facts.OSVersion, "BuildVersion": facts.BuildVersion}
	facts.identify(message)
	if facts.EnrollmentID == "" {
		message["SerialNumber"] = facts.SerialNumber
	}
	return message
}

func (d *Device) tokenUpdate(e *enrollment) map[string]any {
	message := map[string]any{"MessageType": "TokenUpdate", "Topic": e.Topic, "PushMagic": e.magic,
		"Token": e.token[:], "AwaitingConfiguration": false}
	facts := d.Facts()
	facts.identify(message)
	return message
}

// Unenroll removes the enrollment profile as its user does. What MDM installed goes with it, and
// the server gets a CheckOut if the profile asked for one. The device is not enrolled afterwards,
// even if the CheckOut failed.
func (d *Device) Unenroll(ctx context.Context) error {
	d.session.Lock()
	defer d.session.Unlock()
	return d.unenroll(ctx, true)
}

func (d *Device) unenroll(ctx context.Context, tellServer bool) error {
	d.mu.Lock()
	previous := d.enrollment
	offline := d.offline
	d.enrollment, d.profiles, d.configurations = nil, nil, nil
	for bundleID, app := range d.apps {
		if !app.keepWithoutMDM(d.fleet.clock.Now()) {
			delete(d.apps, bundleID)
		}
	}
	d.mu.Unlock()
	if previous == nil {
		return ErrNotEnrolled
	}
	d.fleet.forgetPushes(previous)
	if !previous.CheckOutWhenRemoved || !tellServer {
		return nil
	}
	if offline {
		return fmt.Errorf("check-in CheckOut: %w", ErrOffline)
	}
	message := map[string]any{"MessageType": "CheckOut", "Topic": previous.Topic}
	facts := d.Facts()
	facts.identify(message)
	client := d.fleet.mdmClient(d, previous)
	defer client.done()
	if err := client.checkIn(ctx, message); err != nil {
		return fmt.Errorf("check-in CheckOut: %w", err)
	}
	return nil
}

func (d *Device) isOffline() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.offline
}
