package tenant_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/intune/tenant"
)

// Whatever Graph answers with is read without harm, and is a bounded line of words.
func FuzzRefusal(f *testing.F) {
	f.Add(429, "30", "", []byte(`{"error":{"code":"TooManyRequests","message":"slow down"}}`))
	f.Add(503, "Mon, 02 Mar 2026 09:00:12 GMT", "Mon, 02 Mar 2026 09:00:02 GMT", []byte("<html>"))
	f.Add(400, "-1", "x", []byte(`{"error":{"message":"{\"Message\":\"no\"}"}}`))
	f.Fuzz(func(t *testing.T, status int, after, date string, body []byte) {
		header := http.Header{"Retry-After": {after}, "Date": {date}}
		r, wait := tenant.RefusedBy(status, header, body,
			time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC))
		if wait != nil && (*wait < 0 || *wait > time.Hour) {
			t.Errorf("%q: %s", after, *wait)
		}
		for _, c := range r.Error() {
			if c < ' ' {
				t.Errorf("%q has a control character", r.Error())
			}
		}
		if len([]rune(r.Error())) > 1500 {
			t.Errorf("it has %d characters", len(r.Error()))
		}
	})
}

// Reports, states and tokens of any form make items with ids that are some, and no panic.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"TotalRowCount":1,"Schema":[{"Column":"PolicyId"},{"Column":"PolicyBaseTypeName"}],` +
		`"Values":[["0bd2bbb8-3a5d-4b8b-b1c0-1d8f4aa11111","DeviceManagementConfigurationPolicy"]]}`))
	f.Add([]byte(`{"mobileAppList":[{"applicationId":"x","mobileAppIntent":"available",` +
		`"installState":"installed"}]}`))
	f.Add([]byte(`{"value":[{"id":"0bd2bbb8-3a5d-4b8b-b1c0-1d8f4aa11111_x_y"}]}`))
	f.Add([]byte("e30.eyJyb2xlcyI6WyJhIl19.x"))
	f.Fuzz(func(t *testing.T, text []byte) {
		items, _ := tenant.ReadReport(text, device)
		for _, i := range append(items, tenant.ReadStates(text, device).Items...) {
			if i.ID == "" || len(i.ID) > 64 || len([]rune(i.Name)) > 256 {
				t.Errorf("%+v", i)
			}
		}
		tenant.Roles(string(text))
	})
}
