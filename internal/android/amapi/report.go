package amapi

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"google.golang.org/api/androidmanagement/v1"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/payload"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// take takes a device as Google tells of it, whoever asked: in a message, when it is read, or in
// the list of all. The same report comes more than once, late, and behind newer ones; it counts
// once. An error means that it was not taken, and must come again.
func (c *Channel) take(ctx context.Context, r *androidmanagement.Device) error {
	setup, err := c.store.AndroidSetup(ctx)
	if err != nil {
		return err
	}
	if setup.Enterprise == "" || len(r.Name) > maxName ||
		!strings.HasPrefix(r.Name, setup.Enterprise+"/devices/") {
		return nil // of nobody here
	}
	defer c.reports.Lock(r.Name)()
	e, err := c.store.AndroidEnrollment(ctx, r.Name)
	switch {
	case errors.Is(err, ErrNotFound):
		return c.enroll(ctx, r, nil)
	case err != nil:
		return err
	case e.Standing == Beginning, e.Standing == Turned:
		return c.enroll(ctx, r, e)
	case e.Standing != Current:
		return nil
	}
	return c.takeOf(ctx, setup, e, r)
}

// maxName bounds the name of a device, in bytes.
const maxName = 500

// deleted reports whether it is a device's last report.
func deleted(r *androidmanagement.Device) bool {
	return r.State == "DELETED" || r.AppliedState == "DELETED"
}

// reportNumber is the time of a report in microseconds; 0: it has none.
func reportNumber(r *androidmanagement.Device) int64 {
	at := googleTime(r.LastStatusReportTime)
	if at.IsZero() || at.UnixMicro() <= 0 {
		return 0
	}
	return at.UnixMicro()
}

