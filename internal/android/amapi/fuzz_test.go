package amapi_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/androidmanagement/v1"
	"google.golang.org/api/pubsub/v1"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/cost"
)

// Whatever a report has in it or lacks, it is taken or ignored, in bounded time and memory, and what
// it does not prove does not count.
func FuzzReport(f *testing.F) {
	at := time.Date(2026, 3, 1, 13, 0, 0, 0, time.UTC).Format(time.RFC3339)
	for _, seed := range []string{
		`{}`, `{"hardwareInfo":null,"applicationReports":[null,{}],"nonComplianceDetails":[null]}`,
		`{"nonComplianceDetails":[{"settingName":"applications","fieldPath":"applications[9].x"}]}`,
		`{"nonComplianceDetails":[{"settingName":"passwordPolicies","specificNonComplianceContext":{
			"passwordPoliciesContext":{}}},{"specificNonComplianceContext":{"oncWifiContext":{}}}]}`,
		`{"appliedState":"LOST"}`, `{"appliedState":"?"}`, `{"lastStatusReportTime":"never"}`,
		`{"appliedPolicyVersion":"9223372036854775807"}`, `{"previousDeviceNames":["","x"]}`,
		`{"applicationReports":[{"packageName":"com.example.a","state":"REMOVED","keyedAppStates":[
			null,{"severity":"ERROR"}]}],"state":"DELETED"}`,
		`{"nonComplianceDetails":[{"nonComplianceReason":"APP_INSTALLED","packageName":"com.example.a",
			"currentValue":{"a":[1,null]}}]}`, `[]`, `{"name":{}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 64<<10 {
			return
		}
		r := new(androidmanagement.Device)
		if json.Unmarshal(text, r) != nil {
			return
		}
		defer cost.Input(t)()
		if r.LastStatusReportTime == "" {
			r.LastStatusReportTime = at
		}
		amapi.Judge(r)
	})
}

// Whatever a message is, it is read or ignored.
func FuzzMessage(f *testing.F) {
	f.Add("ENROLLMENT", base64.StdEncoding.EncodeToString([]byte(`{"name":"enterprises/a/devices/b"}`)))
	f.Add("STATUS_REPORT", "%%%")
	f.Add("COMMAND", "e30=")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, kind, data string) {
		defer cost.Input(t)()
		r := amapi.ReadMessage(&pubsub.PubsubMessage{Data: data,
			Attributes: map[string]string{"notificationType": kind}})
		if r != nil && kind != "ENROLLMENT" && kind != "STATUS_REPORT" {
			t.Errorf("a message of kind %q tells of a device", kind)
		}
	})
}

// Messages of other kinds, those that cannot be read, and those of devices that are nobody's are
// acknowledged: they would come for ever.
func TestMessagesThatSayNothing(t *testing.T) {
	w := newWorld(t)
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	setup, err := w.store.AndroidSetup(t.Context())
	w.must(err)
	w.garbage = true
	for kind, data := range map[string]string{"COMMAND": "{}", "USAGE_LOGS": "{}", "test": "",
		"ENTERPRISE_UPGRADE": "{}", "OF_TOMORROW": "{}", "STATUS_REPORT": "no JSON",
		"ENROLLMENT": `{"name":7}`} {
		w.service.Publish(setup.Enterprise, kind, []byte(data))
	}
	w.service.Publish(setup.Enterprise, "STATUS_REPORT",
		[]byte(`{"name":"`+d.Name()+`","lastStatusReportTime":"`+strings.Repeat("9", 99)+`"}`))
	w.pull()
	w.clock.Advance(time.Hour)
	if n := w.service.Waiting(setup.Subscription); n > 0 {
		t.Errorf("%d messages come again", n)
	}
}

// A message whose change is not durable is not acknowledged, and comes again.
func TestMessagesAreAcknowledgedAfterwards(t *testing.T) {
	w := newWorld(t)
	p := w.wifi("Office")
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	w.quiet[d] = true
	w.call(id, p)
	w.served()
	broken := true
	w.wrap = func(s amapi.Store) amapi.Store { return failing{s, &broken} }
	w.node = w.newNode()
	w.clock.Advance(time.Second)
	w.must(d.Sync())
	setup, err := w.store.AndroidSetup(t.Context())
	w.must(err)
	if _, err := w.channel.Pull(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := w.service.Waiting(setup.Subscription); n != 1 {
		t.Fatalf("%d messages wait after one that could not be taken", n)
	}
	broken = false
	w.clock.Advance(2 * time.Minute)
	w.pull()
	if n := w.service.Waiting(setup.Subscription); n != 0 || w.latest(id).State != action.Done {
		t.Errorf("%d messages wait; the action is in state %d", n, w.latest(id).State)
	}
}
