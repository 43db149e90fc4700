package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// profiles are the identifiers of the device's own store that the test put there.
func profiles(d *simulator.Device) []string {
	var found []string
	for _, p := range d.Profiles() {
		if strings.HasPrefix(p.Identifier, "test.") {
			found = append(found, p.Identifier)
		}
	}
	slices.Sort(found)
	return found
}

// An admin without a script takes two policies off, sees it happen, brings one back, and then the
// other.
func TestRemoveAndRestoreWithoutScript(t *testing.T) {
	s := newSite(t)
	office, guest := s.wifi("Office", "test.office"), s.wifi("Guest", "test.guest")
	s.wifi("Lab", "test.lab")
	device, id := s.enroll("Anna's phone")
	b := s.signedIn(s.token)
	at := "/console/devices/" + id

	p := b.open("/console/?q=Anna")
	if !strings.Contains(p.text(), "1 to 1 of 1 device") ||
		!strings.Contains(p.row("cards", "Anna"), "Anna's phone iOS") {
		t.Fatalf("the list is %s", p)
	}
	b.until(at, "Office Configuration: Wi-Fi On the device")
	b.until(at, "Guest Configuration: Wi-Fi On the device")
	p = b.until(at, "Lab Configuration: Wi-Fi On the device")
	if off := p.form("/review").values["off"]; len(off) != 0 {
		t.Fatalf("ticked at first: %v", off)
	}

	p = p.form("/review").set("off", office, guest).submit()
	for _, want := range []string{"Will be removed 2", "Office", "Guest", "may cut the device off",
		"Left alone 1", "default: after 8 hours"} {
		if !strings.Contains(p.text(), want) {
			t.Errorf("the review lacks %q: %s", want, p)
		}
	}
	if got := profiles(device); len(got) != 3 {
		t.Fatalf("the review removed something: %v", got)
	}
	p = p.form("/actions").set("restore", "custom").set("amount", "3").set("unit", "days").submit()
	if p.path() != at || p.url.Query().Get("notice") != "started" {
		t.Fatalf("confirming leads to %s", p)
	}
	p = b.until(at, "2 of 2 ended")
	if row := p.row("monitor", "Office"); !strings.Contains(row,
		"Office Configuration: Wi-Fi Remove 20") || !strings.Contains(row, "Removed 20") {
		t.Errorf("the monitor's row is %q", row)
	}
	if text := p.text(); !strings.Contains(text, "Automatic restore in 2 days") &&
		!strings.Contains(text, "Automatic restore in 3 days") ||
		!strings.Contains(p.row("assigned", "Guest"), "Removed by admin") ||
		!slices.Equal(profiles(device), []string{"test.lab"}) {
		t.Fatalf("the device has %v; %s", profiles(device), text)
	}
	if off := p.formWith("pick").values["off"]; !slices.Equal(slices.Sorted(slices.Values(off)),
		slices.Sorted(slices.Values([]string{office, guest}))) {
		t.Errorf("ticked afterwards: %v", off)
	}
	if row := b.open("/console/?q=Anna").row("cards", "Anna"); !strings.Contains(row, "Done 2") {
		t.Errorf("the list's row is %q", row)
	}

	p = b.open(at + "/review?" + url.Values{"pick": {"restore"}, "item": {office}}.Encode())
	if text := p.text(); !strings.Contains(text, "Will be restored 1") ||
		!strings.Contains(text, "Off already 1") || !strings.Contains(text, "As planned already") {
		t.Errorf("the review of a restore is %s", text)
	}
	p.form("/actions").submit()
	b.until(at, "Office Configuration: Wi-Fi Restore")
	p = b.until(at, "2 of 2 ended")
	if !slices.Equal(profiles(device), []string{"test.lab", "test.office"}) ||
		!strings.Contains(p.row("assigned", "Guest"), "Removed") ||
		!strings.Contains(p.text(), "in 2 days") && !strings.Contains(p.text(), "in 3 days") {
		t.Errorf("the device has %v; %s", profiles(device), p)
	}

	b.open(at + "/review?pick=everything").form("/actions").submit()
	p = b.until(at, "1 of 1 ended")
	if !slices.Equal(profiles(device), []string{"test.guest", "test.lab", "test.office"}) ||
		strings.Contains(p.text(), "Restore all") {
		t.Errorf("the device has %v; %s", profiles(device), p)
	}
	history := b.open(at + "/history")
	if n := len(history.all("article")); n != 3 || len(history.all("svg")) != 5 {
		t.Errorf("the history has %d actions and %d timelines: %s", n, len(history.all("svg")),
			history)
	}
	if text := history.text(); !strings.Contains(text, "asked +0 ms sent +") ||
		!strings.Contains(text, "verified: removed +") ||
		!strings.Contains(text, "verified: restored +") || !strings.Contains(text, "off already") {
		t.Errorf("the history is %s", text)
	}
}

