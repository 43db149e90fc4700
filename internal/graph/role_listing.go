package graph

import (
	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// What the options take of roles, role assignments and scope tags.
var (
	definitionListing = named(map[string]odata.Comparer{"isBuiltIn": odata.BoolField(access.ByBuiltIn), "isBuiltInRoleDefinition": odata.BoolField(access.ByBuiltIn)})

	assignmentListing = named(map[string]odata.Comparer{
		"members":        odata.ListField(access.ByMember),
		"resourceScopes": odata.ListField(access.ByGroup),
		tagProperty:      odata.ListField(access.ByTag),
		"scopeType": odata.Choices(map[string]query.Condition{scopeResources: query.Is(access.ByLimited, true), scopeDevices: query.Is(access.ByLimited, false)},
			"allLicensedUsers", scopeDevicesAndPersons, odata.UnknownFutureValue),
	})

	scopeTagListing = named(map[string]odata.Comparer{"isBuiltIn": odata.BoolField(access.ByBuiltIn)})
)

// named is the listing of things that have an id, a name and a description.
func named(own map[string]odata.Comparer) *odata.Listing {
	own["id"], own["displayName"], own["description"] = odata.TextField(access.ByID),
		odata.TextField(access.ByName), odata.TextField(access.ByDescription)
	return &odata.Listing{
		Filters: own,
		Orders:  map[string]query.Field{"id": access.ByID, "displayName": access.ByName},
		Search: map[string]query.Field{"displayName": access.ByName,
			"description": access.ByDescription},
	}
}
