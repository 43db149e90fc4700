package test

import (
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// What a device tells of itself is served, and devices are found by it.
func TestDevicesAreFoundByTheirAddress(t *testing.T) {
	s := newSite(t)
	phone := s.enroll(simulator.Config{Kind: simulator.IPhone, Seed: 1})
	s.enroll(simulator.Config{Kind: simulator.Mac, Seed: 2})
	var list struct {
		Value []struct {
			ID      string
			Address string `json:"wiFiMacAddress"`
		}
	}
	want := phone.Facts().WiFiMAC
	s.eventually("the device has told its address", func() bool {
		s.must("GET", "/beta/deviceManagement/managedDevices?$select=id,wiFiMacAddress&$filter="+
			"wiFiMacAddress%20eq%20'"+want+"'", nil, &list)
		return len(list.Value) == 1
	})
	if found := list.Value[0]; found.ID != s.ids[phone] || found.Address != want {
		t.Errorf("found is %+v, want %s of %s", found, want, s.ids[phone])
	}
}
