package amapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/androidmanagement/v1"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// listPage is a page of the list of devices, by the devices' serial numbers.
type listPage struct {
	serials []string
	next    string
}

// listing has Google list devices as a test says, page by page of a token; they are read one by one
// as they are. reads counts those.
type listing struct {
	*world
	pages map[string]listPage
	asked []string       // tokens
	reads map[string]int // by serial number
	fails map[string]int // statuses, by serial number
	ids   map[string]fleet.DeviceID
}

func newListing(t *testing.T, devices ...string) *listing {
	l := &listing{world: newWorld(t), reads: map[string]int{}, fails: map[string]int{},
		ids: map[string]fleet.DeviceID{}}
	l.wifi("Office")
	token := l.token(amapi.FullyManaged, access.EnrollmentTerms{})
	for _, serial := range devices {
		d := l.enrollWith(token, serial, simulator.DeviceOptions{})
		l.ids[serial] = l.idOf(d)
	}
	google := l.google.Config.Handler
	l.google.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/v1/")
		switch {
		case r.Method == http.MethodGet && strings.HasSuffix(name, "/devices"):
			l.answerList(w, r, r.URL.Query().Get("pageToken"))
			return
		case r.Method == http.MethodGet && strings.Contains(name, "/devices/"):
			for _, d := range l.devices {
				if d.Name() == name {
					l.reads[d.Serial()]++
					if status := l.fails[d.Serial()]; status != 0 {
						http.Error(w, `{"error":{"message":"not now"}}`, status)
						return
					}
				}
			}
		}
		google.ServeHTTP(w, r)
	})
	return l
}

