package graph_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// Who sees what is in the place of a payload is told its name, everywhere; who does not learns only
// that there is another one.
func TestInPlace(t *testing.T) {
	s := newSite(t)
	tag := s.addTag("Help desk")
	p := s.enrollPhone()
	older := s.addProfile("shared")
	s.clock.Advance(time.Minute)
	newer := s.addProfile("shared")
	s.must(http.StatusOK, "PATCH", p.path(), object{"roleScopeTagIds": []string{tag, "0"}})
	s.must(http.StatusOK, "PATCH", configurations+"/"+newer,
		object{"roleScopeTagIds": []string{tag}})
	limited := "Bearer " + s.limitedTo(tag)
	p.connect()
	s.must(http.StatusOK, "PATCH", configurations+"/"+older, object{"displayName": "Older one"})

	preview := func(set object, headers ...string) object {
		return s.must(http.StatusOK, "POST", p.path()+"/syncPayloads/preview", set, headers...).body
	}
	got := preview(set(config(older)))
	if at(got, "remove", 0, "inPlace", "payloadId") != newer ||
		at(got, "install", 0, "payloadId") != newer || len(got["leftAlone"].([]any)) != 0 {
		t.Errorf("removing the older one is foreseen as %v", got)
	}
	p.sync(config(older))
	p.connect()
	if got = preview(set()); at(got, "restore", 0, "payloadId") != older ||
		at(got, "displace", 0, "payloadId") != newer ||
		at(got, "displace", 0, "inPlace", "displayName") != "Older one" ||
		at(got, "displace", 0, "warnings", 0, "certain") != false {
		t.Errorf("restoring the older one is foreseen as %v", got)
	}
	// The newer one is named, so that the older one comes; then it cannot be restored.
	p.sync(config(newer))
	p.connect()
	got = preview(set(), "Authorization", limited)
	if at(got, "displace", 0, "payloadId") != newer ||
		at(got, "displace", 0, "inPlace", "payloadId") != nil || len(got["restore"].([]any)) != 0 {
		t.Errorf("the limited foresee %v", got)
	}
	p.sync()
	p.connect()
	number := fmt.Sprint(p.must(http.StatusOK, "GET",
		"/api/devices/"+string(p.id)+"/actions?$top=1", nil).values()[0]["number"])
	const some = "another policy or app with the same identifier"
	for _, path := range []string{p.path() + "?$select=deviceActionResults",
		"/api/devices/" + string(p.id) + "/payloads",
		"/api/devices/" + string(p.id) + "/actions", p.path() + "/deviceConfigurationStates",
		"/api/failures",
		"/api/devices/" + string(p.id) + "/actions/" + number + "/events"} {
		all := string(s.must(http.StatusOK, "GET", path, nil).text)
		if !strings.Contains(all, some) || !strings.Contains(all,
			"in its place: “Older one” ("+older+")") {
			t.Errorf("%s does not say what is in its place: %s", path, all)
		}
		if few := string(s.must(http.StatusOK, "GET", path, nil, "Authorization",
			limited).text); !strings.Contains(few, some) || strings.Contains(few, older) ||
			strings.Contains(few, "Older one") {
			t.Errorf("%s tells the limited %s", path, few)
		}
	}
	if r := p.result("syncPayloads"); at(r, "actionState") != "failed" ||
		fmt.Sprint(at(r, "deviceActionPayloads", 0,
			"errorCode")) != fmt.Sprint(action.CodeInPlace) {
		t.Errorf("the restore ended as %v", r)
	}
}
