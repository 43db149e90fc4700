package channel

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/intune/tenant"
)

const (
	// mostListed bounds the devices of one tenant. Of each, 16 bytes stay in memory while a whole
	// list is read.
	mostListed = 1_000_000
	// mostLooked is how many devices that a list lacks are read one by one: the others are looked
	// at after the next list.
	mostLooked = 2000
	// overlap is how far a list of recent contacts goes back behind the latest that was seen.
	overlap = 10 * time.Minute
	// storing is how many devices are stored at a time, so that their writes share commits.
	storing = 16
	// mostNotTaken is after how many devices that could not be stored a list is given up.
	mostNotTaken = 100
	chunk        = 500 // devices that are read at once
)

// tally counts what a list had.
type tally struct {
	mu         sync.Mutex
	left       int // run something of which no device is mirrored
	refused    int // somebody else has a device of this id
	notTaken   int // could not be stored
	unreadable int
	newest     time.Time // latest contact
}

// full lists all devices: those that are new are enrolled, what changed is stored, and those that
// Intune does not have any more leave.
func (p *pass) full(ctx context.Context) error {
	p.asked = true
	began := p.now().UTC()
	if err := p.store.UpdateIntuneState(ctx, p.tenant.ID,
		func(s *State) { s.FullTried = began }); err != nil {
		return err
	}
	listed := make(map[uuid.UUID]struct{})
	var t tally
	err := p.client.Devices(ctx, time.Time{}, func(page tenant.Page) (bool, error) {
		if err := p.lease.renew(ctx); err != nil {
			return false, err
		}
		t.unreadable += page.Unreadable
		for _, d := range page.Devices {
			listed[uuid.MustParse(d.ID)] = struct{}{} // the client takes no other
		}
		if len(listed) > mostListed {
			return false, fmt.Errorf("the tenant has more than %d devices", mostListed)
		}
		return true, p.take(ctx, page.Devices, &t)
	})
	if err != nil {
		return err
	}
	if t.unreadable == 0 { // else one of them may be in such a row
		if err := p.missing(ctx, listed, &t); err != nil {
			return err
		}
	}
	return p.store.UpdateIntuneState(ctx, p.tenant.ID, func(s *State) {
		s.FullAt, s.RecentAt = began, began
		s.Listed, s.Left, s.Refused = len(listed), t.left, t.refused
		s.Unreadable, s.NotTaken = t.unreadable, t.notTaken
		s.NewestAt = later(s.NewestAt, t.newest)
	})
}

