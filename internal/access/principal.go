package access

import (
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// What a member of a role assignment begins with that is no group of the identity provider.
const (
	tokenMember       = "token:"
	userMember        = "user:"
	applicationMember = "app:"
)

// Identity is who holds a bearer, before it is known what they may do.
type Identity struct {
	ID   string // token:<id>, user:<subject> or app:<client id>
	Name string // under which their actions are recorded
	// Members are the names by which role assignments mean the holder: the ID, and groups of the
	// identity provider.
	Members []string
	// Permissions are the Graph permissions that the bearer carries, beyond which it allows
	// nothing. Nil: it does not limit its holder.
	Permissions []string
	// Application marks a bearer that no person holds: it allows what its Permissions say,
	// everywhere, without a role.
	Application bool
}

// Grant is what one role assignment gives its members: rights, and where they hold.
type Grant struct {
	Role   string // its name
	Rights []Right
	Area   fleet.Area
}

// Principal is an authenticated caller and what they may do.
type Principal struct {
	Identity
	Grants []Grant
}

// RoleNames lists the roles that the caller has, each once.
func (p *Principal) RoleNames() []string {
	var names []string
	for _, g := range p.Grants {
		if !slices.Contains(names, g.Role) {
			names = append(names, g.Role)
		}
	}
	return names
}

// Scope is where the caller has all of the rights together; empty: nowhere. Each area is that of
// one assignment, and the assignment has every one of the rights: those of others are not added.
func (p *Principal) Scope(all ...Right) fleet.Scope {
	for _, r := range all {
		if p.Permissions != nil && !carries(p.Permissions, r) {
			return nil
		}
	}
	if p.Application {
		return fleet.Everywhere
	}
	var scope fleet.Scope
	for _, g := range p.Grants {
		if !slices.ContainsFunc(all, func(r Right) bool { return !slices.Contains(g.Rights, r) }) {
			scope = append(scope, g.Area)
		}
	}
	return scope
}

func carries(permissions []string, r Right) bool {
	i := slices.IndexFunc(rights, func(known struct {
		name        Right
		permissions []string
	}) bool {
		return known.name == r
	})
	return i >= 0 && slices.ContainsFunc(rights[i].permissions,
		func(p string) bool { return slices.Contains(permissions, p) })
}
