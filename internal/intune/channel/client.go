package channel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/intune/tenant"
	"github.com/syncpayloads/syncpayloads/internal/keypair"
)

// client is the client of a tenant, with what an admin said last.
func (c *Channel) client(ctx context.Context, t *Tenant) (*tenant.Client, error) {
	credential, err := c.store.IntuneCredential(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	settings, err := json.Marshal(t.Settings)
	if err != nil {
		return nil, err
	}
	of := string(settings) + string(credential.CertificatePEM) + string(credential.KeyPEM)
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.clients[t.ID]; k != nil && k.of == of {
		return k.client, nil
	}
	made, err := c.newClient(t, credential)
	if err != nil {
		return nil, err
	}
	c.clients[t.ID] = &known{made, of}
	return made, nil
}

func (c *Channel) newClient(t *Tenant, credential *keypair.KeyPair) (*tenant.Client, error) {
	read, err := tenant.ReadCredential(credential)
	if err != nil {
		return nil, fmt.Errorf("tenant %s: %w", t.Name, err)
	}
	return tenant.New(tenant.Config{Cloud: t.Settings.Cloud, TenantID: t.Settings.TenantID,
		ClientID: t.Settings.ClientID, Authority: t.Settings.Authority, Graph: t.Settings.Graph,
		Credential: read, LegacyAssertion: t.Settings.Readings.LegacyAssertion,
		ReadOnly: t.Settings.ReadOnly, Meter: meter{c.store, t.ID}, Now: c.now,
		After: c.config.After, Transport: c.config.Transport, Log: c.log})
}

// meter keeps a tenant's paces in the database, so that all servers share them.
type meter struct {
	store  Store
	tenant string
}

func (m meter) UpdatePace(ctx context.Context, b tenant.Bucket, fn func(*tenant.Pace)) error {
	return m.store.UpdateIntunePace(bare{ctx}, m.tenant, b, fn)
}

// bare is a context without values: without the audit draft and permit of a caller, whose writes
// are others.
type bare struct{ context.Context }

// Value implements context.Context.
func (bare) Value(any) any { return nil }

// leaseFor is how long a lease stands. It is renewed before each page and each device.
const leaseFor = 2 * time.Minute

// errLeased says that another server is at work on the same thing.
var errLeased = errors.New("another server is at work on this")

// lease is the right to do something alone among all servers.
type lease struct {
	channel *Channel
	name    string
	holder  string
}

func (c *Channel) lease(ctx context.Context, name, holder string) (*lease, error) {
	l := &lease{c, name, holder}
	return l, l.renew(ctx)
}

func (l *lease) renew(ctx context.Context) error {
	now := l.channel.now()
	taken, err := l.channel.store.TakeLease(bare{ctx}, l.name, l.holder, now, now.Add(leaseFor))
	if err == nil && !taken {
		err = errLeased
	}
	return err
}

func (l *lease) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(bare{ctx}), 10*time.Second)
	defer cancel()
	if err := l.channel.store.ReleaseLease(ctx, l.name, l.holder); err != nil {
		l.channel.log.Warn("a lease stays until it ends by itself", "lease", l.name, "err", err)
	}
}
