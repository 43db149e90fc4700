package access

// Right is one thing that a role may allow; Graph calls it a resource action. Names that begin with
// Microsoft.Intune are Intune's, so that roles can be copied from there. The others are this
// server's own.
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

// rights lists every right, in the order in which they are shown. A token of an identity provider
// must carry one of the permissions to use the right (Microsoft Graph permissions reference).
var rights = []struct {
	name        Right
	permissions []string
}{
	{ReadDevices, readPermissions("DeviceManagementManagedDevices")},
	{UpdateDevices, writePermissions("DeviceManagementManagedDevices")},
	{ChangeAssignments, []string{"DeviceManagementManagedDevices.PrivilegedOperations.All"}},
	{SyncDevices, []string{"DeviceManagementManagedDevices.PrivilegedOperations.All"}},
	{RetireDevices, []string{"DeviceManagementManagedDevices.PrivilegedOperations.All"}},
	{DeleteDevices, writePermissions("DeviceManagementManagedDevices")},
	{ReadConfigurations, readPermissions("DeviceManagementConfiguration")},
	{CreateConfigurations, writePermissions("DeviceManagementConfiguration")},
	{UpdateConfigurations, writePermissions("DeviceManagementConfiguration")},
	{DeleteConfigurations, writePermissions("DeviceManagementConfiguration")},
	{AssignConfigurations, writePermissions("DeviceManagementConfiguration")},
	{ReadApps, readPermissions("DeviceManagementApps")},
	{CreateApps, writePermissions("DeviceManagementApps")},
	{UpdateApps, writePermissions("DeviceManagementApps")},
	{DeleteApps, writePermissions("DeviceManagementApps")},
	{AssignApps, writePermissions("DeviceManagementApps")},
	// What runs an action reads the organization, too: Graph asks for no permission beyond the
	// action's.
	{ReadOrganization, append(readPermissions("DeviceManagementServiceConfig"),
		"DeviceManagementManagedDevices.PrivilegedOperations.All")},
	{UpdateOrganization, writePermissions("DeviceManagementServiceConfig")},
	{ReadRoles, readPermissions("DeviceManagementRBAC")},
	{CreateRoles, writePermissions("DeviceManagementRBAC")},
	{UpdateRoles, writePermissions("DeviceManagementRBAC")},
	{DeleteRoles, writePermissions("DeviceManagementRBAC")},
	{AssignRoles, writePermissions("DeviceManagementRBAC")},
	{ReadAudit, append(readPermissions("DeviceManagementApps"), "AuditLog.Read.All")},
	{ReadAndroid, readPermissions("DeviceManagementServiceConfig")},
	{OnboardAndroid, writePermissions("DeviceManagementServiceConfig")},
	{UpdateAndroidEnrollment, writePermissions("DeviceManagementServiceConfig")},
	{ReadGroups, readPermissions("Group")},
	{CreateGroups, writePermissions("Group")},
	{UpdateGroups, writePermissions("Group")},
	{DeleteGroups, writePermissions("Group")},
	{EnrollDevices, writePermissions("DeviceManagementServiceConfig")},
	{ReadTokens, readPermissions("DeviceManagementRBAC")},
	{CreateTokens, writePermissions("DeviceManagementRBAC")},
	{DeleteTokens, writePermissions("DeviceManagementRBAC")},
}

func readPermissions(resource string) []string {
	return []string{resource + ".Read.All", resource + ".ReadWrite.All"}
}

func writePermissions(resource string) []string { return []string{resource + ".ReadWrite.All"} }

// Rights lists every right.
func Rights() []Right {
	all := make([]Right, len(rights))
	for i, r := range rights {
		all[i] = r.name
	}
	return all
}
