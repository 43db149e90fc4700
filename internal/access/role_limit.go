package access

import (
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// MayGive returns nil if the principal may give the rights in an area, or take them away there: one
// single role assignment of theirs has all of the rights and contains the whole area. If several
// assignments were enough together, the receiver would get more than the giver has. The error is a
// *NotHeld. It names a right that is missing somewhere, if there is one, because that is easier to
// understand.
func (p *Principal) MayGive(rights []Right, area fleet.Area) error {
	for _, r := range rights {
		for _, part := range splitArea(area) {
			if !holds(p.Scope(r), part) {
				return &NotHeld{Right: r, Where: phrase(part)}
			}
		}
	}
	for i, r := range rights {
		if !holds(p.Scope(rights[:i+1]...), area) {
			return &NotHeld{Right: r,
				Where: "in all of that area, with all else that is given, by one role assignment"}
		}
	}
	return nil
}

func holds(scope fleet.Scope, area fleet.Area) bool {
	return slices.ContainsFunc(scope, func(has fleet.Area) bool { return areaContains(has, area) })
}

// mayName returns nil if the principal has each of the rights in some area, and so may put them
// into a role. The error is a *NotHeld.
func (p *Principal) mayName(rights []Right) error {
	for _, r := range rights {
		if len(p.Scope(r)) == 0 {
			return &NotHeld{Right: r, Where: "somewhere"}
		}
	}
	return nil
}

// splitArea splits an area into areas of at most one group and one tag. Everything in the area is
// in one of them.
func splitArea(area fleet.Area) []fleet.Area {
	var split []fleet.Area
	for _, groups := range splitLimits(area.Groups) {
		for _, tags := range splitLimits(area.Tags) {
			split = append(split, fleet.Area{Groups: groups, Tags: tags})
		}
	}
	return split
}

// splitLimits returns a list of one for each limit. Without limits it returns the list itself: nil
// means no limit at all, and an empty list is a limit that nothing meets. (An empty list of groups
// contains no device, but still payloads.)
func splitLimits(limits []string) [][]string {
	if len(limits) == 0 {
		return [][]string{limits}
	}
	split := make([][]string, len(limits))
	for i := range limits {
		split[i] = limits[i : i+1]
	}
	return split
}

func areaContains(has, part fleet.Area) bool {
	return within(part.Groups, has.Groups) && within(part.Tags, has.Tags)
}

// within reports whether everything that meets limits also meets others. nil is no limit.
func within(limits, others []string) bool {
	if others == nil {
		return true
	}
	return limits != nil && !slices.ContainsFunc(limits,
		func(l string) bool { return !slices.Contains(others, l) })
}

func phrase(part fleet.Area) string {
	where := "on all devices"
	if len(part.Groups) > 0 {
		where = "on the group " + part.Groups[0]
	}
	if len(part.Tags) > 0 {
		return where + " with the scope tag " + part.Tags[0]
	}
	return where + " with any scope tag"
}
