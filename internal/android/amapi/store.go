package amapi

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/payload"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/keypair"
)

// ErrNotFound is what a Store returns for a record that does not exist.
var ErrNotFound = errors.New("not stored")

// Setup is how far the set-up has come, and what Google said no to last. There is one.
type Setup struct {
	Project      string   `json:"project,omitempty"`
	ClientEmail  string   `json:"clientEmail,omitempty"`
	KeyID        string   `json:"keyId,omitempty"`      // tells its keys apart
	SignupName   string   `json:"signupName,omitempty"` // of the sign-up that was begun
	Enterprise   string   `json:"enterprise,omitempty"` // enterprises/LC00abc
	DisplayName  string   `json:"displayName,omitempty"`
	Delivery     Delivery `json:"delivery,omitempty"`
	Topic        string   `json:"topic,omitempty"`
	Subscription string   `json:"subscription,omitempty"`
	PushURL      string   `json:"pushURL,omitempty"`
	Told         bool     `json:"told,omitempty"` // the enterprise has the topic
	// StartPolicy is the name of the policy that devices start with; empty: there is none yet, and
	// so there must be no token.
	StartPolicy string   `json:"startPolicy,omitempty"`
	LastRefusal *Refusal `json:"lastRefusal,omitempty"`
	// Refusals are the last one of each action, the newest first.
	Refusals []Refusal `json:"refusals,omitempty"`
}

// mostRefusals is more than there are actions that Google can refuse.
const mostRefusals = 40

// refused notes what Google said no to, in place of what it said to the same action before.
func (s *Setup) refused(r Refusal) {
	s.LastRefusal = &r
	others := slices.DeleteFunc(s.Refusals, func(old Refusal) bool { return old.Action == r.Action })
	s.Refusals = append([]Refusal{r}, others[:min(len(others), mostRefusals-1)]...)
}

// ready reports whether devices can enroll and be served.
func (s *Setup) ready() bool { return s.Enterprise != "" && s.Told && s.StartPolicy != "" }

// StoredToken is an enrollment token that was made here. Its value is not kept.
type StoredToken struct {
	ID      string // ours, a GUID in lower case; the key
	Name    string // Google's: enterprises/LC00abc/enrollmentTokens/xyz
	Mode    Mode
	OneTime bool
	Created time.Time
	Expires time.Time
	Revoked bool
	Terms   access.EnrollmentTerms
}

// Standing is what an enrollment of a device is to the server.
type Standing string

const (
	Beginning Standing = "beginning" // allowed; the engine is not told yet, or it was interrupted
	Current   Standing = "current"   // the engine knows the device under it
	Turned    Standing = "refused"   // whoever made its token may not enroll it
	Replaced  Standing = "replaced"  // the same device enrolled anew under another name
	Gone      Standing = "gone"      // the device left management
)

// Enrollment is one enrollment of a device, under the name that Google gave it: a device that
// enrolls anew has another name.
type Enrollment struct {
	Name     string         // enterprises/LC00abc/devices/xyz; the key
	Device   fleet.DeviceID // empty until Standing is Current
	UDID     string         // by which the fleet knows the device
	Standing Standing
	State    EnrollmentState
}

// EnrollmentState is what the channel remembers of an enrollment from one report to the next.
type EnrollmentState struct {
	EnrolledAt time.Time `json:"enrolledAt,omitzero"` // as Google has it
	// Reported is the number of the newest report that was processed: its time in microseconds.
	Reported int64 `json:"reported,omitempty"`
	// AssignedAt is when Google was told that the device has a policy of its own; zero: it was not.
	AssignedAt time.Time `json:"assignedAt,omitzero"`
	// Look: a report could not be held against its version yet, so the device is to be read again.
	Look bool `json:"look,omitempty"`
	// Known is the newest version that somebody else posted with the same content as ours.
	Known int64 `json:"known,omitempty"`
	// Absent are apps that are to be off and were not listed in a report, by package.
	Absent map[string]Absence `json:"absent,omitempty"`
	// Refused is the document that Google refused, and because of which payloads.
	Refused *RefusedDocument `json:"refused,omitempty"`
}

// Absence is the first report without an app: one report that lacks it proves nothing.
type Absence struct {
	Version int64 `json:"version"` // that the device had applied
	Report  int64 `json:"report"`  // its number
}

