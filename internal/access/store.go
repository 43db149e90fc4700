package access

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// ErrNotFound is returned for a token, role, role assignment or scope tag that does not exist.
var ErrNotFound = errors.New("it does not exist")

// Store keeps tokens, roles, their assignments and scope tags. Secrets never reach it, only their
// SHA-256.
type Store interface {
	// UpdateAccess runs fn in one transaction, alone among all writers and durable when it returns
	// nil. When fn returns an error nothing is kept, and that error is returned. fn must not wait
	// for anything.
	UpdateAccess(ctx context.Context, fn func(Tx) error) error
	// ViewAccess runs fn on a consistent snapshot.
	ViewAccess(ctx context.Context, fn func(Tx) error) error
}

// What a query can compare or sort roles, role assignments and scope tags by, as far as they have
// it.
const (
	ByID          query.Field = "id"          // text
	ByName        query.Field = "name"        // text
	ByDescription query.Field = "description" // text
	ByBuiltIn     query.Field = "builtIn"     // bool
	ByNumber      query.Field = "number"      // number: a scope tag's id
	ByRole        query.Field = "role"        // text: an assignment's role
	ByLimited     query.Field = "limited"     // bool: an assignment is limited to groups of devices
	ByMember      query.Field = "member"      // list
	ByGroup       query.Field = "group"       // list
	ByTag         query.Field = "tag"         // list
)

// Tx is one transaction of a Store. What finds one thing returns ErrNotFound if there is none.
type Tx interface {
	// InsertToken stores a new token; ErrExists if its name is taken.
	InsertToken(ctx context.Context, t Token, hash [sha256.Size]byte) error
	// Token finds a token and its hash by id. Like the next two it leaves Token.Role to the caller.
	Token(ctx context.Context, id string) (Token, [sha256.Size]byte, error)
	// TokenNamed finds the token of this id, or else of this name.
	TokenNamed(ctx context.Context, idOrName string) (Token, error)
	// Tokens lists all tokens, by name.
	Tokens(ctx context.Context) ([]Token, error)
	// DeleteToken deletes a token with the assignment that belongs to it.
	DeleteToken(ctx context.Context, id string) error
	// TouchToken writes when a token was used, if that is later than what is stored. It need not
	// exist.
	TouchToken(ctx context.Context, id string, used time.Time) error

	// Role and RoleNamed find the custom roles only.
	Role(ctx context.Context, id string) (*Role, error)
	RoleNamed(ctx context.Context, name string) (*Role, error)
	// Roles lists those of builtIn and the custom ones.
	Roles(ctx context.Context, builtIn []*Role, q query.Query) (query.Page[*Role], error)
	InsertRole(ctx context.Context, r *Role) error
	UpdateRole(ctx context.Context, r *Role) error
	DeleteRole(ctx context.Context, id string) error

	Assignment(ctx context.Context, id string) (*RoleAssignment, error)
	Assignments(ctx context.Context, q query.Query) (query.Page[*RoleAssignment], error)
	// AssignmentsOf returns the assignments that have one of the members, each once and without its
	// Members.
	AssignmentsOf(ctx context.Context, members []string) ([]*RoleAssignment, error)
	InsertAssignment(ctx context.Context, a *RoleAssignment) error
	UpdateAssignment(ctx context.Context, a *RoleAssignment) error
	DeleteAssignment(ctx context.Context, id string) error

	Tag(ctx context.Context, id string) (*ScopeTag, error)
	TagNamed(ctx context.Context, name string) (*ScopeTag, error)
	// Tags are sorted by their numbers unless the query says otherwise.
	Tags(ctx context.Context, q query.Query) (query.Page[*ScopeTag], error)
	// InsertTag stores a new tag and sets its ID.
	InsertTag(ctx context.Context, t *ScopeTag) error
	UpdateTag(ctx context.Context, t *ScopeTag) error
	DeleteTag(ctx context.Context, id string) error
	// TagUse counts what carries a tag, and the assignments that are limited to it.
	TagUse(ctx context.Context, id string) (devices, payloads, assignments int, err error)

	// DeviceByUDID finds a device by its hardware or enrollment id; fleet.ErrNotFound if there is
	// none.
	DeviceByUDID(ctx context.Context, udid string) (*fleet.Device, error)
	// Place returns what decides in which areas a device is; fleet.ErrNotFound if there is none.
	Place(ctx context.Context, id fleet.DeviceID) (fleet.Place, error)
	// PayloadTags returns a payload's scope tags; catalog.ErrNotFound if there is no such payload.
	PayloadTags(ctx context.Context, id action.PayloadID) ([]string, error)
	// Targets returns to whom a payload is assigned.
	Targets(ctx context.Context, id action.PayloadID) ([]catalog.Assignment, error)
	// GroupBeyond reports whether a group has devices, and whether it is assigned payloads, that do
	// not carry one of an area's tags.
	GroupBeyond(ctx context.Context, group string, area fleet.Area) (devices, payloads bool,
		err error)

	GroupExists(ctx context.Context, id string) (bool, error)
	// GroupsNamed returns the ids of the groups of this name.
	GroupsNamed(ctx context.Context, name string) ([]string, error)
}
