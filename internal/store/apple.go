package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/apple/mdm"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/keypair"
)

// Identity implements mdm.Store.
func (s *Store) Identity(ctx context.Context, enrollment,
	certificate string) (e *mdm.Enrollment, c *mdm.Certificate, err error) {
	if s.identities == nil {
		return s.readIdentity(ctx, enrollment, certificate)
	}
	key := identityKey{enrollment, certificate}
	e, c, changes := s.identities.get(key)
	if e != nil {
		return e, c, nil
	}
	if e, c, err = s.readIdentity(ctx, enrollment, certificate); err == nil && e != nil &&
		c != nil {
		s.identities.put(key, e, c, changes)
	}
	return e, c, err
}

func (s *Store) readIdentity(ctx context.Context, enrollment,
	certificate string) (*mdm.Enrollment, *mdm.Certificate, error) {
	q, giveBack, err := s.borrow(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer giveBack()
	return q.identity(ctx, enrollment, certificate)
}

// identity reads both in one statement, because every message of a device asks for them.
func (q *session) identity(ctx context.Context, enrollment,
	certificate string) (*mdm.Enrollment, *mdm.Certificate, error) {
	var e enrollmentRow
	var c certificateRow
	err := q.Row(ctx, "SELECT "+enrollmentColumns+", "+certificateColumns+` FROM (SELECT 1 AS one) AS here
		LEFT JOIN apple_enrollments e ON e.id = ? LEFT JOIN apple_certificates c ON c.sha256 = ?`, []any{enrollment, certificate},
		append(e.dest(), c.dest()...)...)
	if err != nil {
		return nil, nil, fmt.Errorf("reading an identity: %w", err)
	}
	found, err := e.value()
	return found, c.value(), err
}

// UpdateIdentity implements mdm.Store.
func (s *Store) UpdateIdentity(ctx context.Context, enrollment, certificate string,
	fn func(*mdm.Enrollment, *mdm.Certificate) error) error {
	if s.identities != nil {
		defer s.identities.forget() // after an error, too: it may be committed all the same
	}
	return s.write(ctx, func(q *session) error {
		e, c, err := q.identity(ctx, enrollment, certificate)
		if err != nil {
			return err
		}
		if e == nil {
			e = &mdm.Enrollment{ID: enrollment}
		}
		if err := fn(e, c); err != nil {
			return err
		}
		if err := q.saveEnrollment(ctx, e); err != nil {
			return fmt.Errorf("writing enrollment %s: %w", enrollment, err)
		}
		if c != nil {
			_, err = q.Exec(ctx,
				"UPDATE apple_certificates SET enrollment = ?, revoked = ? WHERE sha256 = ?",
				c.Enrollment, micros(c.Revoked), c.SHA256)
		}
		return err
	})
}

// EnrollmentOf implements mdm.Store.
func (s *Store) EnrollmentOf(ctx context.Context,
	device fleet.DeviceID) (e *mdm.Enrollment, err error) {
	err = s.read(ctx, func(q *session) error {
		e, err = q.enrollment(ctx, device)
		return err
	})
	return e, err
}

// What a LEFT JOIN finds nothing for has no id.
const (
	enrollmentColumns = `coalesce(e.id, ''), coalesce(e."user", FALSE), coalesce(e.device_id, ''), coalesce(e.platform, ''),
		coalesce(e.stage, 0), coalesce(e.certificate, ''), coalesce(e.topic, ''), coalesce(e.push_magic, ''), e.token, coalesce(e.replaced, '')`
	certificateColumns = `coalesce(c.sha256, ''), coalesce(c.serial, ''), c.der, coalesce(c.key_sha256, ''), c.not_after,
		coalesce(c.enrollment, ''), c.revoked`
)

type enrollmentRow struct {
	mdm.Enrollment
	replaced []byte
}

func (e *enrollmentRow) dest() []any {
	return []any{&e.ID, &e.User, &e.Device, &e.Platform, &e.Stage, &e.Certificate, &e.Topic,
		&e.PushMagic, &e.Token, &e.replaced}
}

// value is nil if there was none.
func (e *enrollmentRow) value() (*mdm.Enrollment, error) {
	if e.ID == "" {
		return nil, nil
	}
	if err := json.Unmarshal(e.replaced, &e.Replaced); err != nil {
		return nil, fmt.Errorf("enrollment %s: %w", e.ID, err)
	}
	return &e.Enrollment, nil
}

func (q *session) enrollment(ctx context.Context, device fleet.DeviceID) (*mdm.Enrollment, error) {
	var e enrollmentRow
	err := q.Row(ctx, "SELECT "+enrollmentColumns+" FROM apple_enrollments e WHERE device_id = ?",
		[]any{device}, e.dest()...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, mdm.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading an enrollment: %w", err)
	}
	return e.value()
}

func (q *session) saveEnrollment(ctx context.Context, e *mdm.Enrollment) error {
	replaced, err := json.Marshal(e.Replaced)
	if err != nil {
		return err
	}
	device := sql.NullString{String: string(e.Device), Valid: e.Device != ""}
	_, err = q.Exec(ctx, `INSERT INTO apple_enrollments
			(id, "user", device_id, platform, stage, certificate, topic, push_magic, token, replaced)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET "user" = excluded."user", device_id = excluded.device_id,
			platform = excluded.platform, stage = excluded.stage, certificate = excluded.certificate,
			topic = excluded.topic, push_magic = excluded.push_magic, token = excluded.token, replaced = excluded.replaced`,
		e.ID, e.User, device, e.Platform, e.Stage, e.Certificate, e.Topic, e.PushMagic, e.Token,
		string(replaced))
	return err
}

type certificateRow struct {
	mdm.Certificate
	notAfter, revoked sql.NullInt64
}

func (c *certificateRow) dest() []any {
	return []any{&c.SHA256, &c.Serial, &c.DER, &c.KeySHA256, &c.notAfter, &c.Enrollment, &c.revoked}
}

// value is nil if there was none.
func (c *certificateRow) value() *mdm.Certificate {
	if c.SHA256 == "" {
		return nil
	}
	c.NotAfter, c.Revoked = fromMicros(c.notAfter), fromMicros(c.revoked)
	return &c.Certificate
}

func (q *session) certificate(ctx context.Context, sha256 string) (*mdm.Certificate, error) {
	var c certificateRow
	err := q.Row(ctx, "SELECT "+certificateColumns+" FROM apple_certificates c WHERE sha256 = ?",
		[]any{sha256}, c.dest()...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, mdm.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading a device certificate: %w", err)
	}
	return c.value(), nil
}

// AddChallenge implements mdm.Store.
func (s *Store) AddChallenge(ctx context.Context, c mdm.Challenge) error {
	return s.write(ctx, func(q *session) error {
		terms, err := json.Marshal(c.Terms)
		if err == nil {
			_, err = q.Exec(ctx,
				"INSERT INTO apple_challenges (sha256, expires, terms) VALUES (?, ?, ?)", c.SHA256,
				micros(c.Expires), string(terms))
		}
		return err
	})
}

// Challenge implements mdm.Store.
func (s *Store) Challenge(ctx context.Context, sha256 string) (c *mdm.Challenge, err error) {
	err = s.read(ctx, func(q *session) error {
		c, err = q.challenge(ctx, sha256)
		return err
	})
	return c, err
}

// LinkOf implements mdm.Store.
func (s *Store) LinkOf(ctx context.Context, certificate string) (c *mdm.Challenge, err error) {
	err = s.read(ctx, func(q *session) error {
		c, err = q.challengeWhere(ctx, "certificate = ?", certificate)
		return err
	})
	return c, err
}

func (q *session) challenge(ctx context.Context, sha256 string) (*mdm.Challenge, error) {
	return q.challengeWhere(ctx, "sha256 = ?", sha256)
}

func (q *session) challengeWhere(ctx context.Context, where string,
	arg any) (*mdm.Challenge, error) {
	var c mdm.Challenge
	var expires, used sql.NullInt64
	var certificate sql.NullString
	var terms string
	err := q.Row(ctx,
		"SELECT sha256, expires, used_at, certificate, terms FROM apple_challenges WHERE "+where,
		[]any{arg},
		&c.SHA256, &expires, &used, &certificate, &terms)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, mdm.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading an enrollment challenge: %w", err)
	}
	c.Expires, c.UsedAt = fromMicros(expires), fromMicros(used)
	if terms != "" {
		if err := json.Unmarshal([]byte(terms), &c.Terms); err != nil {
			return nil, fmt.Errorf("terms of an enrollment link: %w", err)
		}
	}
	if certificate.Valid {
		c.Certificate, err = q.certificate(ctx, certificate.String)
	}
	return &c, err
}

