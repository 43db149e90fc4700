package graph

import (
	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// What the options take of roles, role assignments and scope tags.
var (
	definitionListing = named(map[string]comparer{"isBuiltIn": boolField(access.ByBuiltIn), "isBuiltInRoleDefinition": boolField(access.ByBuiltIn)})

	assignmentListing = named(map[string]comparer{
		"members": listField(access.ByMember), "resourceScopes": listField(access.ByGroup), tagProperty: listField(access.ByTag),
		"scopeType": choices(map[string]query.Condition{scopeResources: flag(access.ByLimited, true), scopeDevices: flag(access.ByLimited, false)},
			"allLicensedUsers", scopeDevicesAndPersons, unknownFutureValue),
	})

	scopeTagListing = named(map[string]comparer{"isBuiltIn": boolField(access.ByBuiltIn)})
)

// named is the listing of things that have an id, a name and a description.
func named(own map[string]comparer) *listing {
	own["id"], own["displayName"], own["description"] = textField(access.ByID), textField(access.ByName), textField(access.ByDescription)
	return &listing{
		filters: own,
		orders:  map[string]query.Field{"id": access.ByID, "displayName": access.ByName},
		search:  map[string]query.Field{"displayName": access.ByName, "description": access.ByDescription},
	}
}
