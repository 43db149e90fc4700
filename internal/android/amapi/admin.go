package amapi

import (
	"errors"
	"fmt"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// What an admin does: Channel.Enterprise, SetServiceAccount, BeginSignup, FinishSignup (setup.go),
// CreateToken, Tokens, RevokeToken (token.go) and Health (health.go). What a caller gave wrong is
// an *invalid.Input of the property that is named beside each method; what Google says no to is a
// *Refused. Both may be shown to the caller.

// Step is how far the set-up has come.
type Step string

// The steps of the set-up, in their order.
const (
	StepNothing        Step = "notStarted"     // a service account is to be given
	StepServiceAccount Step = "serviceAccount" // Google knows it; the sign-up is to be begun
	StepSignup         Step = "signup"         // the admin has the link, and is to come back with its token
	StepEnterprise     Step = "enterprise"     // the enterprise is there; messages or start policy are to be finished
	StepReady          Step = "ready"          // devices can enroll
)

// Delivery is how Google's messages come.
type Delivery string

const (
	Pull Delivery = "pull" // the server asks for them: it needs no address that Google reaches
	Push Delivery = "push" // Google sends them to the server's URL, which it must reach
)

// Mode is how devices are managed that enroll with a token.
type Mode string

const (
	Dedicated            Mode = "dedicated"            // COSU: of nobody, for one purpose
	FullyManaged         Mode = "fullyManaged"         // COBO: an organization's, for work only
	CorporateWorkProfile Mode = "corporateWorkProfile" // COPE: an organization's, with a work profile
)

// EnrollmentType is Graph's deviceEnrollmentType of devices of the mode.
func (m Mode) EnrollmentType() string {
	switch m {
	case Dedicated:
		return "androidEnterpriseDedicatedDevice"
	case FullyManaged:
		return "androidEnterpriseFullyManaged"
	case CorporateWorkProfile:
		return "androidEnterpriseCorporateWorkProfile"
	}
	return ""
}

// Enterprise is what there is to show of the set-up.
type Enterprise struct {
	Step         Step
	Project      string // Google Cloud's id of the project; empty: no service account yet
	ClientEmail  string // of the service account
	Name         string // enterprises/LC00abc; empty: none yet
	DisplayName  string
	Delivery     Delivery
	Topic        string // projects/p/topics/t, where Google tells of devices
	Subscription string // projects/p/subscriptions/s
	PushURL      string // of Delivery Push: where Google sends to
	Devices      int    // that are enrolled, as this server knows
	LastRefusal  *Refusal
	Refusals     []Refusal // the last one of each action, the newest first
}

// Refusal is what Google last said no to, of any request.
type Refusal struct {
	At     time.Time
	Code   int    // HTTP's
	Text   string // Google's words
	Action string // what was asked, for people: "set a policy"
}

// TokenTerms is what a token allows. Terms say who makes it, for where; the group that its devices
// join is Terms.Group. Terms.For and Terms.Replace mean nothing here: Google vouches for a device's
// serial number, and one that was reset may always enroll anew.
type TokenTerms struct {
	Mode    Mode
	OneTime bool
	Valid   time.Duration // at least a minute, at most MaxTokenLife; 0: DefaultTokenLife
	Terms   access.EnrollmentTerms
}

// Bounds of TokenTerms.Valid.
const (
	DefaultTokenLife = time.Hour
	MinTokenLife     = time.Minute
	MaxTokenLife     = 90 * 24 * time.Hour
)

// Token enrolls devices. Value and QRText are there only when it is made: they are not stored.
type Token struct {
	ID      string // ours, a GUID in lower case
	Mode    Mode
	Group   string // that its devices join; empty: none
	OneTime bool
	Expires time.Time
	Created time.Time
	Maker   string // who made it, by name
	Revoked bool
	Terms   access.EnrollmentTerms // of who made it, for where

	Value  string // what a person types on the device
	QRText string // what the QR code says: JSON, as Google made it
}

// Health is how the server and Google get on.
type Health struct {
	Enterprise
	Waiting     int       // devices whose policy waits to be posted or read
	PausedUntil time.Time // Google said that there were too many requests; zero: it did not lately
	PulledAt    time.Time // last answer to the question for messages; zero: none since the start
	ListedAt    time.Time // last list of all devices; zero: none since the start
	PullFailure string    // why messages do not come; empty: they do
}

// The reasons why an admin's call cannot be carried out, beside *invalid.Input and *Refused.
var (
	// ErrNoServiceAccount: give one first.
	ErrNoServiceAccount = errors.New("no service account of Google Cloud has been set: set one first")
	// ErrNoSignup: begin the sign-up first.
	ErrNoSignup = errors.New("no sign-up was begun: begin one, follow its link, and come back with its token")
	// ErrNoEnterprise: finish the sign-up first.
	ErrNoEnterprise = errors.New("no Android enterprise is set up yet: finish the set-up first")
	// ErrNoToken: there is no token of that id.
	ErrNoToken = errors.New("no such enrollment token")
	// ErrOtherProject: there is an enterprise already, of another project.
	ErrOtherProject = errors.New("the enterprise that is set up belongs to another project of Google Cloud: its devices would be lost")
)

// Refused is what Google said no to.
type Refused struct {
	Code   int    // HTTP's: 403, 404, 400, 429; 0: Google was not reached
	Text   string // Google's words
	Action string // what was asked, for people
}

func (e *Refused) Error() string {
	if e.Code == 0 {
		return fmt.Sprintf("Google was not reached to %s: %s", e.Action, e.Text)
	}
	return fmt.Sprintf("Google refused to %s (%d): %s", e.Action, e.Code, e.Text)
}
