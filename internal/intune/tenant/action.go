package tenant

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// MostItems is how many items one action can hold (Graph: at most 30 in changeAssignments).
const MostItems = 30

// Intent is what an action does with an item.
type Intent string

// The intents (Graph: deviceAssignmentItemIntent).
const (
	Remove  Intent = "remove"
	Restore Intent = "restore"
)

// ActionItem is an item of the set that an action hands over.
type ActionItem struct {
	ID     string `json:"itemId"`
	Kind   Kind   `json:"itemType"`
	Intent Intent `json:"assignmentItemActionIntent"`
}

// ItemResult is what Intune tells of one item of an action.
type ItemResult struct {
	ActionItem
	Name     string    `json:"itemDisplayName"`
	SubType  string    `json:"itemSubTypeDisplayName"`
	Status   string    `json:"assignmentItemActionStatus"` // initiated, inProgress, removed, …
	Message  string    `json:"intentActionMessage"`
	Code     int64     `json:"errorCode"`
	Acted    time.Time `json:"lastActionDateTime"`
	Modified time.Time `json:"lastModifiedDateTime"`
}

// ActionResult is one element of a device's deviceActionResults.
type ActionResult struct {
	Name    string       `json:"actionName"`
	State   string       `json:"actionState"`
	Started time.Time    `json:"startDateTime"`
	Updated time.Time    `json:"lastUpdatedDateTime"`
	Items   []ItemResult `json:"deviceAssignmentItems"`
}

// Actions is what a device says of the actions on it.
type Actions struct {
	LastSync        time.Time
	ManagementState string
	Results         []ActionResult // those that can be read
}

// ChangeAssignments hands over the whole set of a device: what it leaves out of an earlier one is
// restored (Graph: changeAssignments). at is when Graph answered, by its own clock; zero: it did
// not say. Without an answer, or with one that says that something failed on the way, it may be
// done all the same. A *Throttled is an answer: it is not done.
func (c *Client) ChangeAssignments(ctx context.Context, device string,
	items []ActionItem) (at time.Time, err error) {
	if len(items) > MostItems {
		return at, fmt.Errorf("%d items: an action of Intune's has at most %d", len(items), MostItems)
	}
	return c.change(ctx, "change the assignments of a device", device, "changeAssignments",
		map[string]any{"deviceAssignmentItems": append([]ActionItem{}, items...)})
}

// SyncDevice has a device asked to check in.
func (c *Client) SyncDevice(ctx context.Context, device string) error {
	_, err := c.change(ctx, "ask a device to check in", device, "syncDevice", nil)
	return err
}

func (c *Client) change(ctx context.Context, action, device, verb string,
	body any) (at time.Time, err error) {
	path, err := pathOf(devicesPath+"/{id}/"+verb, device)
	if err != nil {
		return at, err
	}
	answer, err := c.call(ctx, request{action: action, method: http.MethodPost, path: path,
		body: body})
	if err != nil {
		return at, err
	}
	at, _ = http.ParseTime(answer.header.Get("Date"))
	return at, nil
}

// Actions reads what came of the actions on a device. Only the device alone tells, no list does.
func (c *Client) Actions(ctx context.Context, device string) (*Actions, error) {
	path, err := pathOf(devicesPath+"/{id}", device)
	if err != nil {
		return nil, err
	}
	var d struct {
		LastSync time.Time         `json:"lastSyncDateTime"`
		State    string            `json:"managementState"`
		Results  []json.RawMessage `json:"deviceActionResults"`
	}
	_, err = c.ask(ctx, request{action: "read the actions on a device", method: http.MethodGet,
		path: path, query: url.Values{"$select": {
			"id,lastSyncDateTime,managementState,deviceActionResults"}}.Encode()}, &d)
	if err != nil {
		return nil, err
	}
	found := &Actions{LastSync: d.LastSync, ManagementState: d.State}
	for _, text := range d.Results[:min(len(d.Results), 200)] {
		var r ActionResult
		if json.Unmarshal(text, &r) == nil {
			found.Results = append(found.Results, r)
		}
	}
	return found, nil
}
