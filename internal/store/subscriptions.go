package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/notify"
)

// Tenant is the GUID by which receivers of notifications know this database's server.
func (s *Store) Tenant(ctx context.Context) (id string, err error) {
	err = s.read(ctx,
		func(q *session) error { return q.Row(ctx, "SELECT id FROM tenant", nil, &id) })
	return id, err
}

// subscriptionTable is a subscription. Who has claimed it is in columns of their own.
var subscriptionTable = newTable("subscriptions", "id",
	plain("id", idColumn, func(s *notify.Subscription) *string { return &s.ID }),
	derived("owner", textColumn, func(s *notify.Subscription) any { return s.Owner.ID }),
	derived("token_id", idColumn, func(s *notify.Subscription) any {
		return sql.NullString{String: s.TokenID(), Valid: s.TokenID() != ""}
	}),
	encoded("identity", func(s *notify.Subscription) *access.Identity { return &s.Owner }),
	plain("device_id", idColumn,
		func(s *notify.Subscription) *fleet.DeviceID { return &s.Device }),
	encoded("doc", func(s *notify.Subscription) *notify.Terms { return &s.Terms }),
	plain("secret", textColumn, func(s *notify.Subscription) *string { return &s.Secret }),
	instant("created_at", stampColumn,
		func(s *notify.Subscription) *time.Time { return &s.Created }),
	instant("expires_at", stampColumn,
		func(s *notify.Subscription) *time.Time { return &s.Expires }),
	instant("remind_at", timeColumn, func(s *notify.Subscription) *time.Time { return &s.Remind }),
	plain("position", numberColumn, func(s *notify.Subscription) *int64 { return &s.Position }),
	plain("paused", boolColumn, func(s *notify.Subscription) *bool { return &s.Paused }),
	instant("look_at", stampColumn, func(s *notify.Subscription) *time.Time { return &s.LookAt }),
	instant("not_before", stampColumn,
		func(s *notify.Subscription) *time.Time { return &s.NotBefore }),
	plain("attempts", numberColumn, func(s *notify.Subscription) *int { return &s.Attempts }),
	instant("trying_since", timeColumn,
		func(s *notify.Subscription) *time.Time { return &s.Trying }),
	instant("failing_since", timeColumn,
		func(s *notify.Subscription) *time.Time { return &s.Failing }),
	instant("delivered_at", timeColumn,
		func(s *notify.Subscription) *time.Time { return &s.Delivered }),
	plain("last_error", textColumn, func(s *notify.Subscription) *string { return &s.LastError }),
)

// InsertSubscription implements notify.Store.
func (s *Store) InsertSubscription(ctx context.Context, new *notify.Subscription, most int) error {
	return s.write(ctx, func(q *session) error {
		var n int
		if err := q.Row(ctx, "SELECT count(*) FROM subscriptions WHERE owner = ?",
			[]any{new.Owner.ID}, &n); err != nil {
			return err
		}
		if n >= most {
			return notify.ErrTooMany
		}
		var err error
		if _, new.Position, err = q.eventRange(ctx); err != nil {
			return err
		}
		_, err = q.Exec(ctx, subscriptionTable.insertText, subscriptionTable.insertArgs(new)...)
		return err
	})
}

var subscriptionSelect = "SELECT " + subscriptionTable.selectedBy + ", FALSE FROM subscriptions"

// scanSubscription reads the columns of a subscription, and whether the owner has gone.
func scanSubscription(scan func(...any) error) (*notify.Subscription, error) {
	sub := new(notify.Subscription)
	err := scan(append(subscriptionTable.dest(sub), &sub.OwnerGone)...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, notify.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading subscription %s: %w", sub.ID, err)
	}
	return sub, nil
}

func (q *session) subscriptions(ctx context.Context, text string,
	args ...any) (found []*notify.Subscription, err error) {
	err = q.Rows(ctx, text, args, func(scan func(...any) error) error {
		sub, err := scanSubscription(scan)
		found = append(found, sub)
		return err
	})
	return found, err
}

// Subscription implements notify.Store.
func (s *Store) Subscription(ctx context.Context, owner, id string,
	now time.Time) (sub *notify.Subscription, err error) {
	err = s.read(ctx, func(q *session) error {
		sub, err = scanSubscription(func(dest ...any) error {
			return q.Row(ctx,
				subscriptionSelect+" WHERE owner = ? AND id = ? AND expires_at > ?",
				[]any{owner, id, micros(now)}, dest...)
		})
		return err
	})
	return sub, err
}