func TestRestoreTimes(t *testing.T) {
	s := newSite(t)
	id := s.wifi("Office", "test.office")
	_, device := s.enroll("phone")
	b := s.signedIn(s.token)
	at := "/console/devices/" + device
	for _, tt := range []struct {
		form url.Values
		want time.Duration // negative: it is refused
	}{
		{url.Values{}, 8 * time.Hour},
		{url.Values{"restore": {"default"}}, 8 * time.Hour},
		{url.Values{"restore": {"1h"}}, time.Hour},
		{url.Values{"restore": {"custom"}, "amount": {"45"}, "unit": {"minutes"}},
			45 * time.Minute},
		{url.Values{"restore": {"keep"}}, 45 * time.Minute},
		{url.Values{"restore": {"0"}}, 0},
		{url.Values{"restore": {"keep"}}, 0},
		{url.Values{"restore": {"custom"}, "amount": {"0"}, "unit": {"hours"}}, -1},
		{url.Values{"restore": {"custom"}, "amount": {"366"}, "unit": {"days"}}, -1},
		{url.Values{"restore": {"custom"}, "amount": {"1"}, "unit": {"years"}}, -1},
		{url.Values{"restore": {"soon"}}, -1},
	} {
		tt.form.Set("off", id)
		p := b.post(at+"/actions", tt.form)
		if tt.want < 0 {
			if p.status != http.StatusBadRequest {
				t.Errorf("%v: %s", tt.form, p)
			}
			continue
		}
		var list struct {
			Value []struct{ RestoreDateTime *time.Time }
		}
		s.api("GET", "/api/devices/"+device+"/payloads", nil, &list)
		got := time.Duration(0)
		if at := list.Value[0].RestoreDateTime; at != nil {
			got = at.Sub(s.clock.Now())
		}
		if p.status != http.StatusOK || got > tt.want+2*time.Second || got < tt.want-time.Minute {
			t.Errorf("%v: restored in %s, want %s: %s", tt.form, got, tt.want, p)
		}
	}
}

const script = `"><script>alert(1)</script>`

func TestEverythingIsEscaped(t *testing.T) {
	s := newSite(t)
	name := "Office " + script
	id := s.wifi(name, "test.office")
	device, at := s.enroll("Phone " + script)
	at = "/console/devices/" + at
	device.AddHook(simulator.Hook{RequestType: "RemoveProfile", Effect: simulator.AnswerError,
		Times: simulator.Always,
		Chain: []simulator.ErrorLink{{Domain: "MCMDMErrorDomain", Code: 12021,
			Description: "Told " + script}}})
	b := s.signedIn(s.bearer("Boss "+script, access.Administrator, 0))
	b.until(at, "On the device")
	b.open(at + "/review?pick=set&off=" + id).form("/actions").submit()
	b.until(at, "1 of 1 ended")
	for path, wants := range map[string][]string{
		"/console/": {"Phone " + script, "Boss " + script},
		"/console/?" + url.Values{"q": {"Phone " + script}}.Encode(): {"Phone " + script},
		at: {"Phone " + script, name, "Told " + script,
			"Boss " + script, "12021", "does not know this command"},
		at + "/review?pick=set&off=" + id: {"Phone " + script,
			name},
		at + "/review?" + url.Values{"pick": {"set"}, "off": {script}}.Encode(): {script},
		at + "/history": {"Phone " + script, name, "Told " + script},
	} {
		p := b.open(path)
		for _, want := range wants {
			if !strings.Contains(p.text(), want) {
				t.Errorf("%s does not show %q: %s", path, want, p)
			}
		}
		if p.status != http.StatusOK || strings.Contains(p.body, "<script>") ||
			len(p.all("script")) != 1 {
			t.Errorf("%s has a script that is not the console's: %s", path, p.body)
		}
	}
	for _, path := range []string{"/console/sign-in?return=" + url.QueryEscape("/console/"+script),
		"/console/sign-in?code=" + url.QueryEscape(script),
		"/console/devices/" + url.PathEscape(script), "/console/" + url.PathEscape(script)} {
		if p := s.signedIn(s.token).open(path); strings.Contains(p.body, "<script>") {
			t.Errorf("%s: %s", path, p.body)
		}
		if p := s.browser().open(path); strings.Contains(p.body, "<script>") {
			t.Errorf("%s: %s", path, p.body)
		}
	}
}