// recent lists the devices that were in contact with Intune lately.
func (p *pass) recent(ctx context.Context) error {
	p.asked = true
	began := p.now().UTC()
	since := p.tenant.State.NewestAt.Add(-overlap)
	ignored := false
	var t tally
	err := p.client.Devices(ctx, since, func(page tenant.Page) (bool, error) {
		if err := p.lease.renew(ctx); err != nil {
			return false, err
		}
		var some []tenant.Device
		for _, d := range page.Devices {
			if d.LastSync.Before(since.Truncate(time.Second)) {
				ignored = true // the filter was not heeded: these are all devices
			} else {
				some = append(some, d)
			}
		}
		return !ignored, p.take(ctx, some, &t)
	})
	if err != nil {
		return err
	}
	return p.store.UpdateIntuneState(ctx, p.tenant.ID, func(s *State) {
		s.RecentAt = began
		if ignored {
			s.FilterIgnored = began
			return
		}
		s.FilterIgnored = time.Time{}
		s.NewestAt = later(s.NewestAt, t.newest)
	})
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// take stores devices that a list had.
func (p *pass) take(ctx context.Context, list []tenant.Device, t *tally) error {
	ids := make([]fleet.DeviceID, len(list))
	for i, d := range list {
		ids[i] = fleet.DeviceID(d.ID)
	}
	stored := make(map[fleet.DeviceID]Device, len(ids))
	for at := 0; at < len(ids); at += chunk {
		some, err := p.store.IntuneDevices(ctx, ids[at:min(at+chunk, len(ids))])
		if err != nil {
			return err
		}
		for id, d := range some {
			stored[id] = d
		}
	}
	seen := make(map[fleet.DeviceID]time.Time)
	handled := make(map[string]bool, len(list))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(storing)
	for i := range list {
		if handled[list[i].ID] {
			continue // a list may have one twice
		}
		handled[list[i].ID] = true
		g.Go(func() error { return p.takeOne(gctx, &list[i], stored, seen, t) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return p.store.Touch(ctx, seen)
}

// takeOne stores one device. seen is told the contact of one of which nothing else changed.
func (p *pass) takeOne(ctx context.Context, d *tenant.Device, stored map[fleet.DeviceID]Device,
	seen map[fleet.DeviceID]time.Time, t *tally) error {
	now := p.now()
	runs, mirrored := platformOf(d.OS)
	if !mirrored {
		t.count(&t.left)
		return nil
	}
	facts := p.facts(d, runs, now)
	fresh := &Device{ID: facts.ID, Tenant: p.tenant.ID, Details: p.details(d, runs)}
	fresh.Digest = digest(facts, &fresh.Details)
	t.mu.Lock()
	t.newest = later(t.newest, facts.LastSync)
	t.mu.Unlock()
	old, known := stored[facts.ID]
	if known && old.Tenant == p.tenant.ID && old.Digest == fresh.Digest {
		t.mu.Lock()
		defer t.mu.Unlock()
		seen[facts.ID] = facts.LastSync
		return nil
	}
	ours, err := p.mayTake(ctx, facts.ID, &old, known)
	if err == nil && !ours {
		t.count(&t.refused)
		return nil
	}
	if err == nil && (!known || old.Details.Unsupported != fresh.Details.Unsupported ||
		old.Details.Platform != runs) {
		_, err = p.engine.Enroll(ctx, *facts, fresh.Details.Unsupported)
	}
	if err == nil {
		err = p.store.SaveIntuneDevice(ctx, fresh, facts)
	}
	if err == nil || ctx.Err() != nil {
		return err
	}
	p.log.Warn("a device of Intune's was not stored; it is with the next list", "device", facts.ID,
		"tenant", p.tenant.Name, "err", err)
	if t.count(&t.notTaken) > mostNotTaken {
		return err
	}
	return nil
}

// mayTake reports whether a device is the tenant's to tell of: nobody else has one of its id.
func (p *pass) mayTake(ctx context.Context, id fleet.DeviceID, old *Device,
	known bool) (bool, error) {
	if known {
		return old.Tenant == p.tenant.ID, nil
	}
	there, err := p.store.Device(ctx, id)
	if errors.Is(err, fleet.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return there.Authority == Authority && there.UDID == "intune:"+string(id), nil
}

func (t *tally) count(of *int) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	*of++
	return *of
}

// missing reads each device that a whole list lacks, and takes note of those that Intune does not
// have any more.
func (p *pass) missing(ctx context.Context, listed map[uuid.UUID]struct{}, t *tally) error {
	looked := 0
	for after := fleet.DeviceID(""); ; {
		some, err := p.store.IntuneDevicesAfter(ctx, p.tenant.ID, after, chunk)
		if err != nil || len(some) == 0 {
			return err
		}
		for _, d := range some {
			after = d.ID
			id, err := uuid.Parse(string(d.ID))
			if _, there := listed[id]; err == nil && there {
				continue
			}
			if looked++; looked > mostLooked {
				return nil
			}
			if err := p.lease.renew(ctx); err != nil {
				return err
			}
			read, err := p.client.Device(ctx, string(d.ID))
			switch {
			case tenant.IsStatus(err, http.StatusNotFound):
				err = p.depart(ctx, d.ID)
			case err == nil:
				err = p.take(ctx, []tenant.Device{*read}, t)
			}
			if err != nil {
				return err
			}
		}
	}
}

// depart takes note that a device left Intune. Nothing is changed there.
func (c *Channel) depart(ctx context.Context, id fleet.DeviceID) error {
	err := c.engine.Unenroll(ctx, id)
	if err == nil {
		err = c.engine.Mirror(ctx, id, nil)
	}
	if err != nil && !errors.Is(err, fleet.ErrNotFound) {
		return err
	}
	return c.store.EndIntuneDevice(ctx, id)
}

// dismiss lets the devices of a tenant leave that is being disconnected, and then forgets it.
func (p *pass) dismiss(ctx context.Context) error {
	for {
		some, err := p.store.IntuneDevicesAfter(ctx, p.tenant.ID, "", chunk)
		if err != nil {
			return err
		}
		if len(some) == 0 {
			p.mu.Lock()
			delete(p.clients, p.tenant.ID)
			p.mu.Unlock()
			return p.store.DropIntuneTenant(ctx, p.tenant.ID)
		}
		if err := p.lease.renew(ctx); err != nil {
			return err
		}
		g, gctx := errgroup.WithContext(ctx)
		g.SetLimit(storing)
		for _, d := range some {
			g.Go(func() error { return p.depart(gctx, d.ID) })
		}
		if err := g.Wait(); err != nil {
			return err
		}
	}
}
