package access

import (
	"fmt"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// Role is a named set of rights.
type Role struct {
	ID          string  `json:"id"`
	Name        string  `json:"displayName"` // unique, whatever the case of its letters
	Description string  `json:"description"`
	BuiltIn     bool    `json:"isBuiltIn"` // a built-in role never changes
	Rights      []Right `json:"rights"`
}

// RoleAssignment gives a role to members, everywhere or limited to groups of devices and scope
// tags.
type RoleAssignment struct {
	ID          string `json:"id"`
	Name        string `json:"displayName"`
	Description string `json:"description"`
	RoleID      string `json:"roleDefinitionId"`
	// Members are names as in Identity.Members: token:<id>, user:<subject>, app:<client id>, or the
	// id of a group of the identity provider.
	Members []string `json:"members"`
	// Groups are ids of groups of devices; nil: all devices. A group may have been deleted.
	Groups []string `json:"resourceScopes"`
	// Tags are ids of scope tags; nil: no limit to tags.
	Tags []string `json:"roleScopeTagIds"`
	// Token is the id of the token that was created together with this assignment, and is deleted
	// with it; empty: none.
	Token string `json:"tokenId,omitempty"`
}

// Area returns where the assignment holds.
func (a *RoleAssignment) Area() fleet.Area { return fleet.Area{Groups: a.Groups, Tags: a.Tags} }

// ScopeTag marks devices and payloads, so that assignments can be limited to them.
type ScopeTag struct {
	ID          string `json:"id"`          // a decimal number that is never reused
	Name        string `json:"displayName"` // unique, whatever the case of its letters
	Description string `json:"description"`
}

// BuiltIn reports whether this is the default tag, which everything without another tag has. It
// never changes.
func (t *ScopeTag) BuiltIn() bool { return t.ID == fleet.DefaultTag }

// The ids of the built-in roles. Intune's roles have Intune's ids.
const (
	HelpDeskOperator    = "9e0cc482-82df-4ab2-a24c-0c23a3f52e1e"
	SchoolAdministrator = "2f9f4f7e-2d13-427b-adf2-361a1eef7ae8"
	ReadOnlyOperator    = "fa1d7878-e8cb-41a1-8254-0142355c9f84"
	Administrator       = "cbf59b64-fba9-4989-8c8b-013822e0bdbe"
)

// BuiltInRoles returns the roles that always exist, by ascending id.
func BuiltInRoles() []*Role {
	helpDesk := []Right{ReadDevices, ChangeAssignments, SyncDevices, ReadConfigurations, ReadApps,
		ReadOrganization, ReadGroups}
	school := append(slices.Clone(helpDesk), UpdateDevices, RetireDevices, DeleteDevices,
		CreateConfigurations, UpdateConfigurations, DeleteConfigurations, AssignConfigurations,
		CreateApps, UpdateApps, DeleteApps, AssignApps, CreateGroups, UpdateGroups, DeleteGroups,
		EnrollDevices, ReadAndroid, UpdateAndroidEnrollment, ReadAudit)
	reading := slices.DeleteFunc(Rights(),
		func(r Right) bool { return !strings.HasSuffix(string(r), "_Read") })
	return []*Role{
		{ID: SchoolAdministrator, Name: "School Administrator", BuiltIn: true, Rights: school,
			Description: "Manages apps, configurations, groups and devices, enrolls devices, " +
				"and takes policies and apps off them for a while."},
		{ID: HelpDeskOperator, Name: "Help Desk Operator", BuiltIn: true, Rights: helpDesk,
			Description: "Takes policies and apps off devices for a while and puts them back; " +
				"reads what that needs."},
		{ID: Administrator, Name: "Administrator", BuiltIn: true, Rights: Rights(),
			Description: "May do everything."},
		{ID: ReadOnlyOperator, Name: "Read Only Operator", BuiltIn: true, Rights: reading,
			Description: "Reads everything and changes nothing."},
	}
}

// builtIn returns the built-in role that matches; nil if none does.
func builtIn(matches func(*Role) bool) *Role {
	all := BuiltInRoles()
	if i := slices.IndexFunc(all, matches); i >= 0 {
		return all[i]
	}
	return nil
}

// Conflict says that the present state does not allow a write. Its text is safe to show to the
// caller.
type Conflict struct{ Reason string }

func (e *Conflict) Error() string { return e.Reason }

// NotHeld says that a write would give, take away or change something that the caller does not
// have. Its text is safe to show to the caller.
type NotHeld struct {
	Right Right
	Where string // where the caller lacks the right, as a phrase such as "on the group Berlin"
}

func (e *NotHeld) Error() string {
	return fmt.Sprintf("it takes the right %s %s", e.Right, e.Where)
}
