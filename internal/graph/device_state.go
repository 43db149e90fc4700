package graph

import (
	"errors"
	"net/http"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// stateKind is a relationship of managedDevice that tells how payloads of some types stand on the
// device.
type stateKind struct {
	set       string
	odataType odata.TypeName
	name      string // in the names of its routes
	betaOnly  bool   // Graph has it in beta only
	of        []action.PayloadType
	shape     *shape
}

// stateKinds are Graph's (Microsoft Graph beta reference, deviceConfigurationState and
// managedDeviceMobileAppConfigurationState).
var stateKinds = []*stateKind{
	{"deviceConfigurationStates", "deviceConfigurationState", "ConfigurationState", false,
		[]action.PayloadType{action.DeviceConfiguration, action.ConfigurationPolicy},
		newShape("deviceConfigurationState", stateProperties)},
	{"managedDeviceMobileAppConfigurationStates", "managedDeviceMobileAppConfigurationState",
		"AppConfigurationState", true,
		[]action.PayloadType{action.AppConfiguration},
		newShape("managedDeviceMobileAppConfigurationState", stateProperties)},
}

func (k *stateKind) routes(r *resource) []route {
	states, needs, set := "/{id}/"+k.set, may(access.ReadDevices), r.name
	list := func(c *call) error { return k.list(c, set) }
	read := func(name, suffix string, many bool) *verb {
		return &verb{name: name, method: "GET", suffix: states + suffix, part: k.set, many: many,
			betaOnly: k.betaOnly}
	}
	return []route{
		r.route(read("list"+k.name+"s", "", true), needs, odata.QueryOptions,
			list).answering(k.odataType),
		r.route(read("count"+k.name+"s", odata.CountSuffix, false), needs, odata.CountOptions,
			list).answering(k.odataType),
		r.route(read("get"+k.name, "/{state}", false), needs, []string{odata.OptionSelect},
			func(c *call) error { return k.get(c, set) }).
			answering(k.odataType),
	}
}

// payloadState is how a payload stands on a device.
type payloadState struct {
	payload  *action.Payload
	platform string // of the device, as policyPlatformType
	settings int    // that it has
}

var stateProperties = odata.Properties{
	{"id", odata.String}, {"displayName", odata.String}, {"version", odata.Int32},
	{"platformType", "policyPlatformType"},
	{"state", "complianceStatus"}, {"settingCount", odata.Int32},
	{"settingStates", odata.CollectionOf("deviceConfigurationSettingState")},
	{"userId", odata.String}, {"userPrincipalName", odata.String},
	{ownProperty, odata.OwnNamespace + "payloadStanding"},
}

// stateListing is what the options take of states.
var stateListing = &odata.Listing{
	Filters: map[string]odata.Comparer{"id": odata.TextField("id"),
		"displayName": odata.TextField("displayName"), "version": odata.NumberField("version"),
		"state":        odata.MemberOf("state", complianceStatuses...),
		"settingCount": odata.NumberField("settingCount"),
		"platformType": odata.MemberOf("platformType", membersOf("policyPlatformType")...),
		"userId":       odata.FixedField(noUser), "userPrincipalName": odata.FixedField("")},
	Orders: map[string]query.Field{"id": "id", "displayName": "displayName", "state": "state",
		"version": "version"},
	Search: map[string]query.Field{"displayName": "displayName"},
}

// value is what $filter and $orderby compare.
func (s payloadState) value(f query.Field) any {
	switch f {
	case "id":
		return string(s.payload.ID)
	case "displayName":
		return s.payload.DisplayName
	case "state":
		return s.status()
	case "version":
		return s.payload.Version
	case "platformType":
		return s.platform
	default: // settingCount
		return int64(s.settings)
	}
}

func (k *stateKind) list(c *call, set string) error {
	selected, err := c.selected(k.shape)
	if err != nil {
		return err
	}
	all, err := k.states(c)
	if err != nil {
		return err
	}
	return odata.ServeList(c.req, k.path(c, set), stateListing, nil,
		odata.Computed(all, payloadState.value),
		func(s payloadState) (odata.Fields,
			error) {
			return c.shown(k.shape, s.fields(c.server.explain), selected), nil
		})
}

func (k *stateKind) get(c *call, set string) error {
	selected, err := c.selected(k.shape)
	if err != nil {
		return err
	}
	all, err := k.states(c)
	if err != nil {
		return err
	}
	id := action.PayloadID(lower(c.req.PathValue("state")))
	i := slices.IndexFunc(all, func(s payloadState) bool { return s.payload.ID == id })
	if i < 0 {
		return odata.NotFound("There is no object with this id.")
	}
	return c.req.ReplyEntity(http.StatusOK, k.path(c, set), k.odataType,
		c.shown(k.shape, all[i].fields(c.server.explain), selected))
}

func (k *stateKind) path(c *call, set string) string {
	return "deviceManagement/" + set + "/" + string(c.deviceID()) + "/" + k.set
}

// states are those of the device that the path names, as far as the caller sees them.
func (k *stateKind) states(c *call) ([]payloadState, error) {
	list, err := c.seenPayloads(c.req.Context(), c.deviceID())
	if err != nil {
		return nil, err
	}
	d, err := c.config.Devices.Device(c.req.Context(), c.deviceID())
	if err != nil {
		return nil, err
	}
	var states []payloadState
	for _, p := range list {
		if !slices.Contains(k.of, p.Type) {
			continue
		}
		s := payloadState{payload: p,
			platform: newDeviceMembers(c.config.Kinds).policyPlatform(d.Platform)}
		content, err := c.config.Catalog.Get(c.req.Context(), p.ID)
		switch {
		case err == nil:
			s.settings, err = c.config.Forms.SettingCount(content)
		case errors.Is(err, catalog.ErrNotFound): // deleted, and not off the device yet
			err = nil
		}
		if err != nil {
			return nil, err
		}
		states = append(states, s)
	}
	return states, nil
}
