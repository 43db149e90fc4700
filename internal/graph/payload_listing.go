package graph

import (
	"context"
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
		l.Filters["settingCount"] = odata.NumberField(catalog.BySettings)
		l.Orders["settingCount"] = catalog.BySettings
		withPolicyFilters(l)
		return newPolicyShape(forms).complete(withProperties(l, k, forms)) // there is but one type
	}
	l.Types[k.of.Base] = query.All{}
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
	if k.of == catalog.Apps {
		l.Filters[isAssigned] = odata.BoolField(catalog.ByAssigned)
	}
	withProperties(l, k, forms)
	newShape(k.of.Base, k.served()).complete(l)
	for _, form := range forms.In(k.of) {
		newShape(form.Type, append(k.served(), ownProperties(form)...)).complete(l)
	}
	return l
}

// filesAtOnce bounds the files, or settings, that a page of a list shows, in bytes: a page ends
// before the payload with which they would be more, unless that is its first.
const filesAtOnce = 2 << 20

// source reads pages of payloads, with their files if those are wanted.
func (k *payloadKind) source(c *call, view payloadView) odata.Source[*catalog.Payload] {
	read := c.config.Catalog.List
	if !slices.Contains(view.selected, filePropertyContent) {
		return read
	}
	return fitting(read, func(list []*catalog.Payload) (int, error) { return k.readFiles(c, list) })
}

// fitting is a source whose pages have no more payloads than fit: how many do is asked of each page
// that is read.
func fitting(read odata.Source[*catalog.Payload],
	fits func([]*catalog.Payload) (int, error)) odata.Source[*catalog.Payload] {
	return func(ctx context.Context, q query.Query) (query.Page[*catalog.Payload], error) {
		page, err := read(ctx, q)
		if err != nil {
			return page, err
		}
		fit, err := fits(page.Items)
		if err != nil || fit == len(page.Items) {
			return page, err
		}
		shown, total := page.Items[:fit], page.Count
		q.Limit = fit
		shorter, err := read(ctx, q)
		page.Items, page.Next, page.Count = shown, shorter.Next, total
		return page, err
	}
}

// readFiles reads the files of payloads, and returns of how many the files fit into a page.
func (k *payloadKind) readFiles(c *call, list []*catalog.Payload) (int, error) {
	size := 0
	for i, p := range list {
		if form := c.config.Forms.Of(p.ODataType); form == nil || !form.File {
			continue
		}
		whole, err := c.config.Catalog.Get(c.req.Context(), p.ID)
		if errors.Is(err, catalog.ErrNotFound) {
			continue // deleted meanwhile; it is shown without its file
		}
		if err != nil {
			return 0, err
		}
		if size += len(whole.Uploaded()); size > filesAtOnce && i > 0 {
			return i, nil
		}
		*list[i] = *whole
	}
	return len(list), nil
}

// withProperties adds the properties of forms that $filter takes.
func withProperties(l *odata.Listing, k *payloadKind, forms *catalog.Forms) *odata.Listing {
	add := func(list []catalog.Property) {
		for _, p := range list {
			if p.Filter {
				l.Filters[p.Name] = formComparer(p)
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
func (k *payloadKind) assigned(c *call, p *catalog.Payload,
	list []catalog.Assignment) odata.Field {
	shown := make([]odata.Fields, len(list))
	for i, a := range list {
		shown[i] = k.assignmentFields(c, p, a)
	}
	return odata.Field{expandAssignments, shown}
}

func (k *payloadKind) list(c *call) error {
	view, err := k.view(c)
	if err != nil {
		return err
	}
	var assigned map[action.PayloadID][]catalog.Assignment
	seen := c.newSight()
	return odata.ServeList(c.req, k.path(), c.server.listings[k], k.ofKind(c),
		odata.ReadingFirst(k.source(c, view), func(found []*catalog.Payload) (err error) {
			if len(found) > 0 && view.asksAssigned(k) {
				assigned, err = c.config.Catalog.AssignmentsOf(c.req.Context(), payloadIDs(found))
			}
			return err
		}), func(p *catalog.Payload) (odata.Fields, error) {
			f, err := k.fields(c, p, view, assigned[p.ID])
			if view.expanded {
				list, unseen := seen.assignments(c.req.Context(), assigned[p.ID])
				f, err = append(f, k.assigned(c, p, list)), errors.Join(err, unseen)
			}
			return f, err
		})
}
