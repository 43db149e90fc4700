package simulator

// Readings are the ways to read what Microsoft's reference leaves open. The zero value follows the
// reference's words, and where it has none, what asks more of a client.
type Readings struct {
	// An empty deviceAssignmentItems is refused with 400. Otherwise it restores everything.
	EmptyRefused bool
	// A smaller set does not restore the difference. What shall come back is named with the intent
	// restore, as in the reference's example of a request; what is not named stays as it is.
	RestoreByIntent bool
	// Naming an item again begins its 8 to 24 hours anew. Otherwise they count from the call that
	// named it first.
	RepostRestartsClock bool
	UnknownItem         UnknownItem
	// Items that were off and stay in the set keep their status. Otherwise they are initiated again
	// until the device answers.
	KeptItemsStay bool
	// Intune's own restore takes items out of the result without a word. Otherwise they are shown
	// with the intent restore.
	SilentRestore bool
	// The action needs DeviceManagementConfiguration.Read.All and
	// DeviceManagementManagedDevices.Read.All, as the reference said until 2024, not
	// DeviceManagementManagedDevices.PrivilegedOperations.All.
	ReadPermissionsSuffice bool
	AppOnlyRefused         bool // the action is for people: an application is refused with 403
	AuditNamesApps         bool // audits name an application as if it were a person; otherwise nobody
	AuditFilterIgnored     bool // $filter and $orderby of remoteActionAudits have no effect
	// $filter of managedDevices takes what scripts use beside what is documented: eq with the
	// operating system, agent, owner and compliance, and le, ge with times.
	FiltersInUse bool
	CompositeIDs bool // states of configurations have ids of policy, device and user
	// Apps that are off are listed as not installed. Otherwise they are not listed.
	AppsStayListed bool
	// Assertions may name their certificate by x5t (SHA-1), as older clouds want it.
	ThumbprintSHA1    bool
	DeviceCodeBlocked bool // conditional access forbids the device code flow
}

// UnknownItem is what becomes of a call with an item that does not exist, is not assigned to the
// device, or is of another type.
type UnknownItem int

// The readings of unknown items.
const (
	UnknownRefused  UnknownItem = iota // 400, and nothing happens
	UnknownFails                       // this item ends in error, the others are done
	UnknownFailsAll                    // all items end in error
)
