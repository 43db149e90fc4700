package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

type columnKind uint8

const (
	textColumn columnKind = iota
	boolColumn
	timeColumn
)

type deviceField struct {
	column string
	kind   columnKind
}

// deviceFields are the columns that a query may name. Everything else of a query is a bound parameter.
var deviceFields = map[fleet.Field]deviceField{
	fleet.ByID:           {"id", textColumn},
	fleet.ByName:         {"name", textColumn},
	fleet.ByPlatform:     {"platform", textColumn},
	fleet.ByManufacturer: {"manufacturer", textColumn},
	fleet.ByModel:        {"model", textColumn},
	fleet.ByOSVersion:    {"os_version", textColumn},
	fleet.BySerialNumber: {"serial_number", textColumn},
	fleet.ByUDID:         {"udid", textColumn},
	fleet.BySupervised:   {"supervised", boolColumn},
	fleet.ByUserEnrolled: {"user_enrolled", boolColumn},
	fleet.ByEnrolled:     {"enrolled", boolColumn},
	fleet.ByEnrolledAt:   {"enrolled_at", timeColumn},
	fleet.ByLastSync:     {"last_sync", timeColumn},
}

// Devices lists the devices that a query selects, in its order.
func (s *Store) Devices(ctx context.Context, query fleet.Query) ([]fleet.Device, error) {
	text, args, err := devicesSQL(query)
	if err != nil {
		return nil, err
	}
	var found []fleet.Device
	err = s.read(ctx, func(q *session) error {
		// Not session.rows: it keeps every text prepared, and these come from callers' filters.
		rows, err := q.conn.QueryContext(context.WithoutCancel(ctx), text, args...)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // rows.Err below has what matters
		for rows.Next() {
			d, err := scanDevice(rows.Scan)
			if err != nil {
				return err
			}
			found = append(found, *d)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("listing devices: %w", err)
	}
	return found, nil
}

// CountDevices tells how many devices fulfil a condition; nil: all there are.
func (s *Store) CountDevices(ctx context.Context, where fleet.Condition) (int, error) {
	var b deviceSQL
	b.text.WriteString("SELECT count(*) FROM devices")
	if err := b.where(fleet.Query{Where: where}); err != nil {
		return 0, err
	}
	var n int
	err := s.read(ctx, func(q *session) error {
		return q.conn.QueryRowContext(context.WithoutCancel(ctx), b.text.String(), b.args...).Scan(&n)
	})
	if err != nil {
		return 0, fmt.Errorf("counting devices: %w", err)
	}
	return n, nil
}

func devicesSQL(query fleet.Query) (string, []any, error) {
	var b deviceSQL
	b.text.WriteString("SELECT " + deviceColumns + " FROM devices")
	if err := b.where(query); err != nil {
		return "", nil, err
	}
	key, _, err := orderKey(query)
	if err != nil {
		return "", nil, err
	}
	direction := " ASC"
	if query.Descending {
		direction = " DESC"
	}
	b.text.WriteString(" ORDER BY " + key + direction)
	if key != "id" {
		b.text.WriteString(", id" + direction)
	}
	if query.Limit > 0 {
		b.text.WriteString(" LIMIT " + b.bind(query.Limit))
	}
	return b.text.String(), b.args, nil
}

// orderKey is what a query sorts by before the id, and its value at the query's position.
func orderKey(query fleet.Query) (column string, at any, err error) {
	var after fleet.Position
	if query.After != nil {
		after = *query.After
	}
	switch query.OrderBy {
	case fleet.ByID:
		return "id", after.ID, nil
	case fleet.ByName:
		return "name", after.Name, nil
	case fleet.ByLastSync:
		var sync int64
		if !after.LastSync.IsZero() {
			sync = after.LastSync.UnixMicro()
		}
		return "coalesce(last_sync, 0)", sync, nil
	default:
		return "", nil, fmt.Errorf("devices cannot be sorted by field %d", query.OrderBy)
	}
}

// deviceSQL collects a statement and its bound parameters.
type deviceSQL struct {
	text strings.Builder
	args []any
}

func (b *deviceSQL) bind(v any) string {
	b.args = append(b.args, v)
	return "?"
}

func (b *deviceSQL) where(query fleet.Query) error {
	keyword := " WHERE "
	if query.Where != nil {
		condition, err := b.condition(query.Where)
		if err != nil {
			return err
		}
		b.text.WriteString(keyword + condition)
		keyword = " AND "
	}
	if query.After == nil {
		return nil
	}
	key, at, err := orderKey(query)
	if err != nil {
		return err
	}
	later := " > "
	if query.Descending {
		later = " < "
	}
	b.text.WriteString(keyword + "(" + key + ", id)" + later + "(" + b.bind(at) + ", " + b.bind(query.After.ID) + ")")
	return nil
}

func (b *deviceSQL) condition(c fleet.Condition) (string, error) {
	switch c := c.(type) {
	case fleet.Comparison:
		return b.comparison(c)
	case fleet.Not:
		inner, err := b.condition(c.Condition)
		return "NOT " + inner, err
	case fleet.All:
		return b.join(c, " AND ", "1")
	case fleet.Any:
		return b.join(c, " OR ", "0")
	default:
		return "", fmt.Errorf("unknown condition %T", c)
	}
}

func (b *deviceSQL) join(conditions []fleet.Condition, operator, empty string) (string, error) {
	if len(conditions) == 0 {
		return empty, nil
	}
	parts := make([]string, len(conditions))
	for i, c := range conditions {
		part, err := b.condition(c)
		if err != nil {
			return "", err
		}
		parts[i] = part
	}
	return "(" + strings.Join(parts, operator) + ")", nil
}

var comparisonSQL = map[fleet.Operator]string{
	fleet.Equal: " IS ", fleet.NotEqual: " IS NOT ",
	fleet.Less: " < ", fleet.LessOrEqual: " <= ", fleet.Greater: " > ", fleet.GreaterOrEqual: " >= ",
}

// comparison is 0 or 1 and never NULL, so that NOT of it is its opposite.
func (b *deviceSQL) comparison(c fleet.Comparison) (string, error) {
	field, ok := deviceFields[c.Field]
	if !ok {
		return "", fmt.Errorf("devices have no field %d", c.Field)
	}
	column := field.column
	if field.kind == textColumn {
		column = "nullif(" + column + ", '') COLLATE NOCASE"
	}
	operator, ok := comparisonSQL[c.Operator]
	if !ok {
		return b.match(field, c)
	}
	var value any
	switch v := c.Value.(type) {
	case nil:
	case time.Time:
		ok = field.kind == timeColumn
		value = v.UnixMicro()
	case bool:
		ok = field.kind == boolColumn
		value = v
	case string:
		ok = field.kind == textColumn
		if v != "" {
			value = v
		}
	default:
		ok = false
	}
	if !ok {
		return "", fmt.Errorf("column %s cannot be compared with a %T", field.column, c.Value)
	}
	return "coalesce(" + column + operator + b.bind(value) + ", 0)", nil
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func (b *deviceSQL) match(field deviceField, c fleet.Comparison) (string, error) {
	value, ok := c.Value.(string)
	if !ok || field.kind != textColumn {
		return "", fmt.Errorf("column %s cannot be matched with a %T", field.column, c.Value)
	}
	pattern := likeEscaper.Replace(value)
	switch c.Operator {
	case fleet.Contains:
		pattern = "%" + pattern + "%"
	case fleet.StartsWith:
		pattern += "%"
	case fleet.EndsWith:
		pattern = "%" + pattern
	default:
		return "", fmt.Errorf("unknown operator %d", c.Operator)
	}
	return "(" + field.column + " LIKE " + b.bind(pattern) + ` ESCAPE '\')`, nil
}
