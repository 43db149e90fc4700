package access

import (
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// MayGive reports whether one of the principal's assignments has every one of the rights, and in it
// the whole area, so that they may give them there: nobody gives, or takes away, more than they
// have, and who gets a sum of what several assignments have would have more. The error is a
// *NotHeld.
func (p *Principal) MayGive(rights []Right, area fleet.Area) error {
	for _, r := range rights {
		for _, part := range parts(area) {
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
	return slices.ContainsFunc(scope, func(has fleet.Area) bool { return contains(has, area) })
}

// mayName reports whether the principal has every one of the rights in some area, and so may put
// them into a role. The error is a *NotHeld.
func (p *Principal) mayName(rights []Right) error {
	for _, r := range rights {
		if len(p.Scope(r)) == 0 {
			return &NotHeld{Right: r, Where: "somewhere"}
		}
	}
	return nil
}

// parts splits an area into areas of at most one group and one tag. What is in the area is in one
// of them.
func parts(area fleet.Area) []fleet.Area {
	var split []fleet.Area
	for _, groups := range singles(area.Groups) {
		for _, tags := range singles(area.Tags) {
			split = append(split, fleet.Area{Groups: groups, Tags: tags})
		}
	}
	return split
}

// singles is each limit alone, or the one absence of limits. An empty list counts as a limit that
// nothing meets: it holds no device, but an area without groups still has payloads.
func singles(limits []string) [][]string {
	if len(limits) == 0 {
		return [][]string{limits}
	}
	split := make([][]string, len(limits))
	for i := range limits {
		split[i] = limits[i : i+1]
	}
	return split
}

func contains(has, part fleet.Area) bool {
	return within(part.Groups, has.Groups) && within(part.Tags, has.Tags)
}

// within reports whether all that meets the one limit meets the other.
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
