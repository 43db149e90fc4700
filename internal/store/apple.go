package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/apple/mdm"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/keypair"
)

// enrollmentTable is the enrollment of a device, before and after it is a managed device.
var enrollmentTable = newTable("apple_enrollments", "id",
	plain("id", idColumn, func(e *mdm.Enrollment) *string { return &e.ID }).stays(),
	plain(`"user"`, boolColumn, func(e *mdm.Enrollment) *bool { return &e.User }),
	optional("device_id", idColumn,
		func(e *mdm.Enrollment) *fleet.DeviceID { return &e.Device }),
	plain("platform", textColumn, func(e *mdm.Enrollment) *fleet.Platform { return &e.Platform }),
	plain("stage", numberColumn, func(e *mdm.Enrollment) *mdm.Stage { return &e.Stage }),
	plain("certificate", idColumn, func(e *mdm.Enrollment) *string { return &e.Certificate }),
	plain("topic", textColumn, func(e *mdm.Enrollment) *string { return &e.Topic }),
	plain("push_magic", textColumn, func(e *mdm.Enrollment) *string { return &e.PushMagic }),
	plain("token", bytesColumn, func(e *mdm.Enrollment) *[]byte { return &e.Token }),
	encoded("replaced", func(e *mdm.Enrollment) *[]string { return &e.Replaced }),
)

// certificateTable is a device identity that was issued here.
var certificateTable = newTable("apple_certificates", "sha256",
	plain("sha256", idColumn, func(c *mdm.Certificate) *string { return &c.SHA256 }),
	plain("serial", textColumn, func(c *mdm.Certificate) *string { return &c.Serial }),
	plain("der", bytesColumn, func(c *mdm.Certificate) *[]byte { return &c.DER }),
	plain("key_sha256", idColumn, func(c *mdm.Certificate) *string { return &c.KeySHA256 }),
	instant("not_after", stampColumn, func(c *mdm.Certificate) *time.Time { return &c.NotAfter }),
	plain("enrollment", idColumn, func(c *mdm.Certificate) *string { return &c.Enrollment }),
	instant("revoked", timeColumn, func(c *mdm.Certificate) *time.Time { return &c.Revoked }),
)

// challengeRow is a challenge, and the id of the certificate that it was used for.
type challengeRow struct {
	challenge   mdm.Challenge
	certificate string
}

// challengeTable is a one-time permission to get an identity.
var challengeTable = newTable("apple_challenges", "sha256",
	plain("sha256", idColumn, func(c *challengeRow) *string { return &c.challenge.SHA256 }),
	instant("expires", stampColumn,
		func(c *challengeRow) *time.Time { return &c.challenge.Expires }),
	encoded("terms",
		func(c *challengeRow) *access.EnrollmentTerms { return &c.challenge.Terms }),
	instant("used_at", timeColumn,
		func(c *challengeRow) *time.Time { return &c.challenge.UsedAt }),
	optional("certificate", idColumn, func(c *challengeRow) *string { return &c.certificate }),
)

var (
	selectEnrollment  = "SELECT " + enrollmentTable.selected + " FROM apple_enrollments WHERE "
	selectCertificate = "SELECT " + certificateTable.selected + " FROM apple_certificates WHERE "
	selectChallenge   = "SELECT " + challengeTable.selected + " FROM apple_challenges WHERE "
	selectIdentity    = "SELECT " + enrollmentTable.selectedBy + ", " +
		certificateTable.selectedBy + ` FROM (SELECT 1 AS one) AS here
		LEFT JOIN apple_enrollments ON apple_enrollments.id = ?
		LEFT JOIN apple_certificates ON apple_certificates.sha256 = ?`
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
	e, c := new(mdm.Enrollment), new(mdm.Certificate)
	err := q.Row(ctx, selectIdentity, []any{enrollment, certificate},
		append(enrollmentTable.dest(e), certificateTable.dest(c)...)...)
	if err != nil {
		return nil, nil, fmt.Errorf("reading an identity: %w", err)
	}
	if e.ID == "" {
		e = nil
	}
	if c.SHA256 == "" {
		c = nil
	}
	return e, c, nil
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

func (q *session) enrollment(ctx context.Context, device fleet.DeviceID) (*mdm.Enrollment, error) {
	e, err := enrollmentTable.scan(func(dest ...any) error {
		return q.Row(ctx, selectEnrollment+"device_id = ?", []any{device}, dest...)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, mdm.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading an enrollment: %w", err)
	}
	return e, nil
}

func (q *session) saveEnrollment(ctx context.Context, e *mdm.Enrollment) error {
	_, err := q.Exec(ctx, enrollmentTable.upsertText, enrollmentTable.insertArgs(e)...)
	return err
}

func (q *session) certificate(ctx context.Context, sha256 string) (*mdm.Certificate, error) {
	c, err := certificateTable.scan(func(dest ...any) error {
		return q.Row(ctx, selectCertificate+"sha256 = ?", []any{sha256}, dest...)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, mdm.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading a device certificate: %w", err)
	}
	return c, nil
}

// AddChallenge implements mdm.Store.
func (s *Store) AddChallenge(ctx context.Context, c mdm.Challenge) error {
	return s.write(ctx, func(q *session) error {
		_, err := q.Exec(ctx, challengeTable.insertText,
			challengeTable.insertArgs(&challengeRow{challenge: c})...)
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
	row, err := challengeTable.scan(func(dest ...any) error {
		return q.Row(ctx, selectChallenge+where, []any{arg}, dest...)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, mdm.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading an enrollment challenge: %w", err)
	}
	if row.certificate != "" {
		row.challenge.Certificate, err = q.certificate(ctx, row.certificate)
	}
	return &row.challenge, err
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
		_, err = q.Exec(ctx, certificateTable.insertText, certificateTable.insertArgs(&c)...)
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
