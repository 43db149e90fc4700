package apple_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// What is wrong with a report is found where it matters: its own members are needed always, those of an answer only to an
// answer that is looked into.
func TestReportsWithMembersOfTheWrongType(t *testing.T) {
	s := newServer(t)
	d := s.enroll(t, "1", 1)
	for name, c := range map[string]struct {
		report  dict
		status  int
		verdict action.Verdict // if the engine is told
		idle    bool
	}{
		"idle, wrong list":      {dict{"Status": "Idle", "ProfileList": "none"}, http.StatusOK, 0, true},
		"not now, wrong list":   {dict{"Status": "NotNow", "ProfileList": "none"}, http.StatusOK, action.NotNow, false},
		"answer, wrong list":    {dict{"Status": "Acknowledged", "ProfileList": "none"}, http.StatusOK, action.Retriable, false},
		"error, wrong reason":   {dict{"Status": "Error", "RejectionReason": 1}, http.StatusOK, action.Retriable, false},
		"answer, all right":     {dict{"Status": "Acknowledged", "ProfileList": []dict{}}, http.StatusOK, action.Accepted, false},
		"wrong chain":           {dict{"Status": "Error", "ErrorChain": "none"}, http.StatusBadRequest, 0, false},
		"wrong chain and list":  {dict{"Status": "Error", "ErrorChain": "none", "ProfileList": "none"}, http.StatusBadRequest, 0, false},
		"wrong status":          {dict{"Status": 1}, http.StatusBadRequest, 0, false},
		"no status":             {dict{}, http.StatusBadRequest, 0, false},
		"no status, wrong list": {dict{"ProfileList": "none"}, http.StatusBadRequest, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, before := s.engine.counts()
			c.report["CommandUUID"] = task
			d.want(c.status, d.report(c.report))
			_, _, after := s.engine.counts()
			if told := c.status == http.StatusOK; told != (after == before+1) {
				t.Fatalf("the engine was told %d times", after-before)
			}
			if c.status != http.StatusOK || c.idle {
				return
			}
			got := s.engine.lastReport(t).Outcome
			if got.Verdict != c.verdict || (got.Verdict == action.Retriable) != strings.Contains(got.Detail, "cannot be read") {
				t.Errorf("the engine was told %+v", got)
			}
		})
	}
}

// What is no message is refused as such, whoever sends it.
func TestWhatIsNoMessage(t *testing.T) {
	s := newServer(t)
	d := s.enroll(t, "1", 1)
	_, _, before := s.engine.counts()
	deep := "<plist>" + strings.Repeat("<array>", 100) + strings.Repeat("</array>", 100) + "</plist>"
	for _, body := range []string{"", "garbage", "bplist00", "<plist><dict><key>Status</key><string>Idle</string></plist>", "<plist/>", deep} {
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
