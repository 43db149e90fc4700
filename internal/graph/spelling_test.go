package graph_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/graph"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// spellings are the ways in which the path of a thing of a collection may be written.
func spellings(collection, id, suffix, typeName string) []string {
	shouted := strings.ToUpper(collection)
	all := []string{collection + "/" + id + suffix, shouted + "/" + id + strings.ToUpper(suffix),
		collection + "/" + id + suffix + "/", shouted + "('" + strings.ToUpper(id) + "')" + suffix}
	if typeName != "" {
		all = append(all, collection+"/"+id+"/graph."+typeName+suffix,
			shouted+"/"+id+"/MICROSOFT.GRAPH."+strings.ToUpper(typeName)+suffix+"/")
	}
	return all
}

// However a path is spelled, the same rights are needed, and the audit record says the same.
func TestSpellingsAreTheSameOperation(t *testing.T) {
	w := newWorld(newSite(t))
	reader := w.bearer(access.ReadOnlyOperator, nil, nil)
	elsewhere := w.bearer(access.Administrator, []string{w.otherGroup}, []string{w.otherTag})
	assignment := object{"assignments": []any{}}
	for _, tt := range []struct {
		method, collection, id, suffix, typeName, activity string
		body                                               any
	}{
		{"POST", configurations, w.payload, "/assign", "iosCustomConfiguration",
			"deviceConfigurations.assign", assignment},
		{"PATCH", configurations, w.payload, "", "iosCustomConfiguration",
			"deviceConfigurations.update", object{"description": "x"}},
		{"POST", devices, w.device, "/syncPayloads", "managedDevice",
			"managedDevices.syncPayloads", object{"deviceActionPayloads": []any{}}},
		{"DELETE", groups, w.crowd, "", "group", "groups.delete", nil},
	} {
		for _, path := range spellings(tt.collection, tt.id, tt.suffix, tt.typeName) {
			for bearer, status := range map[string]int{reader: http.StatusForbidden,
				elsewhere: http.StatusNotFound, "nobody": http.StatusUnauthorized} {
				before := w.lastEntry()
				a := w.call(tt.method, path, tt.body, "Authorization", "Bearer "+bearer)
				if a.status != status {
					t.Errorf("%s %s: got %s, want %d", tt.method, path, a, status)
				}
				e := w.lastEntry()
				if e.Activity != tt.activity && status != http.StatusUnauthorized ||
					e.Sequence == before.Sequence {
					t.Errorf("%s %s: recorded as %q", tt.method, path, e.Activity)
				}
			}
		}
	}
	for i, path := range spellings(configurations, w.payload, "", "iosCustomConfiguration") {
		s := w.must(http.StatusOK, "PATCH", path, object{"description": fmt.Sprint(i)})
		if e := w.lastEntry(); e.Activity != "deviceConfigurations.update" ||
			s.body["description"] != fmt.Sprint(i) {
			t.Errorf("%s: recorded as %q, %s", path, e.Activity, s)
		}
		b := w.must(http.StatusOK, "POST", batchURL, batchOf(request("1", "PATCH",
			strings.Replace(path, "/BETA/", "/beta/", 1), object{"description": "in a batch"})))
		if e := w.lastEntry(); e.Activity != "deviceConfigurations.update" ||
			b.parts()["1"].status != http.StatusOK {
			t.Errorf("%s in a batch: recorded as %q, %s", path, e.Activity, b)
		}
	}
}

// lastEntry is the newest of the audit record.
func (w *world) lastEntry() audit.Entry {
	w.t.Helper()
	list, err := w.store.Entries(w.t.Context(), audit.Query{Limit: 1})
	if err != nil {
		w.t.Fatal(err)
	}
	if len(list) == 0 {
		return audit.Entry{}
	}
	return list[0]
}

// However a path is spelled, a body may have as many bytes.
func TestSpellingsHaveTheSameBounds(t *testing.T) {
	s := newSite(t)
	wifi := s.addProfile("wifi")
	long := strings.Repeat("x", odata.OrdinaryBody)
	for _, path := range []string{groups, "/BETA/GROUPS", groups + "/", "/V1.0/Groups/"} {
		s.must(http.StatusRequestEntityTooLarge, "POST", path, object{"displayName": long})
	}
	for _, path := range spellings(configurations, wifi, "", "iosCustomConfiguration") {
		a := s.call("PATCH", path, object{"description": long})
		if a.status != http.StatusBadRequest || at(a.body, "error", "target") != "description" {
			t.Errorf("%s: got %.300s", path, a)
		}
	}
}

// However paths are spelled, and within a batch, they count as calls.
func TestSpellingsCount(t *testing.T) {
	paths := []string{"/BETA/GROUPS", groups + "/", "/V1.0/Groups/", "/Beta/Groups/$Count/",
		"/beta/groups/graph.group"}
	s := newSite(t, func(c *graph.Config) { c.RateLimit, c.RateBurst = 1, len(paths) })
	for _, path := range paths {
		s.must(http.StatusOK, "GET", path, nil)
	}
	for _, path := range append(paths, "/beta/nothing/", "/BETA/$BATCH/") {
		s.must(http.StatusTooManyRequests, "GET", path, nil)
	}
	s.clock.Advance(3 * time.Second)
	parts := s.must(http.StatusOK, "POST", "/BETA/$Batch/", batchOf(
		request("a", "GET", "/GROUPS/", nil), request("b", "GET", "/V1.0/groups/", nil),
		request("c", "GET", "/groups/", nil))).parts()
	if parts["a"].status != 200 || parts["b"].status != 200 || parts["c"].status != 429 {
		t.Errorf("got %v", parts)
	}
}
