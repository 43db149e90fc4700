package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/apple/mdm"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// OtherTopics implements mdm.Store. It reads the index around the topics, which nearly all devices
// have, and not the devices that have one of them.
func (s *Store) OtherTopics(ctx context.Context, topics []string, where fleet.Condition,
	limit int) (n int, names []string, err error) {
	b := selection{of: &devices, dialect: s.dialect}
	b.text.WriteString(" FROM apple_enrollments JOIN devices ON devices.id = device_id WHERE stage IN (" + b.bind(mdm.Enrolled) + ", " +
		b.bind(mdm.Reachable) + ") AND (" + conditionOfTopics(&b, topics) + ")")
	if where != nil {
		condition, err := b.condition(where)
		if err != nil {
			return 0, nil, err
		}
		b.text.WriteString(" AND " + condition)
	}
	from, args := b.text.String(), b.args
	err = s.read(ctx, func(q *session) error {
		if err := q.Row(ctx, "SELECT count(*)"+from, args, &n); err != nil || n == 0 {
			return err
		}
		return q.Once(ctx,
			"SELECT devices.name"+from+" ORDER BY devices.name, devices.id LIMIT "+b.bind(limit),
			b.args,
			func(scan func(...any) error) error {
				var name string
				err := scan(&name)
				names = append(names, name)
				return err
			})
	})
	if err != nil {
		return 0, nil, fmt.Errorf("looking for devices of another push topic: %w", err)
	}
	return n, names, nil
}

// conditionOfTopics is a condition that a topic is none of some, as the ranges between them. The
// empty topic is none.
func conditionOfTopics(b *selection, topics []string) string {
	sorted := slices.Compact(slices.Sorted(slices.Values(append([]string{""}, topics...))))
	ranges := ""
	for i, topic := range sorted {
		if i > 0 {
			ranges += " OR "
		}
		ranges += "topic > " + b.bind(topic)
		if i+1 < len(sorted) {
			ranges += " AND topic < " + b.bind(sorted[i+1])
		}
	}
	return ranges
}