// Redeem implements mdm.Store.
func (s *Store) Redeem(ctx context.Context, sha256 string, at time.Time,
	c mdm.Certificate) (issued *mdm.Certificate, err error) {
	err = s.write(ctx, func(q *session) error {
		challenge, err := q.challenge(ctx, sha256)
		switch {
		case err != nil:
			return err
		case challenge.Certificate != nil && challenge.Certificate.KeySHA256 == c.KeySHA256:
			issued = challenge.Certificate
			return nil
		case challenge.Certificate != nil:
			return mdm.ErrChallengeUsed
		}
		_, err = q.Exec(ctx, `INSERT INTO apple_certificates (sha256, serial, der, key_sha256, not_after, enrollment)
			VALUES (?, ?, ?, ?, ?, ?)`, c.SHA256, c.Serial, c.DER, c.KeySHA256, micros(c.NotAfter), c.Enrollment)
		if err != nil {
			return err
		}
		issued = &c
		_, err = q.Exec(ctx,
			"UPDATE apple_challenges SET used_at = ?, certificate = ? WHERE sha256 = ?", micros(at),
			c.SHA256, sha256)
		return err
	})
	return issued, err
}

// AddKeyPair implements mdm.Store.
func (s *Store) AddKeyPair(ctx context.Context, name string,
	k keypair.KeyPair) (stored *keypair.KeyPair, err error) {
	err = s.write(ctx, func(q *session) error {
		if _, err := q.Exec(ctx,
			"INSERT INTO key_pairs (name, certificate, key) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
			name, k.CertificatePEM, k.KeyPEM); err != nil {
			return err
		}
		stored, err = q.keyPair(ctx, name)
		return err
	})
	return stored, err
}

// SetKeyPair implements mdm.Store.
func (s *Store) SetKeyPair(ctx context.Context, name string, k keypair.KeyPair) error {
	return s.write(ctx, func(q *session) error { return q.setKeyPair(ctx, name, k) })
}

func (q *session) setKeyPair(ctx context.Context, name string, k keypair.KeyPair) error {
	_, err := q.Exec(ctx, `INSERT INTO key_pairs (name, certificate, key) VALUES (?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET certificate = excluded.certificate, key = excluded.key`,
		name, k.CertificatePEM, k.KeyPEM)
	return err
}

// KeyPair implements mdm.Store.
func (s *Store) KeyPair(ctx context.Context, name string) (k *keypair.KeyPair, err error) {
	err = s.read(ctx, func(q *session) error {
		k, err = q.keyPair(ctx, name)
		return err
	})
	return k, err
}

func (q *session) keyPair(ctx context.Context, name string) (*keypair.KeyPair, error) {
	var k keypair.KeyPair
	err := q.Row(ctx, "SELECT certificate, key FROM key_pairs WHERE name = ?", []any{name},
		&k.CertificatePEM, &k.KeyPEM)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, mdm.ErrNotFound
	}
	return &k, err
}
