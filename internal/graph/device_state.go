package graph

import (
	"errors"
	"net/http"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// stateKind is a relationship of managedDevice that tells how payloads of some types stand on the device.
type stateKind struct {
	set       string
	odataType typeName
	name      string // in the names of its routes
	betaOnly  bool   // Graph has it in beta only
	of        []action.PayloadType
}

// stateKinds are Graph's (Microsoft Graph beta reference, deviceConfigurationState and managedDeviceMobileAppConfigurationState).
var stateKinds = []*stateKind{
	{"deviceConfigurationStates", "deviceConfigurationState", "ConfigurationState", false,
		[]action.PayloadType{action.DeviceConfiguration, action.ConfigurationPolicy}},
	{"managedDeviceMobileAppConfigurationStates", "managedDeviceMobileAppConfigurationState", "AppConfigurationState", true,
		[]action.PayloadType{action.AppConfiguration}},
}

func (k *stateKind) routes(r *resource) []route {
	states, needs, set := "/{id}/"+k.set, may(access.ReadDevices), r.name
	list := func(c *call) error { return k.list(c, set) }
	read := func(name, suffix string, many bool) *verb {
		return &verb{name: name, method: "GET", suffix: states + suffix, part: k.set, many: many, betaOnly: k.betaOnly}
	}
	return []route{
		r.route(read("list"+k.name+"s", "", true), needs, queryOptions, list).answering(k.odataType),
		r.route(read("count"+k.name+"s", countSuffix, false), needs, countOptions, list).answering(k.odataType),
		r.route(read("get"+k.name, "/{state}", false), needs, []string{optionSelect}, func(c *call) error { return k.get(c, set) }).
			answering(k.odataType),
	}
}

// payloadState is how a payload stands on a device.
type payloadState struct {
	*action.Payload
	platform string // of the device, as policyPlatformType
	settings int
}

var stateProperties = properties{
	{"id", edmString}, {"displayName", edmString}, {"version", edmInt32}, {"platformType", "policyPlatformType"},
	{"state", "complianceStatus"}, {"settingCount", edmInt32}, {"settingStates", collectionOf("deviceConfigurationSettingState")},
	{"userId", edmString}, {"userPrincipalName", edmString}, {ownProperty, ownNamespace + "payloadStanding"},
}

// stateListing is what the options take of states.
var stateListing = &listing{
	filters: map[string]comparer{"id": textField("id"), "displayName": textField("displayName"), "version": numberField("version"),
		"state": memberOf("state", complianceStatuses...), "settingCount": numberField("settingCount")},
	orders: map[string]query.Field{"id": "id", "displayName": "displayName", "state": "state", "version": "version"},
	search: map[string]query.Field{"displayName": "displayName"},
}

// value is what $filter and $orderby compare.
func (s payloadState) value(f query.Field) any {
	switch f {
	case "id":
		return string(s.ID)
	case "displayName":
		return s.DisplayName
	case "state":
		return s.status()
	case "version":
		return s.Version
	default: // settingCount
		return int64(s.settings)
	}
}

func (k *stateKind) list(c *call, set string) error {
	selected, err := c.selected(stateProperties.names())
	if err != nil {
		return err
	}
	all, err := k.states(c)
	if err != nil {
		return err
	}
	return serveList(c, k.path(c, set), stateListing, nil, computed(all, payloadState.value),
		func(s payloadState) (fields, error) { return s.fields(c.explain).pick(selected), nil })
}

func (k *stateKind) get(c *call, set string) error {
	selected, err := c.selected(stateProperties.names())
	if err != nil {
		return err
	}
	all, err := k.states(c)
	if err != nil {
		return err
	}
	id := action.PayloadID(lower(c.r.PathValue("state")))
	i := slices.IndexFunc(all, func(s payloadState) bool { return s.ID == id })
	if i < 0 {
		return notFound("There is no object with this id.")
	}
	return c.entity(http.StatusOK, k.path(c, set), k.odataType, all[i].fields(c.explain).pick(selected))
}

func (k *stateKind) path(c *call, set string) string {
	return "deviceManagement/" + set + "/" + string(c.deviceID()) + "/" + k.set
}

// states are those of the device that the path names, as far as the caller sees them.
func (k *stateKind) states(c *call) ([]payloadState, error) {
	list, err := c.seenPayloads(c.r.Context(), c.deviceID())
	if err != nil {
		return nil, err
	}
	d, err := c.Devices.Device(c.r.Context(), c.deviceID())
	if err != nil {
		return nil, err
	}
	var states []payloadState
	for _, p := range list {
		if !slices.Contains(k.of, p.Type) {
			continue
		}
		s := payloadState{Payload: p, platform: policyPlatform(d.Platform)}
		content, err := c.Catalog.Get(c.r.Context(), p.ID)
		switch {
		case err == nil:
			s.settings, err = c.Forms.SettingCount(content)
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

// policyPlatform is the member of policyPlatformType for a device: Graph has one for all of Apple's but Macs.
func policyPlatform(p fleet.Platform) string {
	if p == fleet.MacOS {
		return "macOS"
	}
	return "iOS"
}
