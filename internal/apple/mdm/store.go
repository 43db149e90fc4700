package mdm

import (
	"context"
	"errors"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/keypair"
)

// ErrNotFound is what a Store returns for a record that does not exist.
var ErrNotFound = errors.New("not stored")

// ErrChallengeUsed is what Store.Redeem returns for a challenge that another key has used.
var ErrChallengeUsed = errors.New("the enrollment challenge has been used by another key")

// Stage is how far an enrollment has come.
type Stage uint8

const (
	Pinned    Stage = iota + 1 // Authenticate accepted, the engine not told yet
	Enrolled                   // the engine knows the device
	Reachable                  // TokenUpdate came: the device can be woken
	Left                       // CheckOut came
)

// Enrollment is one device's relation to this server, keyed by its UDID, or by its EnrollmentID if
// it is a User Enrollment.
type Enrollment struct {
	ID          string
	User        bool           // a User Enrollment: ID is an EnrollmentID
	Device      fleet.DeviceID // empty until Stage is Enrolled
	Platform    fleet.Platform
	Stage       Stage
	Certificate string // SHA-256 of the pinned identity certificate, hexadecimal in lower case
	Topic       string
	PushMagic   string
	Token       []byte
	// Replaced are fingerprints of push data that newer data replaced, newest last: a replay of one
	// changes nothing.
	Replaced []string
}

// Certificate is a device identity that this server issued.
type Certificate struct {
	SHA256     string // of the DER form, hexadecimal in lower case; the key
	Serial     string // hexadecimal
	DER        []byte
	KeySHA256  string // of the SubjectPublicKeyInfo, hexadecimal in lower case
	NotAfter   time.Time
	Enrollment string    // the only enrollment that may ever use it; empty: none has yet
	Revoked    time.Time // zero: it is good
}

// Challenge is a one-time permission to get an identity. The challenge itself is never stored.
type Challenge struct {
	SHA256      string // of the challenge, hexadecimal in lower case; the key
	Expires     time.Time
	Terms       access.EnrollmentTerms
	UsedAt      time.Time    // zero: it is unused
	Certificate *Certificate // what it was used for; nil: it is unused
}

// Store is what the channel needs of a database. Every method is one transaction, durable when it
// returns nil.
type Store interface {
	// Identity reads an enrollment and a certificate, each nil if it is not stored. What their
	// slices hold is not changed by its callers.
	Identity(ctx context.Context, enrollment, certificateSHA256 string) (*Enrollment, *Certificate,
		error)
	// UpdateIdentity reads both, calls fn and stores what fn made of them. An enrollment that is
	// not stored is given to fn with only its ID set; a certificate that is not stored is nil, and
	// none is created. If fn returns an error nothing changes and UpdateIdentity returns that
	// error. No other UpdateIdentity of the same enrollment or certificate runs meanwhile. fn does
	// not wait for anything and may be called again after a conflict.
	UpdateIdentity(ctx context.Context, enrollment, certificateSHA256 string,
		fn func(*Enrollment, *Certificate) error) error
	// EnrollmentOf returns the enrollment whose Device is device; ErrNotFound if there is none.
	EnrollmentOf(ctx context.Context, device fleet.DeviceID) (*Enrollment, error)

	// OtherTopics counts the devices that are enrolled, and fulfil a condition (nil: all), under
	// another topic than those given, and names some of them, at most limit, in the order of their
	// names.
	OtherTopics(ctx context.Context, topics []string, where fleet.Condition, limit int) (count int,
		names []string, err error)

	// AddChallenge stores a new challenge.
	AddChallenge(ctx context.Context, c Challenge) error
	// Challenge returns a challenge, with its certificate if it is used; ErrNotFound if there is
	// none.
	Challenge(ctx context.Context, sha256 string) (*Challenge, error)
	// LinkOf returns the challenge that a certificate was issued for; ErrNotFound if there is none.
	LinkOf(ctx context.Context, certificateSHA256 string) (*Challenge, error)
	// Redeem marks an unused challenge as used and stores the certificate, both or neither, and
	// returns it. A used challenge does not change: Redeem then returns the certificate it was used
	// for if that has the same KeySHA256, and ErrChallengeUsed if not. ErrNotFound if there is no
	// such challenge.
	Redeem(ctx context.Context, challengeSHA256 string, at time.Time, c Certificate) (*Certificate,
		error)

	// AddKeyPair stores the key pair unless one of that name is stored, and returns the one that
	// is.
	AddKeyPair(ctx context.Context, name string, k keypair.KeyPair) (*keypair.KeyPair, error)
	// SetKeyPair stores the key pair in place of the one of that name, if there is one.
	SetKeyPair(ctx context.Context, name string, k keypair.KeyPair) error
	// KeyPair returns a key pair; ErrNotFound if there is none of that name.
	KeyPair(ctx context.Context, name string) (*keypair.KeyPair, error)
}
