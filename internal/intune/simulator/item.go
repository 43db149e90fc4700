package simulator

import (
	"slices"
	"strings"
	"time"
)

// ItemType is what an item is to the action: a deviceAssignmentItemType.
type ItemType string

// The types of items.
const (
	Application         ItemType = "application"
	DeviceConfiguration ItemType = "deviceConfiguration"
	ConfigurationPolicy ItemType = "deviceManagementConfigurationPolicy"
	AppConfiguration    ItemType = "mobileAppConfiguration"
)

// ItemOptions describe an item.
type ItemOptions struct {
	Type ItemType
	Name string
	// ODataType is its type in Graph, such as "#microsoft.graph.iosWiFiConfiguration". Policies of
	// the settings catalog have none. Empty: one that fits Type and Platform.
	ODataType string
	// Subtype is what a result shows as itemSubTypeDisplayName, such as wiFi, vpn, settingsCatalog.
	// Empty: one that fits Type.
	Subtype  string
	Platform Platform
	// Intent is the app's mobileAppIntent for those it is assigned to. Empty: requiredInstall.
	Intent string
	// AllDevices assigns it to all devices of its platform.
	AllDevices bool
}

// Platform is what devices run.
type Platform string

// The platforms.
const (
	IOS     Platform = "iOS" // iPadOS, too
	Android Platform = "android"
	Windows Platform = "windows10"
	MacOS   Platform = "macOS"
)

// Item is a policy, an app or an app configuration of a tenant.
type Item struct {
	tenant   *Tenant
	ID       string
	Type     ItemType
	name     string
	odata    string
	subtype  string
	platform Platform
	intent   string
	all      bool
	created  time.Time
	modified time.Time
	devices  map[*Device]bool
	users    map[*User]bool
}

// AddItem makes a policy, an app or an app configuration.
func (t *Tenant) AddItem(o ItemOptions) *Item {
	now := t.site.enter()
	defer t.site.mu.Unlock()
	i := &Item{tenant: t, ID: t.site.newID(), Type: o.Type, name: o.Name, odata: o.ODataType,
		subtype: o.Subtype, platform: o.Platform, intent: o.Intent, all: o.AllDevices,
		created: now, modified: now, devices: make(map[*Device]bool), users: make(map[*User]bool)}
	i.complete()
	t.items = append(t.items, i)
	t.byItem[i.ID] = i
	return i
}

// complete fills in what the options left out.
func (i *Item) complete() {
	if i.platform == "" {
		i.platform = IOS
	}
	defaults := map[ItemType]map[Platform]string{
		Application: {IOS: "iosVppApp", Android: "androidManagedStoreApp",
			Windows: "win32LobApp", MacOS: "macOSPkgApp"},
		DeviceConfiguration: {IOS: "iosGeneralDeviceConfiguration",
			Android: "androidDeviceOwnerGeneralDeviceConfiguration",
			Windows: "windows10GeneralConfiguration", MacOS: "macOSGeneralDeviceConfiguration"},
		AppConfiguration: {IOS: "iosMobileAppConfiguration",
			Android: "androidManagedStoreAppConfiguration"},
	}
	if name := defaults[i.Type][i.platform]; i.odata == "" && name != "" {
		i.odata = "#microsoft.graph." + name
	}
	if i.subtype == "" {
		i.subtype = map[ItemType]string{Application: "application",
			DeviceConfiguration: "deviceRestrictions", ConfigurationPolicy: "settingsCatalog",
			AppConfiguration: "appConfiguration"}[i.Type]
	}
	if i.intent == "" {
		i.intent = "requiredInstall"
	}
}

// AssignDevices assigns the item to devices.
func (i *Item) AssignDevices(devices ...*Device) {
	i.tenant.site.enter()
	defer i.tenant.site.mu.Unlock()
	for _, d := range devices {
		i.devices[d] = true
	}
}

// AssignUsers assigns the item to the devices of people.
func (i *Item) AssignUsers(users ...*User) {
	i.tenant.site.enter()
	defer i.tenant.site.mu.Unlock()
	for _, u := range users {
		i.users[u] = true
	}
}

// Unassign takes all assignments away.
func (i *Item) Unassign() {
	i.tenant.site.enter()
	defer i.tenant.site.mu.Unlock()
	clear(i.devices)
	clear(i.users)
	i.all = false
}

// Rename changes the item as an edit in the admin center does.
func (i *Item) Rename(name string) {
	now := i.tenant.site.enter()
	defer i.tenant.site.mu.Unlock()
	i.name, i.modified = name, now
}

// Name is the item's name now.
func (i *Item) Name() string {
	i.tenant.site.enter()
	defer i.tenant.site.mu.Unlock()
	return i.name
}

// byDevice and byUser tell by what an item is assigned to a device. It can be both.
func (i *Item) byDevice(d *Device) bool {
	return i.platform == d.kind.platform && (i.all || i.devices[d])
}

func (i *Item) byUser(d *Device) bool {
	return i.platform == d.kind.platform && d.user != nil && i.users[d.user]
}

func (i *Item) assigned(d *Device) bool { return i.byDevice(d) || i.byUser(d) }

// item finds what a call names, whatever the case of its letters.
func (t *Tenant) item(id string) *Item { return t.byItem[strings.ToLower(id)] }

// sortedIDs are the ids of items that fit.
func (t *Tenant) sortedIDs(fits func(*Item) bool) []string {
	ids := []string{}
	for _, i := range t.items {
		if fits(i) {
			ids = append(ids, i.ID)
		}
	}
	slices.Sort(ids)
	return ids
}
