package graph

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/cost"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

var refusedAuditFilters = []string{
	"", " ", "activityResult", "activityResult eq", "activityResult eq 'a' and", "and",
	"activityResult eq 'a' activityType eq 'b'",
	"activityResult eq 'a' or activityType eq 'b'", "not activityResult eq 'a'",
	"(activityResult eq 'a')", "activityResult ne 'a'",
	"activityResult gt 'a'", "activityResult eq ''", "activityResult eq null",
	"activityResult eq 7", "activityResult eq 'a",
	"activityResult eq 'a' and activityResult eq 'b'",
	"'a' eq activityResult", "colour eq 'a'",
	"activityDateTime eq 2025-02-13", "activityDateTime ge '2025-02-13'",
	"activityDateTime ge 2025-13-01", "activityDateTime ge true",
	"activityDateTime ge 2025-02-13 and activityDateTime gt 2025-02-14",
	"contains(activityType,'a')", "activityType in ('a')",
	"actor/userPrincipalName eq 'a'", "resources/any(r:r/id eq 'a')",
	"category eq 'Role' and category eq 'Other'", "category ne 'Role'", "category eq ''",
	"displayName eq 'a' and activityType eq 'a'", "componentName gt 'a'", "category eq null",
	"activityResult eq 'a'; drop table x", "activityType eq activityType",
}

// testCategories are two words of categories, by the components that belong to them.
var testCategories = map[string]string{"roleDefinitions": categoryRole, "tokens": categoryOther}

func TestParseAuditFilterRefuses(t *testing.T) {
	for _, text := range append(refusedAuditFilters,
		"activityType eq '"+strings.Repeat("x", 4096)+"'") {
		q, err := parseAuditFilter(text, testCategories)
		var f *odata.Fault
		if !errors.As(err, &f) || f.Status != http.StatusBadRequest ||
			f.Target != odata.OptionFilter {
			t.Errorf("%.80q: got %+v, %v", text, q, err)
		}
	}
}

// FuzzAuditFilter holds that no filter panics, that none is ignored, and that every refusal is a
// 400.
func FuzzAuditFilter(f *testing.F) {
	for _, text := range append(refusedAuditFilters,
		"activityResult eq 'a''b' and activityDateTime lt 2025-02-13T10:17:05.000002Z",
		"activityDateTime ge 0001-01-01T00:00:00Z",
		"category eq 'other' and componentName eq 'tokens'", "category eq 'x'",
		"Actor/UserID EQ 'token:1' AND activityOperationType eq 'Patch'") {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		defer cost.Input(t)()
		q, err := parseAuditFilter(text, testCategories)
		var bad *odata.Fault
		switch {
		case err == nil && q == audit.Query{}:
			t.Fatalf("%q is ignored", text)
		case err != nil && (!errors.As(err, &bad) || bad.Status != http.StatusBadRequest):
			t.Fatalf("%q: %v", text, err)
		}
	})
}
