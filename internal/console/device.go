package console

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// devicePage is what the page of one device shows.
type devicePage struct {
	ID, Name  string
	Facts     []fact
	Notice    string
	Monitor   *monitor // nil: there never was an action
	Assigned  []assignedRow
	Restore   moment // when the first of what is removed comes back by itself
	Off       int    // how many are held off
	Former    []formerAction
	MayChange bool
	MaySync   bool
	Tags      *tagEditor
}

func (p devicePage) stream() string { return deviceAddress(p.ID) + "/events" }

func deviceAddress(id string) string { return "/console/devices/" + url.PathEscape(id) }

type fact struct {
	Name, Value string
	Moment      *moment // in place of Value
}

// assignedRow is a policy or app in the table of what can be picked.
type assignedRow struct {
	ID, Name, Type string
	State          mark
	Off            bool // it is held off the device, or on its way
	By             string
	Since, Restore moment
	Ended          bool // its assignment has ended
	Explanation    *explanation
}

// formerOnDevice is how many former actions the device's own page lists.
const formerOnDevice = 5

// notices are what a form's answer says on the page to which it leads.
var notices = map[string]string{
	"sync":    "The device was asked to connect and to tell what it has.",
	"tagged":  tagsSaved,
	"started": "The action was started. Watch it here: nothing has to be reloaded.",
}

// deviceProperties are what the page needs of a device to say it in its own words.
const deviceProperties = "id,deviceName,operatingSystem,osVersion,manufacturer,model,isSupervised," +
	"managedDeviceOwnerType,deviceEnrollmentType,managementState,enrolledDateTime,lastSyncDateTime,roleScopeTagIds"

// shownTexts are properties of a device that the page shows as they are, with what people call
// them.
var shownTexts = []struct{ property, name string }{
	{"managedDeviceName", "Name here"},
	{"serialNumber", "Serial number"},
	{"wiFiMacAddress", "Wi-Fi address"},
	{"udid", "UDID"},
}

func propertiesOfPage() string {
	all := deviceProperties
	for _, text := range shownTexts {
		all += "," + text.property
	}
	return all
}

func (v *visit) managedDevice(properties string) (*managedDevice, error) {
	var d managedDevice
	var answer json.RawMessage
	err := v.get(devicePath(v.r.PathValue("id")), url.Values{"$select": {properties}}, &answer)
	if err == nil {
		err = errors.Join(json.Unmarshal(answer, &d), json.Unmarshal(answer, &d.properties))
	}
	return &d, err
}

// mayChange reports whether the visitor may run the action anywhere (spec: Remote tasks and
// Organization).
func (v *visit) mayChange() bool { return v.may(access.ChangeAssignments, access.ReadOrganization) }

// device shows one device: what it is, what it has, what is happening to it, and what did.
func (v *visit) device() error { return v.showDevice(http.StatusOK, tagAnswer{}) }

func (v *visit) showDevice(status int, tags tagAnswer) error {
	d, err := v.managedDevice(propertiesOfPage())
	if err != nil {
		return err
	}
	actions, _, err := v.actions(d.ID, formerOnDevice+1, "")
	if err != nil {
		return err
	}
	// After the actions: where the monitor says that it has ended, the payloads have, too.
	payloads, err := v.payloads(d.ID)
	if err != nil {
		return err
	}
	p := devicePage{ID: d.ID, Name: d.title(), Facts: v.facts(d),
		Notice:  notices[v.r.URL.Query().Get("notice")],
		Restore: v.moment(nextRestore(payloads)), MayChange: v.mayChange(),
		MaySync: v.may(access.SyncDevices)}
	for i := range payloads {
		row := v.assignedRow(&payloads[i])
		if row.Off {
			p.Off++
		}
		p.Assigned = append(p.Assigned, row)
	}
	if len(actions) > 0 {
		p.Monitor = v.monitor(d.ID, &actions[0], payloads)
		for i := range actions[1:] {
			p.Former = append(p.Former, v.formerAction(&actions[1+i]))
		}
	}
	if p.Tags, err = v.tagEditor(deviceAddress(d.ID)+"/tags", d.Tags, access.UpdateDevices,
		tags); err != nil {
		return err
	}
	return v.renderStatus(status, "device", p.Name, p)
}

func (v *visit) facts(d *managedDevice) []fact {
	at := func(t time.Time) *moment {
		m := v.moment(t)
		return &m
	}
	supervised := "No"
	if d.Supervised {
		supervised = "Yes"
	}
	management := "Managed"
	if d.Management != "managed" {
		management = "Not managed any more"
	}
	owner := map[string]string{"company": "Organization", "personal": "Personal"}[d.Owner]
	all := []fact{{Name: "Platform", Value: d.Platform + " " + d.OSVersion},
		{Name: "Model", Value: d.Manufacturer + " " + d.Model},
		{Name: "Management", Value: management},
		{Name: "Enrollment", Value: v.kinds.EnrollmentTitle(d.EnrollmentType)},
		{Name: "Supervised", Value: supervised},
		{Name: "Owner", Value: owner}, {Name: "Enrolled", Moment: at(d.Enrolled)},
		{Name: "Last sync", Moment: at(d.LastSync)}}
	for _, text := range shownTexts {
		value, _ := d.properties[text.property].(string)
		if text.property == "managedDeviceName" && value == d.Name {
			continue // nobody gave it another one
		}
		all = append(all, fact{Name: text.name, Value: value})
	}
	all = append(all, fact{Name: "Device id", Value: d.ID})
	known := all[:0]
	for _, f := range all {
		if f.Moment != nil || f.Value != "" && f.Value != " " {
			known = append(known, f)
		}
	}
	return known
}

func (v *visit) assignedRow(p *devicePayload) assignedRow {
	row := assignedRow{ID: p.ID, Name: p.name(), Type: itemType(p.Type, p.SubType),
		State: p.state(), Off: p.Removed, By: p.RemovedBy,
		Since: v.moment(p.RemovedAt), Restore: v.moment(p.RestoreAt), Ended: !p.Assigned}
	if p.Error != nil {
		row.Explanation = explain(p.Error.Code, p.Error.Detail, p.Error.words)
	}
	return row
}

// syncDevice asks the device to connect.
func (v *visit) syncDevice() error {
	id := v.r.PathValue("id")
	if err := v.post(devicePath(id)+"/syncDevice", nil, nil, nil); err != nil {
		return err
	}
	v.redirect(deviceAddress(id) + "?notice=sync")
	return nil
}
