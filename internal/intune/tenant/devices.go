package tenant

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Device is a managedDevice of Graph's, as far as the mirror needs it.
type Device struct {
	ID              string    `json:"id"`
	Name            string    `json:"deviceName"`
	ManagedName     string    `json:"managedDeviceName"`
	OS              string    `json:"operatingSystem"`
	OSVersion       string    `json:"osVersion"`
	EnrollmentType  string    `json:"deviceEnrollmentType"`
	ManagementAgent string    `json:"managementAgent"`
	ManagementState string    `json:"managementState"`
	Owner           string    `json:"managedDeviceOwnerType"`
	Supervised      bool      `json:"isSupervised"`
	UserID          string    `json:"userId"`
	UserName        string    `json:"userPrincipalName"`
	AzureID         string    `json:"azureADDeviceId"`
	SerialNumber    string    `json:"serialNumber"`
	Model           string    `json:"model"`
	Manufacturer    string    `json:"manufacturer"`
	Enrolled        time.Time `json:"enrolledDateTime"`
	LastSync        time.Time `json:"lastSyncDateTime"`
}

// deviceProperties are what is asked of a device. Lists answer what it was told of actions with an
// empty collection, so it is not asked there.
const deviceProperties = "id,deviceName,managedDeviceName,operatingSystem,osVersion," +
	"deviceEnrollmentType,managementAgent,managementState,managedDeviceOwnerType,isSupervised," +
	"userId,userPrincipalName,azureADDeviceId,serialNumber,model,manufacturer,enrolledDateTime," +
	"lastSyncDateTime"

const devicesPath = "deviceManagement/managedDevices"

// pageSize is how many rows of a list are asked for at a time. Any other number may come.
const pageSize = "999"

// Page is a page of the list of devices.
type Page struct {
	Devices    []Device
	Unreadable int // rows that are no devices
}

// Devices calls fn with each page of the devices that Intune manages: of those that were in contact
// with it after a time; zero: of all. fn returns whether it wants the next page. Graph may leave
// the time unheeded, so the rows are to be held against it.
func (c *Client) Devices(ctx context.Context, since time.Time,
	fn func(Page) (more bool, err error)) error {
	filter := ""
	if !since.IsZero() {
		filter = "lastSyncDateTime gt " + since.UTC().Format("2006-01-02T15:04:05Z")
	}
	return c.DevicesWhere(ctx, filter, fn)
}

// DevicesWhere is Devices with any $filter; empty: none. Graph leaves one that it does not support
// unheeded, so the rows are to be held against it.
func (c *Client) DevicesWhere(ctx context.Context, filter string,
	fn func(Page) (more bool, err error)) error {
	query := url.Values{"$select": {deviceProperties}, "$top": {pageSize}}
	if filter != "" {
		query.Set("$filter", filter)
	}
	return c.list(ctx, request{action: "list the devices", method: http.MethodGet,
		path: devicesPath, query: query.Encode()},
		func(rows []json.RawMessage) (bool, error) {
			p := Page{Devices: make([]Device, 0, len(rows))}
			for _, row := range rows {
				var d Device
				if json.Unmarshal(row, &d) != nil || !d.tidy() {
					p.Unreadable++
					continue
				}
				p.Devices = append(p.Devices, d)
			}
			return fn(p)
		})
}

// Device reads one device. If Intune does not have it, IsStatus(err, 404).
func (c *Client) Device(ctx context.Context, id string) (*Device, error) {
	path, err := pathOf(devicesPath+"/{id}", id)
	if err != nil {
		return nil, err
	}
	const action = "read a device"
	d := new(Device)
	answer, err := c.ask(ctx, request{action: action, method: http.MethodGet, path: path,
		query: url.Values{"$select": {deviceProperties}}.Encode()}, d)
	if err != nil {
		return nil, err
	}
	if !d.tidy() || d.ID != strings.ToLower(id) {
		return nil, &Refused{Action: action, Status: answer.status,
			Message: "the answer is of another device"}
	}
	return d, nil
}

// tidy puts a row's ids into lower case, and reports whether it is a device: its id is a GUID.
func (d *Device) tidy() bool {
	id, err := uuid.Parse(d.ID)
	if err != nil || len(d.ID) != len(id.String()) || id == uuid.Nil {
		return false
	}
	d.ID, d.UserID = id.String(), strings.ToLower(d.UserID)
	return true
}
