package client

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"
)

// PayloadType is a deviceActionPayloadType, or mobileAppConfiguration of deviceAssignmentItemType.
type PayloadType string

// The types of payloads.
const (
	Application            PayloadType = "application"
	DeviceConfiguration    PayloadType = "deviceConfiguration"
	ConfigurationPolicy    PayloadType = "deviceManagementConfigurationPolicy"
	MobileAppConfiguration PayloadType = "mobileAppConfiguration"
)

// Presence says whether a device's newest inventory showed a payload.
type Presence string

// The values of Presence.
const (
	Unknown Presence = "unknown" // no inventory was taken since it may have changed
	Absent  Presence = "absent"
	Present Presence = "present"
)

// Work says how far the server has come with what it has to do about a payload.
type Work string

// The phases of work.
const (
	WorkIdle      Work = "idle"      // there is nothing to do
	WorkQueued    Work = "queued"    // waits for the device
	WorkSent      Work = "sent"      // in the device's hands
	WorkVerifying Work = "verifying" // acknowledged, not seen in the device's inventory yet
	WorkFailed    Work = "error"     // given up, until a new action or assignment
)

// Failure says why the server gave up work on a payload.
type Failure struct {
	Code   int64  `json:"code"`
	Source string `json:"source"` // where the code comes from: device or server
	Detail string `json:"detail"`
	// Meaning says what the code means, and Advice what to try. Both are empty if the server does
	// not know the code.
	Meaning string `json:"meaning"`
	Advice  string `json:"advice"`
}

// Payload is the state of a policy or app on one device. SyncPayloads can name it.
type Payload struct {
	ID          string      `json:"id"`
	Type        PayloadType `json:"type"`
	DisplayName string      `json:"displayName"`
	SubType     string      `json:"subType"` // wiFi, vpn, custom, application, …

	Assigned bool `json:"assigned"` // it is assigned to the device
	// Removed says that the latest action keeps it off the device, or tries to.
	Removed bool `json:"removed"`
	// Restore is when the server restores it by itself; zero: never.
	Restore  time.Time `json:"restoreDateTime,omitzero"`
	Presence Presence  `json:"presence"`
	Work     Work      `json:"work"`            // how far the server has come with it
	Error    *Failure  `json:"error,omitempty"` // why, if Work is WorkFailed
}

// Payloads lists what is assigned to a device, or is kept off it.
func (c *Client) Payloads(ctx context.Context, deviceID string) ([]Payload, error) {
	found, _, err := c.PayloadSet(ctx, deviceID)
	return found, err
}

// PayloadSet returns what Payloads does, and the tag (ETag) of the set that is off the device. Pass
// the tag as SyncOptions.IfMatch, so that a change that somebody else makes in between is not lost.
func (c *Client) PayloadSet(ctx context.Context,
	deviceID string) (found []Payload, tag string, err error) {
	answer, err := c.exchange(ctx, http.MethodGet,
		"/api/devices/"+url.PathEscape(deviceID)+"/payloads", nil, nil)
	if err != nil {
		return nil, "", err
	}
	var page struct {
		Value []Payload `json:"value"`
	}
	err = read(answer, &page)
	return page.Value, answer.Header.Get("ETag"), err
}

// Selection names one payload in the set of an action.
type Selection struct {
	ID   string      `json:"payloadId"`
	Type PayloadType `json:"payloadType"`
}

// SyncOptions says how an action is run. The zero value means the server's defaults.
type SyncOptions struct {
	// RestoreAfter is the time after which the server restores the set by itself; 0: never; nil:
	// the server's default.
	RestoreAfter *time.Duration
	// IfMatch is the tag of the set as it was read (PayloadSet). If it has changed since, nothing
	// is done, and IsChanged is true for the error. Empty: the set is changed in any case.
	IfMatch string
	// Key identifies the call, with 1 to 255 printable characters: however often the call is sent
	// within 24 hours, it is carried out once. Empty: a new random key.
	Key string
}

// SyncPayloads states the whole set of payloads that are to be off the device. Those that are on it
// are removed; those that an earlier action removed and that are not in the set are restored. An
// empty set restores everything. SyncPayloads returns when the server has accepted the action; use
// Watch to see what happens. Stating the same set again changes nothing while the action is in
// force.
func (c *Client) SyncPayloads(ctx context.Context, deviceID string, set []Selection,
	o SyncOptions) error {
	header := http.Header{}
	if o.RestoreAfter != nil {
		header.Set("Restore-After", o.RestoreAfter.String())
	}
	if o.IfMatch != "" {
		header.Set("If-Match", o.IfMatch)
	}
	if o.Key == "" {
		o.Key = uuid.NewString()
	}
	header.Set("Idempotency-Key", o.Key)
	if set == nil {
		set = []Selection{}
	}
	body := map[string]any{"deviceActionPayloads": set}
	return c.do(ctx, http.MethodPost, devicePath(deviceID)+"/syncPayloads", header, body, nil)
}
