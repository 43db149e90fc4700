package channel

import (
	"context"
	"errors"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/intune/tenant"
	"github.com/syncpayloads/syncpayloads/internal/keypair"
)

// ErrNotFound is what a Store returns for a record that does not exist.
var ErrNotFound = errors.New("not stored")

// ErrNameTaken is returned for a tenant whose name another one has.
var ErrNameTaken = errors.New("another tenant is connected under this name")

// Tenant is a tenant that is connected.
type Tenant struct {
	ID       string // a GUID, made here
	Name     string // what people call it; it never changes
	Settings Settings
	State    State
}

// Settings are what an admin said of a tenant.
type Settings struct {
	Cloud    tenant.Cloud `json:"cloud"`
	TenantID string       `json:"tenantId"` // the directory's id, or one of its domains
	ClientID string       `json:"clientId"` // of the app registration
	// Authority and Graph are where its services are instead of the cloud's own hosts.
	Authority string    `json:"authority,omitempty"`
	Graph     string    `json:"graph,omitempty"`
	Connected time.Time `json:"connected"`
	// CertificateEnds is the end of the app's certificate; zero: it has a secret.
	CertificateEnds time.Time `json:"certificateEnds,omitzero"`
	ReadOnly        bool      `json:"readOnly,omitempty"`
	Tag             string    `json:"scopeTag"` // that its devices, policies and apps carry
	// Renew lets removals be kept off longer than Intune does by itself.
	Renew    bool     `json:"renew,omitempty"`
	Readings Readings `json:"readings"`
	// Leaving says that it is being disconnected: its devices leave here.
	Leaving bool `json:"leaving,omitempty"`
}

// Readings are what is assumed where Microsoft's reference is silent. The zero value is the careful
// reading.
type Readings struct {
	// LegacyAssertion: the token endpoint wants assertions with RS256 and x5t.
	LegacyAssertion bool `json:"legacyAssertion,omitempty"`
	// EmptySetRefused: an action with no items is refused, so that the last item is restored with
	// intent restore.
	EmptySetRefused bool `json:"emptySetRefused,omitempty"`
	// RestoreByIntent: an item comes back only by intent restore, not by being left out.
	RestoreByIntent bool `json:"restoreByIntent,omitempty"`
	// RepeatRenews: handing the same set over again starts Intune's clock of 8 to 24 hours anew.
	RepeatRenews bool `json:"repeatRenews,omitempty"`
	// RefuseForeign: a removal is refused while somebody else holds items off in Intune, in place
	// of holding them off, too.
	RefuseForeign bool `json:"refuseForeign,omitempty"`
}

// State is how the server and a tenant get on.
type State struct {
	// UnreachableSince is when calls began to fail; zero: the last one did not.
	UnreachableSince time.Time `json:"unreachableSince,omitzero"`
	Fault            string    `json:"fault,omitempty"` // why, in words
	AnsweredAt       time.Time `json:"answeredAt,omitzero"`
	// PausedUntil is until when Intune's limits of requests keep the server waiting.
	PausedUntil time.Time `json:"pausedUntil,omitzero"`

	FullAt    time.Time `json:"fullAt,omitzero"`    // when the last whole list of devices began
	RecentAt  time.Time `json:"recentAt,omitzero"`  // and that of those in contact lately
	NamesAt   time.Time `json:"namesAt,omitzero"`   // and those of policies and apps
	NewestAt  time.Time `json:"newestAt,omitzero"`  // the latest contact of a device that was seen
	FullTried time.Time `json:"fullTried,omitzero"` // when a whole list was begun last
	// NamesTried is when the lists of policies and apps were begun last.
	NamesTried time.Time `json:"namesTried,omitzero"`
	// FilterIgnored is when a list of recent devices had all of them; zero: it never had.
	FilterIgnored time.Time `json:"filterIgnored,omitzero"`

	Listed     int `json:"listed"`               // devices in the last whole list
	Left       int `json:"left,omitempty"`       // of them not mirrored, because of what they run
	Unreadable int `json:"unreadable,omitempty"` // rows of it that were no devices
	Refused    int `json:"refused,omitempty"`    // devices that somebody else manages here
	// NotTaken is how many devices of the last list could not be stored.
	NotTaken int `json:"notTaken,omitempty"`
}

// Device is a device of a tenant, beside what the fleet knows of it.
type Device struct {
	ID     fleet.DeviceID // Intune's own
	Tenant string         // its id
	// Digest is of what the tenant told of it last.
	Digest string
	// ReadAt is when it was read last what is assigned to it, whether or not all was told; zero:
	// never.
	ReadAt  time.Time
	Details Details
}

// Details are what the channel remembers of a device.
type Details struct {
	Platform fleet.Platform `json:"platform"`
	UserID   string         `json:"userId,omitempty"`
	AzureID  string         `json:"azureId,omitempty"`
	State    string         `json:"managementState,omitempty"` // as Intune says it
	// Unsupported says why the device cannot do the action; empty: it can.
	Unsupported string        `json:"unsupported,omitempty"`
	Assigned    AssignedState `json:"assigned"`
}

// AssignedState is what is remembered of reading what is assigned to a device.
type AssignedState struct {
	CompleteAt time.Time `json:"completeAt,omitzero"` // when all of it was told last
	// Absent are payloads that the last complete reads did not have, and when the first of these
	// was.
	Absent map[action.PayloadID]time.Time `json:"absent,omitempty"`
	// Missing is what the last read was not told, and why.
	Missing []string `json:"missing,omitempty"`
}

