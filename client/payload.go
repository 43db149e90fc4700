package client

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"
)

// PayloadType is deviceActionPayloadType, or mobileAppConfiguration of deviceAssignmentItemType.
type PayloadType string

// What a payload can be.
const (
	Application            PayloadType = "application"
	DeviceConfiguration    PayloadType = "deviceConfiguration"
	ConfigurationPolicy    PayloadType = "deviceManagementConfigurationPolicy"
	MobileAppConfiguration PayloadType = "mobileAppConfiguration"
)

// Presence is what a device's newest inventory showed of a payload.
type Presence string

// Presence of a payload on a device.
const (
	Unknown Presence = "unknown" // not looked since it may have changed
	Absent  Presence = "absent"
	Present Presence = "present"
)

// Work is how far the server is with what it has to do about a payload.
type Work string

// The phases of work.
const (
	WorkIdle      Work = "idle"      // there is nothing to do
	WorkQueued    Work = "queued"    // waits for the device
	WorkSent      Work = "sent"      // in the device's hands
	WorkVerifying Work = "verifying" // acknowledged, not seen in the device's inventory yet
	WorkFailed    Work = "error"     // given up, until a new action or assignment
)

// Failure is why work on a payload was given up.
type Failure struct {
	Code   int64  `json:"code"`
	Source string `json:"source"` // whose code it is: device or server
	Detail string `json:"detail"`
	// Meaning is what the code means, empty if the server does not know it, and Advice what to try.
	Meaning string `json:"meaning"`
	Advice  string `json:"advice"`
}

// Payload is a policy or app as it stands on one device: what SyncPayloads can name.
type Payload struct {
	ID          string      `json:"id"`
	Type        PayloadType `json:"type"`
	DisplayName string      `json:"displayName"`
	SubType     string      `json:"subType"` // wiFi, vpn, custom, application, …

	Assigned bool `json:"assigned"` // an assignment includes the device
	// the latest action's set holds it off the device, or tries to
	Removed bool `json:"removed"`
	// when the server restores it by itself; zero: never
	Restore  time.Time `json:"restoreDateTime,omitzero"`
	Presence Presence  `json:"presence"`
	Work     Work      `json:"work"`            // how far the server is with it
	Error    *Failure  `json:"error,omitempty"` // of WorkFailed: why
}

// Payloads lists what is assigned to a device or held off it.
func (c *Client) Payloads(ctx context.Context, deviceID string) ([]Payload, error) {
	found, _, err := c.PayloadSet(ctx, deviceID)
	return found, err
}

// PayloadSet is Payloads with the tag of the set that is off the device. With it in
// SyncOptions.IfMatch, a change that somebody else makes in between is not lost.
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

// Selection names a payload in the set of an action.
type Selection struct {
	ID   string      `json:"payloadId"`
	Type PayloadType `json:"payloadType"`
}

// SyncOptions chooses how an action is run. The zero value leaves all to the server.
type SyncOptions struct {
	// when the server restores the set by itself; 0: never; nil: the server's default
	RestoreAfter *time.Duration
	// IfMatch is the tag of the set that is to be changed (PayloadSet). If the device has another
	// by now, nothing is changed and IsChanged tells so of the error. Empty: any set is changed.
	IfMatch string
	// Key names the call, with 1 to 255 printable characters: however often it is sent within 24
	// hours, it is carried out once. Empty: a key that no other call has.
	Key string
}

// SyncPayloads states the whole set of payloads that is to be off the device: those that are on it
// are taken off, and what an earlier action took off and is not in the set is put back. An empty
// set puts everything back. It returns when the server has accepted the action; Watch shows what
// becomes of it. The same set again changes nothing while the action is in force.
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
