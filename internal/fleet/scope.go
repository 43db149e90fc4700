package fleet

import "slices"

// Area is a part of the fleet and of the catalog: the devices that are in one of the groups and carry one of the scope
// tags, and the payloads that carry one of the tags. Nil does not limit; empty lets nothing through.
type Area struct {
	Groups []string // ids
	Tags   []string // ids of scope tags
}

// Scope is all areas that somebody may reach for one purpose. The zero value reaches nothing.
type Scope []Area

// Everywhere is the scope without limits.
var Everywhere = Scope{{}}

// Place is what decides in which areas a device is.
type Place struct {
	Groups []string
	Tags   []string
}

// Within is the condition that a device is in a scope.
type Within Scope

// Condition marks a condition on devices.
func (Within) Condition() {}

// Everything reports whether the scope has no limits.
func (s Scope) Everything() bool {
	return slices.ContainsFunc(s, func(a Area) bool { return a.Groups == nil && a.Tags == nil })
}

// Around returns the areas that a device is in: what may be done there decides what may be done to it. None: the
// device is out of scope.
func (s Scope) Around(p Place) Scope {
	return slices.DeleteFunc(slices.Clone(s), func(a Area) bool { return !reaches(a.Groups, p.Groups) || !reaches(a.Tags, p.Tags) })
}

// Reaches reports whether a payload with these tags is in one of the areas.
func (s Scope) Reaches(tags []string) bool {
	return slices.ContainsFunc(s, func(a Area) bool { return reaches(a.Tags, tags) })
}

// Tags lists the tags whose payloads the scope reaches; nil: all payloads.
func (s Scope) Tags() []string {
	tags := []string{}
	for _, a := range s {
		if a.Tags == nil {
			return nil
		}
		tags = append(tags, a.Tags...)
	}
	return tags
}

// Groups lists the groups whose devices the scope reaches; nil: it is not limited to groups.
func (s Scope) Groups() []string {
	groups := []string{}
	for _, a := range s {
		if a.Groups == nil {
			return nil
		}
		groups = append(groups, a.Groups...)
	}
	return groups
}

func reaches(limits, has []string) bool {
	return limits == nil || slices.ContainsFunc(has, func(one string) bool { return slices.Contains(limits, one) })
}

// DefaultTag is the scope tag of what was given none.
const DefaultTag = "0"
