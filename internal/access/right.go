package access

// Right is one thing that a role may allow: what Graph calls a resource action. Names that begin
// with Microsoft.Intune are Intune's own, so that roles can be carried over; the others are this
// server's.
type Right string

const (
	ReadDevices       Right = "Microsoft.Intune_ManagedDevices_Read"
	UpdateDevices     Right = "Microsoft.Intune_ManagedDevices_Update"
	ChangeAssignments Right = "Microsoft.Intune_RemoteTasks_ChangeAssignments"
	SyncDevices       Right = "Microsoft.Intune_RemoteTasks_SyncDevice"
	RetireDevices     Right = "Microsoft.Intune_RemoteTasks_Retire"
	DeleteDevices     Right = "Microsoft.Intune_ManagedDevices_Delete"

	ReadConfigurations   Right = "Microsoft.Intune_DeviceConfigurations_Read"
	CreateConfigurations Right = "Microsoft.Intune_DeviceConfigurations_Create"
	UpdateConfigurations Right = "Microsoft.Intune_DeviceConfigurations_Update"
	DeleteConfigurations Right = "Microsoft.Intune_DeviceConfigurations_Delete"
	AssignConfigurations Right = "Microsoft.Intune_DeviceConfigurations_Assign"

	ReadApps   Right = "Microsoft.Intune_MobileApps_Read"
	CreateApps Right = "Microsoft.Intune_MobileApps_Create"
	UpdateApps Right = "Microsoft.Intune_MobileApps_Update"
	DeleteApps Right = "Microsoft.Intune_MobileApps_Delete"
	AssignApps Right = "Microsoft.Intune_MobileApps_Assign"

	ReadOrganization   Right = "Microsoft.Intune_Organization_Read"
	UpdateOrganization Right = "Microsoft.Intune_Organization_Update"

	ReadRoles   Right = "Microsoft.Intune_Roles_Read"
	CreateRoles Right = "Microsoft.Intune_Roles_Create"
	UpdateRoles Right = "Microsoft.Intune_Roles_Update"
	DeleteRoles Right = "Microsoft.Intune_Roles_Delete"
	AssignRoles Right = "Microsoft.Intune_Roles_Assign"

	ReadAudit Right = "Microsoft.Intune_Audit_Read"

	ReadAndroid             Right = "Microsoft.Intune_AndroidSync_Read"
	OnboardAndroid          Right = "Microsoft.Intune_AndroidSync_UpdateOnboarding"
	UpdateAndroidEnrollment Right = "Microsoft.Intune_AndroidSync_UpdateEnrollmentProfiles"

	ReadGroups    Right = "syncpayloads_Groups_Read"
	CreateGroups  Right = "syncpayloads_Groups_Create"
	UpdateGroups  Right = "syncpayloads_Groups_Update"
	DeleteGroups  Right = "syncpayloads_Groups_Delete"
	EnrollDevices Right = "syncpayloads_Enrollments_Create"
	ReadTokens    Right = "syncpayloads_Tokens_Read"
	CreateTokens  Right = "syncpayloads_Tokens_Create"
	DeleteTokens  Right = "syncpayloads_Tokens_Delete"
)

// rights is every right, in the order in which they are listed, with the Graph permissions any of
// which a token of an identity provider must carry for it (Microsoft Graph permissions reference).
var rights = []struct {
	name        Right
	permissions []string
}{
	{ReadDevices, reading("DeviceManagementManagedDevices")},
	{UpdateDevices, writing("DeviceManagementManagedDevices")},
	{ChangeAssignments, []string{"DeviceManagementManagedDevices.PrivilegedOperations.All"}},
	{SyncDevices, []string{"DeviceManagementManagedDevices.PrivilegedOperations.All"}},
	{RetireDevices, []string{"DeviceManagementManagedDevices.PrivilegedOperations.All"}},
	{DeleteDevices, writing("DeviceManagementManagedDevices")},
	{ReadConfigurations, reading("DeviceManagementConfiguration")},
	{CreateConfigurations, writing("DeviceManagementConfiguration")},
	{UpdateConfigurations, writing("DeviceManagementConfiguration")},
	{DeleteConfigurations, writing("DeviceManagementConfiguration")},
	{AssignConfigurations, writing("DeviceManagementConfiguration")},
	{ReadApps, reading("DeviceManagementApps")},
	{CreateApps, writing("DeviceManagementApps")},
	{UpdateApps, writing("DeviceManagementApps")},
	{DeleteApps, writing("DeviceManagementApps")},
	{AssignApps, writing("DeviceManagementApps")},
	// What runs an action reads the organization, too: Graph asks for no permission beyond the
	// action's.
	{ReadOrganization, append(reading("DeviceManagementServiceConfig"),
		"DeviceManagementManagedDevices.PrivilegedOperations.All")},
	{UpdateOrganization, writing("DeviceManagementServiceConfig")},
	{ReadRoles, reading("DeviceManagementRBAC")},
	{CreateRoles, writing("DeviceManagementRBAC")},
	{UpdateRoles, writing("DeviceManagementRBAC")},
	{DeleteRoles, writing("DeviceManagementRBAC")},
	{AssignRoles, writing("DeviceManagementRBAC")},
	{ReadAudit, append(reading("DeviceManagementApps"), "AuditLog.Read.All")},
	{ReadAndroid, reading("DeviceManagementServiceConfig")},
	{OnboardAndroid, writing("DeviceManagementServiceConfig")},
	{UpdateAndroidEnrollment, writing("DeviceManagementServiceConfig")},
	{ReadGroups, reading("Group")},
	{CreateGroups, writing("Group")},
	{UpdateGroups, writing("Group")},
	{DeleteGroups, writing("Group")},
	{EnrollDevices, writing("DeviceManagementServiceConfig")},
	{ReadTokens, reading("DeviceManagementRBAC")},
	{CreateTokens, writing("DeviceManagementRBAC")},
	{DeleteTokens, writing("DeviceManagementRBAC")},
}

func reading(resource string) []string {
	return []string{resource + ".Read.All", resource + ".ReadWrite.All"}
}

func writing(resource string) []string { return []string{resource + ".ReadWrite.All"} }

// Rights lists every right there is.
func Rights() []Right {
	all := make([]Right, len(rights))
	for i, r := range rights {
		all[i] = r.name
	}
	return all
}
