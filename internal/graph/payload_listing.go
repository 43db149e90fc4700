package graph

import (
	"errors"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// listing is what the options take of a collection of policies or apps.
func (k *payloadKind) listing(forms *catalog.Forms) *odata.Listing {
	name := k.of.Name
	l := &odata.Listing{
		Filters: map[string]odata.Comparer{
			"id": odata.TextField(catalog.ByID), name: odata.TextField(catalog.ByDisplayName),
			"description":          odata.TextField(catalog.ByDescription),
			"createdDateTime":      odata.TimeField(catalog.ByCreated),
			"lastModifiedDateTime": odata.TimeField(catalog.ByLastModified),
			tagProperty:            odata.ListField(catalog.ByTag),
		},
		Orders: map[string]query.Field{"id": catalog.ByID, name: catalog.ByDisplayName,
			"createdDateTime":      catalog.ByCreated,
			"lastModifiedDateTime": catalog.ByLastModified},
		Search: map[string]query.Field{name: catalog.ByDisplayName,
			"description": catalog.ByDescription},
		Types: make(map[string]query.Condition),
	}
	if k.of.Versioned {
		l.Filters["version"] = odata.NumberField(catalog.ByVersion)
	}
	if k == policies {
		l.Filters["isAssigned"] = odata.BoolField(catalog.ByAssigned)
		withPolicyFilters(l)
		return withProperties(l, k, forms) // there is but one type
	}
	l.Types[k.of.Base] = query.All{}
	if k.of == catalog.Apps {
		l.Filters["isAssigned"] = odata.BoolField(catalog.ByAssigned)
	}
	derived := make(map[string][]string) // types, by the one between them and the collection's
	for _, form := range forms.In(k.of) {
		l.Types[form.Type] = query.Comparison{Field: catalog.ByODataType, Operator: query.Equal,
			Value: form.Type}
		if form.File {
			l.Filters[filePropertyName] = odata.TextField(catalog.ByFileName)
		}
		if form.Base != "" {
			derived[form.Base] = append(derived[form.Base], form.Type)
		}
	}
	for base, types := range derived {
		l.Types[base] = query.OneOf{Field: catalog.ByODataType, Values: types}
	}
	return withProperties(l, k, forms)
}

// withProperties adds the properties of forms that $filter takes.
func withProperties(l *odata.Listing, k *payloadKind, forms *catalog.Forms) *odata.Listing {
	add := func(list []catalog.Property) {
		for _, p := range list {
			if p.Filter {
				l.Filters[p.Name] = comparerOf(p)
			}
		}
	}
	add(k.of.Properties)
	for _, form := range forms.In(k.of) {
		add(form.Properties)
	}
	return l
}

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
func (k *payloadKind) assigned(p *catalog.Payload, list []catalog.Assignment) odata.Field {
	shown := make([]odata.Fields, len(list))
	for i, a := range list {
		shown[i] = k.assignmentFields(p, a)
	}
	return odata.Field{expandAssignments, shown}
}

func (k *payloadKind) list(c *call) error {
	selected, err := c.req.Selected(k.selectable(c.config.Forms, false))
	if err != nil {
		return err
	}
	expanded, err := c.req.Expansions(expandAssignments)
	if err != nil {
		return err
	}
	var assigned map[action.PayloadID][]catalog.Assignment
	seen := c.newSight()
	return odata.ServeList(c.req, k.path(), k.listing(c.config.Forms), k.ofKind(c),
		odata.ReadingFirst(c.config.Catalog.List, func(found []*catalog.Payload) (err error) {
			if slices.Contains(expanded, expandAssignments) {
				assigned, err = c.config.Catalog.AssignmentsOf(c.req.Context(), payloadIDs(found))
			}
			return err
		}), func(p *catalog.Payload) (odata.Fields, error) {
			f, err := k.fields(c, p, selected)
			if assigned != nil {
				list, unseen := seen.assignments(c.req.Context(), assigned[p.ID])
				f, err = append(f, k.assigned(p, list)), errors.Join(err, unseen)
			}
			return f, err
		})
}
