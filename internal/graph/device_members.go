package graph

import (
	"cmp"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// deviceMembers are the members of those enumerations of managedDevice that depend on a device's
// platform, each with the condition of a filter for it.
type deviceMembers struct {
	kinds fleet.Kinds
	// organization are those of deviceEnrollmentType for devices that belong to the organization.
	organization []string
}

func newDeviceMembers(kinds fleet.Kinds) deviceMembers {
	return deviceMembers{kinds, kinds.OrganizationEnrollments()}
}

// runs is the condition that a device runs a platform.
func runs(p fleet.Platform) query.Condition { return query.Is(fleet.ByPlatform, string(p)) }

// choices are an enumeration of which some members occur, and others of Graph's may.
func choices(occur map[string]query.Condition, graphs []string) odata.Comparer {
	others := slices.DeleteFunc(slices.Clone(graphs), func(member string) bool {
		_, does := occur[member]
		return does
	})
	return odata.Choices(occur, others...)
}

// ownerType is what an admin says. Where nobody says: a person enrolls only their own device by
// user enrollment, and only an organization can supervise one, or enroll one in a way that is made
// for its own.
func (m deviceMembers) ownerType(d *fleet.Device) any {
	switch {
	case d.Owner != "":
		return d.Owner
	case d.UserEnrolled:
		return "personal"
	case d.Supervised, slices.Contains(m.organization, d.EnrollmentType):
		return "company"
	default:
		return unknownMember
	}
}

func (m deviceMembers) ownerTypes() odata.Comparer {
	organizations := query.Any{query.Is(fleet.BySupervised, true),
		query.OneOf{Field: fleet.ByEnrollmentType, Values: m.organization}}
	return odata.Choices(map[string]query.Condition{
		"personal": ownedBy(fleet.OwnedByPerson, query.Is(fleet.ByUserEnrolled, true)),
		"company": ownedBy(fleet.OwnedByOrg, query.Is(fleet.ByUserEnrolled, false),
			organizations),
		unknownMember: ownedBy(fleet.OwnerUnknown, query.Is(fleet.ByUserEnrolled, false),
			query.Not{Is: organizations}),
	}, odata.UnknownFutureValue)
}

func (m deviceMembers) deviceType(d *fleet.Device) any {
	return cmp.Or(m.kinds.Of(d.Platform).Type(d.Model), unknownMember)
}

func (m deviceMembers) deviceTypes() odata.Comparer {
	occur := make(map[string]query.Condition)
	var known query.Any
	for _, kind := range m.kinds {
		left := query.All{runs(kind.Platform)} // models that no type before has
		for _, t := range kind.Types {
			model := query.Comparison{Field: fleet.ByModel, Operator: query.StartsWith,
				Value: t.Model}
			is := left
			if t.Model != "" {
				is = append(slices.Clone(left), model)
				left = append(left, query.Not{Is: model})
			}
			known = append(known, is)
			if other, twice := occur[t.Member]; twice {
				occur[t.Member] = query.Any{other, is}
			} else {
				occur[t.Member] = is
			}
		}
	}
	occur[unknownMember] = query.Not{Is: known}
	return choices(occur, deviceTypeMembers)
}

func (m deviceMembers) managementAgent(d *fleet.Device) any {
	return cmp.Or(m.kinds.Of(d.Platform).Agent, systemAgent)
}

func (m deviceMembers) managementAgents() odata.Comparer {
	occur := make(map[string]query.Condition)
	var others query.Any
	for _, kind := range m.kinds {
		if kind.Agent == "" || kind.Agent == systemAgent {
			continue
		}
		is := runs(kind.Platform)
		others = append(others, is)
		if before, twice := occur[kind.Agent]; twice {
			is = query.Any{before, is}
		}
		occur[kind.Agent] = is
	}
	occur[systemAgent] = query.Not{Is: others}
	return choices(occur, managementAgentMembers)
}

// enrollmentType is what the platform says, if Graph has a member for that, and else what follows
// from who enrolled the device.
func (m deviceMembers) enrollmentType(d *fleet.Device) any {
	switch {
	case slices.Contains(m.organization, d.EnrollmentType):
		return d.EnrollmentType
	case d.UserEnrolled:
		return cmp.Or(m.kinds.Of(d.Platform).PersonalEnrollment(), unknownMember)
	default:
		return unknownMember
	}
}

func (m deviceMembers) enrollmentTypes() odata.Comparer {
	occur := make(map[string]query.Condition)
	for _, member := range m.organization {
		occur[member] = query.Is(fleet.ByEnrollmentType, member)
	}
	untold := query.Not{Is: query.OneOf{Field: fleet.ByEnrollmentType, Values: m.organization}}
	platforms := make(map[string]query.Any) // whose own devices persons enroll so
	var all query.Any
	for _, kind := range m.kinds {
		if member := kind.PersonalEnrollment(); member != "" {
			platforms[member] = append(platforms[member], runs(kind.Platform))
			all = append(all, runs(kind.Platform))
		}
	}
	byPerson := query.Is(fleet.ByUserEnrolled, true)
	for member, some := range platforms {
		occur[member] = query.All{untold, byPerson, some}
	}
	occur[unknownMember] = query.All{untold, query.Not{Is: query.All{byPerson, all}}}
	return choices(occur, enrollmentTypeMembers)
}

// policyPlatform is the member of policyPlatformType for a device.
func (m deviceMembers) policyPlatform(p fleet.Platform) string {
	return cmp.Or(m.kinds.Of(p).PolicyPlatform, "all") // Graph has none for what is not known
}
