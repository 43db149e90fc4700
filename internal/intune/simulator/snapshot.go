package simulator

import "time"

// snapshot is what reports say of a device. Intune makes it now and then: it is a cache.
type snapshot struct {
	at       time.Time
	age      time.Duration // how old it becomes
	policies []policyRow
	apps     []appRow
}

// policyRow is one policy for one user in the report of a device.
type policyRow struct {
	item *Item
	user *User // nil: the system account
	at   time.Time
}

// appRow is one app of a device.
type appRow struct {
	item         *Item
	name, intent string
	installState string
	byUser       bool
	byDevice     bool
}

// systemAccount is the user id of what is assigned to a device, not to its user.
const systemAccount = "00000000-0000-0000-0000-000000000000"

// reported is what reports say of the device now. What is off the device is not in them.
func (d *Device) reported(now time.Time) *snapshot {
	site := d.tenant.site
	if d.report != nil && now.Sub(d.report.at) < min(d.report.age, site.faults.ReportAge) {
		return d.report
	}
	s := &snapshot{at: now, age: site.upTo(site.faults.ReportAge)}
	for _, i := range d.tenant.items {
		if !i.assigned(d) {
			continue
		}
		if i.Type == Application {
			s.addApp(d, i)
		} else if !d.off[i.ID] {
			s.addPolicy(d, i)
		}
	}
	d.report = s
	return s
}

func (s *snapshot) addPolicy(d *Device, i *Item) {
	row := policyRow{item: i, user: d.user, at: maxTime(i.modified, d.enrolled)}
	s.policies = append(s.policies, row)
	if d.user != nil && d.tenant.site.faults.RowsPerUser {
		row.user = nil
		s.policies = append(s.policies, row)
	}
}

func (s *snapshot) addApp(d *Device, i *Item) {
	row := appRow{item: i, name: i.name, intent: i.intent, installState: "installed",
		byUser: i.byUser(d), byDevice: i.byDevice(d)}
	if d.off[i.ID] {
		if !d.tenant.site.readings.AppsStayListed {
			return
		}
		row.installState = "notInstalled"
	}
	s.apps = append(s.apps, row)
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// appDetail is a mobileAppIntentAndStateDetail as it is sent.
type appDetail struct {
	ID      string   `json:"applicationId"`
	Name    string   `json:"displayName"`
	Intent  string   `json:"mobileAppIntent"`
	Version string   `json:"displayVersion"`
	State   string   `json:"installState"`
	Devices []string `json:"supportedDeviceTypes"`
}

// serveAppStates serves GET users/{user}/mobileAppIntentAndStates/{device}. What is assigned to the
// device itself is under the user of only zeros.
func serveAppStates(c *call) (answer, *refusal) {
	d, refused := c.device(c.keys[1])
	if refused != nil {
		return answer{}, refused
	}
	user := c.tenant.user(c.keys[0])
	if user == nil && c.keys[0] != systemAccount {
		return answer{}, notFound("Resource not found.")
	}
	details := []appDetail{}
	for _, row := range d.reported(c.now).apps {
		if user == nil && row.byDevice || user != nil && user == d.user && row.byUser {
			details = append(details, appDetail{ID: row.item.ID, Name: row.name, Version: "1.0",
				Intent: row.intent, State: row.installState, Devices: []string{}})
		}
	}
	body := appendJSON(nil, struct {
		Context string      `json:"@odata.context"`
		ID      string      `json:"id"`
		Device  string      `json:"managedDeviceIdentifier"`
		User    string      `json:"userId"`
		Apps    []appDetail `json:"mobileAppList"`
	}{c.in.base + "/beta/$metadata#users('" + c.keys[0] + "')/mobileAppIntentAndStates/$entity",
		d.ID, d.ID, c.keys[0], details})
	return jsonAnswer(body), nil
}

// stateRow is a managedDeviceMobileAppConfigurationState or a deviceConfigurationState.
type stateRow struct {
	ID       string `json:"id"`
	Name     string `json:"displayName"`
	Version  int    `json:"version"`
	Platform string `json:"platformType"`
	State    string `json:"state"`
	Count    int    `json:"settingCount"`
	User     string `json:"userId"`
	UPN      string `json:"userPrincipalName"`
	Settings []any  `json:"settingStates"`
}

func listAppConfigurationStates(c *call) (answer, *refusal) {
	return c.states("managedDeviceMobileAppConfigurationStates", AppConfiguration)
}

// listConfigurationStates has no policies of the settings catalog.
func listConfigurationStates(c *call) (answer, *refusal) {
	return c.states("deviceConfigurationStates", DeviceConfiguration)
}

func (c *call) states(name string, kind ItemType) (answer, *refusal) {
	d, refused := c.device(c.keys[0])
	if refused != nil {
		return answer{}, refused
	}
	var rows []stateRow
	for _, p := range d.reported(c.now).policies {
		if p.item.Type != kind {
			continue
		}
		row := stateRow{ID: p.item.ID, Name: p.item.name, Version: 1, State: "compliant",
			Platform: d.kind.policyPlatform, Count: 1, User: systemAccount, UPN: "System account",
			Settings: []any{}}
		if p.user != nil {
			row.User, row.UPN = p.user.ID, p.user.UPN
		}
		if c.site.readings.CompositeIDs {
			row.ID += "_" + d.ID + "_" + row.User
		}
		rows = append(rows, row)
	}
	return c.list("deviceManagement/managedDevices('"+d.ID+"')/"+name, len(rows), nil,
		func(b []byte, i int) []byte { return appendJSON(b, rows[i]) })
}
