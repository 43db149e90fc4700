package odata

import (
	"slices"
	"strings"
)

// selectLengthLimit is how many bytes $select and $expand may have: three times the names of all
// properties of a device.
const selectLengthLimit = 8 << 10

// Selected reads $select: the names of the wanted properties, in the surface's own letters. Without
// it, or with *, all are. What is no property and yet may be named is passed over: annotations,
// which are shown anyway, relationships, which $expand shows, and what only other types have.
func (r *Request) Selected(known []string) (wanted []string, err error) {
	if !r.Options.Has(OptionSelect) {
		return known, nil
	}
	text := r.Options.Get(OptionSelect)
	if len(text) > selectLengthLimit {
		return nil, BadRequest(OptionSelect, "Query option '$select' is longer than %d bytes.",
			selectLengthLimit)
	}
	everything := false
	wanted = []string{}
	for given := range strings.SplitSeq(text, ",") {
		given = strings.TrimSpace(given)
		if given == "*" {
			everything = true
			continue
		}
		name, mayBeMissing := r.uncast(given)
		switch own := ownName(known, name); {
		case own != "":
			if !slices.Contains(wanted, own) {
				wanted = append(wanted, own)
			}
		case mayBeMissing, isControl(name), r.expands(name), r.isRelation(name):
		default:
			return nil, BadRequest(OptionSelect,
				"Query option '$select' is not valid: there is no property '%s'.", Clip(given))
		}
	}
	if everything {
		r.selection = "*"
		return known, nil
	}
	r.selection = strings.Join(wanted, ",")
	return wanted, nil
}

// isControl reports whether a name is that of OData's own information about a thing: @odata.type.
func isControl(name string) bool {
	const prefix = "@odata."
	return len(name) > len(prefix) && SameName(name[:len(prefix)], prefix)
}

// uncast takes the type off a path that begins with one: microsoft.graph.atlas/scale. If it
// is a type that is not here, what it has is null, and may be missing.
func (r *Request) uncast(path string) (name string, mayBeMissing bool) {
	first, rest, ok := strings.Cut(path, "/")
	typeName, qualified := withoutNamespace(first)
	if !ok || !qualified {
		return path, false
	}
	m := r.model()
	return rest, m != nil && m.schema.named(typeName) == nil
}

// expands reports whether $expand shows a relationship.
func (r *Request) expands(name string) bool {
	if !r.Options.Has(OptionExpand) {
		return false
	}
	items, err := parseExpand(r.Options.Get(OptionExpand), 1)
	return err == nil && slices.ContainsFunc(items, func(item expandItem) bool {
		shown, _ := r.uncast(item.name)
		return SameName(name, shown)
	})
}

// isRelation reports whether a name is that of a relationship of what the operation answers with.
func (r *Request) isRelation(name string) bool {
	m := r.model()
	if m == nil || r.Operation == nil {
		return false
	}
	_, own := m.relation(r.Version(), r.Operation.Answers, name)
	return own != ""
}
