package graph_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// Failures are counted by day, or by hour, and by code, and a caller who is limited counts those
// that it sees.
func TestFailures(t *testing.T) {
	s := newSite(t)
	s.clock.Advance(13*time.Hour - 17*time.Minute - 5*time.Second) // 23:00
	wifi, vpn := s.addProfile("wifi"), s.addProfile("vpn")
	phones := []*phone{s.enrollPhone(), s.enroll(fleet.Device{Name: "Ben's iPhone",
		Platform: fleet.IOS, UDID: "00008120-000B", Supervised: true})}
	for _, p := range phones {
		p.connect()
	}
	fail := func(p *phone, removed ...string) {
		elements := []object{}
		for _, id := range removed {
			elements = append(elements, config(id))
		}
		p.sync(elements...)
		p.fail["com.example.wifi"] = action.Outcome{Verdict: action.Permanent, Code: -1,
			Source: action.ByDevice, Detail: "no Wi-Fi"}
		p.fail["com.example.vpn"] = action.Outcome{Verdict: action.Permanent, Code: 7,
			Detail: "no VPN"}
		p.connect()
		clear(p.fail)
		p.sync()
		p.connect()
	}
	fail(phones[0], wifi, vpn)
	s.clock.Advance(time.Hour) // the next day begins
	fail(phones[0], wifi)
	fail(phones[1], wifi, vpn)
	s.clock.Advance(time.Hour)
	fail(phones[1], vpn)

	limited := s.limitedTo("0")
	told := func(bearer string, days int) string {
		body := s.as(bearer, http.StatusOK, "GET", fmt.Sprintf("/api/failures?days=%d", days),
			nil).body
		recent := ""
		for _, one := range body["recent"].([]any) {
			recent += fmt.Sprint(" ", at(one, "deviceName"), " ", at(one, "detail"), ",")
		}
		return fmt.Sprint(body["bucket"], body["startDateTime"], body["value"], body["complete"],
			recent)
	}
	counts := func(list ...any) string {
		items := []any{}
		for i := 0; i < len(list); i += 3 {
			items = append(items, map[string]any{"dateTime": list[i], "errorCode": list[i+1],
				"errorSource": "device", "count": list[i+2]})
		}
		return fmt.Sprint(items)
	}
	const latest = " Ben's iPhone no VPN,"
	// A device may have a code that is the server's own for what a later action overtook, which is
	// no failure.
	today := []any{"2025-02-14T00:00:00Z", -1, 2, "2025-02-14T00:00:00Z", 7, 1,
		"2025-02-14T01:00:00Z", 7, 1}
	everyDay := []any{"2025-02-13T00:00:00Z", -1, 1, "2025-02-13T00:00:00Z", 7, 1,
		"2025-02-14T00:00:00Z", -1, 2, "2025-02-14T00:00:00Z", 7, 2}
	for days, want := range map[int]string{
		1: "hour" + "2025-02-13T02:00:00Z" + counts(append([]any{"2025-02-13T23:00:00Z", -1, 1,
			"2025-02-13T23:00:00Z", 7, 1}, today...)...) + " true" + latest,
		7: "day" + "2025-02-08T00:00:00Z" + counts(everyDay...) + " true" + latest,
	} {
		whole := told(s.token, days)
		if !strings.HasPrefix(whole, want) {
			t.Errorf("of %d days was told %s, want %s", days, whole, want)
		}
		if part := told(limited, days); part != whole {
			t.Errorf("of %d days a caller who sees all of it was told %s, want %s", days, part,
				whole)
		}
	}
	s.must(http.StatusOK, "PATCH", configurations+"/"+vpn,
		object{"roleScopeTagIds": []string{s.addTag("Network")}})
	want := "day2025-02-08T00:00:00Z" + counts("2025-02-13T00:00:00Z", -1, 1,
		"2025-02-14T00:00:00Z", -1, 2) +
		" true Ben's iPhone no Wi-Fi, Anna's iPhone no Wi-Fi, Anna's iPhone no Wi-Fi,"
	if part := told(limited, 7); part != want {
		t.Errorf("a caller who does not see the VPN was told %s, want %s", part, want)
	}
}
