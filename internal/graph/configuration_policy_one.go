package graph

import (
	"net/http"
	"strconv"

	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// What is read of the settings of a policy one by one.
var (
	toCountSettings = &verb{name: "countSettings", method: "GET",
		suffix: "/{id}/settings" + odata.CountSuffix, part: "settings"}
	toGetSetting = &verb{name: "getSetting", method: "GET", suffix: "/{id}/settings/{setting}",
		part: "settings"}
)

func (c *call) countPolicySettings() error {
	p, err := policies.find(c)
	if err != nil {
		return err
	}
	settings, err := p.PolicySettings()
	if err != nil {
		return err
	}
	return c.req.ReplyCount(len(settings))
}

// policySettingProperties are those that $select may name of a setting of a policy.
var policySettingProperties = []string{"id", "settingInstance"}

// getPolicySetting finds a setting by its place.
func (c *call) getPolicySetting() error {
	selected, err := c.req.Selected(policySettingProperties)
	if err != nil {
		return err
	}
	expanded, err := c.req.Expansions(expandDefinitions)
	if err != nil {
		return err
	}
	p, err := policies.find(c)
	if err != nil {
		return err
	}
	settings, err := p.PolicySettings()
	if err != nil {
		return err
	}
	i, err := strconv.ParseUint(c.req.PathValue("setting"), 10, 31)
	if err != nil || int(i) >= len(settings) {
		return odata.NotFound("The policy has no setting with this id.")
	}
	shown, err := c.settingFields(int(i), &settings[i], selected, len(expanded) > 0)
	if err != nil {
		return err
	}
	return c.req.ReplyObject(http.StatusOK, policies.path()+"/"+string(p.ID)+"/settings", shown)
}
