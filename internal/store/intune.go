package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/syncpayloads/syncpayloads/internal/apple/mdm"
	"github.com/syncpayloads/syncpayloads/internal/intune/channel"
	"github.com/syncpayloads/syncpayloads/internal/intune/tenant"
	"github.com/syncpayloads/syncpayloads/internal/keypair"
)

// intuneKey is under which name the credential of a tenant is kept.
func intuneKey(id string) string { return "intune tenant " + id }

// stagedIntuneKey is that of the one that is to be used next.
func stagedIntuneKey(id string) string { return intuneKey(id) + " next" }

const selectIntuneTenant = "SELECT id, name, settings, state FROM intune_tenants"

func scanIntuneTenant(scan func(...any) error) (*channel.Tenant, error) {
	t := new(channel.Tenant)
	var settings, state []byte
	err := scan(&t.ID, &t.Name, &settings, &state)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, channel.ErrNotFound
	}
	if err == nil {
		err = errors.Join(json.Unmarshal(settings, &t.Settings), json.Unmarshal(state, &t.State))
	}
	if err != nil {
		return nil, fmt.Errorf("reading a tenant of Intune's: %w", err)
	}
	return t, nil
}

func (q *session) intuneTenant(ctx context.Context, id string) (*channel.Tenant, error) {
	return scanIntuneTenant(func(dest ...any) error {
		return q.Row(ctx, selectIntuneTenant+" WHERE id = ?", []any{id}, dest...)
	})
}

// IntuneTenants implements channel.Store.
func (s *Store) IntuneTenants(ctx context.Context) (list []channel.Tenant, err error) {
	err = s.read(ctx, func(q *session) error {
		return q.Rows(ctx, selectIntuneTenant+" ORDER BY name", nil,
			func(scan func(...any) error) error {
				t, err := scanIntuneTenant(scan)
				if err == nil {
					list = append(list, *t)
				}
				return err
			})
	})
	return list, err
}

// IntuneTenant implements channel.Store.
func (s *Store) IntuneTenant(ctx context.Context, id string) (t *channel.Tenant, err error) {
	err = s.read(ctx, func(q *session) error {
		t, err = q.intuneTenant(ctx, id)
		return err
	})
	return t, err
}

// AddIntuneTenant implements channel.Store.
func (s *Store) AddIntuneTenant(ctx context.Context, t *channel.Tenant,
	credential keypair.KeyPair) error {
	return s.write(ctx, func(q *session) error {
		settings, err := json.Marshal(t.Settings)
		if err != nil {
			return err
		}
		state, err := json.Marshal(t.State)
		if err != nil {
			return err
		}
		n, err := q.Exec(ctx, `INSERT INTO intune_tenants (id, name, settings, state)
			VALUES (?, ?, ?, ?) ON CONFLICT (name) DO NOTHING`, t.ID, t.Name, string(settings),
			string(state))
		if err != nil {
			return err
		}
		if n == 0 {
			return channel.ErrNameTaken
		}
		return q.setIntuneCredential(ctx, t.ID, credential)
	})
}

// setIntuneCredential stores a credential. A secret has no certificate beside it.
func (q *session) setIntuneCredential(ctx context.Context, id string, k keypair.KeyPair) error {
	k.CertificatePEM = append([]byte{}, k.CertificatePEM...) // empty is not NULL
	if err := q.setKeyPair(ctx, intuneKey(id), k); err != nil {
		return err
	}
	_, err := q.Exec(ctx, "DELETE FROM key_pairs WHERE name = ?", stagedIntuneKey(id))
	return err
}

// StageIntuneCredential implements channel.Store.
func (s *Store) StageIntuneCredential(ctx context.Context, id string, k keypair.KeyPair) error {
	return s.SetKeyPair(ctx, stagedIntuneKey(id), k)
}

// StagedIntuneCredential implements channel.Store.
func (s *Store) StagedIntuneCredential(ctx context.Context, id string) (*keypair.KeyPair, error) {
	return s.intuneKeyPair(ctx, stagedIntuneKey(id))
}

