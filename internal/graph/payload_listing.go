package graph

import (
	"errors"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// listing is what the options take of a collection of policies or apps.
func (k *payloadKind) listing(forms *catalog.Forms) *listing {
	name := k.of.Name
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
	if k.of.Versioned {
		l.filters["version"] = numberField(catalog.ByVersion)
	}
	if k == policies {
		l.filters["isAssigned"] = boolField(catalog.ByAssigned)
		return l.withProperties(k, forms) // there is but one type
	}
	l.types[k.of.Base] = query.All{}
	if k.of == catalog.Apps {
		for _, name := range otherAppTypes {
			l.types[name] = query.Any{}
		}
	}
	derived := make(map[string][]string) // types, by the one between them and the collection's
	for _, form := range forms.In(k.of) {
		l.types[form.Type] = query.Comparison{Field: catalog.ByODataType, Operator: query.Equal, Value: form.Type}
		if form.File {
			l.filters[filePropertyName] = textField(catalog.ByFileName)
		}
		if form.Base != "" {
			derived[form.Base] = append(derived[form.Base], form.Type)
		}
	}
	for base, types := range derived {
		l.types[base] = query.OneOf{Field: catalog.ByODataType, Values: types}
	}
	return l.withProperties(k, forms)
}

// withProperties adds the properties of forms that $filter takes.
func (l *listing) withProperties(k *payloadKind, forms *catalog.Forms) *listing {
	add := func(list []catalog.Property) {
		for _, p := range list {
			if p.Filter {
				l.filters[p.Name] = textField(catalog.ByProperty(p.Name))
			}
		}
	}
	add(k.of.Properties)
	for _, form := range forms.In(k.of) {
		add(form.Properties)
	}
	return l
}

// otherAppTypes are Graph's types of apps. isof may name them, and no app is one, unless a platform has it.
var otherAppTypes = []string{"androidForWorkApp", "androidLobApp", "androidManagedStoreApp", "androidManagedStoreWebApp", "androidStoreApp",
	"iosiPadOSWebClip", "macOSDmgApp", "macOSLobApp", "macOSMdatpApp", "macOSMicrosoftDefenderApp", "macOSMicrosoftEdgeApp",
	"macOSOfficeSuiteApp", "macOsVppApp", "macOSWebClip", "managedAndroidLobApp", "managedAndroidStoreApp", "managedApp", "managedIOSLobApp",
	"managedIOSStoreApp", "managedMobileLobApp", "mobileLobApp", "microsoftStoreForBusinessApp", "officeSuiteApp", "webApp", "win32CatalogApp", "win32LobApp",
	"winGetApp", "windowsAppX", "windowsMicrosoftEdgeApp", "windowsMobileMSI", "windowsPhone81AppX", "windowsPhone81AppXBundle",
	"windowsPhone81StoreApp", "windowsPhoneXAP", "windowsStoreApp", "windowsUniversalAppX", "windowsWebApp"}

// ofKind is what limits a list to the collection, as far as the caller's scope reaches.
func (k *payloadKind) ofKind(c *call) query.Condition {
	kind := query.Comparison{Field: catalog.ByType, Operator: query.Equal, Value: int64(k.of.Kind)}
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
	selected, err := c.selected(k.selectable(c.Forms, false))
	if err != nil {
		return err
	}
	expanded, err := c.expansions(expandAssignments)
	if err != nil {
		return err
	}
	var assigned map[action.PayloadID][]catalog.Assignment
	seen := c.newSight()
	return serveList(c, k.path(), k.listing(c.Forms), k.ofKind(c), readingFirst(c.Catalog.List, func(found []*catalog.Payload) (err error) {
		if slices.Contains(expanded, expandAssignments) {
			assigned, err = c.Catalog.AssignmentsOf(c.r.Context(), payloadIDs(found))
		}
		return err
	}), func(p *catalog.Payload) (fields, error) {
		f, err := k.fields(c, p, selected)
		if assigned != nil {
			list, unseen := seen.assignments(c.r.Context(), assigned[p.ID])
			f, err = append(f, k.assigned(list)), errors.Join(err, unseen)
		}
		return f, err
	})
}
