package graph_test

import (
	"net/http"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/graph"
)

// Whatever the record says that an operation was about has a word that people know.
func TestObjectsOfTheRecordHaveNouns(t *testing.T) {
	nouns := graph.Nouns(catalog.MustForms(payload.Forms()))
	for key, noun := range nouns {
		if key == "" || noun == "" {
			t.Errorf("%q is called %q", key, noun)
		}
	}
	w := newWorld(newSite(t))
	for _, op := range graph.Operations() {
		if op.Reads {
			continue
		}
		var body any
		if of := specimens[op.Name].body; of != nil {
			body = of(w)
		}
		w.call(op.Method, w.pathOf(op), body)
	}
	seen := map[string]bool{}
	for next := auditEvents; next != ""; {
		page := w.must(http.StatusOK, "GET", next, nil).body
		for _, event := range page["value"].([]any) {
			for _, about := range event.(object)["resources"].([]any) {
				seen[about.(object)["auditResourceType"].(string)] = true
			}
		}
		next, _ = page["@odata.nextLink"].(string)
	}
	for kind := range seen {
		if nouns[kind] == "" {
			t.Errorf("the record has objects of type %s, which have no noun", kind)
		}
	}
	if len(seen) < 11 {
		t.Errorf("the record has objects of the types %v only", seen)
	}
}