// Subscriptions implements notify.Store.
func (s *Store) Subscriptions(ctx context.Context, owner, after string, limit int,
	now time.Time) (list []*notify.Subscription, err error) {
	err = s.read(ctx, func(q *session) error {
		list, err = q.subscriptions(ctx,
			subscriptionSelect+" WHERE owner = ? AND id > ? AND expires_at > ? ORDER BY id LIMIT ?",
			owner, after, micros(now), limit)
		return err
	})
	return list, err
}

// changeSubscription runs a statement that must change a subscription; notify.ErrNotFound if it
// does not.
func (q *session) changeSubscription(ctx context.Context, text string, args ...any) error {
	n, err := q.Exec(ctx, text, args...)
	if err == nil && n == 0 {
		return notify.ErrNotFound
	}
	return err
}

// RenewSubscription implements notify.Store.
func (s *Store) RenewSubscription(ctx context.Context, sub *notify.Subscription,
	now time.Time) error {
	identity, err := json.Marshal(sub.Owner)
	if err != nil {
		return err
	}
	return s.write(ctx, func(q *session) error {
		return q.changeSubscription(ctx, `UPDATE subscriptions SET identity = ?, expires_at = ?, remind_at = ?, look_at = ?, not_before = ?
			WHERE id = ? AND owner = ?`, string(identity), micros(sub.Expires), micros(sub.Remind), micros(now), micros(now), sub.ID, sub.Owner.ID)
	})
}

// DeleteSubscription implements notify.Store.
func (s *Store) DeleteSubscription(ctx context.Context, owner, id string) error {
	return s.write(ctx, func(q *session) error {
		if err := q.changeSubscription(ctx, "DELETE FROM subscriptions WHERE id = ? AND owner = ?",
			id, owner); err != nil {
			return err
		}
		_, err := q.Exec(ctx, "DELETE FROM subscription_notices WHERE subscription_id = ?", id)
		return err
	})
}

const ownerGone = "coalesce(token_id IS NOT NULL AND " +
	"(t.id IS NULL OR t.expires_at <= ?1), FALSE)"

// ?1 is now, ?2 the newest position, ?3 how many.
var dueSubscriptions = "SELECT " + subscriptionTable.selectedBy + ", " + ownerGone +
	` FROM subscriptions LEFT JOIN tokens t ON t.id = token_id
	WHERE claimed_until <= ?1 AND (subscriptions.expires_at <= ?1 OR not_before <= ?1
		AND (look_at <= ?1 OR remind_at <= ?1 OR ` + ownerGone + `
			OR NOT paused AND CASE WHEN device_id = '' THEN position < ?2
				ELSE EXISTS (SELECT 1 FROM events e WHERE e.device_id = subscriptions.device_id
					AND e.position > subscriptions.position) END))
	ORDER BY attempts > 0, not_before, subscriptions.id LIMIT ?3`

func (q *session) dueSubscriptions(ctx context.Context, now time.Time,
	limit int) ([]*notify.Subscription, error) {
	_, newest, err := q.eventRange(ctx)
	if err != nil {
		return nil, err
	}
	return q.subscriptions(ctx, dueSubscriptions, micros(now), newest, limit)
}

// ClaimSubscriptions implements notify.Store. It is called all the time, and writes only if
// something is due.
func (s *Store) ClaimSubscriptions(ctx context.Context, node string, now, until time.Time,
	limit int) ([]*notify.Subscription, error) {
	return claim(ctx, s, limit, func(q *session, limit int) ([]*notify.Subscription, error) {
		return q.dueSubscriptions(ctx, now, limit)
	},
		func(q *session, sub *notify.Subscription) error {
			_, err := q.Exec(ctx,
				"UPDATE subscriptions SET claimed_by = ?, claimed_until = ? WHERE id = ?", node,
				micros(until), sub.ID)
			return err
		})
}

