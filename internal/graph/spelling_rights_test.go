package graph_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/graph"
)

// TestEverySpellingNeedsTheSameRights calls every operation in each spelling of its path, and
// within a batch: without a right that it needs, and by somebody whose area has nothing of what it
// is about. Each gets what the ordinary spelling gets.
func TestEverySpellingNeedsTheSameRights(t *testing.T) {
	w := newWorld(newSite(t))
	powerless := w.bearerOf([]access.Right{access.EnrollDevices})
	elsewhere := w.bearer(access.Administrator, []string{w.otherGroup}, []string{w.otherTag})
	walked := 0
	for _, op := range graph.Operations() {
		if !strings.HasPrefix(op.Pattern, "/beta/") && !strings.HasPrefix(op.Pattern, "/v1.0/") {
			continue
		}
		var body any
		if s := specimens[op.Name]; s.body != nil && !op.Reads {
			body = s.body(w)
		}
		path := w.pathOf(op)
		for who, bearer := range map[string]string{"powerless": powerless,
			"elsewhere": elsewhere} {
			if who == "elsewhere" && !op.Reads {
				continue // it may make things, each time others
			}
			ordinary := w.callAs(bearer, op.Method, path, body)
			if who == "powerless" && len(op.Needs) > 0 && ordinary.status != http.StatusForbidden {
				t.Errorf("%s %s by who may not: %s", op.Method, path, ordinary)
			}
			for _, other := range spelledAs(op, path) {
				walked++
				a := w.callAs(bearer, op.Method, other, body)
				if a.status != ordinary.status || shownIn(t, a) != shownIn(t, ordinary) {
					t.Errorf("%s %s by who is %s: got %.300s, and for %s %.300s", op.Method, other,
						who, a, path, ordinary)
				}
			}
			if strings.HasSuffix(op.Pattern, "$batch") {
				continue // there are none within each other
			}
			version := path[:strings.Index(path[1:], "/")+1]
			part := w.callAs(bearer, "POST", version+"/$batch", batchOf(request("1", op.Method,
				inOtherLetters(op.Pattern, path)[len(version):]+"/", body))).parts()["1"]
			if part.status != ordinary.status {
				t.Errorf("%s %s in a batch by who is %s: got %d, and %d otherwise", op.Method, path,
					who, part.status, ordinary.status)
			}
		}
	}
	if walked < 500 {
		t.Errorf("%d spellings are not all", walked)
	}
}

// spelledAs are other spellings of the path of an operation.
func spelledAs(op graph.Operation, path string) []string {
	shouted := inOtherLetters(op.Pattern, path)
	all := []string{shouted, path + "/", shouted + "/"}
	if strings.Contains(op.Pattern, "/{id}") {
		id := idIn(op.Pattern, path)
		all = append(all, strings.Replace(path, "/"+id, "('"+id+"')", 1),
			strings.Replace(shouted, "/"+id, "('"+id+"')", 1)+"/")
	}
	return all
}

// shownIn is what an answer lists.
func shownIn(t *testing.T, a answer) string { return asText(t, a.body["value"]) }
