package channel

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/intune/tenant"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
	"github.com/syncpayloads/syncpayloads/internal/keypair"
	"github.com/syncpayloads/syncpayloads/internal/plaintext"
)

const (
	mostTenants = 50
	mostName    = 64 // characters
	// expirySoon is how long before its end a certificate is warned of.
	expirySoon = 30 * 24 * time.Hour
)

// Connection is what an admin says of a tenant to connect.
type Connection struct {
	Name      string
	Cloud     tenant.Cloud // empty: tenant.Global
	TenantID  string
	ClientID  string
	Secret    string // empty: a certificate is made
	ReadOnly  bool
	Tag       string // id of a scope tag; empty: the default one
	Renew     bool
	Readings  Readings
	Authority string // empty, and Graph: the cloud's own
	Graph     string
}

// Shown is a tenant as an admin sees it.
type Shown struct {
	Tenant
	Devices int
	// CertificatePEM is to be uploaded to the app registration; empty: the app has a secret.
	CertificatePEM []byte
	// Thumbprint is the SHA-256 of the certificate in DER, in upper-case hexadecimal.
	Thumbprint string
	// Warnings are what an admin has to do something about.
	Warnings []string
}

// Connect adds a tenant. Its devices come when its app registration lets the server in: see Try.
// The error is an *invalid.Input if the connection is at fault.
func (c *Channel) Connect(ctx context.Context, in Connection) (*Shown, error) {
	t, err := c.newTenant(ctx, &in)
	if err != nil {
		return nil, err
	}
	credential := keypair.KeyPair{KeyPEM: []byte(in.Secret)}
	if in.Secret == "" {
		if credential, err = tenant.NewCertificate(in.Name, c.now()); err != nil {
			return nil, err
		}
		t.Settings.CertificateEnds = c.now().Add(tenant.CertificateLife).UTC().
			Truncate(time.Second)
	}
	if _, err := c.newClient(t, &credential); err != nil {
		return nil, &invalid.Input{Property: "tenant", Reason: err.Error()}
	}
	noteTenant(ctx, nil, t)
	err = c.store.AddIntuneTenant(ctx, t, credential)
	if errors.Is(err, ErrNameTaken) {
		return nil, &invalid.Input{Property: "name", Reason: err.Error()}
	}
	if err != nil {
		return nil, err
	}
	return c.Show(ctx, t.ID)
}

// newTenant checks what an admin says of a tenant to connect.
func (c *Channel) newTenant(ctx context.Context, in *Connection) (*Tenant, error) {
	in.Name = strings.TrimSpace(in.Name)
	if in.Cloud == "" {
		in.Cloud = tenant.Global
	}
	in.TenantID, in.ClientID = strings.ToLower(in.TenantID), strings.ToLower(in.ClientID)
	switch {
	case in.Name == "" || utf8.RuneCountInString(in.Name) > mostName ||
		plaintext.OneLine(in.Name) != in.Name || !plaintext.IsStorable(in.Name):
		return nil, &invalid.Input{Property: "name",
			Reason: fmt.Sprintf("it must have 1 to %d characters in one line", mostName)}
	case len(in.Secret) > 1000:
		return nil, &invalid.Input{Property: "secret",
			Reason: "it is longer than Entra ID makes any"}
	}
	others, err := c.store.IntuneTenants(ctx)
	if err != nil {
		return nil, err
	}
	if len(others) >= mostTenants {
		return nil, &invalid.Input{Property: "name",
			Reason: fmt.Sprintf("%d tenants are connected, and no more can be", mostTenants)}
	}
	for _, other := range others {
		if other.Settings.Cloud == in.Cloud && other.Settings.TenantID == in.TenantID {
			return nil, &invalid.Input{Property: "tenantId",
				Reason: "this tenant is connected already, as " + other.Name}
		}
	}
	if in.Tag == "" {
		in.Tag = fleet.DefaultTag
	}
	if err := c.checkTag(ctx, in.Tag); err != nil {
		return nil, err
	}
	return &Tenant{ID: uuid.NewString(), Name: in.Name, Settings: Settings{Cloud: in.Cloud,
		TenantID: in.TenantID, ClientID: in.ClientID, Authority: in.Authority, Graph: in.Graph,
		Connected: c.now().UTC(), ReadOnly: in.ReadOnly, Tag: in.Tag, Renew: in.Renew,
		Readings: in.Readings}}, nil
}

