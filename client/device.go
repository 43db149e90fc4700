package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Device is a managed device (Microsoft Graph beta reference, managedDevice resource type). As JSON
// it is what the server sent, with those properties, too, that have no field here.
type Device struct {
	ID              string `json:"id"`
	Name            string `json:"deviceName"`
	OperatingSystem string `json:"operatingSystem"` // iOS, iPadOS, macOS, tvOS or Android
	OSVersion       string `json:"osVersion"`
	Model           string `json:"model"`
	SerialNumber    string `json:"serialNumber"`
	UDID            string `json:"udid"`
	// managed, or unhealthy once it left management
	ManagementState string `json:"managementState"`
	// how it enrolled, such as androidEnterpriseFullyManaged; unknown: nothing more is known
	EnrollmentType string    `json:"deviceEnrollmentType"`
	Supervised     bool      `json:"isSupervised"`
	Enrolled       time.Time `json:"enrolledDateTime"`
	LastSync       time.Time `json:"lastSyncDateTime"` // zero: never

	// ActionResults has the latest action of each name, the latest first. Devices leaves it out.
	ActionResults []ActionResult `json:"deviceActionResults"`

	raw json.RawMessage
}

// UnmarshalJSON reads a device.
func (d *Device) UnmarshalJSON(text []byte) error {
	type plain Device
	if err := json.Unmarshal(text, (*plain)(d)); err != nil {
		return err
	}
	d.raw = append(json.RawMessage(nil), text...)
	return nil
}

// MarshalJSON gives the device back as the server sent it.
func (d Device) MarshalJSON() ([]byte, error) {
	if d.raw == nil {
		type plain Device
		return json.Marshal(plain(d))
	}
	return d.raw, nil
}

const (
	devicesPath = "/beta/deviceManagement/managedDevices"
	// listedProperties is all that a list of devices is asked for: results cost the server one read
	// a device.
	listedProperties = "id,deviceName,operatingSystem,osVersion,model,serialNumber,udid,managementState,isSupervised," +
		"deviceEnrollmentType,enrolledDateTime,lastSyncDateTime"
)

// DeviceOptions chooses and sorts devices. The zero value is all of them, by id.
type DeviceOptions struct {
	Filter   string // an OData $filter, e.g. operatingSystem eq 'iOS'
	OrderBy  string // an OData $orderby, e.g. deviceName
	PageSize int    // devices of one request, at most 1000; 0: the server's choice
}

// Devices goes through the managed devices, page by page. After an error it ends.
func (c *Client) Devices(ctx context.Context, o DeviceOptions) iter.Seq2[Device, error] {
	query := url.Values{"$select": {listedProperties}}
	if o.Filter != "" {
		query.Set("$filter", o.Filter)
	}
	if o.OrderBy != "" {
		query.Set("$orderby", o.OrderBy)
	}
	if o.PageSize > 0 {
		query.Set("$top", strconv.Itoa(o.PageSize))
	}
	return list[Device](ctx, c, devicesPath+"?"+query.Encode())
}

// list goes through a collection. The link to a next page is followed at the address that the
// client was given: the server may know itself by another, and no token goes where a link leads.
func list[T any](ctx context.Context, c *Client, path string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for path != "" {
			var page struct {
				Value    []T    `json:"value"`
				NextLink string `json:"@odata.nextLink"`
			}
			if err := c.Do(ctx, http.MethodGet, path, nil, &page); err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, one := range page.Value {
				if !yield(one, nil) {
					return
				}
			}
			var err error
			if path, err = pathOf(page.NextLink); err != nil {
				var none T
				yield(none, err)
				return
			}
		}
	}
}

func pathOf(link string) (string, error) {
	if link == "" {
		return "", nil
	}
	u, err := url.Parse(link)
	if err != nil {
		return "", fmt.Errorf("the server's link to the next page: %w", err)
	}
	return u.RequestURI(), nil
}

// Device finds a device by its id, or by a name that only one device has. The error is an
// *UnknownDevice or an *AmbiguousName if there is not exactly one.
func (c *Client) Device(ctx context.Context, idOrName string) (*Device, error) {
	if id, err := uuid.Parse(idOrName); err == nil {
		d, err := c.deviceByID(ctx, id.String())
		if err == nil || !IsNotFound(err) {
			return d, err
		}
	}
	filter := "deviceName eq '" + strings.ReplaceAll(idOrName, "'", "''") + "'"
	var found []Device
	for d, err := range c.Devices(ctx, DeviceOptions{Filter: filter}) {
		if err != nil {
			return nil, err
		}
		found = append(found, d)
	}
	switch len(found) {
	case 0:
		return nil, &UnknownDevice{idOrName}
	case 1:
		return c.deviceByID(ctx, found[0].ID)
	default:
		return nil, &AmbiguousName{idOrName, found}
	}
}

func (c *Client) deviceByID(ctx context.Context, id string) (*Device, error) {
	d := new(Device)
	return d, c.Do(ctx, http.MethodGet, devicePath(id), nil, d)
}

func devicePath(id string) string { return devicesPath + "/" + url.PathEscape(id) }

// SyncDevice asks the device to connect and to tell what it has.
func (c *Client) SyncDevice(ctx context.Context, deviceID string) error {
	return c.Do(ctx, http.MethodPost, devicePath(deviceID)+"/syncDevice", nil, nil)
}
