package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// Document is all that is wanted of a device at once, for a channel that hands it over as one.
type Document struct {
	action.Document
	// Contents are those of what is wanted, but for what is mirrored, and those of what is to be
	// off the device as far as the catalog still has them.
	Contents map[action.PayloadID]*catalog.Payload
}

// DocumentReport is what a device made of a document, as its channel was told.
type DocumentReport struct {
	action.DocumentReport
	Facts *fleet.Facts // nil: it tells none
	At    time.Time    // when the device was last in contact; zero: it is not known
}

// HandDocument hands over all that is wanted of a device, for a channel that does so in one
// document. It is stored before it is returned; a channel that crashes hands over again, under a
// greater mark. fleet.ErrNotFound if there is no such device.
func (e *Engine) HandDocument(ctx context.Context, id fleet.DeviceID) (*Document, error) {
	return transactReturning(ctx, e, id, scheduleAfterHandOver,
		func(tx Tx, l *Ledger, env action.Env) (*Document, error) {
			return e.handDocument(ctx, tx, id, l, env)
		})
}

// scheduleAfterHandOver sets the clocks of a device whose channel has what is wanted.
func scheduleAfterHandOver(l *Ledger, now time.Time) (wake bool) {
	return l.schedule(now, channelHasDocument)
}

// scheduleAfterReport sets the clocks of a device that reported. What is wanted of it now may be
// something that its channel does not know of yet.
func scheduleAfterReport(l *Ledger, now time.Time) (wake bool) {
	if l.Device.Handable(action.Env{Now: now}) {
		return l.schedule(now, nobodyConnected)
	}
	return l.schedule(now, channelHasDocument)
}

func (e *Engine) handDocument(ctx context.Context, tx Tx, id fleet.DeviceID, l *Ledger,
	env action.Env) (*Document, error) {
	for {
		doc := &Document{Document: l.Device.HandDocument(env)}
		var err error
		doc.Contents, err = tx.Payloads(ctx, withContent(doc.Wanted, doc.HeldOff, doc.Ended))
		if err != nil {
			return nil, err
		}
		if doc.hasWanted() {
			return doc, nil
		}
		// The catalog moved on since the work was planned: plan again.
		if err := e.refresh(ctx, tx, id, l, env); err != nil {
			return nil, err
		}
	}
}

// withContent lists the payloads that the catalog may have the content of: what is mirrored has none
// here.
func withContent(lists ...[]action.Spec) (ids []action.PayloadID) {
	for _, list := range lists {
		for i := range list {
			if !list[i].Mirrored {
				ids = append(ids, list[i].ID)
			}
		}
	}
	return ids
}

// hasWanted reports whether the catalog had all that is wanted, in the version that was planned.
func (d *Document) hasWanted() bool {
	return !slices.ContainsFunc(d.Wanted, func(s action.Spec) bool {
		content := d.Contents[s.ID]
		return !s.Mirrored && (content == nil || content.Version != s.Version)
	})
}

// TakeReport applies what a device made of a document. A report that comes twice, late, or of a
// document that was never handed over changes nothing and costs one read. fleet.ErrNotFound if
// there is no such device.
func (e *Engine) TakeReport(ctx context.Context, id fleet.DeviceID, r DocumentReport) error {
	r = r.bounded()
	current := false
	err := e.config.Store.Look(ctx, func(tx Tx) error {
		l, err := tx.Ledger(ctx, id)
		current = err == nil && l.Device.Current(&r.DocumentReport)
		return err
	})
	if err != nil {
		return err
	}
	if now := e.config.Clock.Now(); r.At.After(now) {
		e.contacts.add(id, now)
	} else if !r.At.IsZero() {
		e.contacts.add(id, r.At)
	}
	if !current {
		return nil
	}
	return e.transactAndPlan(ctx, id, scheduleAfterReport, func(tx Tx, l *Ledger,
		env action.Env) error {
		if !l.Device.Current(&r.DocumentReport) {
			return nil
		}
		if l.Device.TakeReport(env, &r.DocumentReport) {
			l.Wake.Tries = 0
		}
		if l.Device.Handable(env) {
			l.Wake.Tries = 0
		}
		if r.Facts == nil {
			return nil
		}
		return saveFacts(ctx, tx, id, r.Facts)
	})
}

