package fleet

import "strings"

// Kind is what Graph and people call the devices of one platform. The platform itself tells it, once
// for each of its systems. Members are those of Graph's enumerations (Microsoft Graph beta
// reference).
type Kind struct {
	Platform Platform
	// Types are its members of deviceType. A device has the first whose model fits; with none it is
	// `unknown`.
	Types []ModelType
	// Agent is the member of managementAgentType by which its devices are managed; empty: `mdm`.
	Agent string
	// PolicyPlatform is its member of policyPlatformType.
	PolicyPlatform string
	// Enrollments are the ways in which its devices enroll, as far as Graph has members for them.
	Enrollments []Enrollment
}

// ModelType is a member of deviceType for the models of a platform that begin with a text; empty:
// for all that are left.
type ModelType struct {
	Model, Member string
}

// Enrollment is a member of deviceEnrollmentType, and what people call it.
type Enrollment struct {
	Member, Title string
	// Personal: a person enrolls a device of their own so. Of a device that belongs to the
	// organization its platform names the member itself, as Device.EnrollmentType.
	Personal bool
}

// Kinds are those of all platforms of a server, in the order in which people choose from them.
type Kinds []Kind

// Of is the kind of a platform; one that says nothing if none is known.
func (k Kinds) Of(p Platform) Kind {
	for _, kind := range k {
		if kind.Platform == p {
			return kind
		}
	}
	return Kind{Platform: p}
}

// OrganizationEnrollments are the members of deviceEnrollmentType for devices that belong to the
// organization.
func (k Kinds) OrganizationEnrollments() (members []string) {
	for _, kind := range k {
		for _, e := range kind.Enrollments {
			if !e.Personal {
				members = append(members, e.Member)
			}
		}
	}
	return members
}

// EnrollmentTitle is what people call a member of deviceEnrollmentType; empty: it says nothing.
func (k Kinds) EnrollmentTitle(member string) string {
	for _, kind := range k {
		for _, e := range kind.Enrollments {
			if e.Member == member {
				return e.Title
			}
		}
	}
	return ""
}

// Type is the member of deviceType for a model; empty: there is none.
func (k Kind) Type(model string) string {
	for _, t := range k.Types {
		if strings.HasPrefix(model, t.Model) {
			return t.Member
		}
	}
	return ""
}

// PersonalEnrollment is the member of deviceEnrollmentType for a person's own device; empty: there
// is none.
func (k Kind) PersonalEnrollment() string {
	for _, e := range k.Enrollments {
		if e.Personal {
			return e.Member
		}
	}
	return ""
}
