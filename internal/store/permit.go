package store

import (
	"context"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

func (t accessTx) DeviceByUDID(ctx context.Context, udid string) (*fleet.Device, error) {
	return t.q.device(ctx, "udid = ?", udid)
}

func (t accessTx) Place(ctx context.Context, id fleet.DeviceID) (fleet.Place, error) {
	return t.q.place(ctx, id)
}

func (q *session) place(ctx context.Context, id fleet.DeviceID) (p fleet.Place, err error) {
	d, err := q.device(ctx, "id = ?", id)
	if err != nil {
		return p, err
	}
	p.Tags = d.Tags
	err = q.Rows(ctx, "SELECT group_id FROM catalog_members WHERE device_id = ?", []any{id},
		func(scan func(...any) error) error {
			var group string
			err := scan(&group)
			p.Groups = append(p.Groups, group)
			return err
		})
	return p, err
}

func (t accessTx) PayloadTags(ctx context.Context, id action.PayloadID) ([]string, error) {
	return catalogTx(t).PayloadTags(ctx, id)
}

func (t accessTx) Targets(ctx context.Context, id action.PayloadID) ([]catalog.Assignment, error) {
	return catalogTx(t).Assignments(ctx, id)
}

func (t accessTx) GroupBeyond(ctx context.Context, group string,
	area fleet.Area) (devices, payloads bool, err error) {
	if area.Tags == nil {
		return false, false, nil
	}
	b := selection{dialect: t.q.dialect}
	b.text.WriteString("SELECT EXISTS (SELECT 1 FROM catalog_members JOIN devices ON devices.id = device_id WHERE group_id = " + b.bind(group) +
		" AND NOT " + b.tagged("devices.scope_tags", area.Tags) + ")")
	b.text.WriteString(", EXISTS (SELECT 1 FROM catalog_assignments JOIN catalog_payloads p ON p.id = payload_id WHERE kind IN (" +
		b.bind(catalog.Group) + ", " + b.bind(catalog.ExcludeGroup) + ") AND target = " +
		b.bind(group) + " AND NOT " + b.tagged("p.scope_tags", area.Tags) + ")")
	err = t.q.Once(ctx, b.text.String(), b.args,
		func(scan func(...any) error) error { return scan(&devices, &payloads) })
	return devices, payloads, err
}