// RefusedDocument is a document that Google answered 400 to.
type RefusedDocument struct {
	Hash string            `json:"hash"`
	At   time.Time         `json:"at"`
	Why  map[string]string `json:"why"` // Google's words, by payload that was left out for them
}

// Posting is a version of a device's policy: a document that was sent to Google, or is about to be.
type Posting struct {
	Mark     int64  // of the newest hand-over that it is
	Hash     string // of the document; empty: somebody else changed it since
	Version  int64  // that Google gave it; 0: it is not known whether Google has it
	Manifest *Manifest
}

// Manifest says whose what is in a document.
type Manifest = payload.Manifest

// WebApp is what Google made of a website for a payload, or did not.
type WebApp struct {
	Payload action.PayloadID `json:"payload"` // the key
	// Name is Google's: enterprises/LC00abc/webApps/com.google.enterprise.webapp.x1f, which ends with
	// the package. Empty: Google has not made it.
	Name string `json:"name,omitempty"`
	// Hash is of what Google has of it (payload.WebApp.Hash), and Version Google's number of that.
	Hash    string `json:"hash,omitempty"`
	Version int64  `json:"version,omitempty"`
	// Found says that it was found at Google, and not made under this record: it is not deleted there.
	Found bool `json:"found,omitempty"`
	// Asked is what Google was asked to make, and may have made though no answer came; nil: nothing.
	Asked *AskedWebApp `json:"asked,omitempty"`
	// Failure is why the last try came to nothing; nil: it did not fail.
	Failure *WebAppFailure `json:"failure,omitempty"`
}

// AskedWebApp is by what a web app is known whose name is not.
type AskedWebApp struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

// WebAppFailure is what Google answered in place of a web app.
type WebAppFailure struct {
	At   time.Time `json:"at"`
	Hash string    `json:"hash"` // of what was asked for
	Code int       `json:"code"` // HTTP's; 0: Google was not reached
	Text string    `json:"text"`
}

// Package is the package name of the app; empty: there is none yet.
func (w *WebApp) Package() string { return w.Name[strings.LastIndexByte(w.Name, '/')+1:] }

// OldPolicy is the policy of a device that left, which Google is to delete.
type OldPolicy struct {
	Device fleet.DeviceID
	Tries  int // that failed
}

// KeptPostings is how many postings of an enrollment are kept, beside one that is not sent yet.
const KeptPostings = 3