// claim lists what is due and makes each a node's. Whether anything is due is looked at first
// without a write.
func claim[T any](ctx context.Context, s *Store, limit int, due func(*session, int) ([]T, error),
	take func(*session, T) error) (list []T, err error) {
	err = s.read(ctx, func(q *session) error {
		list, err = due(q, min(limit, 1))
		return err
	})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	err = s.write(ctx, func(q *session) error {
		if list, err = due(q, limit); err != nil {
			return err
		}
		for _, one := range list {
			if err := take(q, one); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// SettleSubscription implements notify.Store.
func (s *Store) SettleSubscription(ctx context.Context, node, id string, o *notify.Outcome,
	now time.Time) error {
	return s.write(ctx, func(q *session) error {
		var err error
		if o.Remove {
			err = q.changeSubscription(ctx,
				"DELETE FROM subscriptions WHERE id = ? AND claimed_by = ?", id, node)
		} else {
			// Its owner may have renewed it meanwhile.
			err = q.changeSubscription(ctx, `UPDATE subscriptions SET position = ?, paused = ?, look_at = ?, not_before = ?, attempts = ?,
				trying_since = ?, failing_since = ?, delivered_at = ?, last_error = ?, claimed_by = '', claimed_until = 0,
				remind_at = CASE WHEN ? AND remind_at <= ? THEN NULL ELSE remind_at END WHERE id = ? AND claimed_by = ?`,
				o.Position, o.Paused, micros(o.LookAt), micros(o.NotBefore), o.Attempts,
				micros(o.Trying), micros(o.Failing), micros(o.Delivered),
				o.LastError, o.Reminded, micros(now), id, node)
		}
		for i := range o.Notices {
			if err == nil {
				err = q.insertNotice(ctx, &o.Notices[i])
			}
		}
		return err
	})
}

// noticeTable is a notice that waits to be delivered. Who has claimed it is in columns of their own.
var noticeTable = newTable("subscription_notices", "id",
	plain("id", numberColumn, func(n *notify.Notice) *int64 { return &n.ID }).writtenApart(),
	plain("subscription_id", idColumn,
		func(n *notify.Notice) *string { return &n.Subscription }),
	plain("event", textColumn, func(n *notify.Notice) *notify.Lifecycle { return &n.Event }),
	plain("url", textColumn, func(n *notify.Notice) *string { return &n.URL }),
	plain("secret", textColumn, func(n *notify.Notice) *string { return &n.Secret }),
	tableColumn[notify.Notice]{
		name:  "body",
		value: func(n *notify.Notice) any { return string(n.Body) },
		dest:  func(n *notify.Notice) any { return &n.Body },
	},
	instant("created_at", stampColumn, func(n *notify.Notice) *time.Time { return &n.Created }),
	instant("not_before", stampColumn, func(n *notify.Notice) *time.Time { return &n.NotBefore }),
	plain("attempts", numberColumn, func(n *notify.Notice) *int { return &n.Attempts }),
)

func (q *session) insertNotice(ctx context.Context, n *notify.Notice) error {
	_, err := q.Exec(ctx,
		noticeTable.insertText+" ON CONFLICT (subscription_id, event) DO NOTHING",
		noticeTable.insertArgs(n)...)
	return err
}

// ClaimNotices implements notify.Store.
func (s *Store) ClaimNotices(ctx context.Context, node string, now, until time.Time,
	limit int) ([]*notify.Notice, error) {
	return claim(ctx, s, limit, func(q *session, limit int) ([]*notify.Notice, error) {
		return q.dueNotices(ctx, now, limit)
	},
		func(q *session, n *notify.Notice) error {
			_, err := q.Exec(ctx,
				"UPDATE subscription_notices SET claimed_by = ?, claimed_until = ? WHERE id = ?",
				node, micros(until), n.ID)
			return err
		})
}

func (q *session) dueNotices(ctx context.Context, now time.Time,
	limit int) (list []*notify.Notice, err error) {
	err = q.Rows(ctx, "SELECT "+noticeTable.selected+` FROM subscription_notices
		WHERE claimed_until <= ?1 AND not_before <= ?1 ORDER BY attempts > 0, id LIMIT ?2`,
		[]any{micros(now), limit}, func(scan func(...any) error) error {
			n, err := noticeTable.scan(scan)
			list = append(list, n)
			return err
		})
	return list, err
}

// SettleNotice implements notify.Store.
func (s *Store) SettleNotice(ctx context.Context, node string, n *notify.Notice) error {
	return s.write(ctx, func(q *session) error {
		if n.NotBefore.IsZero() {
			_, err := q.Exec(ctx,
				"DELETE FROM subscription_notices WHERE id = ? AND claimed_by = ?", n.ID, node)
			return err
		}
		_, err := q.Exec(ctx, `UPDATE subscription_notices SET attempts = ?, not_before = ?, claimed_by = '', claimed_until = 0
			WHERE id = ? AND claimed_by = ?`, n.Attempts, micros(n.NotBefore), n.ID, node)
		return err
	})
}
