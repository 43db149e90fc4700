package odata

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/query"
)

// Listing is what the query options may name of a kind of things.
type Listing struct {
	// Filters are what $filter takes, by the property's name.
	Filters map[string]Comparer
	// Orders are what $orderby takes. Of a property that is the same for all the field is empty.
	Orders map[string]query.Field
	// Search are the texts that $search looks into.
	Search map[string]query.Field
	// Find is what $search means; nil: to look into those texts.
	Find func(text string) query.Condition
	// Types are what isof and casts mean, by the type's name without its namespace. A type that is
	// not among them is one of which there is nothing. Nil: all are of the type that the operation
	// answers with.
	Types map[string]query.Condition
	// Order is the order without $orderby; none: by id.
	Order []query.Order
}

// countSuffix ends the path of a list's size, as plain text (OData URL conventions 4.0, section
// 4.8).
const CountSuffix = "/$count"

// readQuery reads the options of a list.
func (r *Request) readQuery(l *Listing) (q query.Query, err error) {
	if r.Options.Has(OptionFilter) {
		q.Where, err = ParseFilter(r.Options.Get(OptionFilter), l.knowing(r))
		if err != nil {
			return q, err
		}
	}
	if cast := r.Cast(); cast != "" {
		q.Where = query.And(q.Where, l.knowing(r).ofType(string(cast)))
	}
	if r.Options.Has(OptionSearch) {
		found, err := l.searched(r.Options.Get(OptionSearch))
		if err != nil {
			return q, err
		}
		q.Where = query.And(q.Where, found)
	}
	q.OrderBy = l.Order
	if r.Options.Has(OptionOrderBy) {
		if q.OrderBy, err = l.orderBy(r.Options.Get(OptionOrderBy)); err != nil {
			return q, err
		}
	}
	if q.Limit, err = r.preferredPageSize(); err != nil {
		return q, err
	}
	if q.Limit == 0 {
		q.Limit = query.None
	}
	if q.Skip, err = skipped(r.Options); err != nil {
		return q, err
	}
	if q.Count, err = counted(r.Options); err != nil {
		return q, err
	}
	q.After, err = readSkipToken(r.Options)
	return q, err
}

// knowing is the listing with the types of what the operation answers with, if it has none of its
// own: all things are of each of them.
func (l *Listing) knowing(r *Request) *Listing {
	m := r.model()
	if l.Types != nil || m == nil || r.Operation == nil {
		return l
	}
	known := *l
	known.Types = make(map[string]query.Condition)
	for _, t := range m.schema.related(r.Operation.Answers) {
		known.Types[string(t.Name)] = query.All{}
	}
	return &known
}

// ofType is the condition that a thing is of a type, which is given by its name without the
// namespace.
func (l *Listing) ofType(name string) query.Condition {
	if _, meaning, ok := lookUp(l.Types, name); ok {
		return meaning
	}
	return query.Any{}
}

// searched is what $search asks for: a text, or in Graph's form a property and a text, such as
// "displayName:desk".
func (l *Listing) searched(value string) (query.Condition, error) {
	text, err := searchText(value)
	if err != nil {
		return nil, err
	}
	if l.Find != nil {
		return l.Find(text), nil
	}
	contains := func(field query.Field, text string) query.Condition {
		return query.Comparison{Field: field, Operator: query.Contains, Value: text}
	}
	if name, rest, ok := strings.Cut(text, ":"); ok {
		if _, field, ok := lookUp(l.Search, name); ok {
			return contains(field, rest), nil
		}
	}
	var found query.Any
	for _, name := range slices.Sorted(maps.Keys(l.Search)) {
		found = append(found, contains(l.Search[name], text))
	}
	return found, nil
}

const mostOrders = 3

