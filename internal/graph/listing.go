package graph

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/query"
)

// listing is what the query options may name of a kind of things.
type listing struct {
	filters map[string]comparer    // what $filter takes, by the property's name
	orders  map[string]query.Field // what $orderby takes
	search  map[string]query.Field // texts that $search looks into
	find    func(text string) query.Condition
	types   map[string]query.Condition // what isof means, by the type's name without its namespace
	actions bool                       // $filter takes deviceActionResults
	order   []query.Order              // without $orderby; none: by id
}

// countSuffix ends the path of a list's size, as plain text (OData URL conventions 4.0, section 4.8).
const countSuffix = "/$count"

// query reads the options of a list.
func (c *call) query(l *listing) (q query.Query, err error) {
	if c.options.Has(optionFilter) {
		if q.Where, err = parseFilter(c.options.Get(optionFilter), l); err != nil {
			return q, err
		}
	}
	if c.options.Has(optionSearch) {
		found, err := l.searched(c.options.Get(optionSearch))
		if err != nil {
			return q, err
		}
		q.Where = query.And(q.Where, found)
	}
	q.OrderBy = l.order
	if c.options.Has(optionOrderBy) {
		if q.OrderBy, err = l.orderBy(c.options.Get(optionOrderBy)); err != nil {
			return q, err
		}
	}
	if q.Limit, err = c.pageSize(); err != nil {
		return q, err
	}
	if q.Limit == 0 {
		q.Limit = query.None
	}
	if q.Skip, err = skipped(c.options); err != nil {
		return q, err
	}
	if q.Count, err = counted(c.options); err != nil {
		return q, err
	}
	q.After, err = readSkipToken(c.options)
	return q, err
}

// searched is what $search asks for: a text, or in Graph's form for directory objects a property and a text, such as
// "displayName:desk".
func (l *listing) searched(value string) (query.Condition, error) {
	text, err := searchText(value)
	if err != nil {
		return nil, err
	}
	if l.find != nil {
		return l.find(text), nil
	}
	contains := func(field query.Field, text string) query.Condition {
		return query.Comparison{Field: field, Operator: query.Contains, Value: text}
	}
	if name, rest, ok := strings.Cut(text, ":"); ok && l.search[name] != "" {
		return contains(l.search[name], rest), nil
	}
	var found query.Any
	for _, name := range slices.Sorted(maps.Keys(l.search)) {
		found = append(found, contains(l.search[name], text))
	}
	return found, nil
}

const mostOrders = 3

// orderBy reads $orderby: properties, and a direction behind each.
func (l *listing) orderBy(text string) (order []query.Order, err error) {
	parts := strings.Split(text, ",")
	if len(parts) > mostOrders {
		return nil, badRequest(optionOrderBy, "Query option '$orderby' names more than %d properties.", mostOrders)
	}
	for _, part := range parts {
		words := strings.Fields(part)
		if len(words) == 0 || len(words) > 2 || len(words) == 2 && words[1] != "asc" && words[1] != "desc" {
			return nil, badRequest(optionOrderBy, "Query option '$orderby' is not valid at '%s': give a property, and asc or desc.", clip(part))
		}
		field, ok := l.orders[words[0]]
		if !ok {
			return nil, badRequest(optionOrderBy, "Query option '$orderby' cannot name '%s' here: it takes %s.", clip(words[0]), namesOf(l.orders))
		}
		if slices.ContainsFunc(order, func(o query.Order) bool { return o.Field == field }) {
			return nil, badRequest(optionOrderBy, "Query option '$orderby' names '%s' twice.", words[0])
		}
		order = append(order, query.Order{Field: field, Descending: len(words) == 2 && words[1] == "desc"})
	}
	return order, nil
}

// namesOf lists the names of a table as a message has them.
func namesOf[T any](table map[string]T) string {
	return strings.Join(slices.Sorted(maps.Keys(table)), ", ")
}

// source reads a page of things.
type source[T any] func(context.Context, query.Query) (query.Page[T], error)

// readingFirst is a source that reads something more for each page before it is shown.
func readingFirst[T any](read source[T], more func([]T) error) source[T] {
	return func(ctx context.Context, q query.Query) (query.Page[T], error) {
		page, err := read(ctx, q)
		if err == nil {
			err = more(page.Items)
		}
		return page, err
	}
}

// serveList answers with a page of a collection, or with the size of the list if the route is for that. Within is what
// limits the list beyond its options, nil: nothing.
func serveList[T any](c *call, collection string, l *listing, within query.Condition, read source[T], show func(T) (fields, error)) error {
	q, err := c.query(l)
	if err != nil {
		return err
	}
	q.Where = query.And(q.Where, within)
	if strings.HasSuffix(c.route.pattern, countSuffix) {
		q.Limit, q.Count = query.None, true
	}
	found, err := read(c.r.Context(), q)
	if errors.Is(err, query.ErrPosition) {
		return badSkipToken()
	}
	if err != nil {
		return err
	}
	if strings.HasSuffix(c.route.pattern, countSuffix) {
		return c.replyCount(found.Count)
	}
	p := page{collection: collection, value: make([]fields, len(found.Items))}
	for i, thing := range found.Items {
		if p.value[i], err = show(thing); err != nil {
			return err
		}
	}
	if q.Count {
		p.count = &found.Count
	}
	if found.Next != nil {
		p.next = skipToken{OrderBy: c.options.Get(optionOrderBy), Position: *found.Next}.String()
	}
	return c.list(p)
}
