package mdm_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/apple/mdm"
	"github.com/syncpayloads/syncpayloads/internal/engine"
)

// What can be read of a report counts. Only one that says neither what became of its command nor
// that the device is idle is told as an answer that cannot be read.
func TestReportsWithMembersOfTheWrongType(t *testing.T) {
	s := newServer(t)
	d := s.enroll(t, "1", 1)
	for name, c := range map[string]struct {
		report  dict
		verdict action.Verdict
		detail  string
	}{
		"not now, wrong list": {dict{"Status": "NotNow", "ProfileList": "none"}, action.NotNow,
			""},
		"answer, wrong list": {dict{"Status": "Acknowledged", "ProfileList": "none"},
			action.Accepted, ""},
		"error, wrong reason": {dict{"Status": "Error", "RejectionReason": 1}, action.Permanent,
			"the device gave no reason"},
		"answer, all right": {dict{"Status": "Acknowledged", "ProfileList": []dict{}},
			action.Accepted, ""},
		"chain of words": {dict{"Status": "Error", "ErrorChain": "none"}, action.Permanent,
			"none"},
		"chain of words, list": {dict{"Status": "Error", "ErrorChain": "none",
			"ProfileList": "none"}, action.Permanent, "none"},
		"wrong status": {dict{"Status": 1}, action.Retriable,
			"the device's answer cannot be read: it has no status"},
		"no status": {dict{}, action.Retriable,
			"the device's answer cannot be read: it has no status"},
		"no status, wrong list": {dict{"ProfileList": "none"}, action.Retriable,
			"the device's answer cannot be read: it has no status"},
	} {
		c.report["CommandUUID"] = task
		d.want(http.StatusOK, d.report(c.report))
		if got := s.engine.lastReport(t).Outcome; got.Verdict != c.verdict ||
			got.Detail != c.detail {
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
	deep := "<plist>" + strings.Repeat("<array>", 100) + strings.Repeat("</array>", 100) +
		"</plist>"
	for _, body := range []string{"", "garbage", "bplist00",
		"<plist><dict><key>Status</key><string>Acknowledged</string></plist>", "<plist/>", deep} {
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

// A report that is too long to be read counts as an answer that cannot be read, whichever way its
// sender proves who it is. From nobody it is nothing.
func TestReportsThatAreTooLong(t *testing.T) {
	g := newSiege(t, func(c *mdm.Config) { c.CertificateHeader = proxyHeader })
	long, ways := make([]byte, 9<<20), []way{bySignature, byTLS, byHeader}
	for _, w := range ways {
		g.engine.give(&engine.Task{Task: action.Task{ID: "1", Kind: action.TakeInventory,
			Class: action.Profiles}})
		g.victim.want(http.StatusOK, g.victim.as(w).idle())
		g.victim.as(w).want(http.StatusOK, g.victim.as(w).send(long, false))
		r := g.engine.lastReport(t)
		if r.Task != "" || r.Outcome.Verdict != action.Retriable ||
			!strings.Contains(r.Outcome.Detail, "longer than 8388608 bytes") {
			t.Errorf("way %d: the engine is told %+v", w, r)
		}
	}
	told := len(g.engine.told)
	forger := *g.victim // has the device's certificate, which is no secret, and another key
	forger.key = shared.keys[0]()
	g.victim.want(http.StatusBadRequest, forger.as(bySignature).send(long, false))
	stranger := *g.victim
	stranger.key = shared.keys[0]()
	stranger.cert = selfSigned(t, shared.keys[0]())
	for _, w := range ways {
		if a := stranger.as(w).send(long, false); a.status != http.StatusBadRequest &&
			a.status != http.StatusRequestEntityTooLarge {
			t.Errorf("way %d: a stranger is answered %d", w, a.status)
		}
	}
	if len(g.engine.told) != told {
		t.Error("the engine is told of a stranger's report")
	}
}