func (c *Channel) checkTag(ctx context.Context, tag string) error {
	there, err := c.store.ScopeTagExists(ctx, tag)
	if err == nil && !there {
		err = &invalid.Input{Property: "roleScopeTagId", Reason: "there is no scope tag of this id"}
	}
	return err
}

// noteTenant tells the audit record what becomes of a tenant. It has no secret in it.
func noteTenant(ctx context.Context, before, after *Tenant) {
	one := after
	if one == nil {
		one = before
	}
	o := audit.Object{Type: "intuneTenant", ID: one.ID, Name: one.Name}
	if before != nil {
		o.Before = notedSettings(&before.Settings)
	}
	if after != nil {
		o.After = notedSettings(&after.Settings)
	}
	audit.Note(ctx, o)
}

// Tenants lists the tenants, by name.
func (c *Channel) Tenants(ctx context.Context) ([]Shown, error) {
	list, err := c.store.IntuneTenants(ctx)
	if err != nil {
		return nil, err
	}
	shown := make([]Shown, len(list))
	for i := range list {
		if err := c.show(ctx, &list[i], &shown[i]); err != nil {
			return nil, err
		}
	}
	return shown, nil
}

// Show returns a tenant; ErrNotFound if there is none of that id.
func (c *Channel) Show(ctx context.Context, id string) (*Shown, error) {
	t, err := c.store.IntuneTenant(ctx, id)
	if err != nil {
		return nil, err
	}
	shown := new(Shown)
	return shown, c.show(ctx, t, shown)
}

func (c *Channel) show(ctx context.Context, t *Tenant, shown *Shown) error {
	n, err := c.store.CountIntuneDevices(ctx, t.ID)
	if err != nil {
		return err
	}
	credential, err := c.store.IntuneCredential(ctx, t.ID)
	if err != nil {
		return err
	}
	*shown = Shown{Tenant: *t, Devices: n, CertificatePEM: credential.CertificatePEM}
	if block, _ := pem.Decode(credential.CertificatePEM); block != nil {
		sum := sha256.Sum256(block.Bytes)
		shown.Thumbprint = strings.ToUpper(hex.EncodeToString(sum[:]))
	}
	shown.Warnings = c.warnings(shown)
	return nil
}

// warnings are what an admin has to do something about.
func (c *Channel) warnings(s *Shown) (list []string) {
	now, state := c.now(), &s.State
	at := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	if !state.UnreachableSince.IsZero() {
		list = append(list, fmt.Sprintf("Intune unreachable since %s: %s",
			at(state.UnreachableSince), state.Fault))
	}
	if now.Before(state.PausedUntil) {
		list = append(list, "waiting for Intune's limit of requests until "+at(state.PausedUntil))
	}
	switch ends := s.Settings.CertificateEnds; {
	case ends.IsZero():
	case !now.Before(ends):
		list = append(list, fmt.Sprintf("the app's certificate ended at %s: make a new one, and "+
			"upload it", at(ends)))
	case ends.Sub(now) < expirySoon:
		list = append(list, fmt.Sprintf("the app's certificate ends at %s: make a new one, and "+
			"upload it before", at(ends)))
	}
	if state.Refused > 0 {
		list = append(list, fmt.Sprintf("%d devices have ids of devices that are managed here "+
			"otherwise, and are left out", state.Refused))
	}
	if state.Unreadable > 0 {
		list = append(list, fmt.Sprintf("%d rows of the list of devices cannot be read, so that no "+
			"device counts as gone", state.Unreadable))
	}
	return list
}

