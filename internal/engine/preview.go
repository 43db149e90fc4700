package engine

import (
	"context"
	"crypto/x509"
	"errors"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// Preview is what a call would do to a device as it stands.
type Preview struct {
	action.Plan
	action.Outlook
	// what would make the call be refused; the plan is that of the rest
	Refused     []*action.Refusal
	Risks       map[action.PayloadID][]catalog.Risk
	Unsupported string // why the device cannot do the action; empty: it can
}

// Preview tells what a call would do, and changes nothing. server is the certificate chain by which
// devices trust the server, for the risks. The error is fleet.ErrNotFound.
func (e *Engine) Preview(ctx context.Context, id fleet.DeviceID, c Call,
	server []*x509.Certificate) (found *Preview, err error) {
	err = e.look(ctx, id, func(tx Tx, d *action.Device) error {
		found = c.preview(d)
		return e.weigh(ctx, tx, found, server)
	})
	return found, err
}

// look shows fn a device as a call that is made now would find it. Nothing is stored. The error is
// fn's, or fleet.ErrNotFound.
func (e *Engine) look(ctx context.Context, id fleet.DeviceID,
	fn func(Tx, *action.Device) error) error {
	return e.config.Store.View(ctx, func(tx Tx) error {
		l, err := tx.Ledger(ctx, id)
		if err != nil {
			return err
		}
		if err := e.refresh(ctx, tx, id, l, e.newEnv()); err != nil {
			return err
		}
		return fn(tx, &l.Device)
	})
}

// preview plans the set without what would have it refused.
func (c *Call) preview(d *action.Device) *Preview {
	p := &Preview{Unsupported: d.Unsupported, Risks: make(map[action.PayloadID][]catalog.Risk)}
	rest := *c
	rest.Set = slices.Clone(c.Set)
	for {
		keptOff, err := rest.heldBeyondReach(d)
		if err == nil {
			set := slices.Concat(rest.Set, keptOff)
			if p.Plan, err = d.Plan(set); err == nil {
				p.Outlook = d.Outlook(set)
				p.Restore = slices.DeleteFunc(slices.Clone(p.Restore),
					func(one *action.Payload) bool { return slices.Contains(p.Displace, one) })
			}
		}
		var refusal *action.Refusal
		if !errors.As(err, &refusal) {
			return p
		}
		p.Refused = append(p.Refused, refusal)
		if refusal.Reason == action.TooMany {
			return p
		}
		rest.Set = slices.Delete(rest.Set, refusal.Index, refusal.Index+1)
	}
}

// weigh finds out what may cut the device off.
func (e *Engine) weigh(ctx context.Context, tx Tx, p *Preview, server []*x509.Certificate) error {
	if e.config.Risks == nil {
		return nil
	}
	var removed []action.PayloadID
	for _, one := range slices.Concat(p.Remove, p.Displace) {
		removed = append(removed, one.ID)
	}
	contents, err := tx.Payloads(ctx, removed)
	if err != nil {
		return err
	}
	for id, content := range contents {
		if risks, err := e.config.Risks(content, server); err != nil {
			return err
		} else if len(risks) > 0 {
			p.Risks[id] = risks
		}
	}
	return nil
}
