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

// Store keeps tokens, roles, role assignments and scope tags. It never gets secrets, only their
// SHA-256.
type Store interface {
	// UpdateAccess runs fn in one transaction, alone among all writers; what it wrote is durable
	// when UpdateAccess returns nil. If fn returns an error, nothing is kept, and that error is
	// returned. fn must not wait for anything outside of the transaction, because all other writers
	// wait for it.
	UpdateAccess(ctx context.Context, fn func(Tx) error) error
	// ViewAccess runs fn on a consistent snapshot of the database.
	ViewAccess(ctx context.Context, fn func(Tx) error) error
}

// Fields that a query can compare, or sort by, where the thing has them.
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

// Tx is one transaction of a Store. A method that finds one thing returns ErrNotFound if it does
// not exist.
type Tx interface {
	// InsertToken stores a new token; ErrExists if its name is taken.
	InsertToken(ctx context.Context, t Token, hash [sha256.Size]byte) error
	// Token returns a token and the hash of its bearer by id. Like the next two methods it leaves
	// Token.Role empty.
	Token(ctx context.Context, id string) (Token, [sha256.Size]byte, error)
	// TokenNamed returns the token with this id, or else the one with this name.
	TokenNamed(ctx context.Context, idOrName string) (Token, error)
	// Tokens lists all tokens, by name.
	Tokens(ctx context.Context) ([]Token, error)
	// DeleteToken deletes a token, and the assignment that belongs to it.
	DeleteToken(ctx context.Context, id string) error
	// TouchToken stores when a token was used, if that is later than what is stored. The token need
	// not exist.
	TouchToken(ctx context.Context, id string, used time.Time) error

	// Role and RoleNamed return custom roles only.
	Role(ctx context.Context, id string) (*Role, error)
	RoleNamed(ctx context.Context, name string) (*Role, error)
	// Roles lists the roles that a query selects among builtIn and the custom ones.
	Roles(ctx context.Context, builtIn []*Role, q query.Query) (query.Page[*Role], error)
	InsertRole(ctx context.Context, r *Role) error
	UpdateRole(ctx context.Context, r *Role) error
	DeleteRole(ctx context.Context, id string) error

	Assignment(ctx context.Context, id string) (*RoleAssignment, error)
	Assignments(ctx context.Context, q query.Query) (query.Page[*RoleAssignment], error)
	// AssignmentsOf returns the assignments that have at least one of the members, each once and
	// without its Members.
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
	// TagUse counts the devices and payloads that carry a tag, and the assignments that are limited
	// to it.
	TagUse(ctx context.Context, id string) (devices, payloads, assignments int, err error)

	// DeviceByUDID returns a device by its hardware id or enrollment id; fleet.ErrNotFound if there
	// is none.
	DeviceByUDID(ctx context.Context, udid string) (*fleet.Device, error)
	// Place returns what decides in which areas a device is; fleet.ErrNotFound if there is none.
	Place(ctx context.Context, id fleet.DeviceID) (fleet.Place, error)
	// PayloadTags returns a payload's scope tags; catalog.ErrNotFound if there is no such payload.
	PayloadTags(ctx context.Context, id action.PayloadID) ([]string, error)
	// Targets returns the assignments of a payload.
	Targets(ctx context.Context, id action.PayloadID) ([]catalog.Assignment, error)
	// GroupBeyond reports whether a group has devices, and whether payloads are assigned to it,
	// that do not carry any of an area's tags.
	GroupBeyond(ctx context.Context, group string, area fleet.Area) (devices, payloads bool,
		err error)

	GroupExists(ctx context.Context, id string) (bool, error)
	// GroupsNamed returns the ids of the groups of this name.
	GroupsNamed(ctx context.Context, name string) ([]string, error)
}
