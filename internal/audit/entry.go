// Package audit keeps the record of who did what: every write and every refused attempt. Entries
// are only ever appended. Each one contains the hash of the entry before it, so an entry that is
// changed, removed or inserted later is found.
//
// It imports only query, so every other package may use it. Begin with Entry. A Draft is an entry
// that is being made while its operation runs; chain.go seals it into the chain, and verify.go
// checks the chain.
package audit

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/query"
)

// ErrNotFound is returned for an entry that does not exist.
var ErrNotFound = errors.New("no such entry in the audit record")

// Entry is one line of the record.
type Entry struct {
	Sequence int64 // its number, from 1 without a gap
	ID       string
	At       time.Time
	Actor    Actor
	Activity string   // the operation's name, such as deviceConfigurations.create
	Kind     Kind     // the kind of operation
	Objects  []Object // what it was done to
	Result   Result
	// HTTP status of a refusal or failure; 0: it succeeded, or did not come over HTTP
	Status   int
	Reason   string // why it was refused or failed
	Request  string // the request's id, which is also in the answer and the log
	Skipped  int    // attempts by strangers before this one that were counted and not recorded
	Previous Sum    // hash of the entry before; empty for the first
	Hash     Sum    // SHA-256 over the entry's fields and Previous

	objects json.RawMessage // Objects as JSON, in the very bytes that were hashed
}

// Actor says who did it, and from where.
type Actor struct {
	ID   string `json:"id"` // as in access.Identity; empty: unknown
	Name string `json:"name"`
	// IP address of the caller; empty: this machine's own command line
	Address string   `json:"address"`
	Roles   []string `json:"roles,omitempty"`
}

// DeviceActor begins the ID of an actor that is a device. The UDID that the device claims follows.
const DeviceActor = "device:"

// Kind is Graph's activityOperationType.
type Kind string

const (
	Create Kind = "Create"
	Update Kind = "Patch"
	Delete Kind = "Delete"
	Act    Kind = "Action"
	Read   Kind = "Get"
)

// Result is Graph's activityResult.
type Result string

const (
	Success Result = "Success"
	Refused Result = "ClientError" // not allowed or not possible; nothing was changed
	Failure Result = "Failure"     // the server failed
)

// Object is a thing that an entry is about, before and after the operation. nil: it did not exist,
// or did not change. Neither holds a secret.
type Object struct {
	// Graph's type without namespace, such as deviceConfiguration
	Type   string          `json:"type"`
	ID     string          `json:"id"`
	Name   string          `json:"name,omitempty"`
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

// Sum is a SHA-256; its text is hexadecimal.
type Sum []byte

func (s Sum) String() string { return hex.EncodeToString(s) }

// MarshalText implements encoding.TextMarshaler.
func (s Sum) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Sum) UnmarshalText(text []byte) (err error) {
	*s, err = hex.DecodeString(string(text))
	return err
}

// Query selects entries, newest first unless Ascending is set. A zero field does not limit.
type Query struct {
	From     time.Time // at or after this time
	To       time.Time // before this time
	Actor    string    // Actor.ID
	Activity string
	// Component is the part of Activity before its first dot: groups in groups.create.
	Component  string
	Components *Components // limits entries by their component
	Kind       Kind
	Result     Result
	Before     int64 // only entries of a lower sequence
	After      int64 // only entries of a higher sequence
	Skip       int   // entries to pass over first
	Limit      int   // the most entries to return
	Unhidden   bool  // leave out entries for which Hides is true
	Ascending  bool  // oldest first
}

// Components limits entries by their Component.
type Components struct {
	Names  []string
	Except bool // all except Names
}

// Beyond begins the Reason of an attempt on something that exists but is outside of the actor's
// scope. What the actor was told follows.
const Beyond = "it is beyond the scope of the caller's roles: "

// HiddenReadStatus is the status of an attempt to read something that does not exist for the
// caller. It is recorded only if the thing exists after all.
const HiddenReadStatus = 404

// Hides reports whether the entry must be hidden from its own actor: its presence in the record
// would tell them that something exists outside of their scope.
func (e *Entry) Hides() bool { return e.Kind == Read && e.Status == HiddenReadStatus }

// Fields that a query of remote actions can compare, or sort by.
const (
	ByID         query.Field = "id"         // text
	ByName       query.Field = "name"       // text
	ByDevice     query.Field = "device"     // text: the device's id
	ByDeviceName query.Field = "deviceName" // text
	ByActor      query.Field = "actor"      // text
	ByStarted    query.Field = "started"    // time
	ByState      query.Field = "state"      // number
)

// RemoteAction is one action on a device, as the list of remote actions shows it.
type RemoteAction struct {
	ID         string
	Name       string // syncPayloads or changeAssignments
	DeviceID   string
	DeviceName string
	Actor      string // who started it
	Started    time.Time
	State      uint8 // the number of Graph's actionState
}