// googleTime is a time as Google writes it; zero: it is none.
func googleTime(text string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

func (c *Channel) takeOf(ctx context.Context, setup *Setup, e *Enrollment,
	r *androidmanagement.Device) error {
	if deleted(r) {
		return c.depart(ctx, e)
	}
	number := reportNumber(r)
	if number <= e.State.Reported {
		return nil
	}
	policy := policyName(setup.Enterprise, e.Device)
	applied, wait, err := c.appliedOf(ctx, e, r, policy)
	if err != nil || wait {
		return err
	}
	report := engine.DocumentReport{Facts: factsOf(r), At: googleTime(r.LastStatusReportTime),
		DocumentReport: action.DocumentReport{Number: number}}
	absent := e.State.Absent
	if applied != nil {
		v := newEvidence(applied, r, e.State.Absent)
		v.judge()
		report.Mark, report.Outcomes, report.Sightings = applied.posting.Mark, v.outcomes,
			v.sightings
		absent = v.absent
	}
	if err := c.engine.TakeReport(ctx, e.Device, report); err != nil &&
		!errors.Is(err, fleet.ErrNotFound) {
		return err
	}
	if applied != nil && applied.over(report.Sightings) {
		c.queue.add(e.Device, time.Time{})
	}
	strayed := r.PolicyName != "" && r.PolicyName != policy && !e.State.AssignedAt.IsZero() &&
		report.At.After(e.State.AssignedAt)
	err = c.store.UpdateAndroidEnrollment(ctx, e.Name, func(e *Enrollment) {
		e.State.Reported = max(e.State.Reported, number)
		e.State.Absent, e.State.Look = absent, false
		if strayed { // somebody gave it another policy
			e.State.AssignedAt = time.Time{}
		}
	})
	if strayed {
		c.log.Warn("somebody else gave an Android device another policy; it gets its own again",
			"device", e.Device, "policy", r.PolicyName)
		c.queue.add(e.Device, time.Time{})
	}
	return err
}

// applied is what a device says that it applied: a posting of ours, with those before it.
type applied struct {
	posting *Posting
	newest  bool      // of all that were posted
	older   []Posting // that have a version, the newest first
}

// over reports whether an app that is not assigned any more was seen to be gone, so that it need
// not be blocked any more.
func (a *applied) over(sightings map[action.PayloadID]action.Sighting) bool {
	for id, e := range a.posting.Manifest.Entries {
		g, told := sightings[id]
		if a.newest && told && e.Listing == payload.Ended && e.Kind == payload.App &&
			len(e.KeptBy) == 0 && !g.Working && !g.Present {
			return true
		}
	}
	return false
}

// appliedOf finds the posting that the device has applied; nil: none of ours. wait says that it
// cannot be told before it is known what became of what is being posted: the device is read again
// then. A version that is newer than all of ours is somebody else's, unless its content is ours;
// then the policy is set anew.
func (c *Channel) appliedOf(ctx context.Context, e *Enrollment, r *androidmanagement.Device,
	policy string) (found *applied, wait bool, err error) {
	if r.AppliedPolicyName != policy || r.AppliedPolicyVersion <= 0 {
		return nil, false, nil
	}
	postings, err := c.store.AndroidPostings(ctx, e.Name)
	if err != nil {
		return nil, false, err
	}
	pending := len(postings) > 0 && postings[0].Version == 0
	if pending {
		postings = postings[1:]
		// Whoever was to send it may have died, and each report puts off the engine's next wake-up.
		c.queue.add(e.Device, time.Time{})
	}
	newest := max(e.State.Known, newestVersion(postings))
	if r.AppliedPolicyVersion > newest {
		if pending {
			return nil, true, c.store.UpdateAndroidEnrollment(ctx, e.Name, func(e *Enrollment) {
				e.State.Look = true
			})
		}
		if ours, err := c.recognize(ctx, e, postings, policy); err != nil || !ours {
			return nil, false, err
		}
	}
	for i := range postings {
		if v := postings[i].Version; v > 0 && v <= r.AppliedPolicyVersion {
			return &applied{&postings[i], i == 0 && !pending, postings[i+1:]}, false, nil
		}
	}
	return nil, false, nil
}

func newestVersion(postings []Posting) int64 {
	if len(postings) == 0 {
		return 0
	}
	return postings[0].Version
}

// recognize looks whether a version of a policy that was not posted here has the content of what
// was. If not, the policy is set anew.
func (c *Channel) recognize(ctx context.Context, e *Enrollment, postings []Posting,
	policy string) (ours bool, err error) {
	if len(postings) > 0 && postings[0].Hash == "" {
		return false, nil // it is about to be set anew
	}
	g, _, err := c.readyClient(ctx)
	if err != nil {
		return false, err
	}
	there, err := g.policy(ctx, policy)
	if err != nil && !isCode(err, http.StatusNotFound) {
		return false, err
	}
	if err == nil && len(postings) > 0 {
		hash, err := contentHash(there)
		if err != nil {
			return false, err
		}
		if hash == postings[0].Hash {
			return true, c.store.UpdateAndroidEnrollment(ctx, e.Name, func(e *Enrollment) {
				e.State.Known = max(e.State.Known, there.Version)
			})
		}
	}
	c.log.Warn("somebody else changed an Android device's policy; it is set anew", "device",
		e.Device, "policy", policy)
	if err := c.store.SpoilAndroidPostings(ctx, e.Name); err != nil {
		return false, err
	}
	c.queue.add(e.Device, time.Time{})
	return false, nil
}

// factsOf is what a report tells of the device itself. Any part of it may be missing.
func factsOf(r *androidmanagement.Device) *fleet.Facts {
	f := new(fleet.Facts)
	d := &f.Device
	if h := r.HardwareInfo; h != nil {
		d.Manufacturer, d.Model, d.SerialNumber = h.Manufacturer, h.Model, h.SerialNumber
		if d.Manufacturer == "" {
			d.Manufacturer = h.Brand
		}
		d.Name = strings.TrimSpace(h.Model + " " + h.SerialNumber)
	}
	if s := r.SoftwareInfo; s != nil {
		d.OSVersion = s.AndroidVersion
	}
	if n := r.NetworkInfo; n != nil {
		d.WiFiMAC = n.WifiMacAddress
	}
	return f
}