// Store is what the channel needs of a database. Every method is one transaction, durable when it
// returns nil.
type Store interface {
	// AndroidSetup reads the set-up; a zero one if there is none.
	AndroidSetup(ctx context.Context) (*Setup, error)
	// UpdateAndroidSetup reads the set-up, calls fn and stores what fn made of it. If fn returns an
	// error nothing changes and it is returned. fn may be called again after a conflict.
	UpdateAndroidSetup(ctx context.Context, fn func(*Setup) error) error
	// SetServiceAccount stores the key of a service account, and what fn makes of the set-up, both
	// or neither.
	SetServiceAccount(ctx context.Context, key keypair.KeyPair, fn func(*Setup) error) error
	// ServiceAccount returns the key of the service account; ErrNotFound if there is none.
	ServiceAccount(ctx context.Context) (*keypair.KeyPair, error)

	// AddAndroidToken stores a new token.
	AddAndroidToken(ctx context.Context, t StoredToken) error
	// AndroidToken returns the token of an id, or else of a name; ErrNotFound if there is none.
	AndroidToken(ctx context.Context, id, name string) (*StoredToken, error)
	// AndroidTokens returns those that are neither revoked nor expired at a time, the newest first.
	AndroidTokens(ctx context.Context, at time.Time) ([]StoredToken, error)
	// RevokeAndroidToken marks a token as revoked.
	RevokeAndroidToken(ctx context.Context, id string) error

	// AndroidEnrollment returns the enrollment of a name; ErrNotFound if there is none.
	AndroidEnrollment(ctx context.Context, name string) (*Enrollment, error)
	// AndroidEnrollmentOf returns the current enrollment of a device; ErrNotFound if it has none.
	AndroidEnrollmentOf(ctx context.Context, id fleet.DeviceID) (*Enrollment, error)
	// AndroidEnrollmentByUDID returns the current enrollment, or else one that is beginning, of the
	// device of a UDID; ErrNotFound if there is none.
	AndroidEnrollmentByUDID(ctx context.Context, udid string) (*Enrollment, error)
	// AndroidEnrollmentsAfter returns the current enrollments behind a name, in the order of their
	// names, at most limit.
	AndroidEnrollmentsAfter(ctx context.Context, name string, limit int) ([]Enrollment, error)
	// CountAndroidEnrollments counts the current ones.
	CountAndroidEnrollments(ctx context.Context) (int, error)
	// SaveAndroidEnrollment stores an enrollment in place of the one of its name, if there is one,
	// and marks those of other names as replaced, whose postings go. The policies of their devices
	// are among OldAndroidPolicies from then on, unless they are the device of e.
	SaveAndroidEnrollment(ctx context.Context, e *Enrollment, replaces ...string) error
	// UpdateAndroidEnrollment reads an enrollment, calls fn and stores what fn made of it;
	// ErrNotFound if there is none. fn may be called again after a conflict.
	UpdateAndroidEnrollment(ctx context.Context, name string, fn func(*Enrollment)) error
	// EndAndroidEnrollment marks an enrollment as gone; its postings go, and its device's policy is
	// among OldAndroidPolicies from then on.
	EndAndroidEnrollment(ctx context.Context, name string) error

	// AndroidPostings returns the postings of an enrollment, the newest first.
	AndroidPostings(ctx context.Context, name string) ([]Posting, error)
	// AddAndroidPosting stores what is about to be sent, and drops old ones, so that KeptPostings
	// with a version stay.
	AddAndroidPosting(ctx context.Context, name string, p Posting) error
	// FinishAndroidPosting stores the version that Google gave to the posting of a mark.
	FinishAndroidPosting(ctx context.Context, name string, mark, version int64) error
	// MoveAndroidPosting gives the posting of a mark another one, and the manifest of that
	// hand-over: its document is the same.
	MoveAndroidPosting(ctx context.Context, name string, mark, to int64,
		manifest *Manifest) error
	// DropAndroidPosting forgets the posting of a mark: Google does not have it.
	DropAndroidPosting(ctx context.Context, name string, mark int64) error
	// SpoilAndroidPostings forgets what the postings' documents were, so that the next one is sent
	// whatever it is.
	SpoilAndroidPostings(ctx context.Context, name string) error

	// OldAndroidPolicies returns policies of devices that left whose time has come, at most limit.
	OldAndroidPolicies(ctx context.Context, now time.Time, limit int) ([]OldPolicy, error)
	// PutOffOldAndroidPolicy has one wait until a time, after one more try that failed.
	PutOffOldAndroidPolicy(ctx context.Context, device fleet.DeviceID, until time.Time) error
	// DropOldAndroidPolicy forgets one: Google does not have it, or it is in use again.
	DropOldAndroidPolicy(ctx context.Context, device fleet.DeviceID) error

	// AndroidWebApp returns the web app of a payload; ErrNotFound if there is no record of one.
	AndroidWebApp(ctx context.Context, id action.PayloadID) (*WebApp, error)
	// AndroidWebAppKept reports whether a record has a package.
	AndroidWebAppKept(ctx context.Context, name string) (bool, error)
	// SaveAndroidWebApp stores a web app in place of the one of its payload, if there is one.
	SaveAndroidWebApp(ctx context.Context, w *WebApp) error
	// LeftAndroidWebApps returns those whose payload was deleted and that no device's policy names,
	// at most limit.
	LeftAndroidWebApps(ctx context.Context, limit int) ([]WebApp, error)
	// DropAndroidWebApp forgets the web app of a payload.
	DropAndroidWebApp(ctx context.Context, id action.PayloadID) error

	// TakeLease gives a holder the lease of a name until a time, if nobody else has it at the
	// present time now, and tells whether it did.
	TakeLease(ctx context.Context, name, holder string, now, until time.Time) (bool, error)
	// RenewLease makes a lease last until another time, if the holder still has it, and tells
	// whether it did. One that ended is still the holder's if nobody has taken it since.
	RenewLease(ctx context.Context, name, holder string, until time.Time) (bool, error)
	// EndLeases ends all leases whose names begin with a prefix, if this process is the only one
	// that can be at work on the database; otherwise it does nothing.
	EndLeases(ctx context.Context, prefix string) error
	// ReleaseLease gives a lease back, if the holder has it.
	ReleaseLease(ctx context.Context, name, holder string) error
}
