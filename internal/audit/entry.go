// Package audit is the record of who did what: every write and every refused attempt, append only,
// each entry chained to the one before by its hash, so that an entry that is changed, taken out or
// put in later is found.
//
// It is a leaf: whatever writes may note what it changes here. Begin with Entry; a Draft is one
// that is being made while its operation runs, chain.go seals it, verify.go checks the chain.
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
	Sequence int64 // its place, from 1 without a gap
	ID       string
	At       time.Time
	Actor    Actor
	Activity string   // what was done, as the operation's name: deviceConfigurations.create
	Kind     Kind     // of the operation
	Objects  []Object // on what
	Result   Result
	// the HTTP status of a refusal or failure; 0: it succeeded, or was not asked for over HTTP
	Status   int
	Reason   string // of a refusal or failure
	Request  string // id of the request; also in the answer and the log
	Skipped  int    // attempts of the same kind that were counted and not recorded before this one
	Previous Sum    // hash of the entry before; empty: it is the first
	Hash     Sum    // of this one: SHA-256 over its fields and Previous

	objects json.RawMessage // Objects as they were sealed, to the byte
}

// Actor is who did it, and from where.
type Actor struct {
	ID   string `json:"id"` // as access.Identity; empty: nobody known
	Name string `json:"name"`
	// IP address of the caller; empty: this machine's own command line
	Address string   `json:"address"`
	Roles   []string `json:"roles,omitempty"`
}

// DeviceActor begins the ID of an actor that is a device: its UDID, as it says itself, follows.
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
	Refused Result = "ClientError" // not allowed, or not possible; nothing was changed
	Failure Result = "Failure"     // the server failed
)

// Object is a thing that an entry is about, before and after. Nil: it was not there, or did not
// change. Neither holds a secret.
type Object struct {
	// Graph's type without namespace, such as deviceConfiguration
	Type   string          `json:"type"`
	ID     string          `json:"id"`
	Name   string          `json:"name,omitempty"`
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

// Sum is a SHA-256, written in hexadecimal digits.
type Sum []byte

func (s Sum) String() string { return hex.EncodeToString(s) }

// MarshalText implements encoding.TextMarshaler.
func (s Sum) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Sum) UnmarshalText(text []byte) (err error) {
	*s, err = hex.DecodeString(string(text))
	return err
}

// Query selects entries, the newest first unless it says otherwise. A zero field does not limit.
type Query struct {
	From     time.Time // at or after it
	To       time.Time // before it
	Actor    string    // Actor.ID
	Activity string
	// Component is what Activity begins with, up to its first point: groups of groups.create
	Component  string
	Components *Components // those of them that are wanted
	Kind       Kind
	Result     Result
	Before     int64 // only entries of a lower sequence
	After      int64 // only entries of a higher sequence
	Skip       int   // entries to pass over first
	Limit      int   // most entries to return
	Unhidden   bool  // no entry that Hides
	Ascending  bool  // the oldest first
}

// Components limits entries by the Component of a Query.
type Components struct {
	Names  []string
	Except bool // all but those
}

// Beyond begins the Reason of an attempt on what exists beyond the actor's reach. What they were
// told follows.
const Beyond = "it is beyond the scope of the caller's roles: "

// HiddenReadStatus is the status of an attempt to read what is not there. Only one on what is there
// all the same is recorded.
const HiddenReadStatus = 404

// Hides reports whether it tells its actor, by being there, that something exists beyond their
// reach.
func (e *Entry) Hides() bool { return e.Kind == Read && e.Status == HiddenReadStatus }

// What a query can compare or sort remote actions by.
const (
	ByID         query.Field = "id"         // text
	ByName       query.Field = "name"       // text
	ByDevice     query.Field = "device"     // text: its id
	ByDeviceName query.Field = "deviceName" // text
	ByActor      query.Field = "actor"      // text
	ByStarted    query.Field = "started"    // time
	ByState      query.Field = "state"      // number
)

// RemoteAction is one action on a device, as the list of them shows it.
type RemoteAction struct {
	ID         string
	Name       string // syncPayloads or changeAssignments
	DeviceID   string
	DeviceName string
	Actor      string // who started it
	Started    time.Time
	State      uint8 // Graph's actionState, with its numbers
}
