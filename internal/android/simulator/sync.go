package simulator

import (
	"time"

	"google.golang.org/api/androidmanagement/v1"
)

// Sync makes the device ask for its policy: it takes the newest version, makes itself like it, does
// the commands that wait, and reports. A device that was deleted erases itself.
func (d *Device) Sync() error {
	s := d.service
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	s.advance(now)
	return s.sync(d, now)
}

func (s *Service) sync(d *Device, now time.Time) error {
	switch {
	case d.gone:
		return ErrNotEnrolled
	case d.offline:
		return ErrOffline
	case d.enterprise == nil: // AMAPI, devices.delete: "attempts to wipe the device"
		d.wiped = true
		s.leave(d.deletedFrom, d, now)
		return ErrNotEnrolled
	}
	d.takePolicy(now)
	s.obey(d, now)
	if d.gone {
		return nil
	}
	s.report(d, now)
	return nil
}

// takePolicy takes the newest version of the device's policy; mu is held.
func (d *Device) takePolicy(now time.Time) {
	newest := d.enterprise.policies[d.policyName]
	if newest == nil {
		return
	}
	d.takenAt = now
	if newest != d.taken {
		for _, a := range d.apps {
			a.looks = 0
		}
		d.taken = newest
		p := d.policyDocument()
		d.applyApps(p, now)
		d.applyWifi(p)
	}
	d.settleApps(now)
}

// applyWifi: AMAPI, wifiConfigDisabled and configureWifi: on fully managed devices "removes all
// configured networks and retains only the networks configured using openNetworkConfiguration".
func (d *Device) applyWifi(p *androidmanagement.Policy) {
	if d.wifiLocked(p) {
		d.saved = nil
	}
}

// wifiLocked tells whether only the policy's networks are allowed.
func (d *Device) wifiLocked(p *androidmanagement.Policy) bool {
	configure := ""
	if c := p.DeviceConnectivityManagement; c != nil {
		configure = c.ConfigureWifi
	}
	return d.options.mode.fullyManaged() && (configure == "DISALLOW_CONFIGURING_WIFI" ||
		configure == "" && p.WifiConfigDisabled)
}

// Wifi tells whether Wi-Fi works at all (AMAPI, configureWifi: if configuring is disallowed and no
// networks are configured, Wi-Fi is disabled).
func (d *Device) Wifi() bool {
	return locked(d, func() bool {
		p := d.policyDocument()
		networks, _ := d.networks(p)
		return !d.wifiLocked(p) || len(networks) > 0
	})
}

func (m Mode) fullyManaged() bool { return m == FullyManaged || m == Dedicated }

// SaveNetwork saves a Wi-Fi network as the device's user does.
func (d *Device) SaveNetwork(ssid string) error {
	d.service.mu.Lock()
	defer d.service.mu.Unlock()
	if d.saved == nil {
		d.saved = make(map[string]bool)
	}
	d.saved[ssid] = true
	if !d.gone {
		d.applyWifi(d.policyDocument())
	}
	if !d.saved[ssid] {
		return ErrNotAllowed
	}
	return nil
}

// networks are the networks of a policy that the device has, and what is wrong with the others.
func (d *Device) networks(p *androidmanagement.Policy) ([]Network,
	[]*androidmanagement.NonComplianceDetail) {
	read, _ := readONC(p)
	authorities := make(map[string]bool)
	for _, certificate := range read.Certificates {
		authorities[certificate.GUID] = true
	}
	var networks []Network
	var wrong []*androidmanagement.NonComplianceDetail
	for _, n := range read.NetworkConfigurations {
		if d.refusalOfNetwork(n.GUID) != nil {
			continue
		}
		if reason := n.incomplete(authorities); reason != "" {
			wrong = append(wrong, (&Refusal{WifiGUID: n.GUID, Reason: "INVALID_VALUE",
				SpecificReason: reason}).detail(""))
			continue
		}
		networks = append(networks, Network{GUID: n.GUID, Name: n.Name, SSID: n.WiFi.SSID,
			Security: n.WiFi.Security})
	}
	return networks, wrong
}

// incomplete is why Android refuses an enterprise network: without an authority and a domain it
// could not tell the network from another one.
func (n *oncNetwork) incomplete(authorities map[string]bool) string {
	if n.WiFi.Security != "WPA-EAP" {
		return ""
	}
	eap := n.WiFi.EAP
	refs := eap.ServerCARefs
	if eap.ServerCARef != "" {
		refs = append(refs, eap.ServerCARef)
	}
	if len(eap.DomainSuffixMatch) == 0 || len(refs) == 0 {
		return "ONC_WIFI_INVALID_ENTERPRISE_CONFIG"
	}
	for _, ref := range refs {
		if !authorities[ref] {
			return "ONC_WIFI_INVALID_ENTERPRISE_CONFIG"
		}
	}
	if eap.ClientCertType == "KeyPairAlias" {
		return "ONC_WIFI_KEY_PAIR_ALIAS_NOT_CORRESPONDING_TO_EXISTING_KEY"
	}
	return ""
}