// What a device calls itself cannot turn the direction of writing on a page, and what somebody
// edits stays as it is.
func TestNothingTurnsTheDirectionOfWriting(t *testing.T) {
	s := newSite(t)
	_, id := s.enroll("Phone \u202egpj.exe\u2066")
	b := s.signedIn(s.token)
	for _, path := range []string{"/console/", "/console/devices/" + id,
		"/console/devices/" + id + "/history"} {
		if p := b.open(path); p.status != http.StatusOK ||
			strings.ContainsAny(p.body, "\u202e\u2066") ||
			!strings.Contains(p.text(), "Phone \ufffdgpj.exe\ufffd") {
			t.Errorf("%s: %s", path, p)
		}
	}
	if p := b.open("/console/?" + url.Values{"q": {"\u200fא"}}.Encode()); !strings.Contains(p.body,
		`value="`+"\u200fא"+`"`) {
		t.Errorf("what was searched for has changed: %s", p)
	}
}

func TestReadersCannotChange(t *testing.T) {
	s := newSite(t)
	id := s.wifi("Office", "test.office")
	device, at := s.enroll("phone")
	at = "/console/devices/" + at
	s.signedIn(s.token).until(at, "On the device")
	b := s.signedIn(s.bearer("reader", access.ReadOnlyOperator, 0))
	p := b.open(at)
	if p.status != http.StatusOK || !strings.Contains(p.text(), "Office") {
		t.Fatalf("%s", p)
	}
	for _, word := range []string{"Review", "Restore", "Sync ", "Add more"} {
		if strings.Contains(p.text(), word+" ") {
			t.Errorf("who may only read is shown %q: %s", word, p)
		}
	}
	for _, path := range []string{at + "/actions", at + "/sync"} {
		if p := b.post(path, url.Values{"off": {id}}); p.status != http.StatusForbidden ||
			!strings.Contains(p.text(), "Not allowed") {
			t.Errorf("POST %s: %s", path, p)
		}
	}
	if p := b.open(at + "/review?pick=set&off=" + id); p.status != http.StatusForbidden {
		t.Errorf("the review: %s", p)
	}
	if got := profiles(device); len(got) != 1 {
		t.Errorf("the device has %v", got)
	}
	for path, want := range map[string]int{"/console/devices/none": 404, "/console/nothing": 404,
		at + "/review": 400, "/console/devices/none/history": 404} {
		if p := b.open(path); p.status != want {
			t.Errorf("%s: %s; want %d", path, p, want)
		}
	}
}

func TestDevicePagesAndFilters(t *testing.T) {
	s := newSite(t)
	const devices = 120
	for n := range devices {
		s.store(fmt.Sprintf("phone %03d", n))
	}
	b := s.signedIn(s.token)
	var names []string
	p := b.open("/console/")
	for pages := 1; ; pages++ {
		for _, n := range p.all("th") {
			if role, _ := attribute(n, "role"); role == "rowheader" {
				names = append(names, text(n))
			}
		}
		next := p.link("next")
		if next == "" {
			if pages != 3 || !strings.Contains(p.text(), "101 to 120 of 120 devices") {
				t.Errorf("the last page is %d: %s", pages, p)
			}
			break
		}
		p = b.open(next)
	}
	if len(names) != devices || !slices.IsSorted(names) || len(slices.Compact(names)) != devices {
		t.Errorf("the pages list %v", names)
	}
	if p = b.open(p.link("prev")); !strings.Contains(p.text(), "51 to 100 of 120") {
		t.Errorf("one back: %s", p)
	}
	if p = b.open(p.link("prev")); !strings.Contains(p.text(), "1 to 50 of 120") ||
		p.link("prev") != "" {
		t.Errorf("two back: %s", p)
	}
	for query, want := range map[string]string{
		"q=phone+11": "1 to 10 of 10 devices", "q=phone+119&platform=iOS": "1 to 1 of 1 device",
		"platform=macOS": "No device fits",
		"state=failed":   "No device fits", "sync=7d": "No device fits", "sort=-name": "phone 119",
		"q=%22%5C%27": "No device fits", "sort=nonsense": "phone 000", "state=nonsense": "",
		"page=nonsense": "",
	} {
		p := b.open("/console/?" + query)
		if want == "" {
			if p.status != http.StatusBadRequest {
				t.Errorf("%s: %s", query, p)
			}
		} else if p.status != http.StatusOK || !strings.Contains(p.text(), want) {
			t.Errorf("%s lacks %q: %s", query, want, p)
		}
	}
}
