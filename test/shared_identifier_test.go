package test

import (
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// standing is how a payload stands on a device.
type standing struct {
	ID, Presence, Work string
	Error              *struct {
		Code   int64
		Detail string
	}
}

func (s *site) standing(d *simulator.Device, p payload) standing {
	s.Helper()
	var list struct{ Value []standing }
	s.must("GET", "/api/devices/"+s.ids[d]+"/payloads", nil, &list)
	for _, one := range list.Value {
		if one.ID == p.ID {
			return one
		}
	}
	return standing{}
}

// behind reports whether p is in error because other is in its place, and says so.
func (s *site) behind(d *simulator.Device, p, other payload) bool {
	one := s.standing(d, p)
	return one.Work == "error" && one.Error != nil && one.Error.Code == action.CodeInPlace &&
		strings.Contains(one.Error.Detail, other.ID)
}

func (s *site) inPlace(d *simulator.Device, p payload) bool {
	one := s.standing(d, p)
	return one.Presence == "present" && one.Work == "idle"
}

// ssid is the network that a device has of a profile.
func ssid(d *simulator.Device, identifier string) any {
	for _, p := range d.Profiles() {
		if p.Identifier == identifier {
			return p.Payloads[0].Content["SSID_STR"]
		}
	}
	return nil
}

// Of two policies with one identifier the older one is on the device; the other comes when it goes,
// in whichever way, and makes room when it returns.
func TestTwoPoliciesOfOneIdentifier(t *testing.T) {
	s := newSite(t)
	const identifier = "com.example.shared"
	config := func(network string) payload {
		p := profileOf("iosCustomConfiguration", identifier)
		p["payload"] = []byte(strings.Replace(string(mobileconfig(identifier, "ONE-UUID-FOR-BOTH")),
			"<key>SSID_STR</key><string>"+identifier, "<key>SSID_STR</key><string>"+network, 1))
		return s.create(configurations, "deviceConfiguration", identifier, p)
	}
	older := config("older")
	s.clock.Advance(time.Second)
	newer := config("newer")
	s.assign(configurations, newer, allDevices)
	d := s.enroll(simulator.Config{})
	shows := func(what string, there, other payload, network string) {
		s.Helper()
		s.eventually(what,
			func() bool { return s.inPlace(d, there) && ssid(d, identifier) == network })
		if other.ID != "" && !s.behind(d, other, there) {
			s.Errorf("%s: the other stands as %+v", what, s.standing(d, other))
		}
	}
	none := payload{}
	shows("the only one is installed", newer, none, "newer")
	s.assign(configurations, older, allDevices)
	shows("the older one takes its place", older, newer, "older")

	s.sync(d, older)
	shows("removed by an action, the newer one comes", newer, none, "newer")
	s.eventually("the action ends", func() bool { return s.result(d).final() })
	if r := s.result(d); r.ActionState != "done" {
		s.Errorf("the removal ended as %+v", r)
	}
	s.sync(d)
	shows("restored, the older one takes its place again", older, newer, "older")
	s.eventually("the restore ends", func() bool { return s.result(d).final() })
	if r := s.result(d); r.ActionState != "done" {
		s.Errorf("the restore ended as %+v", r)
	}

	var group struct{ ID string }
	s.must("POST", "/beta/groups", map[string]any{"displayName": "Some", "mailEnabled": false,
		"mailNickname": "s", "securityEnabled": true}, &group)
	s.assign(configurations, older,
		map[string]any{"@odata.type": "#microsoft.graph.groupAssignmentTarget",
			"groupId": group.ID})
	shows("out of its group, the newer one comes", newer, none, "newer")
	s.must("POST", "/beta/groups/"+group.ID+"/members/$ref",
		map[string]any{"@odata.id": s.url + "/beta/directoryObjects/" + s.ids[d]}, nil)
	shows("in its group, the older one returns", older, newer, "older")

	s.sync(d, newer)
	s.eventually("what is not there is removed", func() bool { return s.result(d).final() })
	if r := s.result(d); r.ActionState != "done" || ssid(d, identifier) != "older" {
		s.Errorf("the removal of what was not there ended as %+v", r)
	}
	s.sync(d)
	s.eventually("it cannot be restored", func() bool { return s.result(d).final() })
	if r := s.result(d); r.ActionState != "failed" || ssid(d, identifier) != "older" {
		s.Errorf("the restore of what is behind another ended as %+v", r)
	}
	s.must("DELETE", configurations+"/"+older.ID, nil, nil)
	shows("deleted, the newer one comes", newer, none, "newer")
	s.assign(configurations, newer)
	s.eventually("nothing is left", func() bool { return ssid(d, identifier) == nil })
}

// Two entries of one app, bought in two ways, are one app on a device: one is taken off before the
// other comes.
func TestTwoAppsOfOneIdentifier(t *testing.T) {
	s := newSite(t)
	entry := func(odataType string) payload {
		return s.create(apps, "application", appStore[1000],
			map[string]any{"@odata.type": "#microsoft.graph." + odataType,
				"bundleId": appStore[1000], "appStoreUrl": "https://apps.apple.com/app/id1000"})
	}
	older := entry("iosVppApp")
	s.clock.Advance(time.Second)
	newer := entry("iosStoreApp")
	s.assign(apps, older, allDevices)
	s.assign(apps, newer, allDevices)
	d := s.enroll(simulator.Config{Supervised: true})
	s.eventually("the older one is installed",
		func() bool { return s.inPlace(d, older) && s.behind(d, newer, older) && has(d, older) })
	s.sync(d, older)
	s.eventually("the newer one comes in its place",
		func() bool { return s.inPlace(d, newer) && has(d, newer) })
	if r := s.result(d); r.ActionState != "done" {
		s.Errorf("the removal ended as %+v", r)
	}
	s.sync(d)
	s.eventually("the older one returns",
		func() bool { return s.inPlace(d, older) && s.behind(d, newer, older) && has(d, older) })
	s.assign(apps, older)
	s.eventually("unassigned, the newer one comes",
		func() bool { return s.inPlace(d, newer) && has(d, newer) })
}