// bounded is the report with what is kept of its words.
func (r DocumentReport) bounded() DocumentReport {
	r.Outcomes = maps.Clone(r.Outcomes)
	for id, o := range r.Outcomes {
		o.Detail = bounded(o.Detail)
		o.Sightings = nil
		r.Outcomes[id] = o
	}
	r.Sightings = maps.Clone(r.Sightings)
	for id, g := range r.Sightings {
		g.Detail = bounded(g.Detail)
		g.Note = bounded(g.Note)
		r.Sightings[id] = g
	}
	return r
}

// Import takes note of an action that somebody began in the system that manages the device. It
// supersedes the one in force by the ordinary rules, and what it asks counts as handed over: the
// document that is returned is what the other system already has, and no device is woken for it.
// nil: it is the action in force. The error is fleet.ErrNotFound or an *action.Refusal.
func (e *Engine) Import(ctx context.Context, id fleet.DeviceID, c Call) (*Document, error) {
	if c.RestoreAfter == nil {
		never := time.Duration(0) // when it comes back is the other system's to say
		c.RestoreAfter = &never
	}
	doc, err := transactReturning(ctx, e, id, scheduleAfterHandOver,
		func(tx Tx, l *Ledger, env action.Env) (*Document, error) {
			started, err := e.start(ctx, tx, id, l, env, c, true)
			if err != nil || !started {
				return nil, err
			}
			return e.handDocument(ctx, tx, id, l, env)
		})
	if errors.Is(err, errRepeated) {
		return nil, nil
	}
	return doc, err
}

// mostMirrored is the most payloads that are mirrored of one device.
const mostMirrored = 2000

// ErrTooManyMirrored means that another system assigns more payloads to a device than are mirrored.
var ErrTooManyMirrored = fmt.Errorf("more than %d payloads are assigned to one device",
	mostMirrored)

// Mirror takes note of what another system assigns to a device that it manages: all of it. Such a
// payload is installed by that system and never by this server; an action takes it off and lets it
// come back. Of a spec only the id, type, names and time of creation are kept.
func (e *Engine) Mirror(ctx context.Context, id fleet.DeviceID, specs []action.Spec) error {
	if len(specs) > mostMirrored {
		return ErrTooManyMirrored
	}
	mirrored := make([]action.Spec, len(specs))
	for i := range specs {
		mirrored[i] = mirroredSpec(&specs[i])
	}
	known := false
	err := e.config.Store.View(ctx, func(tx Tx) error {
		if _, err := tx.Device(ctx, id); err != nil {
			return err
		}
		_, before, err := assignedAndMirrored(ctx, tx, id)
		known = err == nil && sameSpecs(before, mirrored)
		return err
	})
	if err != nil || known {
		return err
	}
	return e.transact(ctx, id, nobodyConnected, func(tx Tx, l *Ledger, env action.Env) error {
		assigned, _, err := assignedAndMirrored(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := tx.SaveMirrored(ctx, id, mirrored); err != nil {
			return err
		}
		// a step does not see its own writes
		l.Device.Assign(env, slices.Concat(assigned, mirrored))
		l.Changed = false
		return nil
	})
}

// mirroredSpec is what is kept of a payload of another system. It has one version, and none that a
// report shows.
func mirroredSpec(s *action.Spec) action.Spec {
	kept := action.Spec{ID: s.ID, Type: s.Type, Identifier: s.Identifier, Version: 1,
		DisplayName: bounded(s.DisplayName),
		SubType:     bounded(s.SubType), Created: s.Created.UTC().Truncate(time.Microsecond),
		Mirrored: true}
	if kept.Identifier == "" {
		kept.Identifier = string(s.ID)
	}
	return kept
}

// assignedAndMirrored is what the catalog assigns to a device, and what is mirrored of another
// system.
func assignedAndMirrored(ctx context.Context, tx Tx,
	id fleet.DeviceID) (assigned, mirrored []action.Spec, err error) {
	all, err := tx.Assigned(ctx, id)
	for i := range all {
		if all[i].Mirrored {
			mirrored = append(mirrored, all[i])
		} else {
			assigned = append(assigned, all[i])
		}
	}
	return assigned, mirrored, err
}

// sameSpecs reports whether both have the same payloads, in whatever order.
func sameSpecs(a, b []action.Spec) bool {
	byID := make(map[action.PayloadID]action.Spec, len(a))
	for _, s := range a {
		byID[s.ID] = s
	}
	for _, s := range b {
		known, ok := byID[s.ID]
		if !ok || !known.Created.Equal(s.Created) {
			return false
		}
		known.Created = s.Created
		if known != s {
			return false
		}
	}
	return len(a) == len(b)
}
