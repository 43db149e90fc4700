package tenant

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// Kind is what an item is to changeAssignments (Graph: deviceAssignmentItemType).
type Kind string

// The kinds of items that an action can name.
const (
	App           Kind = "application"
	Configuration Kind = "deviceConfiguration"
	Policy        Kind = "deviceManagementConfigurationPolicy"
	AppConfig     Kind = "mobileAppConfiguration"
)

// Item is something that Intune assigns to a device.
type Item struct {
	ID   string // in lower case
	Kind Kind
	Name string // empty: it was not told
}

// Assigned is what Intune tells of what it assigns to a device. Its reports are caches, hours old
// at worst.
type Assigned struct {
	Items []Item
	// Complete says that every part was told, so that what is not among the items is not assigned.
	Complete bool
	// Missing says which parts were not told, and why.
	Missing []string
}

// mostItems bounds what is read of one device.
const mostItems = 2000

// nobody is the user of what is assigned to a device itself.
const nobody = "00000000-0000-0000-0000-000000000000"

// Assigned reads what is assigned to a device, and to its user; empty: it has none. The error says
// that nothing could be read, or that Intune has no such device.
func (c *Client) Assigned(ctx context.Context, device, user string) (*Assigned, error) {
	a := &assignments{known: make(map[Item]int), found: &Assigned{Complete: true}}
	if err := c.policies(ctx, device, a); err != nil {
		return nil, err
	}
	gets, err := assignedGets(device, user)
	if err != nil {
		return nil, err
	}
	if err := c.batch(ctx, "read what is assigned to a device", gets); err != nil {
		return nil, err
	}
	a.addApps(gets[1:])
	a.addAppConfigurations(gets[0], device)
	return a.found, nil
}

// assignedGets are the calls of a batch that reads one device's app configurations, and its apps:
// those of the device itself and of its user.
func assignedGets(device, user string) ([]*Get, error) {
	path, err := pathOf(devicesPath+"/{id}/managedDeviceMobileAppConfigurationStates", device)
	if err != nil {
		return nil, err
	}
	gets := []*Get{{action: "read the app configurations of a device", path: path}}
	users := []string{nobody}
	if user != "" && user != nobody {
		users = append(users, user)
	}
	for _, one := range users {
		path, err := pathOf("users('{id}')/mobileAppIntentAndStates('{id}')", one, device)
		if err != nil {
			return nil, err
		}
		gets = append(gets, &Get{action: "read the apps of a device", path: path})
	}
	return gets, nil
}

// assignments gathers items, each once.
type assignments struct {
	found *Assigned
	known map[Item]int // by id and kind: its place
}

func (a *assignments) add(i Item) {
	i.ID, i.Name = strings.ToLower(i.ID), words(i.Name, 256)
	if !itemID.MatchString(i.ID) {
		a.lack("an item has an id that is none")
		return
	}
	key := Item{ID: i.ID, Kind: i.Kind}
	if at, known := a.known[key]; known {
		if a.found.Items[at].Name == "" {
			a.found.Items[at].Name = i.Name
		}
		return
	}
	if len(a.found.Items) >= mostItems {
		a.lack(fmt.Sprintf("more than %d items are assigned", mostItems))
		return
	}
	a.known[key] = len(a.found.Items)
	a.found.Items = append(a.found.Items, i)
}

// lack takes note that a part is not told.
func (a *assignments) lack(why string) {
	a.found.Complete = false
	if len(a.found.Missing) < 10 {
		a.found.Missing = append(a.found.Missing, why)
	}
}

// The base types of policies that can be named, and what they are to the action.
var policyKinds = map[string]Kind{
	"Microsoft.Management.Services.Api.DeviceConfiguration": Configuration,
	"DeviceManagementConfigurationPolicy":                   Policy,
}

const (
	reportPath = "deviceManagement/reports/getConfigurationPoliciesReportForDevice"
	reportPage = 50
)

// report is an answer of Intune's reports: rows, and what their columns are called.
type report struct {
	Total  int `json:"TotalRowCount"`
	Schema []struct {
		Column string
	}
	Values [][]any
}

