package graph

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// A page of policies ends before the one with whose settings, or their definitions, it would be too
// long, unless that is its first. Without them it does not.
func TestPagesOfSettingsAreBounded(t *testing.T) {
	long := func(settings, text int) *catalog.Payload {
		one := `{"settingInstance":{}}`
		list := strings.TrimSuffix(strings.Repeat(one+",", settings), ",")
		return &catalog.Payload{Properties: json.RawMessage(
			`{"settings":[` + list + `],"x":"` + strings.Repeat("x", text) + `"}`)}
	}
	settings, defined := []string{expandSettings},
		[]string{expandSettings, expandSettingDefinitions}
	for _, tt := range []struct {
		name     string
		expanded []string
		list     []*catalog.Payload
		want     int
	}{
		{"short", defined, []*catalog.Payload{long(1, 0), long(2, 0), long(3, 0)}, 3},
		{"long texts", settings, []*catalog.Payload{long(1, 1<<20), long(1, 1<<19),
			long(1, 1<<20)}, 2},
		{"one too long", settings, []*catalog.Payload{long(1, 3<<20), long(1, 1)}, 1},
		{"definitions", defined, []*catalog.Payload{long(600, 0), long(300, 0), long(200, 0)}, 2},
		{"no definitions", settings, []*catalog.Payload{long(600, 0), long(300, 0),
			long(200, 0)}, 3},
		{"no settings", nil, []*catalog.Payload{long(1, 3<<20), long(1, 3<<20)}, 2},
	} {
		read := func(_ context.Context, q query.Query) (p query.Page[*catalog.Payload], _ error) {
			p.Items, p.Count = tt.list, len(tt.list)
			if q.Limit < len(tt.list) {
				p.Items, p.Next = tt.list[:q.Limit], &query.Position{Keys: []any{q.Limit}}
			}
			return p, nil
		}
		page, err := policyView{expanded: tt.expanded}.source(read)(t.Context(),
			query.Query{Limit: 100})
		if err != nil || len(page.Items) != tt.want || page.Count != len(tt.list) ||
			(page.Next == nil) != (tt.want == len(tt.list)) ||
			page.Next != nil && page.Next.Keys[0] != tt.want {
			t.Errorf("%s: %d policies, %d in all, then %v, %v", tt.name, len(page.Items),
				page.Count, page.Next, err)
		}
	}
}
