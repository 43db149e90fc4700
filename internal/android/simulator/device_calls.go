package simulator

import (
	"google.golang.org/api/androidmanagement/v1"
)

func (s *Service) deviceOf(c *call) (*Device, *failure) {
	e, refusal := s.enterpriseOf(c)
	if refusal != nil {
		return nil, refusal
	}
	name := c.parent() + "/devices/" + c.parts[3]
	if e.devices[name] == nil {
		return nil, notFound(name)
	}
	return e.devices[name], nil
}

func (s *Service) getDevice(c *call) (any, *failure) {
	d, refusal := s.deviceOf(c)
	if refusal != nil {
		return nil, refusal
	}
	return d.answer(), nil
}

func (s *Service) listDevices(c *call) (any, *failure) {
	e, refusal := s.enterpriseOf(c)
	if refusal != nil {
		return nil, refusal
	}
	return page(c, "devices", sortedKeys(e.devices),
		func(name string) *androidmanagement.Device { return e.devices[name].answer() })
}

// changeableDeviceField: AMAPI, enterprises.devices.patch.
func changeableDeviceField(name string) bool {
	return name == "policyName" || name == "state" || name == "disabledReason"
}

// patchDevice changes a device's policy or state (AMAPI, enterprises.devices.patch). Without a mask
// it is not known whether Google takes an absent policyName for the default; here the device keeps
// what the body leaves out.
func (s *Service) patchDevice(c *call) (any, *failure) {
	d, refusal := s.deviceOf(c)
	if refusal != nil {
		return nil, refusal
	}
	body, refusal := readMessage[androidmanagement.Device](c, "device")
	if refusal != nil {
		return nil, refusal
	}
	present := message{"policyName": d.policyName, "state": d.state}
	if d.disabled != nil {
		present["disabledReason"] = d.disabled
	}
	masked := c.query.Get("updateMask") != ""
	after, refusal := update[androidmanagement.Device](c, present, body, func(name string) bool {
		_, given := body[name]
		return changeableDeviceField(name) && (masked || given)
	})
	if refusal != nil {
		return nil, refusal
	}
	wanted := convert[androidmanagement.Device](after)
	policyName := d.enterprise.policyName(wanted.PolicyName)
	switch {
	case policyName == "" || policyName != d.policyName && d.enterprise.policies[policyName] == nil:
		return nil, badRequest("device.policy_name", "Invalid value at "+
			"'device.policy_name': there is no policy %q.", wanted.PolicyName)
	case wanted.State != "ACTIVE" && wanted.State != "DISABLED":
		return nil, badRequest("device.state", "Invalid value at 'device.state': only ACTIVE and "+
			"DISABLED can be set.")
	}
	d.enterprise.follow(d, policyName)
	d.state = wanted.State
	d.disabled, _ = after["disabledReason"].(message)
	s.actLater(d)
	return d.answer(), nil
}

// deleteDevice takes a device out of the service. It is wiped when it is next in touch, and its
// last report says so (AMAPI, enterprises.devices.delete).
func (s *Service) deleteDevice(c *call) (any, *failure) {
	d, refusal := s.deviceOf(c)
	if refusal != nil {
		return nil, refusal
	}
	d.deletedFrom = d.enterprise
	s.forget(d)
	s.actLater(d)
	return message{}, nil
}
