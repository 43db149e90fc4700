package fleet

import "slices"

// Area is a part of the fleet and of the catalog: the devices that are in one of the groups and
// carry one of the scope tags, and the payloads that carry one of the tags. Nil does not limit;
// empty lets nothing through.
type Area struct {
	Groups []string // ids
	Tags   []string // ids of scope tags
}

// Everything reports whether the area has no limits.
func (a Area) Everything() bool { return a.Groups == nil && a.Tags == nil }

// Device reports whether a device at a place is in the area.
func (a Area) Device(p Place) bool { return reaches(a.Groups, p.Groups) && reaches(a.Tags, p.Tags) }

// Payload reports whether a payload with these tags is in the area.
func (a Area) Payload(tags []string) bool { return reaches(a.Tags, tags) }

// Group reports whether a group is one that the area may name. Its devices need not all be in the
// area.
func (a Area) Group(id string) bool { return a.Groups == nil || slices.Contains(a.Groups, id) }

// Foreign returns the first scope tag that would be given or taken, when fresh ones replace the
// old, and is not the area's; empty: there is none.
func (a Area) Foreign(old, fresh []string) string {
	if a.Tags == nil {
		return ""
	}
	if len(fresh) == 0 {
		fresh = []string{DefaultTag}
	}
	for _, tag := range slices.Concat(old, fresh) {
		if slices.Contains(old, tag) != slices.Contains(fresh, tag) &&
			!slices.Contains(a.Tags, tag) {
			return tag
		}
	}
	return ""
}

// Scope is all areas that somebody may reach for one purpose. The zero value reaches nothing. What
// is decided is decided for one area at a time: the limits of two areas never add up.
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

// Member is the condition that a device is in the group of this id.
type Member string

// Condition marks a condition on devices.
func (Member) Condition() {}

// Everything reports whether the scope has no limits.
func (s Scope) Everything() bool { return slices.ContainsFunc(s, Area.Everything) }

// Where returns the areas that fulfil a condition.
func (s Scope) Where(fulfils func(Area) bool) Scope {
	return slices.DeleteFunc(slices.Clone(s), func(a Area) bool { return !fulfils(a) })
}

// Around returns the areas that a device is in: what may be done there decides what may be done to
// it. None: the device is out of scope.
func (s Scope) Around(p Place) Scope { return s.Where(func(a Area) bool { return a.Device(p) }) }

// Reaches reports whether a payload with these tags is in one of the areas.
func (s Scope) Reaches(tags []string) bool {
	return slices.ContainsFunc(s, func(a Area) bool { return a.Payload(tags) })
}

// AllPayloads reports whether one of the areas has every payload, whatever its tags.
func (s Scope) AllPayloads() bool {
	return slices.ContainsFunc(s, func(a Area) bool { return a.Tags == nil })
}

// Names reports whether one of the areas may name a group.
func (s Scope) Names(group string) bool {
	return slices.ContainsFunc(s, func(a Area) bool { return a.Group(group) })
}

func reaches(limits, has []string) bool {
	return limits == nil || slices.ContainsFunc(has,
		func(one string) bool { return slices.Contains(limits, one) })
}

// DefaultTag is the scope tag of what was given none.
const DefaultTag = "0"
