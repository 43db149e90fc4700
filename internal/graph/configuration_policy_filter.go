package graph

import (
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/graph/model"
	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// withPolicyFilters adds what $filter takes of policies that is the same for all of them: none was
// made from a template.
func withPolicyFilters(l *odata.Listing) {
	const family = "deviceManagementConfigurationTemplateFamily"
	families := odata.Choices(make(map[string]query.Condition), membersOf(family)...)
	families["none"] = query.All{}
	l.Filters["creationSource"] = odata.FixedField("")
	l.Filters["templateReference/templateId"] = odata.FixedField("")
	l.Filters["templateReference/templateDisplayName"] = odata.FixedField("")
	l.Filters["templateReference/templateDisplayVersion"] = odata.FixedField("")
	l.Filters["templateReference/templateFamily"] = families
}

// formComparer is how $filter compares a property that is kept with the others of a form.
func formComparer(p catalog.Property) odata.Comparer {
	field := catalog.ByProperty(p.Name)
	if e, ok := model.Type(p.Type.Name); ok && e.Flags {
		return odata.FlagsField{Field: field, Members: membersOf(e.Name)}
	}
	if p.Type.Name == catalog.Boolean.Name {
		return flagProperty(field)
	}
	return odata.TextField(field)
}

// flagProperty compares one of a payload's properties that is true or false. What nobody set is
// false, as it is shown.
type flagProperty query.Field

// isSet is how databases write true, when they take it out of JSON as a text.
var isSet = []string{"true", "1"}

func (f flagProperty) Comparison(operator query.Operator, value any) (query.Condition, bool) {
	wanted, isBool := value.(bool)
	var c query.Condition = query.OneOf{Field: query.Field(f), Values: isSet}
	if wanted != (operator == query.Equal) {
		c = query.Not{Is: c}
	}
	return c, isBool && (operator == query.Equal || operator == query.NotEqual)
}

// membersOf are the members of one of Graph's enumerations.
func membersOf(enum string) (names []string) {
	if e, ok := model.Type(enum); ok {
		for _, m := range e.Members {
			names = append(names, m.Name)
		}
	}
	return names
}