// policies reads the policies of a device from the report that Intune's own portal shows: a row for
// each policy and user. Which column is which only its schema says.
func (c *Client) policies(ctx context.Context, device string, a *assignments) error {
	if !wholeID.MatchString(device) {
		return fmt.Errorf("%q is no id of a device in Graph", device)
	}
	const action = "report the policies of a device"
	filter := "((PolicyBaseTypeName eq 'Microsoft.Management.Services.Api.DeviceConfiguration') or " +
		"(PolicyBaseTypeName eq 'DeviceManagementConfigurationPolicy')) and (IntuneDeviceId eq '" +
		device + "')"
	for skip := 0; ; {
		var r report
		if _, err := c.ask(ctx, request{action: action, method: http.MethodPost, path: reportPath,
			body: map[string]any{"select": []string{"IntuneDeviceId", "PolicyBaseTypeName",
				"PolicyId", "PolicyName", "PolicyStatus", "UPN", "UserId"},
				"filter": filter, "skip": skip, "top": reportPage}}, &r); err != nil {
			return err
		}
		if err := a.addPolicies(&r, device); err != nil {
			return &Refused{Action: action, Status: http.StatusOK, Message: err.Error()}
		}
		skip += len(r.Values)
		switch {
		case skip >= r.Total:
			return nil
		case len(r.Values) == 0 || skip > mostItems*10:
			a.lack("the report of policies ends before its last row")
			return nil
		}
	}
}

// notApplicable is PolicyStatus of a policy that does not concern the device.
const notApplicable = "1"

func (a *assignments) addPolicies(r *report, device string) error {
	column := make(map[string]int, len(r.Schema))
	for i, c := range r.Schema {
		column[c.Column] = i
	}
	for _, needed := range []string{"PolicyBaseTypeName", "PolicyId"} {
		if _, ok := column[needed]; !ok && len(r.Values) > 0 {
			return fmt.Errorf("the report has no column %s", needed)
		}
	}
	for _, row := range r.Values {
		cell := func(name string) string {
			i, ok := column[name]
			if !ok || i >= len(row) {
				return ""
			}
			switch v := row[i].(type) {
			case string:
				return v
			case float64:
				return strconv.FormatFloat(v, 'f', -1, 64)
			}
			return ""
		}
		kind, nameable := policyKinds[cell("PolicyBaseTypeName")]
		if of := cell("IntuneDeviceId"); of != "" && !strings.EqualFold(of, device) || !nameable ||
			cell("PolicyStatus") == notApplicable {
			continue // a filter that was not heeded, or nothing that an action can name
		}
		a.add(Item{ID: cell("PolicyId"), Kind: kind, Name: cell("PolicyName")})
	}
	return nil
}

// The intents of apps that an action can take off: installed because somebody assigned it so.
var assignedIntents = map[string]bool{"requiredInstall": true,
	"requiredAndAvailableInstall": true}

// addApps adds what the lists of apps of a device and of its user say. Intune may know no list of
// one of them; if it knows none at all, the apps are not told.
func (a *assignments) addApps(gets []*Get) {
	told := false
	for _, g := range gets {
		var list struct {
			Apps []struct {
				ID     string `json:"applicationId"`
				Name   string `json:"displayName"`
				Intent string `json:"mobileAppIntent"`
				State  string `json:"installState"`
			} `json:"mobileAppList"`
		}
		err := g.read(&list)
		if IsStatus(err, http.StatusNotFound) {
			continue
		}
		told = true
		if err != nil {
			a.lack(err.Error())
			continue
		}
		for _, app := range list.Apps {
			if assignedIntents[app.Intent] || app.Intent == "available" && app.State == "installed" {
				a.add(Item{ID: app.ID, Kind: App, Name: app.Name})
			}
		}
	}
	if !told {
		a.lack("Intune has no list of the device's apps")
	}
}

// startID is the id of a policy at the start of one that is made of several.
var startID = regexp.MustCompile(`^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}`)

// addAppConfigurations adds the app configurations of a device. The id of a state is that of the
// configuration, or one made of those of configuration, device and user.
func (a *assignments) addAppConfigurations(g *Get, device string) {
	var list struct {
		Value []json.RawMessage `json:"value"`
		Next  string            `json:"@odata.nextLink"`
	}
	if err := g.read(&list); err != nil {
		a.lack(err.Error())
		return
	}
	if list.Next != "" {
		a.lack("the device has more app configurations than one page of them")
	}
	for _, row := range list.Value {
		var state struct {
			ID    string `json:"id"`
			Name  string `json:"displayName"`
			State string `json:"state"`
		}
		if json.Unmarshal(row, &state) != nil {
			a.lack("an app configuration cannot be read")
			continue
		}
		id := startID.FindString(state.ID)
		if parsed, err := uuid.Parse(id); err != nil || strings.EqualFold(id, device) ||
			parsed == uuid.Nil {
			a.lack("an app configuration has an id that does not begin with its policy's")
			continue
		}
		if state.State == "notApplicable" || state.State == "notAssigned" {
			continue
		}
		a.add(Item{ID: id, Kind: AppConfig, Name: state.Name})
	}
}
