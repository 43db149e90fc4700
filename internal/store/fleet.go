package store

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// bySynced is the number of the last change of a device's last contact.
const bySynced query.Field = "synced"

// deviceCalled is fleet.Device.CalledName, as the index devices_managed_name has it.
const deviceCalled = "coalesce(nullif(devices.managed_name, ''), devices.name)"

const deviceTagged = "instr(devices.scope_tags, ',' || ? || ',') > 0"

var devices = resource{
	things:  "devices",
	columns: deviceTable.selected,
	from:    "devices",
	key:     column{"devices.id", idColumn},
	own:     deviceCondition,
	fields: deviceTable.fields("devices.", map[query.Field]column{bySynced: {"devices.synced",
		numberColumn}}),
}

func deviceOf(scan func(...any) error) (fleet.Device, error) {
	d, err := scanDevice(scan)
	if err != nil {
		return fleet.Device{}, err
	}
	return *d, nil
}

// Devices lists the devices that a query selects, in its order. In that of the last contact every
// device that is there throughout a walk through the pages comes: once, or a second time at the end
// if it made contact after it came.
func (s *Store) Devices(ctx context.Context,
	q query.Query) (page query.Page[fleet.Device], err error) {
	err = s.read(ctx, func(t *session) error {
		if slices.ContainsFunc(q.OrderBy,
			func(o query.Order) bool { return o.Field == fleet.ByLastSync }) {
			page, err = t.walkBySync(ctx, q)
		} else {
			page, err = list(ctx, t, &devices, q, deviceOf)
		}
		return err
	})
	return page, err
}

// CountDevices tells how many devices fulfil a condition; nil: all there are.
func (s *Store) CountDevices(ctx context.Context, where query.Condition) (n int, err error) {
	err = s.read(ctx, func(t *session) error {
		n, err = count(ctx, t, &devices, where)
		return err
	})
	return n, err
}

// walkBySync reads a page in the order of the last contact. Who makes contact while others walk
// through the pages would slip past them, or come again without end. So the walk passes those by
// that have made contact since it began, and lists them when it is through with the others, in the
// order of their ids.
func (t *session) walkBySync(ctx context.Context,
	q query.Query) (page query.Page[fleet.Device], err error) {
	if q.After == nil {
		walk := query.Walk{}
		if err := t.Row(ctx, "SELECT coalesce(max(synced), 0) FROM devices", nil,
			&walk.Began); err != nil {
			return page, err
		}
		page, err = list(ctx, t, &devices, q, deviceOf)
		return withWalk(page, walk), err
	}
	if q.After.Walk == nil {
		return page, query.ErrPosition
	}
	if q.Count {
		if page.Count, err = count(ctx, t, &devices, q.Where); err != nil {
			return page, err
		}
	}
	walk := *q.After.Walk
	still := query.Comparison{Field: bySynced, Operator: query.LessOrEqual, Value: walk.Began}
	moved := query.Comparison{Field: bySynced, Operator: query.Greater, Value: walk.Began}
	late := query.Query{Where: query.And(q.Where, moved), Limit: q.Limit}
	if !walk.End {
		unmoved := query.Query{Where: query.And(q.Where, still), OrderBy: q.OrderBy, After: q.After,
			Limit: q.Limit}
		first, err := list(ctx, t, &devices, unmoved, deviceOf)
		page.Items, page.Next = first.Items, first.Next
		if err != nil || page.Next != nil {
			return withWalk(page, walk), err
		}
		late.Limit -= len(page.Items)
	} else if len(q.After.Keys) > 0 {
		late.After = q.After
	}
	walk.End = true
	if q.Limit > 0 && late.Limit == 0 {
		page.Next = &query.Position{Keys: []any{}}
		return withWalk(page, walk), nil
	}
	found, err := t.movedSince(ctx, walk.Began)
	if err != nil {
		return page, err
	}
	rest, err := list(ctx, t, found, late, deviceOf)
	page.Items, page.Next = append(page.Items, rest.Items...), rest.Next
	return withWalk(page, walk), err
}

