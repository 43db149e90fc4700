package mdm_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// What can be read of a report counts. Only one that says neither what became of its command nor that the device is idle is
// told as an answer that cannot be read.
func TestReportsWithMembersOfTheWrongType(t *testing.T) {
	s := newServer(t)
	d := s.enroll(t, "1", 1)
	for name, c := range map[string]struct {
		report  dict
		verdict action.Verdict
		detail  string
	}{
		"not now, wrong list":   {dict{"Status": "NotNow", "ProfileList": "none"}, action.NotNow, ""},
		"answer, wrong list":    {dict{"Status": "Acknowledged", "ProfileList": "none"}, action.Accepted, ""},
		"error, wrong reason":   {dict{"Status": "Error", "RejectionReason": 1}, action.Permanent, "the device gave no reason"},
		"answer, all right":     {dict{"Status": "Acknowledged", "ProfileList": []dict{}}, action.Accepted, ""},
		"chain of words":        {dict{"Status": "Error", "ErrorChain": "none"}, action.Permanent, "none"},
		"chain of words, list":  {dict{"Status": "Error", "ErrorChain": "none", "ProfileList": "none"}, action.Permanent, "none"},
		"wrong status":          {dict{"Status": 1}, action.Retriable, "the device's answer cannot be read: it has no status"},
		"no status":             {dict{}, action.Retriable, "the device's answer cannot be read: it has no status"},
		"no status, wrong list": {dict{"ProfileList": "none"}, action.Retriable, "the device's answer cannot be read: it has no status"},
	} {
		c.report["CommandUUID"] = task
		d.want(http.StatusOK, d.report(c.report))
		if got := s.engine.lastReport(t).Outcome; got.Verdict != c.verdict || got.Detail != c.detail {
			t.Errorf("%s: the engine was told %+v", name, got)
		}
	}
	_, _, before := s.engine.counts()
	d.want(http.StatusOK, d.report(dict{"Status": "Idle", "ProfileList": "none"}))
	if r := s.engine.lastReport(t); r.Outcome.Verdict == action.Accepted && r.Task == "" {
		t.Errorf("an idle device was taken for one that answers: %+v", r)
	}
	if _, _, after := s.engine.counts(); after != before+1 {
		t.Errorf("the engine was told %d times that the device is idle", after-before)
	}
}

// What is no message is refused as such, whoever sends it.
func TestWhatIsNoMessage(t *testing.T) {
	s := newServer(t)
	d := s.enroll(t, "1", 1)
	_, _, before := s.engine.counts()
	deep := "<plist>" + strings.Repeat("<array>", 100) + strings.Repeat("</array>", 100) + "</plist>"
	for _, body := range []string{"", "garbage", "bplist00", "<plist><dict><key>Status</key><string>Acknowledged</string></plist>", "<plist/>", deep} {
		for _, w := range []way{bySignature, byTLS, byNothing} {
			for _, checkin := range []bool{false, true} {
				if a := d.as(w).send([]byte(body), checkin); a.status != http.StatusBadRequest {
					t.Errorf("%.20q, check-in %t, way %d: status %d", body, checkin, w, a.status)
				}
			}
		}
	}
	if _, _, after := s.engine.counts(); after != before {
		t.Error("the engine was told of it")
	}
}
