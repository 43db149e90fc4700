package graph

import (
	"errors"
	"maps"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// listing is what the options take of a collection of policies or apps.
func (k *payloadKind) listing() *odata.Listing {
	name := "displayName"
	if k.kind == action.ConfigurationPolicy {
		name = "name"
	}
	l := &odata.Listing{
		Filters: map[string]odata.Comparer{
			"id": odata.TextField(catalog.ByID), name: odata.TextField(catalog.ByDisplayName), "description": odata.TextField(catalog.ByDescription),
			"createdDateTime": odata.TimeField(catalog.ByCreated), "lastModifiedDateTime": odata.TimeField(catalog.ByLastModified),
			tagProperty: odata.ListField(catalog.ByTag),
		},
		Orders: map[string]query.Field{"id": catalog.ByID, name: catalog.ByDisplayName, "createdDateTime": catalog.ByCreated,
			"lastModifiedDateTime": catalog.ByLastModified},
		Search: map[string]query.Field{name: catalog.ByDisplayName, "description": catalog.ByDescription},
		Types:  make(map[string]query.Condition),
	}
	if k.versioned {
		l.Filters["version"] = odata.NumberField(catalog.ByVersion)
	}
	if k.hasFile() {
		l.Filters[filePropertyName] = odata.TextField(catalog.ByFileName)
	}
	for _, t := range k.types {
		l.Types[t.name] = query.Comparison{Field: catalog.ByODataType, Operator: query.Equal, Value: t.name}
	}
	maps.Copy(l.Filters, ownFilters[k.kind])
	switch k.kind {
	case action.Application:
		for _, name := range otherAppTypes {
			l.Types[name] = query.Any{}
		}
		l.Types["mobileApp"] = query.All{}
		l.Types["mobileLobApp"] = query.OneOf{Field: catalog.ByODataType, Values: []string{catalog.IOSLOBApp, catalog.MacOSPkgApp}}
	case action.DeviceConfiguration:
		l.Types["deviceConfiguration"] = query.All{}
	case action.AppConfiguration:
		l.Types["managedDeviceMobileAppConfiguration"] = query.All{}
	}
	return l
}

// ownFilters are the properties that $filter takes of one collection alone.
var ownFilters = map[action.PayloadType]map[string]odata.Comparer{
	action.Application: {
		"publisher": odata.TextField(catalog.ByPublisher), "developer": odata.TextField(catalog.ByDeveloper), "owner": odata.TextField(catalog.ByOwner),
		"bundleId": odata.TextField(catalog.ByBundleID), "primaryBundleId": odata.TextField(catalog.ByPrimaryBundleID),
	},
	action.ConfigurationPolicy: {
		"platforms": odata.TextField(catalog.ByPlatforms), "technologies": odata.TextField(catalog.ByTechnologies), "isAssigned": odata.BoolField(catalog.ByAssigned),
	},
}

// otherAppTypes are Graph's types of apps for which this server has none: isof may name them, and no app is one.
var otherAppTypes = []string{"androidForWorkApp", "androidLobApp", "androidManagedStoreApp", "androidManagedStoreWebApp", "androidStoreApp",
	"iosiPadOSWebClip", "macOSDmgApp", "macOSLobApp", "macOSMdatpApp", "macOSMicrosoftDefenderApp", "macOSMicrosoftEdgeApp",
	"macOSOfficeSuiteApp", "macOsVppApp", "macOSWebClip", "managedAndroidLobApp", "managedAndroidStoreApp", "managedApp", "managedIOSLobApp",
	"managedIOSStoreApp", "managedMobileLobApp", "microsoftStoreForBusinessApp", "officeSuiteApp", "webApp", "win32CatalogApp", "win32LobApp",
	"winGetApp", "windowsAppX", "windowsMicrosoftEdgeApp", "windowsMobileMSI", "windowsPhone81AppX", "windowsPhone81AppXBundle",
	"windowsPhone81StoreApp", "windowsPhoneXAP", "windowsStoreApp", "windowsUniversalAppX", "windowsWebApp"}

// ofKind is what limits a list to the collection, as far as the caller's scope reaches.
func (k *payloadKind) ofKind(c *call) query.Condition {
	kind := query.Comparison{Field: catalog.ByType, Operator: query.Equal, Value: int64(k.kind)}
	if c.scope.AllPayloads() {
		return kind
	}
	tagged := query.Any{}
	for _, area := range c.scope {
		for _, tag := range area.Tags {
			tagged = append(tagged, query.Has{Field: catalog.ByTag, Value: tag})
		}
	}
	return query.All{kind, tagged}
}

func payloadIDs(list []*catalog.Payload) []action.PayloadID {
	ids := make([]action.PayloadID, len(list))
	for i, p := range list {
		ids[i] = p.ID
	}
	return ids
}

// assigned shows a payload's assignments as $expand has them.
func (k *payloadKind) assigned(list []catalog.Assignment) odata.Field {
	shown := make([]odata.Fields, len(list))
	for i, a := range list {
		shown[i] = k.assignmentFields(a)
	}
	return odata.Field{expandAssignments, shown}
}

func (k *payloadKind) list(c *call) error {
	selected, err := c.req.Selected(k.selectable(false))
	if err != nil {
		return err
	}
	expanded, err := c.req.Expansions(expandAssignments)
	if err != nil {
		return err
	}
	var assigned map[action.PayloadID][]catalog.Assignment
	seen := c.newSight()
	return odata.ServeList(c.req, k.path(), k.listing(), k.ofKind(c), odata.ReadingFirst(c.config.Catalog.List, func(found []*catalog.Payload) (err error) {
		if slices.Contains(expanded, expandAssignments) {
			assigned, err = c.config.Catalog.AssignmentsOf(c.req.Context(), payloadIDs(found))
		}
		return err
	}), func(p *catalog.Payload) (odata.Fields, error) {
		f, err := k.fields(p, selected)
		if assigned != nil {
			list, unseen := seen.assignments(c.req.Context(), assigned[p.ID])
			f, err = append(f, k.assigned(list)), errors.Join(err, unseen)
		}
		return f, err
	})
}
