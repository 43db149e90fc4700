package graph

import (
	"context"
	"net/http"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// appStateSet has the state of every app of a device. Graph keeps it under the device's user
// (Microsoft Graph beta reference, mobileAppIntentAndState); devices here belong to noUser.
const (
	appStateSet  = "users/{user}/mobileAppIntentAndStates"
	appStateType = "mobileAppIntentAndState"
)

var appStates = &resource{name: "mobileAppIntentAndStates", path: odata.BetaPath + appStateSet,
	odataType: appStateType,
	object:    "mobileAppIntentAndState", noun: "state of apps", category: categoryOther}

func appStateRoutes() []route {
	needs := may(access.ReadDevices)
	return []route{
		appStates.route(toList, needs, odata.ListOptions, (*call).listAppStates),
		appStates.route(toGet, needs, []string{odata.OptionSelect}, (*call).getAppState),
	}
}

var appStateProperties = odata.Properties{
	{"id", odata.String}, {"managedDeviceIdentifier", odata.String}, {"userId", odata.String},
	{"mobileAppList", odata.CollectionOf("mobileAppIntentAndStateDetail")},
}

var appStateShape = newShape(appStateType, appStateProperties)

// checkUser refuses every user but the one that devices have.
func (c *call) checkUser() error {
	if c.req.PathValue("user") != noUser {
		return odata.NotFound("There is no such user: devices here belong to none, which is '%s'.",
			noUser)
	}
	return nil
}

// appStatesOnPage is the most devices on a page: the ledger of each is read for its apps.
const appStatesOnPage = 50

// listAppStates has an element for each device, in the order of their ids.
func (c *call) listAppStates() error {
	selected, err := c.selected(appStateShape)
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
	return odata.ServeList(c.req, c.appStatePath(), &odata.Listing{}, within,
		odata.InShortPages(c.config.Devices.Devices, appStatesOnPage), func(d fleet.Device) (odata.Fields, error) {
			return c.appStateFields(c.req.Context(), d.ID, selected)
		})
}

func (c *call) appStatePath() string { return "users/" + noUser + "/mobileAppIntentAndStates" }

func (c *call) getAppState() error {
	selected, err := c.selected(appStateShape)
	if err != nil {
		return err
	}
	if err := c.checkUser(); err != nil {
		return err
	}
	body, err := c.appStateFields(c.req.Context(), c.deviceID(), selected)
	if err != nil {
		return err
	}
	return c.req.ReplyEntity(http.StatusOK, c.appStatePath(), appStateType, body)
}

func (c *call) appStateFields(ctx context.Context, id fleet.DeviceID,
	selected []string) (odata.Fields, error) {
	list, err := c.seenPayloads(ctx, id)
	if err != nil {
		return nil, err
	}
	apps := []odata.Fields{}
	for _, p := range list {
		if p.Type == action.Application {
			apps = append(apps, appFields(p, c.server.explain))
		}
	}
	return c.shown(appStateShape, odata.Fields{{"id", id}, {"managedDeviceIdentifier", id},
		{"userId", noUser}, {"mobileAppList", apps}}, selected), nil
}

var appDetailProperties = odata.Properties{
	{"applicationId", odata.String}, {"displayName", odata.String},
	{"mobileAppIntent", "mobileAppIntent"},
	{"displayVersion", odata.String}, {"installState", "resultantAppState"},
	{"supportedDeviceTypes", odata.CollectionOf("mobileAppSupportedDeviceType")},
	{ownProperty, odata.OwnNamespace + "payloadStanding"},
}

func appFields(p *action.Payload, x explainer) odata.Fields {
	intent := "requiredUninstall"
	if wanted(p) {
		intent = "requiredInstall"
	}
	return odata.Fields{
		{"applicationId", p.ID},
		{"displayName", p.DisplayName},
		{"mobileAppIntent", intent},
		{"displayVersion", nil},
		{"installState", installState(p)},
		{"supportedDeviceTypes", []odata.Fields{}},
		{ownProperty, standing(p, x)},
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
