package channel

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/intune/tenant"
)

const (
	// LookAge is how old what is mirrored of a device may be when somebody looks at it or acts on
	// it.
	LookAge = 15 * time.Minute
	// sweepAge is how old it may be otherwise.
	sweepAge = 24 * time.Hour
	// Each pass reads some devices that nobody looked at: at most as many as leave the pace of
	// reports a third for people, and enough for 100,000 devices a day.
	sweepMost    = 20
	sweepAtOnce  = 4
	unassignedIn = 15 * time.Minute // between two reads that both lack a payload
)

// Refresh reads what is assigned to a device, unless that was read within an age, or another server
// is at it. It does nothing for a device that no tenant has.
func (c *Channel) Refresh(ctx context.Context, id fleet.DeviceID, age time.Duration) error {
	ctx = bare{ctx}
	d, err := c.store.IntuneDevice(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil || !due(c.now(), d.ReadAt, age) {
		return err
	}
	// Whoever reads has a name of their own: this process may be at it already.
	l, err := c.lease(ctx, "intune/device/"+string(id), c.node+" "+uuid.NewString())
	if errors.Is(err, errLeased) {
		return nil
	}
	if err != nil {
		return err
	}
	defer l.release(ctx)
	t, err := c.store.IntuneTenant(ctx, d.Tenant)
	if errors.Is(err, ErrNotFound) || err == nil && t.Settings.Leaving {
		return nil
	}
	if err != nil {
		return err
	}
	client, err := c.client(ctx, t)
	if err != nil {
		return err
	}
	return c.readAssigned(ctx, t, client, d)
}

// readAssigned reads what is assigned to a device, and has the engine take note of it.
func (c *Channel) readAssigned(ctx context.Context, t *Tenant, client *tenant.Client,
	d *Device) error {
	began := c.now().UTC()
	found, failure := client.Assigned(ctx, string(d.ID), d.Details.UserID)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if failure != nil && !ofDevice(failure) {
		return failure
	}
	state := d.Details.Assigned
	if failure != nil {
		state.Missing = []string{failure.Error()}
	} else {
		known, err := c.engine.Payloads(ctx, d.ID)
		if err != nil {
			return err
		}
		specs, err := c.specs(ctx, t, found)
		if err != nil {
			return err
		}
		specs, absent := stillAssigned(specs, known, found.Complete, state.Absent, began)
		if err := c.engine.Mirror(ctx, d.ID, specs); err != nil {
			return err
		}
		state.Absent, state.Missing = absent, found.Missing
		if found.Complete {
			state.CompleteAt = began
		}
	}
	err := c.store.UpdateIntuneDevice(ctx, d.ID, func(d *Device) {
		d.ReadAt, d.Details.Assigned = began, state
	})
	return errors.Join(failure, err)
}

// ofDevice reports whether what Intune says no to concerns one device, and not all that is asked.
func ofDevice(err error) bool {
	var r *tenant.Refused
	return errors.As(err, &r) && r.Status >= 200 && r.Status < 500 &&
		r.Status != http.StatusUnauthorized && r.Status != http.StatusForbidden &&
		r.Status != http.StatusTooManyRequests
}

// specs are the items of a read as the rules know them, with what the catalog says of them.
func (c *Channel) specs(ctx context.Context, t *Tenant,
	found *tenant.Assigned) ([]action.Spec, error) {
	ids := make([]action.PayloadID, len(found.Items))
	for i, item := range found.Items {
		ids[i] = action.PayloadID(item.ID)
	}
	named, err := c.store.MirroredPayloads(ctx, t.Name, ids)
	if err != nil {
		return nil, err
	}
	specs := make([]action.Spec, 0, len(found.Items))
	seen := make(map[action.PayloadID]bool, len(found.Items))
	for i, item := range found.Items {
		if seen[ids[i]] {
			continue
		}
		seen[ids[i]] = true
		spec := action.Spec{ID: ids[i], Type: types[item.Kind], Identifier: item.ID, Version: 1,
			DisplayName: item.Name,
			SubType:     subType(&tenant.Named{Kind: item.Kind}), Mirrored: true}
		if p := named[ids[i]]; p != nil && p.Type == spec.Type {
			spec.DisplayName, spec.SubType = cmp.Or(p.DisplayName, item.Name), p.SubType
			spec.Created = p.Created
		}
		spec.DisplayName = cmp.Or(spec.DisplayName, item.ID)
		specs = append(specs, spec)
	}
	return specs, nil
}

// stillAssigned adds to what a read had what is assigned all the same: what an action holds off,
// because it is expected to vanish, and what not two complete reads, some time apart, lacked.
// absent says of the latter since when they are.
func stillAssigned(read []action.Spec, known []*action.Payload, complete bool,
	absent map[action.PayloadID]time.Time,
	began time.Time) ([]action.Spec, map[action.PayloadID]time.Time) {
	there := make(map[action.PayloadID]bool, len(read))
	for _, s := range read {
		there[s.ID] = true
	}
	lacking := make(map[action.PayloadID]time.Time)
	for _, p := range known {
		if !p.Mirrored || there[p.ID] {
			continue
		}
		first, before := absent[p.ID]
		switch {
		case p.Away:
		case !complete && before:
			lacking[p.ID] = first
		case !complete:
		case before && !first.After(began) && began.Sub(first) >= unassignedIn:
			continue
		case before && !first.After(began):
			lacking[p.ID] = first
		default:
			lacking[p.ID] = began
		}
		read = append(read, p.Spec)
	}
	if len(lacking) == 0 {
		lacking = nil
	}
	return read, lacking
}

// sweep reads what is assigned to some devices that nobody looked at for long.
func (p *pass) sweep(ctx context.Context) error {
	some, err := p.store.StaleIntuneDevices(ctx, p.tenant.ID, p.now().Add(-sweepAge), sweepMost)
	if err != nil || len(some) == 0 {
		return err
	}
	p.asked = true
	if err := p.lease.renew(ctx); err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(sweepAtOnce)
	for _, d := range some {
		g.Go(func() error {
			err := p.Refresh(gctx, d.ID, sweepAge)
			if err != nil && ofDevice(err) {
				return nil // it is kept with the device
			}
			return err
		})
	}
	return g.Wait()
}