func (l *listing) answerList(w http.ResponseWriter, r *http.Request, token string) {
	l.asked = append(l.asked, token)
	page := l.pages[token]
	answer := androidmanagement.ListDevicesResponse{NextPageToken: page.next}
	for _, serial := range page.serials {
		for _, d := range l.devices {
			if d.Serial() != serial {
				continue
			}
			got := httptest.NewRecorder()
			read := httptest.NewRequest("GET", "/v1/"+d.Name(), nil)
			read.Header = r.Header
			l.service.ServeHTTP(got, read)
			one := new(androidmanagement.Device)
			if err := json.Unmarshal(got.Body.Bytes(), one); err != nil || one.Name == "" {
				l.T.Errorf("%s is not there: %s", serial, got.Body)
			}
			answer.Devices = append(answer.Devices, one)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// unheard has each device take its policy and report it, of which no message comes.
func (l *listing) unheard() {
	l.Helper()
	for l.channel.Waits() < len(l.devices) {
		l.must(l.engine.Sweep(l.Context()))
	}
	l.channel.ServeDue(l.Context())
	l.clock.Advance(time.Second)
	for _, d := range l.devices {
		l.must(d.Sync())
	}
	clear(l.reads)
}

// A list can leave devices out, or have them twice, when devices come and go between two of its
// pages. Whoever is left out is read by itself: it stays managed, and what it says counts.
func TestListsThatShift(t *testing.T) {
	for name, tt := range map[string]struct {
		pages map[string]listPage
		asked []string
		read  string // serial numbers of those that are read by themselves
	}{
		"all of them": {map[string]listPage{"": {[]string{"A", "B"}, "2"}, "2": {[]string{"C"}, ""}},
			[]string{"", "2"}, ""},
		"left out between pages": {map[string]listPage{"": {[]string{"A"}, "2"},
			"2": {[]string{"C"}, ""}}, []string{"", "2"}, "B"},
		"twice": {map[string]listPage{"": {[]string{"A", "B"}, "2"},
			"2": {[]string{"B", "C"}, ""}}, []string{"", "2"}, ""},
		"an empty page in the middle": {map[string]listPage{"": {[]string{"A"}, "2"},
			"2": {nil, "3"}, "3": {[]string{"B", "C"}, ""}}, []string{"", "2", "3"}, ""},
		"empty": {map[string]listPage{}, []string{""}, "A B C"},
		"a page that is itself": {map[string]listPage{"": {[]string{"A"}, "2"}, "2": {nil, "2"}},
			[]string{"", "2"}, "B C"},
		"pages in a circle": {map[string]listPage{"": {[]string{"A"}, "2"},
			"2": {[]string{"C"}, "3"}, "3": {nil, "2"}}, []string{"", "2", "3"}, "B"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newListing(t, "A", "B", "C")
			l.pages = tt.pages
			l.unheard()
			l.must(l.channel.Sweep(t.Context()))
			if !slices.Equal(l.asked, tt.asked) {
				t.Errorf("the pages %q were asked for", l.asked)
			}
			for serial, id := range l.ids {
				want := strings.Count(tt.read, serial)
				if l.reads[serial] != want {
					t.Errorf("%s was read %d times, want %d", serial, l.reads[serial], want)
				}
				if !l.settled(id) {
					t.Errorf("what %s says does not count", serial)
				}
			}
			if n, err := l.store.CountAndroidEnrollments(t.Context()); err != nil || n != 3 {
				t.Errorf("%d devices are managed, %v", n, err)
			}
		})
	}
}

// A device that is left out of the list and cannot be read keeps nobody else from being looked for.
// While Google fails, nobody is held to have left.
func TestMissingDevicesThatCannotBeRead(t *testing.T) {
	for status, others := range map[int]string{http.StatusForbidden: "A C",
		http.StatusBadRequest: "A C", http.StatusServiceUnavailable: ""} {
		l := newListing(t, "A", "B", "C")
		l.unheard()
		for _, d := range l.devices {
			if d.Serial() == "B" {
				l.fails["B"] = status
			} else {
				d.Reset(simulator.Unnoticed)
			}
		}
		err := l.channel.Sweep(t.Context())
		if (err != nil) != (others == "") {
			t.Errorf("%d: the list ends with %v", status, err)
		}
		for serial := range l.ids {
			for _, d := range l.devices {
				if d.Serial() != serial {
					continue
				}
				e, err := l.store.AndroidEnrollment(t.Context(), d.Name())
				l.must(err)
				if gone := strings.Contains(others, serial); (e.Standing == amapi.Gone) != gone &&
					(others != "" || serial == "B") {
					t.Errorf("%d: %s is %s", status, serial, e.Standing)
				}
			}
		}
	}
}

// When Google says that the project asks too much, the list is left where it is. A list that was
// not read to its end is tried again before the hour is over.
func TestListThatIsBrokenOff(t *testing.T) {
	l := newListing(t, "A")
	l.clock.Advance(2 * time.Hour)
	token := l.token(amapi.FullyManaged, access.EnrollmentTerms{})
	for _, serial := range []string{"B", "C"} { // of which no message came
		d, err := l.service.Enroll(token.Value, serial, simulator.DeviceOptions{})
		l.must(err)
		l.devices = append(l.devices, d)
	}
	l.pages = map[string]listPage{"": {[]string{"B", "C", "A"}, ""}}
	l.fails["B"] = http.StatusTooManyRequests
	if err := l.channel.SweepIfDue(t.Context()); err == nil || l.reads["B"] != 1 || l.reads["C"] > 0 {
		t.Errorf("the list ends with %v; %v were read", err, l.reads)
	}
	clear(l.fails)
	l.clock.Advance(5 * time.Minute)
	l.must(l.channel.SweepIfDue(t.Context()))
	if n, err := l.store.CountAndroidEnrollments(t.Context()); err != nil || n != 3 {
		t.Errorf("%d devices are managed, %v", n, err)
	}
	asked := len(l.asked)
	l.clock.Advance(5 * time.Minute)
	l.must(l.channel.SweepIfDue(t.Context()))
	if len(l.asked) != asked {
		t.Error("a list that was read to its end is read again within the hour")
	}
}
