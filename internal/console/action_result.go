package console

import (
	"cmp"
	"time"
)

// actionResult is an action as the API tells it, under either of its names.
type actionResult struct {
	ID          string          `json:"id"`
	Number      int64           `json:"number"`
	Name        string          `json:"actionName"`
	State       string          `json:"actionState"`
	Started     time.Time       `json:"startDateTime"`
	Updated     time.Time       `json:"lastUpdatedDateTime"`
	InitiatedBy string          `json:"initiatedBy"`
	Payloads    []payloadResult `json:"deviceActionPayloads"`
	Items       []payloadResult `json:"deviceAssignmentItems"`
}

// results are those of the payloads, under whichever name.
func (a *actionResult) results() []payloadResult {
	if a.Items != nil {
		return a.Items
	}
	return a.Payloads
}

// ended reports whether nothing of the action changes any more.
func (a *actionResult) ended() bool { return a.State != "pending" && a.State != "active" }

// payloadResult is a deviceActionPayload or a deviceAssignmentItem: the properties that they name
// differently come in pairs.
type payloadResult struct {
	PayloadID       string    `json:"payloadId"`
	ItemID          string    `json:"itemId"`
	PayloadType     string    `json:"payloadType"`
	ItemType        string    `json:"itemType"`
	DisplayName     string    `json:"displayName"`
	ItemDisplayName string    `json:"itemDisplayName"`
	SubType         string    `json:"subType"`
	ItemSubType     string    `json:"itemSubTypeDisplayName"`
	PayloadIntent   string    `json:"intent"`
	ItemIntent      string    `json:"assignmentItemActionIntent"`
	PayloadStatus   string    `json:"status"`
	ItemStatus      string    `json:"assignmentItemActionStatus"`
	PayloadDetail   string    `json:"detail"`
	ItemDetail      string    `json:"intentActionMessage"`
	Step            string    `json:"@syncpayloads.step"`
	ErrorCode       int64     `json:"errorCode"`
	ErrorSource     string    `json:"errorCode@syncpayloads.source"`
	Meaning         string    `json:"errorCode@syncpayloads.meaning"`
	Advice          string    `json:"errorCode@syncpayloads.advice"`
	LastModified    time.Time `json:"lastModifiedDateTime"`
}

func (p *payloadResult) id() string     { return cmp.Or(p.PayloadID, p.ItemID) }
func (p *payloadResult) name() string   { return cmp.Or(p.DisplayName, p.ItemDisplayName, p.id()) }
func (p *payloadResult) intent() string { return cmp.Or(p.PayloadIntent, p.ItemIntent) }
func (p *payloadResult) status() string { return cmp.Or(p.PayloadStatus, p.ItemStatus) }
func (p *payloadResult) detail() string { return cmp.Or(p.PayloadDetail, p.ItemDetail) }

func (p *payloadResult) kind() string {
	return itemType(cmp.Or(p.PayloadType, p.ItemType), cmp.Or(p.SubType, p.ItemSubType))
}

// heldMark is how a payload stands that the action holds off the device: the words of the spec,
// where removed is what the device's own inventory has confirmed. The zero mark: the action does
// not hold it off.
func (p *payloadResult) heldMark() mark {
	switch {
	case p.intent() != "remove":
		return mark{}
	case p.ended():
		return statuses[p.status()]
	default:
		return removing
	}
}

// ended reports whether the payload's part of the action changes no more.
func (p *payloadResult) ended() bool {
	return p.status() == "removed" || p.status() == "succeeded" || p.status() == "error"
}
