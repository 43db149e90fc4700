package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"golang.org/x/crypto/acme/autocert"
)

// ACMECache keeps what the ACME client must not lose, so that a restart does not order certificates
// again, and any server on the database can answer the CA.
type ACMECache struct{ store *Store }

var _ autocert.Cache = ACMECache{}

// ACMECache returns the cache of the ACME client.
func (s *Store) ACMECache() ACMECache { return ACMECache{s} }

// Get implements autocert.Cache.
func (c ACMECache) Get(ctx context.Context, name string) (data []byte, err error) {
	err = c.store.read(ctx, func(q *session) error {
		return q.Row(ctx, "SELECT data FROM acme_cache WHERE name = ?", []any{name}, &data)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, autocert.ErrCacheMiss
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s of the ACME client: %w", name, err)
	}
	return data, nil
}

// Put implements autocert.Cache.
func (c ACMECache) Put(ctx context.Context, name string, data []byte) error {
	err := c.store.write(ctx, func(q *session) error {
		_, err := q.Exec(ctx, `INSERT INTO acme_cache (name, data) VALUES (?, ?)
			ON CONFLICT (name) DO UPDATE SET data = excluded.data`, name, data)
		return err
	})
	if err != nil {
		return fmt.Errorf("keeping %s of the ACME client: %w", name, err)
	}
	return nil
}

// Delete implements autocert.Cache.
func (c ACMECache) Delete(ctx context.Context, name string) error {
	err := c.store.write(ctx, func(q *session) error {
		_, err := q.Exec(ctx, "DELETE FROM acme_cache WHERE name = ?", name)
		return err
	})
	if err != nil {
		return fmt.Errorf("dropping %s of the ACME client: %w", name, err)
	}
	return nil
}
