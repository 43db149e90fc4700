package graph_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// A body may name what is to be restored, as the example of Graph's reference does, and give back a
// result as it was read. What it wants restored is what is not to be off the device.
func TestRestoreAsIntent(t *testing.T) {
	for _, n := range []struct{ action, collection, id, kind, intent string }{
		{"syncPayloads", "deviceActionPayloads", "payloadId", "payloadType", "intent"},
		{"changeAssignments", "deviceAssignmentItems", "itemId", "itemType",
			"assignmentItemActionIntent"},
	} {
		s := newSite(t)
		wifi, vpn := s.addProfile("wifi"), s.addProfile("vpn")
		p := s.enrollPhone()
		p.connect()
		item := func(id, intent string) object {
			return object{n.id: id, n.kind: "deviceConfiguration", n.intent: intent}
		}
		start := func(status int, items ...object) answer {
			t.Helper()
			return s.must(status, "POST", p.path()+"/"+n.action, object{n.collection: items})
		}
		start(http.StatusNoContent, item(wifi, "remove"), item(vpn, "remove"))
		p.connect()
		body := object{n.collection: []object{item(wifi, "restore"), item(vpn, "remove")}}
		foreseen := s.must(http.StatusOK, "POST", p.path()+"/"+n.action+"/preview", body).body
		if at(foreseen, "restore", 0, n.id) != wifi || at(foreseen, "restore", 1) != nil ||
			at(foreseen, "unchanged", 0, n.id) != vpn {
			t.Errorf("%s: foreseen is %v", n.action, foreseen)
		}
		start(http.StatusNoContent, item(wifi, "restore"), item(vpn, "remove"))
		p.connect()
		result := p.result(n.action)
		if n.action == "syncPayloads" {
			checkResult(t, result, "done", map[string]string{wifi: "restore succeeded",
				vpn: "remove removed"})
		}
		// The result as it was read says the same again.
		s.must(http.StatusNoContent, "POST", p.path()+"/"+n.action,
			object{n.collection: result[n.collection]})
		p.connect()
		if seen := p.result(n.action); at(seen, n.collection, 1) != nil ||
			at(seen, n.collection, 0, n.id) != vpn {
			t.Errorf("%s: the same set again is %v", n.action, seen)
		}
		// Who is not assigned need not be restored; who is named twice is a mistake, and the place
		// of one is that in the body.
		start(http.StatusNoContent, item(uuid.NewString(), "restore"), item(vpn, "remove"))
		if a := start(http.StatusBadRequest, item(wifi, "restore"),
			item(uuid.NewString(), "remove")); !strings.Contains(a.message(),
			n.collection+"[1]."+n.id) {
			t.Errorf("%s: got %s", n.action, a)
		}
		start(http.StatusBadRequest, item(vpn, "restore"), item(vpn, "remove"))
		start(http.StatusNoContent, item(wifi, "restore"), item(vpn, "restore"))
		p.connect()
		if state := p.result(n.action)["actionState"]; state != "done" {
			t.Errorf("%s: restoring all is %v", n.action, state)
		}
	}
}