// Try tries each permission of a tenant's app registration. ErrNotFound if there is no such
// tenant; another error says why the app gets no token.
func (c *Channel) Try(ctx context.Context, id string) (tried []tenant.Tried, excess []string,
	err error) {
	t, err := c.store.IntuneTenant(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	credential, err := c.store.IntuneCredential(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	client, err := c.newClient(t, credential) // with a fresh token: permissions may be new
	if err != nil {
		return nil, nil, err
	}
	return client.Try(bare{ctx})
}

// NewCertificate makes another certificate for a tenant's app. The one in use stays until
// UseCertificate. It returns the public part, which is to be uploaded.
func (c *Channel) NewCertificate(ctx context.Context, id string) (certificatePEM []byte,
	err error) {
	t, err := c.store.IntuneTenant(ctx, id)
	if err != nil {
		return nil, err
	}
	next, err := tenant.NewCertificate(t.Name, c.now())
	if err != nil {
		return nil, err
	}
	noteTenant(ctx, t, t)
	return next.CertificatePEM, c.store.StageIntuneCredential(ctx, id, next)
}

// ErrNoCertificate is returned where no new certificate was made.
var ErrNoCertificate = errors.New("no new certificate was made for this tenant")

// UseCertificate has a tenant's app use the certificate that NewCertificate made, if Entra ID gives
// a token for it. The error is ErrNoCertificate, or says why there is no token.
func (c *Channel) UseCertificate(ctx context.Context, id string) error {
	t, err := c.store.IntuneTenant(ctx, id)
	if err != nil {
		return err
	}
	next, err := c.store.StagedIntuneCredential(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return ErrNoCertificate
	}
	if err != nil {
		return err
	}
	client, err := c.newClient(t, next)
	if err != nil {
		return err
	}
	if _, _, err := client.Try(bare{ctx}); err != nil {
		return err
	}
	block, _ := pem.Decode(next.CertificatePEM)
	read, err := x509.ParseCertificate(block.Bytes) // newClient has read it
	if err != nil {
		return err
	}
	return c.edit(ctx, id, next, func(s *Settings) error {
		s.CertificateEnds = read.NotAfter.UTC()
		return nil
	})
}

// Change is an edit of a tenant's settings. Nil: it stays.
type Change struct {
	ReadOnly *bool
	Renew    *bool
	Readings *Readings
	Tag      *string // for what is mirrored from now on
	Secret   *string // in place of the secret, or of the certificate
}

// Edit changes what an admin said of a tenant; ErrNotFound if there is none of that id.
func (c *Channel) Edit(ctx context.Context, id string, change Change) error {
	if change.Tag != nil {
		if err := c.checkTag(ctx, *change.Tag); err != nil {
			return err
		}
	}
	var credential *keypair.KeyPair
	if change.Secret != nil {
		if *change.Secret == "" || len(*change.Secret) > 1000 {
			return &invalid.Input{Property: "secret", Reason: "it must be one that Entra ID made"}
		}
		credential = &keypair.KeyPair{KeyPEM: []byte(*change.Secret)}
	}
	return c.edit(ctx, id, credential, func(s *Settings) error {
		set(&s.ReadOnly, change.ReadOnly)
		set(&s.Renew, change.Renew)
		set(&s.Readings, change.Readings)
		set(&s.Tag, change.Tag)
		if credential != nil {
			s.CertificateEnds = time.Time{}
		}
		return nil
	})
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

func (c *Channel) edit(ctx context.Context, id string, credential *keypair.KeyPair,
	fn func(*Settings) error) error {
	t, err := c.store.IntuneTenant(ctx, id)
	if err != nil {
		return err
	}
	after := *t
	if err := fn(&after.Settings); err != nil {
		return err
	}
	noteTenant(ctx, t, &after)
	return c.store.UpdateIntuneSettings(ctx, id, credential, fn)
}

// Disconnect lets a tenant's devices leave here, and forgets it. Nothing changes in Intune: what an
// action holds off there comes back when Intune brings it back. Where another server is at work on
// the tenant, that finishes it. ErrNotFound if there is no such tenant.
func (c *Channel) Disconnect(ctx context.Context, id string) error {
	t, err := c.store.IntuneTenant(ctx, id)
	if err != nil {
		return err
	}
	noteTenant(ctx, t, nil)
	if err := c.store.UpdateIntuneSettings(ctx, id, nil, func(s *Settings) error {
		s.Leaving = true
		return nil
	}); err != nil {
		return err
	}
	err = c.Pass(bare{ctx}, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
