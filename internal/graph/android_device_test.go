package graph_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// A device that cannot do the action is shown like any other, and says why it cannot: the action
// ends at once, and nothing is sent.
func TestPersonalWorkProfileIsNotSupported(t *testing.T) {
	s := newSite(t)
	const why = "the work profile on a person's own device cannot be changed from here"
	id, err := s.engine.Enroll(t.Context(), fleet.Device{Name: "Eva's Pixel", UDID: "1",
		Platform: fleet.Android, UserEnrolled: true}, why)
	if err != nil {
		t.Fatal(err)
	}
	p := &phone{site: s, id: id}
	if got := s.must(http.StatusOK, "POST", p.path()+"/syncPayloads/preview",
		object{"deviceActionPayloads": []object{}}).body; got["notSupported"] != why {
		t.Errorf("the preview says %v", got)
	}
	p.sync()
	if r := p.result("syncPayloads"); r["actionState"] != "notSupported" {
		t.Errorf("the result is %v", r)
	}
	filter := url.QueryEscape("deviceEnrollmentType eq 'userEnrollment' and " +
		"operatingSystem eq 'Android' and ownerType eq 'personal' and " +
		"managementAgent eq 'googleCloudDevicePolicyController' and " +
		"deviceType eq 'androidEnterprise'")
	if got := names(s.must(http.StatusOK, "GET", devices+"?$filter="+filter, nil)); !strings.Contains(got, "Eva's Pixel") {
		t.Errorf("the filter finds %q", got)
	}
}
