package graph

import (
	"errors"
	"maps"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// listing is what the options take of a collection of policies or apps.
func (k *payloadKind) listing() *listing {
	name := "displayName"
	if k.kind == action.ConfigurationPolicy {
		name = "name"
	}
	l := &listing{
		filters: map[string]comparer{
			"id": textField(catalog.ByID), name: textField(catalog.ByDisplayName), "description": textField(catalog.ByDescription),
			"createdDateTime": timeField(catalog.ByCreated), "lastModifiedDateTime": timeField(catalog.ByLastModified),
			tagProperty: listField(catalog.ByTag),
		},
		orders: map[string]query.Field{"id": catalog.ByID, name: catalog.ByDisplayName, "createdDateTime": catalog.ByCreated,
			"lastModifiedDateTime": catalog.ByLastModified},
		search: map[string]query.Field{name: catalog.ByDisplayName, "description": catalog.ByDescription},
		types:  make(map[string]query.Condition),
	}
	if k.versioned {
		l.filters["version"] = numberField(catalog.ByVersion)
	}
	if k.hasFile() {
		l.filters[filePropertyName] = textField(catalog.ByFileName)
	}
	for _, t := range k.types {
		l.types[t.name] = query.Comparison{Field: catalog.ByODataType, Operator: query.Equal, Value: t.name}
	}
	maps.Copy(l.filters, ownFilters[k.kind])
	switch k.kind {
	case action.Application:
		for _, name := range otherAppTypes {
			l.types[name] = query.Any{}
		}
		l.types["mobileApp"] = query.All{}
		l.types["mobileLobApp"] = query.OneOf{Field: catalog.ByODataType, Values: []string{catalog.IOSLOBApp, catalog.MacOSPkgApp}}
	case action.DeviceConfiguration:
		l.types["deviceConfiguration"] = query.All{}
	case action.AppConfiguration:
		l.types["managedDeviceMobileAppConfiguration"] = query.All{}
	}
	return l
}

// ownFilters are the properties that $filter takes of one collection alone.
var ownFilters = map[action.PayloadType]map[string]comparer{
	action.Application: {
		"publisher": textField(catalog.ByPublisher), "developer": textField(catalog.ByDeveloper), "owner": textField(catalog.ByOwner),
		"bundleId": textField(catalog.ByBundleID), "primaryBundleId": textField(catalog.ByPrimaryBundleID),
	},
	action.ConfigurationPolicy: {
		"platforms": textField(catalog.ByPlatforms), "technologies": textField(catalog.ByTechnologies), "isAssigned": boolField(catalog.ByAssigned),
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
func (k *payloadKind) assigned(list []catalog.Assignment) field {
	shown := make([]fields, len(list))
	for i, a := range list {
		shown[i] = k.assignmentFields(a)
	}
	return field{expandAssignments, shown}
}

func (k *payloadKind) list(c *call) error {
	selected, err := c.selected(k.selectable(false))
	if err != nil {
		return err
	}
	expanded, err := c.expansions(expandAssignments)
	if err != nil {
		return err
	}
	var assigned map[action.PayloadID][]catalog.Assignment
	seen := c.newSight()
	return serveList(c, k.path(), k.listing(), k.ofKind(c), readingFirst(c.Catalog.List, func(found []*catalog.Payload) (err error) {
		if slices.Contains(expanded, expandAssignments) {
			assigned, err = c.Catalog.AssignmentsOf(c.r.Context(), payloadIDs(found))
		}
		return err
	}), func(p *catalog.Payload) (fields, error) {
		f, err := k.fields(p, selected)
		if assigned != nil {
			list, unseen := seen.assignments(c.r.Context(), assigned[p.ID])
			f, err = append(f, k.assigned(list)), errors.Join(err, unseen)
		}
		return f, err
	})
}
