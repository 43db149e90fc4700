package amapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/payload"
	"github.com/syncpayloads/syncpayloads/internal/backoff"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

const (
	retryBase  = 10 * time.Second // after Google was not reached, or failed; doubles
	retryMost  = 10 * time.Minute
	leaseRetry = time.Second // after another process was at work on the device, which is mostly short
)

// work serves one device after the other, until ctx ends.
func (c *Channel) work(ctx context.Context) {
	for {
		e := c.queue.next(ctx, c.now, c.config.After)
		if e == nil {
			return
		}
		c.serveEntry(ctx, e)
	}
}

// serveEntry serves a device, and puts it back into the queue if that has to be tried again.
func (c *Channel) serveEntry(ctx context.Context, e *entry) {
	err := c.serve(ctx, e.id)
	if err == nil || ctx.Err() != nil {
		e.failures = 0
		c.queue.done(e, time.Time{})
		return
	}
	now := c.now()
	var wait *paused
	switch {
	case errors.As(err, &wait):
		c.queue.done(e, wait.until)
		return
	case isCode(err, http.StatusTooManyRequests):
		c.queue.done(e, c.pace.pausedUntil())
		return
	case errors.Is(err, errLeased), errors.Is(err, errUnrenewed):
		c.queue.done(e, now.Add(leaseRetry))
		return
	}
	e.failures++
	at := now.Add(backoff.After(retryBase, retryMost, 2, e.failures))
	c.log.Warn("an Android device's policy could not be set or read; it is tried again",
		"device", e.id, "at", at, "err", err)
	c.queue.done(e, at)
}

// serve makes a device's policy what is wanted of it, or looks what became of the one that it has.
// An error means that this has to be tried again; it is not counted against the device.
func (c *Channel) serve(ctx context.Context, id fleet.DeviceID) error {
	enrollment, err := c.store.AndroidEnrollmentOf(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	g, setup, err := c.readyClient(ctx)
	if errors.Is(err, ErrNoServiceAccount) || errors.Is(err, ErrNoEnterprise) {
		return nil // the engine wakes the device again
	}
	if err != nil {
		return err
	}
	if until := c.pace.pausedUntil(); c.now().Before(until) {
		return &paused{until}
	}
	under, l, err := c.lease(ctx, deviceLease+string(id))
	if err != nil {
		return err
	}
	defer l.release(ctx)
	j := &job{Channel: c, google: g, lease: l, enrollment: enrollment,
		enterprise: setup.Enterprise, policy: policyName(setup.Enterprise, id)}
	return l.why(under, j.run(under))
}

// job is what is done about one device under its lease.
type job struct {
	*Channel
	google     *google
	lease      *lease
	enrollment *Enrollment
	enterprise string
	policy     string   // its name
	newest     *Posting // that Google has; nil: none
	document   *engine.Document
	made       map[action.PayloadID]webAppState
}

func (j *job) run(ctx context.Context) error {
	if err := j.settle(ctx); err != nil {
		return err
	}
	var err error
	j.document, err = j.engine.HandDocument(ctx, j.enrollment.Device)
	if errors.Is(err, fleet.ErrNotFound) {
		return nil
	}
	if err != nil || j.document.Mark == 0 { // it has just left
		return err
	}
	coming, err := j.makeWebApps(ctx)
	if err != nil {
		return err
	}
	moved, err := j.post(ctx)
	if err != nil {
		return err
	}
	if j.enrollment.State.AssignedAt.IsZero() && j.newest != nil {
		if gone, err := j.assign(ctx); err != nil || gone {
			return err
		}
	}
	if moved || j.enrollment.State.Look {
		if err := j.look(ctx); err != nil {
			return err
		}
	}
	return coming
}

// settle finds out what became of a document of which it is not known whether Google has it,
// because the process or the connection ended in between.
func (j *job) settle(ctx context.Context) error {
	postings, err := j.store.AndroidPostings(ctx, j.enrollment.Name)
	if err != nil {
		return err
	}
	if len(postings) > 0 && postings[0].Version == 0 {
		if postings[0].Version, err = j.adopt(ctx, &postings[0]); err != nil {
			return err
		}
	}
	if i := slices.IndexFunc(postings, func(p Posting) bool { return p.Version > 0 }); i >= 0 {
		j.newest = &postings[i]
	}
	return nil
}

// adopt returns the version that Google gave to a document; 0: Google does not have it.
func (j *job) adopt(ctx context.Context, p *Posting) (int64, error) {
	there, err := j.google.policy(ctx, j.policy)
	if err != nil && !isCode(err, http.StatusNotFound) {
		return 0, err
	}
	if err == nil {
		hash, err := contentHash(there)
		if err != nil {
			return 0, err
		}
		if hash == p.Hash {
			return there.Version, j.store.FinishAndroidPosting(ctx, j.enrollment.Name, p.Mark,
				there.Version)
		}
	}
	return 0, j.store.DropAndroidPosting(ctx, j.enrollment.Name, p.Mark)
}

// assign has the device take its own policy in place of the one that it started with.
func (j *job) assign(ctx context.Context) (gone bool, err error) {
	if err := j.lease.renew(ctx); err != nil {
		return false, err
	}
	err = j.google.assign(ctx, j.enrollment.Name, j.policy)
	if isCode(err, http.StatusNotFound) {
		return true, j.depart(ctx, j.enrollment)
	}
	if err != nil {
		return false, err
	}
	now := j.now().UTC()
	return false, j.store.UpdateAndroidEnrollment(ctx, j.enrollment.Name, func(e *Enrollment) {
		e.State.AssignedAt = now
	})
}

// look reads the device, which may have reported something that no message told.
func (j *job) look(ctx context.Context) error {
	r, err := j.google.device(ctx, j.enrollment.Name)
	if isCode(err, http.StatusNotFound) {
		return j.depart(ctx, j.enrollment)
	}
	if err != nil {
		return err
	}
	return j.take(ctx, r)
}

// compose makes the policy of what was handed over, without some payloads.
func (j *job) compose(without map[action.PayloadID]bool) *payload.Composition {
	var wanted []payload.Item
	var off []payload.Off
	for _, s := range j.document.Wanted {
		if !without[s.ID] {
			wanted = append(wanted, j.item(s))
		}
	}
	for _, s := range j.document.HeldOff {
		off = append(off, payload.Off{Item: j.item(s), HeldOff: true})
	}
	for _, s := range j.document.Ended {
		off = append(off, payload.Off{Item: j.item(s)})
	}
	return payload.Compose(wanted, off)
}

func (j *job) item(s action.Spec) payload.Item {
	item := payload.Item{Spec: s, Name: s.DisplayName, Created: s.Created}
	if p := j.document.Contents[s.ID]; p != nil {
		item.Content, item.Name, item.Created = p.Content, p.DisplayName, p.Created
		made := j.made[s.ID]
		item.Made, item.Awaits, item.Code = made.made, made.awaits, made.code
	} else if j.newest != nil {
		// It was deleted: what is known of it is in what was posted last.
		e := j.newest.Manifest.Entries[s.ID]
		item.Content, _ = json.Marshal(payload.Fragment{Kind: e.Kind, Package: e.Package,
			GUID: e.WiFiGUID}) // texts marshal
	}
	return item
}
