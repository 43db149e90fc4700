package graph

import (
	"context"
	"net/http"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// appStateSet has the state of every app of a device. Graph keeps it under the device's user (Microsoft Graph beta
// reference, mobileAppIntentAndState); devices here belong to noUser.
const (
	appStateSet  = "users/{user}/mobileAppIntentAndStates"
	appStateType = "mobileAppIntentAndState"
)

var appStates = &resource{name: "mobileAppIntentAndStates", path: versionPath + appStateSet, odataType: appStateType,
	object: "mobileAppIntentAndState", noun: "state of apps", category: categoryOther}

func appStateRoutes() []route {
	needs := may(access.ReadDevices)
	return []route{
		appStates.route(toList, needs, listOptions, (*call).listAppStates),
		appStates.route(toGet, needs, []string{optionSelect}, (*call).getAppState),
	}
}

var appStateProperties = properties{
	{"id", edmString}, {"managedDeviceIdentifier", edmString}, {"userId", edmString},
	{"mobileAppList", collectionOf("mobileAppIntentAndStateDetail")},
}

// checkUser refuses every user but the one that devices have.
func (c *call) checkUser() error {
	if c.r.PathValue("user") != noUser {
		return notFound("There is no such user: devices here belong to none, which is '%s'.", noUser)
	}
	return nil
}

// listAppStates has an element for each device, in the order of their ids.
func (c *call) listAppStates() error {
	selected, err := c.selected(appStateProperties.names())
	if err != nil {
		return err
	}
	if err := c.checkUser(); err != nil {
		return err
	}
	var within query.Condition
	if !c.scope.Everything() {
		within = fleet.Within(c.scope)
	}
	return serveList(c, c.appStatePath(), &listing{}, within, c.Devices.Devices, func(d fleet.Device) (fields, error) {
		return c.appStateFields(c.r.Context(), d.ID, selected)
	})
}

func (c *call) appStatePath() string { return "users/" + noUser + "/mobileAppIntentAndStates" }

func (c *call) getAppState() error {
	selected, err := c.selected(appStateProperties.names())
	if err != nil {
		return err
	}
	if err := c.checkUser(); err != nil {
		return err
	}
	body, err := c.appStateFields(c.r.Context(), c.deviceID(), selected)
	if err != nil {
		return err
	}
	return c.entity(http.StatusOK, c.appStatePath(), appStateType, body)
}

func (c *call) appStateFields(ctx context.Context, id fleet.DeviceID, selected []string) (fields, error) {
	list, err := c.seenPayloads(ctx, id)
	if err != nil {
		return nil, err
	}
	apps := []fields{}
	for _, p := range list {
		if p.Type == action.Application {
			apps = append(apps, appFields(p))
		}
	}
	return fields{{"id", id}, {"managedDeviceIdentifier", id}, {"userId", noUser}, {"mobileAppList", apps}}.pick(selected), nil
}

var appDetailProperties = properties{
	{"applicationId", edmString}, {"displayName", edmString}, {"mobileAppIntent", "mobileAppIntent"},
	{"displayVersion", edmString}, {"installState", "resultantAppState"},
	{"supportedDeviceTypes", collectionOf("mobileAppSupportedDeviceType")},
	{ownProperty, ownNamespace + "payloadStanding"},
}

func appFields(p *action.Payload) fields {
	intent := "requiredUninstall"
	if wanted(p) {
		intent = "requiredInstall"
	}
	return fields{
		{"applicationId", p.ID},
		{"displayName", p.DisplayName},
		{"mobileAppIntent", intent},
		{"displayVersion", nil},
		{"installState", installState(p)},
		{"supportedDeviceTypes", []fields{}},
		{ownProperty, standing(p)},
	}
}

// installState is the member of resultantAppState.
func installState(p *action.Payload) string {
	switch stuck := p.Work.Phase == action.Stuck; {
	case stuck && wanted(p):
		return "failed"
	case stuck:
		return "uninstallFailed"
	case wanted(p) && p.Work.Phase != action.Idle:
		return "pendingInstall"
	case p.Presence == action.Present:
		return "installed"
	case p.Presence == action.Absent:
		return "notInstalled"
	default:
		return "unknown"
	}
}
