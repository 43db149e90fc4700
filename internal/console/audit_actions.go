package console

import (
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// remoteAction is an action on a device in the record as the API tells it.
type remoteAction struct {
	ID       string    `json:"id"`
	Device   string    `json:"deviceDisplayName"`
	DeviceID string    `json:"managedDeviceId"`
	By       string    `json:"initiatedByUserPrincipalName"`
	Name     string    `json:"action"`
	At       time.Time `json:"requestDateTime"`
	State    string    `json:"actionState"`
}

// remoteActionsPage lists the actions on all devices.
type remoteActionsPage struct {
	Rows  []remoteActionRow
	First bool
	Next  string
}

type remoteActionRow struct {
	Device, Address, By, Name string
	At                        moment
	State                     mark
}

func (v *visit) auditActions() error {
	options := url.Values{"$top": {strconv.Itoa(auditPerPage)}}
	token := v.r.URL.Query().Get("page")
	if token != "" {
		options.Set("$skiptoken", token)
	}
	var list struct {
		Value []remoteAction
		Next  string `json:"@odata.nextLink"`
	}
	prefer := http.Header{"Prefer": {"include-unknown-enum-members"}} // else the action has no name
	if err := v.call(http.MethodGet, remoteAuditsPath, options, prefer, nil, &list); err != nil {
		return err
	}
	p := remoteActionsPage{First: token == ""}
	for _, a := range list.Value {
		row := remoteActionRow{Device: a.Device,
			Address: "/console/devices/" + url.PathEscape(a.DeviceID) + "/history", By: a.By,
			Name: a.Name,
			At:   v.moment(a.At), State: actionState(a.State)}
		if row.Device == "" {
			row.Device = a.DeviceID
		}
		p.Rows = append(p.Rows, row)
	}
	if next := skipToken(list.Next); next != "" {
		p.Next = "/console/audit/actions?" + url.Values{"page": {next}}.Encode()
	}
	return v.render("audit_actions", "Remote actions", p)
}