// orderBy reads $orderby: properties, and a direction after each.
func (l *Listing) orderBy(text string) (order []query.Order, err error) {
	parts := strings.Split(text, ",")
	if len(parts) > mostOrders {
		return nil, BadRequest(OptionOrderBy,
			"Query option '$orderby' names more than %d properties.", mostOrders)
	}
	for _, part := range parts {
		words := strings.Fields(part)
		descending := len(words) == 2 && SameName(words[1], "desc")
		if len(words) == 0 || len(words) > 2 ||
			len(words) == 2 && !descending && !SameName(words[1], "asc") {
			return nil, BadRequest(OptionOrderBy,
				"Query option '$orderby' is not valid at '%s': give a property, and asc or desc.",
				Clip(part))
		}
		_, field, ok := lookUp(l.Orders, words[0])
		if !ok {
			return nil, BadRequest(OptionOrderBy,
				"Query option '$orderby' cannot name '%s' here: it takes %s.", Clip(words[0]),
				namesOf(l.Orders))
		}
		if field == "" {
			continue // it puts nothing before anything else
		}
		if slices.ContainsFunc(order, func(o query.Order) bool { return o.Field == field }) {
			return nil, BadRequest(OptionOrderBy, "Query option '$orderby' names '%s' twice.",
				words[0])
		}
		order = append(order, query.Order{Field: field, Descending: descending})
	}
	return order, nil
}

// IsAscending reads $orderby of a list that has but one order, by a property, and is in descending
// order unasked.
func (r *Request) IsAscending(property string) (bool, error) {
	if !r.Options.Has(OptionOrderBy) {
		return false, nil
	}
	l := &Listing{Orders: map[string]query.Field{property: query.Field(property)}}
	order, err := l.orderBy(r.Options.Get(OptionOrderBy))
	return err == nil && !order[0].Descending, err
}

// namesOf lists the names of a table as a message has them.
func namesOf[T any](table map[string]T) string {
	return strings.Join(slices.Sorted(maps.Keys(table)), ", ")
}

// Source reads a page of things.
type Source[T any] func(context.Context, query.Query) (query.Page[T], error)

// ReadingFirst is a source that reads something more for each page before it is shown.
func ReadingFirst[T any](read Source[T], more func([]T) error) Source[T] {
	return func(ctx context.Context, q query.Query) (query.Page[T], error) {
		page, err := read(ctx, q)
		if err == nil {
			err = more(page.Items)
		}
		return page, err
	}
}

// InShortPages is a source whose pages have at most so many things, because each of them takes long
// to show. A client finds the rest behind @odata.nextLink, as it does on any other page.
func InShortPages[T any](read Source[T], most int) Source[T] {
	return func(ctx context.Context, q query.Query) (query.Page[T], error) {
		if q.Limit != query.None {
			q.Limit = min(q.Limit, most)
		}
		return read(ctx, q)
	}
}

// ServeList answers with a page of a collection, or with the size of the list if the operation is
// for that. Within is what limits the list beyond its options, nil: nothing.
func ServeList[T any](r *Request, collection string, l *Listing, within query.Condition,
	read Source[T], show func(T) (Fields, error)) error {
	q, err := r.readQuery(l)
	if err != nil {
		return err
	}
	q.Where = query.And(q.Where, within)
	onlyCount := strings.HasSuffix(r.Operation.Pattern, CountSuffix)
	if onlyCount {
		q.Limit = query.None
		q.Count = true
	}
	found, err := read(r.Context(), q)
	if errors.Is(err, query.ErrPosition) {
		return BadSkipToken()
	}
	if err != nil {
		return err
	}
	if onlyCount {
		return r.replyCount(found.Count)
	}
	p := Page{Collection: collection, Value: make([]Fields, len(found.Items))}
	for i, thing := range found.Items {
		if p.Value[i], err = show(thing); err != nil {
			return err
		}
	}
	if q.Count {
		p.Count = &found.Count
	}
	if found.Next != nil {
		next := skipToken{OrderBy: r.Options.Get(OptionOrderBy), Position: *found.Next}
		p.Next = next.String()
	}
	return r.ReplyPage(p)
}
