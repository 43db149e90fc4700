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

// Device is a managed device (Microsoft Graph beta reference, managedDevice resource type).
// Marshaled as JSON, it is what the server sent, including properties that have no field here.
type Device struct {
	ID              string `json:"id"`
	Name            string `json:"deviceName"`
	OperatingSystem string `json:"operatingSystem"` // iOS, iPadOS, macOS, tvOS or Android
	OSVersion       string `json:"osVersion"`
	Model           string `json:"model"`
	SerialNumber    string `json:"serialNumber"`
	UDID            string `json:"udid"`
	// ManagementState is managed, or unhealthy after the device left management.
	ManagementState string `json:"managementState"`
	// EnrollmentType is how the device enrolled, such as androidEnterpriseFullyManaged; unknown:
	// the server knows nothing more.
	EnrollmentType string    `json:"deviceEnrollmentType"`
	Supervised     bool      `json:"isSupervised"`
	Enrolled       time.Time `json:"enrolledDateTime"`
	LastSync       time.Time `json:"lastSyncDateTime"` // zero: never

	// ActionResults has the latest action of each name, newest first. Client.Devices leaves it
	// empty.
	ActionResults []ActionResult `json:"deviceActionResults"`

	raw json.RawMessage
}

// UnmarshalJSON implements json.Unmarshaler.
func (d *Device) UnmarshalJSON(text []byte) error {
	type plain Device
	if err := json.Unmarshal(text, (*plain)(d)); err != nil {
		return err
	}
	d.raw = append(json.RawMessage(nil), text...)
	return nil
}

// MarshalJSON implements json.Marshaler. It returns the device as the server sent it.
func (d Device) MarshalJSON() ([]byte, error) {
	if d.raw == nil {
		type plain Device
		return json.Marshal(plain(d))
	}
	return d.raw, nil
}

const (
	devicesPath = "/beta/deviceManagement/managedDevices"
	// listedProperties is what a list of devices asks for. It leaves out results, which would cost
	// the server one read for each device.
	listedProperties = "id,deviceName,operatingSystem,osVersion,model,serialNumber,udid," +
		"managementState,isSupervised,deviceEnrollmentType,enrolledDateTime,lastSyncDateTime"
)

// DeviceOptions selects and sorts devices. The zero value selects all of them, by id.
type DeviceOptions struct {
	Filter   string // an OData $filter, e.g. operatingSystem eq 'iOS'
	OrderBy  string // an OData $orderby, e.g. deviceName
	PageSize int    // devices in one request, at most 1000; 0: the server decides
}

// Devices yields the managed devices, and asks for them page by page. After an error it ends.
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

// list yields the elements of a collection. It takes only the path and query from the link to the
// next page, and keeps the address that the client was given: the server may know itself by another
// name, and the token must not go wherever a link leads.
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

// Device returns a device by its id, or by its name if no other device has the same. The error is
// an *UnknownDevice or an *AmbiguousName if there is not exactly one.
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

// SyncDevice asks the device to connect and to report what it has.
func (c *Client) SyncDevice(ctx context.Context, deviceID string) error {
	return c.Do(ctx, http.MethodPost, devicePath(deviceID)+"/syncDevice", nil, nil)
}