// UpdateIntuneSettings implements channel.Store.
func (s *Store) UpdateIntuneSettings(ctx context.Context, id string, credential *keypair.KeyPair,
	fn func(*channel.Settings) error) error {
	return s.write(ctx, func(q *session) error {
		t, err := q.intuneTenant(ctx, id)
		if err != nil {
			return err
		}
		if err := fn(&t.Settings); err != nil {
			return err
		}
		doc, err := json.Marshal(t.Settings)
		if err != nil {
			return err
		}
		if _, err := q.Exec(ctx, "UPDATE intune_tenants SET settings = ? WHERE id = ?",
			string(doc), id); err != nil || credential == nil {
			return err
		}
		return q.setIntuneCredential(ctx, id, *credential)
	})
}

// UpdateIntuneState implements channel.Store.
func (s *Store) UpdateIntuneState(ctx context.Context, id string,
	fn func(*channel.State)) error {
	return s.write(ctx, func(q *session) error {
		t, err := q.intuneTenant(ctx, id)
		if errors.Is(err, channel.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		fn(&t.State)
		doc, err := json.Marshal(t.State)
		if err == nil {
			_, err = q.Exec(ctx, "UPDATE intune_tenants SET state = ? WHERE id = ?", string(doc),
				id)
		}
		return err
	})
}

// IntuneCredential implements channel.Store.
func (s *Store) IntuneCredential(ctx context.Context, id string) (*keypair.KeyPair, error) {
	return s.intuneKeyPair(ctx, intuneKey(id))
}

func (s *Store) intuneKeyPair(ctx context.Context, name string) (*keypair.KeyPair, error) {
	k, err := s.KeyPair(ctx, name)
	if errors.Is(err, mdm.ErrNotFound) {
		err = channel.ErrNotFound
	}
	return k, err
}

// DropIntuneTenant implements channel.Store.
func (s *Store) DropIntuneTenant(ctx context.Context, id string) error {
	return s.write(ctx, func(q *session) error {
		t, err := q.intuneTenant(ctx, id)
		if errors.Is(err, channel.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, drop := range []struct{ text, arg string }{
			{"DELETE FROM catalog_payloads WHERE mirrored_from <> '' AND mirrored_from = ?", t.Name},
			{"DELETE FROM key_pairs WHERE name = ?", intuneKey(id)},
			{"DELETE FROM key_pairs WHERE name = ?", stagedIntuneKey(id)},
			{"DELETE FROM intune_paces WHERE tenant = ?", id},
			{"DELETE FROM intune_tenants WHERE id = ?", id},
		} {
			if _, err := q.Exec(ctx, drop.text, drop.arg); err != nil {
				return fmt.Errorf("disconnecting tenant %s: %w", t.Name, err)
			}
		}
		return nil
	})
}

// ScopeTagExists implements channel.Store.
func (s *Store) ScopeTagExists(ctx context.Context, id string) (exists bool, err error) {
	err = s.read(ctx, func(q *session) error {
		exists, err = catalogTx{q}.TagExists(ctx, id)
		return err
	})
	return exists, err
}

// UpdateIntunePace implements channel.Store.
func (s *Store) UpdateIntunePace(ctx context.Context, id string, b tenant.Bucket,
	fn func(*tenant.Pace)) error {
	return s.write(ctx, func(q *session) error {
		var there bool
		var doc []byte
		err := q.Row(ctx, `SELECT EXISTS (SELECT 1 FROM intune_tenants WHERE id = ?1),
			(SELECT pace FROM intune_paces WHERE tenant = ?1 AND bucket = ?2)`, []any{id, b},
			&there, &doc)
		if err == nil && !there {
			err = channel.ErrNotFound
		}
		if err != nil {
			return err
		}
		p := new(tenant.Pace)
		if doc != nil {
			if err := json.Unmarshal(doc, p); err != nil {
				return fmt.Errorf("reading the pace of a tenant: %w", err)
			}
		}
		before := *p
		if fn(p); *p == before {
			return nil
		}
		if doc, err = json.Marshal(p); err != nil {
			return err
		}
		_, err = q.Exec(ctx, `INSERT INTO intune_paces (tenant, bucket, pace) VALUES (?, ?, ?)
			ON CONFLICT (tenant, bucket) DO UPDATE SET pace = excluded.pace`, id, b, string(doc))
		return err
	})
}