// MirroredName is what is stored of a policy or app that a tenant keeps.
type MirroredName struct {
	Name     string
	Modified time.Time
}

// Store is what the channel needs of a database. Every method is one transaction, durable when it
// returns nil.
type Store interface {
	// IntuneTenants lists the tenants, by name.
	IntuneTenants(ctx context.Context) ([]Tenant, error)
	// IntuneTenant returns a tenant by its id; ErrNotFound if there is none.
	IntuneTenant(ctx context.Context, id string) (*Tenant, error)
	// AddIntuneTenant stores a new tenant with its credential: a certificate with its key, or a
	// secret in place of the key. The error is ErrNameTaken.
	AddIntuneTenant(ctx context.Context, t *Tenant, credential keypair.KeyPair) error
	// UpdateIntuneSettings reads a tenant's settings, calls fn and stores what fn made of them,
	// and a new credential if there is one, both or neither. ErrNotFound if there is no such
	// tenant. fn may be called again.
	UpdateIntuneSettings(ctx context.Context, id string, credential *keypair.KeyPair,
		fn func(*Settings) error) error
	// UpdateIntuneState reads a tenant's state, calls fn and stores what fn made of it. It does
	// nothing if there is no such tenant. fn may be called again.
	UpdateIntuneState(ctx context.Context, id string, fn func(*State)) error
	// IntuneCredential returns a tenant's credential; ErrNotFound if it has none.
	IntuneCredential(ctx context.Context, id string) (*keypair.KeyPair, error)
	// StageIntuneCredential stores the credential that is to be used next, and
	// StagedIntuneCredential returns it; ErrNotFound if there is none. Storing a tenant's
	// credential drops it.
	StageIntuneCredential(ctx context.Context, id string, credential keypair.KeyPair) error
	StagedIntuneCredential(ctx context.Context, id string) (*keypair.KeyPair, error)
	// DropIntuneTenant deletes a tenant that has no devices, with its credential and what it
	// keeps.
	DropIntuneTenant(ctx context.Context, id string) error
	// UpdateIntunePace reads the pace of a tenant's bucket, calls fn and stores what fn made of
	// it. ErrNotFound if there is no such tenant. fn may be called again.
	UpdateIntunePace(ctx context.Context, id string, b tenant.Bucket,
		fn func(*tenant.Pace)) error

	// ScopeTagExists reports whether there is a scope tag of an id.
	ScopeTagExists(ctx context.Context, id string) (bool, error)
	// Device returns a device of the fleet; fleet.ErrNotFound if there is none of that id.
	Device(ctx context.Context, id fleet.DeviceID) (*fleet.Device, error)
	// Touch writes the devices' last contact, where it is later than the one stored.
	Touch(ctx context.Context, seen map[fleet.DeviceID]time.Time) error
	// IntuneDevice returns a device of a tenant; ErrNotFound if no tenant has it.
	IntuneDevice(ctx context.Context, id fleet.DeviceID) (*Device, error)
	// IntuneDevices returns those of some devices that tenants have.
	IntuneDevices(ctx context.Context,
		ids []fleet.DeviceID) (map[fleet.DeviceID]Device, error)
	// IntuneDevicesAfter returns a tenant's devices behind an id, in order, at most limit.
	IntuneDevicesAfter(ctx context.Context, id string, after fleet.DeviceID,
		limit int) ([]Device, error)
	// StaleIntuneDevices returns a tenant's devices whose assignments were read last before a
	// time, those first that wait longest, at most limit.
	StaleIntuneDevices(ctx context.Context, id string, before time.Time,
		limit int) ([]Device, error)
	// CountIntuneDevices counts a tenant's devices.
	CountIntuneDevices(ctx context.Context, id string) (int, error)
	// SaveIntuneDevice stores what a tenant told of a device: its facts in the fleet's record as
	// well, as far as no admin says them. It keeps what is known of its assignments.
	SaveIntuneDevice(ctx context.Context, d *Device, facts *fleet.Device) error
	// UpdateIntuneDevice reads a device, calls fn and stores what fn made of it. It does nothing
	// if no tenant has it. fn may be called again.
	UpdateIntuneDevice(ctx context.Context, id fleet.DeviceID, fn func(*Device)) error
	// EndIntuneDevice forgets that a tenant has a device.
	EndIntuneDevice(ctx context.Context, id fleet.DeviceID) error

	// MirroredNames returns what is stored of what a system keeps.
	MirroredNames(ctx context.Context,
		from string) (map[action.PayloadID]MirroredName, error)
	// MirroredPayloads returns those of some payloads that a system keeps, without their content.
	MirroredPayloads(ctx context.Context, from string,
		ids []action.PayloadID) (map[action.PayloadID]*catalog.Payload, error)
	// SaveMirroredPayloads stores policies and apps that a system keeps. One whose id is somebody
	// else's is left out.
	SaveMirroredPayloads(ctx context.Context, list []*catalog.Payload) error
	// DropMirroredPayloads deletes some of what a system keeps.
	DropMirroredPayloads(ctx context.Context, from string, ids []action.PayloadID) error

	// TakeLease gives a holder the lease of a name until a time, if nobody else has it at the
	// present time now, and tells whether it did.
	TakeLease(ctx context.Context, name, holder string, now, until time.Time) (bool, error)
	// ReleaseLease gives a lease back, if the holder has it.
	ReleaseLease(ctx context.Context, name, holder string) error
}