// movedFew is how many devices may have made contact since a walk began for them to be sorted for
// each page.
const movedFew = 10_000

// movedDevices are the devices sorted by an expression that no index has: the few that made contact
// are read by the number of that change, where the order of the ids would lead through the whole
// fleet.
var movedDevices = func() *resource {
	r := devices
	r.key.sql += " || ''"
	return &r
}()

// movedSince is how to read the devices that have made contact since a walk began.
func (t *session) movedSince(ctx context.Context, began int64) (*resource, error) {
	// each contact has a number of its own, so no more devices than numbers can have moved
	var newest int64
	if err := t.Row(ctx, "SELECT coalesce(max(synced), 0) FROM devices", nil, &newest); err != nil {
		return nil, err
	}
	if newest-began <= movedFew {
		return movedDevices, nil
	}
	return &devices, nil
}

// withWalk gives the next position what its walk remembers.
func withWalk[T any](page query.Page[T], walk query.Walk) query.Page[T] {
	if page.Next != nil {
		page.Next.Walk = &walk
	}
	return page
}

// deviceCondition is a condition that devices alone have.
func deviceCondition(b *selection, c query.Condition) (string, error) {
	switch c := c.(type) {
	case fleet.Within:
		return b.within(c), nil
	case fleet.Member:
		return "devices.id IN (SELECT device_id FROM catalog_members WHERE group_id = " +
			b.bind(string(c)) + ")", nil
	case fleet.Found:
		return b.matches(string(c)), nil
	case fleet.LatestAction:
		return b.latestAction(c), nil
	default:
		return "", unknownCondition(b.of, c)
	}
}

// within is a scope as a condition: one of its areas has the device in its groups and among its
// tags.
func (b *selection) within(scope fleet.Within) string {
	areas := []string{"FALSE"}
	for _, a := range scope {
		parts := []string{"TRUE"}
		if a.Groups != nil && len(a.Groups) == 0 {
			parts = append(parts, "FALSE")
		} else if a.Groups != nil {
			parts = append(parts,
				"EXISTS (SELECT 1 FROM catalog_members WHERE device_id = devices.id AND group_id IN ("+b.bindAll(a.Groups)+"))")
		}
		if a.Tags != nil {
			parts = append(parts, b.tagged("devices.scope_tags", a.Tags))
		}
		areas = append(areas, "("+strings.Join(parts, " AND ")+")")
	}
	return "(" + strings.Join(areas, " OR ") + ")"
}

// tagged is the condition that a list of scope tags has one of these.
func (b *selection) tagged(list string, tags []string) string {
	parts := []string{"FALSE"}
	for _, tag := range tags {
		parts = append(parts, "instr("+list+", ',' || "+b.bind(tag)+" || ',') > 0")
	}
	return "(" + strings.Join(parts, " OR ") + ")"
}

// matches is a search for a text. The pieces of the index have three characters; a shorter text is
// looked for at the start.
func (b *selection) matches(text string) string {
	if utf8.RuneCountInString(text) < 3 {
		pattern := likeEscaper.Replace(lower(text)) + "%"
		return "(lower(devices.name) LIKE " + b.bind(pattern) +
			` ESCAPE '\' OR lower(devices.serial_number) LIKE ` + b.bind(pattern) + ` ESCAPE '\')`
	}
	return b.dialect.search(b, text)
}

// latestAction is what the latest action of one of its names must be.
func (b *selection) latestAction(c fleet.LatestAction) string {
	kinds := make([]string, len(c))
	for i, kind := range c {
		kinds[i] = "a.state = " + b.bind(kind.State) + " AND a.name = " + b.bind(kind.Name)
	}
	if len(kinds) == 0 {
		return "FALSE"
	}
	return "devices.id IN (SELECT a.device_id FROM actions a WHERE (" +
		strings.Join(kinds, " OR ") +
		") AND NOT EXISTS (SELECT 1 FROM actions later WHERE later.device_id = a.device_id AND later.name = a.name AND later.number > a.number))"
}
