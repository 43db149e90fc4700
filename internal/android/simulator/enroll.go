package simulator

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/api/androidmanagement/v1"
)

// Errors of Enroll, as a device's user sees them.
var (
	ErrUnknownToken = errors.New("the enrollment token is unknown, or was deleted")
	ErrExpiredToken = errors.New("the enrollment token expired")
	ErrUsedToken    = errors.New("the enrollment token was good for one device")
	ErrTokenMode    = errors.New("the enrollment token is not for devices of this kind")
)

// policyDeadline is how long a device waits for a policy before it is reset (AMAPI, "Create a
// policy": "if no policy is applied within 5 minutes").
const policyDeadline = 5 * time.Minute

// Enroll enrolls a device with the value of a token, and notifies. What the token allows decides
// how it is managed. A serial number that is enrolled is reset first, and its new name remembers
// the old ones. The device takes its policy with the first Sync.
func (s *Service) Enroll(value, serial string, options DeviceOptions) (*Device, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	s.advance(now)
	e, t := s.findToken(value)
	switch {
	case t == nil:
		return nil, ErrUnknownToken
	case t.once && t.used:
		return nil, ErrUsedToken
	case !t.usable(now):
		return nil, ErrExpiredToken
	}
	asked := convert[androidmanagement.EnrollmentToken](t.document)
	mode, err := modeOf(asked.AllowPersonalUsage, options.PersonallyOwned)
	if err != nil {
		return nil, err
	}
	t.used = true
	options.mode = mode
	d := s.newDevice(e, serial, options)
	if before := s.bySerial[serial]; before != nil {
		before.erase()
		if mode != PersonalOwned {
			d.previous = append(slices.Clone(before.previous), before.name)
		}
		s.forget(before)
	}
	s.bySerial[serial] = d
	s.devices[d.name], e.devices[d.name] = d, d
	e.follow(d, asked.PolicyName)
	if e.policies[d.policyName] == nil {
		d.deadline = now.Add(policyDeadline)
		s.deadlines = append(s.deadlines, d)
	}
	d.enrolledAt, d.tokenName, d.tokenData = now, asked.Name, asked.AdditionalData
	d.reported = d.compose(now)
	s.notify(e, "ENROLLMENT", encode(d.answer()), now)
	s.actLater(d)
	return d, nil
}

func (s *Service) findToken(value string) (*enterprise, *token) {
	for _, e := range s.enterprises {
		for _, t := range e.tokens {
			if t.value == value {
				return e, t
			}
		}
	}
	return nil, nil
}

// modeOf: AMAPI, AllowPersonalUsage.
func modeOf(allowPersonalUsage string, personallyOwned bool) (Mode, error) {
	switch {
	case allowPersonalUsage == "PERSONAL_USAGE_DISALLOWED" && !personallyOwned:
		return FullyManaged, nil
	case allowPersonalUsage == "PERSONAL_USAGE_DISALLOWED_USERLESS" && !personallyOwned:
		return Dedicated, nil
	case allowPersonalUsage == "PERSONAL_USAGE_ALLOWED" && !personallyOwned:
		return WorkProfile, nil
	case allowPersonalUsage == "" && !personallyOwned: // by default as without personal usage
		return FullyManaged, nil
	case allowPersonalUsage == "PERSONAL_USAGE_ALLOWED" || allowPersonalUsage == "":
		return PersonalOwned, nil
	}
	return "", ErrTokenMode
}

func (s *Service) newDevice(e *enterprise, serial string, options DeviceOptions) *Device {
	s.counter++
	options.Brand = orDefault(options.Brand, "Example")
	options.Model = orDefault(options.Model, "Phone 1")
	options.AndroidVersion = orDefault(options.AndroidVersion, "16")
	options.APILevel = orDefault(options.APILevel, 36)
	d := &Device{service: s, options: options, serial: serial, enterprise: e, state: "ACTIVE",
		name:   fmt.Sprintf("%s/devices/3%015x", e.name, s.counter),
		faults: options.Faults, apps: make(map[string]*app), place: -1}
	for _, system := range options.SystemApps {
		d.apps[system] = &app{App: App{Package: system, Version: 1, State: Installed,
			System: true}}
	}
	return d
}

func orDefault[T comparable](value, byDefault T) T {
	var zero T
	if value == zero {
		return byDefault
	}
	return value
}

// forget ends an enrollment at the service; mu is held.
func (s *Service) forget(d *Device) {
	if d.enterprise == nil {
		return
	}
	delete(s.devices, d.name)
	delete(d.enterprise.devices, d.name)
	d.enterprise.unfollow(d)
	d.enterprise = nil
}

// advance does what the passing of time does at the service; mu is held.
func (s *Service) advance(now time.Time) {
	for len(s.deadlines) > 0 && !now.Before(s.deadlines[0].deadline) {
		d := s.deadlines[0]
		s.deadlines = s.deadlines[1:]
		if d.enterprise != nil && d.enterprise.policies[d.policyName] == nil {
			s.leave(d.enterprise, d, d.deadline)
		}
	}
}

// Leaving is what the service learns of a device that its user reset, or whose work profile the
// user deleted.
type Leaving int

const (
	// Silently leaves everything at the service as it was; no report comes any more.
	Silently Leaving = iota
	// Unnoticed removes the device from the service, and nobody is told.
	Unnoticed
	// Notified removes it with a last report, whose state is DELETED.
	Notified
)

// Reset erases the device as its user does.
func (d *Device) Reset(how Leaving) {
	s := d.service
	s.mu.Lock()
	defer s.mu.Unlock()
	d.erase()
	switch how {
	case Unnoticed:
		s.forget(d)
	case Notified:
		s.leave(d.enterprise, d, s.options.Now())
	}
}

// erase takes everything off the device; mu is held.
func (d *Device) erase() {
	d.gone, d.taken, d.saved, d.removed, d.lost = true, nil, nil, nil, false
	d.apps = make(map[string]*app)
}

// leave ends the enrollment at an enterprise with a last report; mu is held.
func (s *Service) leave(e *enterprise, d *Device, now time.Time) {
	d.erase()
	if e == nil {
		return
	}
	last := d.answer()
	last.State, last.AppliedState, last.LastStatusReportTime = "DELETED", "DELETED", stamp(now)
	s.forget(d)
	s.notify(e, orDefault(d.faults.DeletedAs, "STATUS_REPORT"), encode(last), now)
}
