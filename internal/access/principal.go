package access

import (
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// Prefixes of the members of role assignments. A member without one is a group of the identity
// provider.
const (
	tokenMember       = "token:"
	userMember        = "user:"
	applicationMember = "app:"
)

// Identity says who holds a bearer token, without what they may do.
type Identity struct {
	ID   string // token:<id>, user:<subject> or app:<client id>
	Name string // the name under which their actions are recorded
	// Members are the names by which role assignments can name the holder: the ID, and the ids of
	// groups of the identity provider.
	Members []string
	// Permissions are the Graph permissions that the bearer token carries; it allows nothing beyond
	// them. nil: the token does not limit its holder.
	Permissions []string
	// Application says that the token belongs to an application and no person. It allows what its
	// Permissions say, everywhere, without a role.
	Application bool
}

// Grant is what one role assignment gives its members: rights, and the area where they hold.
type Grant struct {
	Role   string // the role's name
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

// Scope returns the areas in which the caller has all of the rights; empty: nowhere. Each area is
// that of one role assignment that gives every one of the rights; rights of different assignments
// are not combined.
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
