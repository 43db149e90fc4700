package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/notify"
)

// Tenant is the GUID by which receivers of notifications know this database's server.
func (s *Store) Tenant(ctx context.Context) (id string, err error) {
	err = s.read(ctx,
		func(q *session) error { return q.Row(ctx, "SELECT id FROM tenant", nil, &id) })
	return id, err
}

// InsertSubscription implements notify.Store.
func (s *Store) InsertSubscription(ctx context.Context, new *notify.Subscription, most int) error {
	identity, err := json.Marshal(new.Owner)
	if err != nil {
		return err
	}
	doc, err := json.Marshal(new.Terms)
	if err != nil {
		return err
	}
	var token any
	if id := new.TokenID(); id != "" {
		token = id
	}
	return s.write(ctx, func(q *session) error {
		var n int
		if err := q.Row(ctx, "SELECT count(*) FROM subscriptions WHERE owner = ?",
			[]any{new.Owner.ID}, &n); err != nil {
			return err
		}
		if n >= most {
			return notify.ErrTooMany
		}
		if _, new.Position, err = q.eventRange(ctx); err != nil {
			return err
		}
		_, err := q.Exec(ctx, `INSERT INTO subscriptions (id, owner, token_id, identity, device_id, doc, secret, created_at, expires_at, remind_at,
			position, look_at, not_before) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, new.ID, new.Owner.ID, token, string(identity), new.Device,
			string(doc), new.Secret, micros(new.Created), micros(new.Expires), micros(new.Remind),
			new.Position, micros(new.LookAt), micros(new.NotBefore))
		return err
	})
}

const (
	subscriptionColumns = `s.id, s.identity, s.device_id, s.doc, s.secret, s.created_at, s.expires_at, s.remind_at, s.position, s.paused, s.look_at,
		s.not_before, s.attempts, s.trying_since, s.failing_since, s.delivered_at, s.last_error`
	subscriptionSelect = "SELECT " + subscriptionColumns + ", FALSE FROM subscriptions s"
)

// scanSubscription reads subscriptionColumns, and whether the owner has gone.
func scanSubscription(scan func(...any) error) (*notify.Subscription, error) {
	var sub notify.Subscription
	var identity, doc []byte
	var created, expires, remind, look, notBefore, trying, failing, delivered sql.NullInt64
	err := scan(&sub.ID, &identity, &sub.Device, &doc, &sub.Secret, &created, &expires, &remind,
		&sub.Position, &sub.Paused, &look,
		&notBefore, &sub.Attempts, &trying, &failing, &delivered, &sub.LastError, &sub.OwnerGone)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, notify.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading a subscription: %w", err)
	}
	sub.Created, sub.Expires, sub.Remind = fromMicros(created), fromMicros(expires),
		fromMicros(remind)
	sub.LookAt, sub.NotBefore, sub.Delivered = fromMicros(look), fromMicros(notBefore),
		fromMicros(delivered)
	sub.Trying, sub.Failing = fromMicros(trying), fromMicros(failing)
	if err := errors.Join(json.Unmarshal(identity, &sub.Owner),
		json.Unmarshal(doc, &sub.Terms)); err != nil {
		return nil, fmt.Errorf("subscription %s: %w", sub.ID, err)
	}
	return &sub, nil
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
				subscriptionSelect+" WHERE s.owner = ? AND s.id = ? AND s.expires_at > ?",
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
			subscriptionSelect+" WHERE s.owner = ? AND s.id > ? AND s.expires_at > ? ORDER BY s.id LIMIT ?",
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

const (
	ownerGone = "coalesce(s.token_id IS NOT NULL AND (t.id IS NULL OR t.expires_at <= ?1), FALSE)"
	// ?1 is now, ?2 the newest position, ?3 how many.
	dueSubscriptions = "SELECT " + subscriptionColumns + ", " + ownerGone + ` FROM subscriptions s LEFT JOIN tokens t ON t.id = s.token_id
		WHERE s.claimed_until <= ?1 AND (s.expires_at <= ?1 OR s.not_before <= ?1 AND (s.look_at <= ?1 OR s.remind_at <= ?1 OR ` + ownerGone + `
			OR NOT s.paused AND CASE WHEN s.device_id = '' THEN s.position < ?2
				ELSE EXISTS (SELECT 1 FROM events e WHERE e.device_id = s.device_id AND e.position > s.position) END))
		ORDER BY s.attempts > 0, s.not_before, s.id LIMIT ?3`
)

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

func (q *session) insertNotice(ctx context.Context, n *notify.Notice) error {
	_, err := q.Exec(ctx, `INSERT INTO subscription_notices (subscription_id, event, url, secret, body, created_at, not_before)
		VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (subscription_id, event) DO NOTHING`,
		n.Subscription, n.Event, n.URL, n.Secret, string(n.Body), micros(n.Created),
		micros(n.NotBefore))
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
	err = q.Rows(ctx, `SELECT id, subscription_id, event, url, secret, body, created_at, not_before, attempts FROM subscription_notices
		WHERE claimed_until <= ?1 AND not_before <= ?1 ORDER BY attempts > 0, id LIMIT ?2`, []any{micros(now), limit}, func(scan func(...any) error) error {
		n := new(notify.Notice)
		var created, notBefore sql.NullInt64
		err := scan(&n.ID, &n.Subscription, &n.Event, &n.URL, &n.Secret, &n.Body, &created,
			&notBefore, &n.Attempts)
		n.Created, n.NotBefore = fromMicros(created), fromMicros(notBefore)
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
