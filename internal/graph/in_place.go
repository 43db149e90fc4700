package graph

import (
	"context"
	"fmt"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// What is stored of a payload that has to wait for another's place does not name the other: that is
// named to callers who see it.

func naming(detail, name string, id action.PayloadID) string {
	return fmt.Sprintf("%s: “%s” (%s)", detail, name, id)
}

// result is a result as the caller is told of it.
func (s *sight) result(ctx context.Context, device fleet.DeviceID,
	r action.Result) (action.Result, error) {
	if r.InPlace == "" {
		return r, nil
	}
	sees, err := s.access.Sees(ctx, device, r.InPlace)
	if sees {
		r.Detail = naming(r.Detail, r.InPlaceName, r.InPlace)
	}
	return r, err
}

// namePlaceIn is an event that the caller sees as the caller is told of it.
func (s *sight) namePlaceIn(ctx context.Context, e *live.Event) (*live.Event, error) {
	if e.Result == nil || e.Result.InPlace == "" {
		return e, nil
	}
	r, err := s.result(ctx, e.Device, *e.Result)
	named := *e
	named.Result = &r
	named.Served = nil // that text does not name it
	return &named, err
}

// namePlaces names, in the errors of a device's payloads that the caller sees, what is in their
// place, if that is seen, too.
func namePlaces(seen []*action.Payload) {
	for _, p := range seen {
		i := slices.IndexFunc(seen, func(q *action.Payload) bool { return q.ID == p.Behind })
		if i >= 0 && p.Work.Code == action.CodeInPlace {
			p.Work.Note = naming(p.Work.Note, seen[i].DisplayName, seen[i].ID)
		}
	}
}

// otherFields show what is in the place of a payload after a call: null if nothing is, an id that
// is null if the caller does not see it.
func (w *wording) otherFields(p *action.Payload, seen []*action.Payload) any {
	if p == nil {
		return nil
	}
	for _, s := range seen {
		if s.ID == p.ID {
			return odata.Fields{{w.id, p.ID}, {"displayName", odata.TextOrNull(p.DisplayName)}}
		}
	}
	return odata.Fields{{w.id, nil}, {"displayName", nil}}
}

// nameFailures makes failures tell what is in the place of a payload.
func (s *sight) nameFailures(ctx context.Context, list []engine.Failure) error {
	for i := range list {
		named, err := s.namePlaceIn(ctx, &list[i].Event)
		if err != nil {
			return err
		}
		list[i].Event = *named
	}
	return nil
}
