package store_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/android"
	"github.com/syncpayloads/syncpayloads/internal/apple"
	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/cost"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/graph"
	"github.com/syncpayloads/syncpayloads/internal/query"
	"github.com/syncpayloads/syncpayloads/internal/store"
)

// caught stands behind the HTTP surface and keeps the queries that it is asked.
type caught struct {
	things  string
	queries []query.Query
}

func catch[T any](c *caught, things string, q query.Query) (query.Page[T], error) {
	c.things, c.queries = things, append(c.queries, q)
	return query.Page[T]{}, nil
}

type deviceReader = graph.Devices

type caughtDevices struct {
	deviceReader
	*caught
}

func (c caughtDevices) Devices(_ context.Context, q query.Query) (query.Page[fleet.Device], error) {
	return catch[fleet.Device](c.caught, "devices", q)
}

type caughtCatalog struct {
	graph.Catalog
	*caught
}

func (c caughtCatalog) List(_ context.Context,
	q query.Query) (query.Page[*catalog.Payload], error) {
	return catch[*catalog.Payload](c.caught, "payloads", q)
}

func (c caughtCatalog) ListGroups(_ context.Context,
	q query.Query) (query.Page[*catalog.DeviceGroup], error) {
	return catch[*catalog.DeviceGroup](c.caught, "groups", q)
}

type caughtRoles struct {
	graph.Roles
	*caught
}

func (c caughtRoles) ListRoles(_ context.Context, q query.Query) (query.Page[*access.Role], error) {
	return catch[*access.Role](c.caught, "roles", q)
}

func (c caughtRoles) ListAssignments(_ context.Context, _ string,
	q query.Query) (query.Page[*access.RoleAssignment], error) {
	return catch[*access.RoleAssignment](c.caught, "assignments", q)
}

func (c caughtRoles) ListTags(_ context.Context,
	q query.Query) (query.Page[*access.ScopeTag], error) {
	return catch[*access.ScopeTag](c.caught, "scopeTags", q)
}

type caughtAudit struct {
	graph.Audit
	*caught
}

func (c caughtAudit) Record(context.Context, audit.Entry) error { return nil }

func (c caughtAudit) RemoteActions(_ context.Context,
	q query.Query) (query.Page[audit.RemoteAction], error) {
	return catch[audit.RemoteAction](c.caught, "remoteActions", q)
}

// anybody lets each caller read everything in one area.
type anybody struct{}

func (anybody) Authenticate(context.Context, string) (*access.Principal, error) {
	return &access.Principal{Identity: access.Identity{ID: "token:test", Name: "test"},
		Grants: []access.Grant{{Role: "Test", Rights: access.Rights(),
			Area: fleet.Area{Groups: []string{"g", "h"}, Tags: []string{"1", "2"}}}}}, nil
}

// lists are the paths of the lists that become SQL, by the things they show.
var lists = map[string]string{
	"/beta/deviceManagement/managedDevices":             "devices",
	"/beta/deviceManagement/deviceConfigurations":       "payloads",
	"/beta/deviceManagement/configurationPolicies":      "payloads",
	"/beta/deviceAppManagement/mobileApps":              "payloads",
	"/beta/deviceAppManagement/mobileAppConfigurations": "payloads",
	"/beta/groups":                              "groups",
	"/beta/deviceManagement/roleDefinitions":    "roles",
	"/beta/deviceManagement/roleAssignments":    "assignments",
	"/beta/deviceManagement/roleScopeTags":      "scopeTags",
	"/beta/deviceManagement/remoteActionAudits": "remoteActions",
}

var lexeme = regexp.MustCompile(`'[^']*'|"[^"]*"|[A-Za-z_][A-Za-z0-9_.]*|[0-9]+|\|\||->>|<>|<=|>=|[^\sA-Za-z0-9_']`)

// vocabulary is all that a statement is made of: SQL's words and marks, the fixed literals, what
// the tables say of themselves, and what the conditions of devices name.
var vocabulary = append(strings.Fields(`
	SELECT FROM AS JOIN ON WHERE AND OR NOT IN IS NULL EXISTS LIKE ESCAPE MATCH ORDER BY ASC DESC LIMIT OFFSET COLLATE UNION ALL TRUE FALSE
	count lower coalesce instr rowid
	'' ',' '\' "und-x-icu"
	( ) , * = <> < <= > >= || ->> ? 0 1

	device_keys device_search key actions catalog_members group_id device_id
	a a.state a.name a.device_id a.number later later.device_id later.name later.number`),
	append(lexeme.FindAllString(strings.Join(store.Vocabulary(), " "), -1),
		comparedProperties()...)...)

// comparedProperties are the properties of payloads that $filter takes, as texts of SQL.
func comparedProperties() (literals []string) {
	add := func(list []catalog.Property) {
		for _, p := range list {
			if p.Filter {
				literals = append(literals, "'"+p.Name+"'")
			}
		}
	}
	for _, form := range catalog.MustForms(payload.Forms()).All() {
		add(form.Properties)
		add(form.Collection.Properties)
	}
	return literals
}

// surface is the HTTP surface before what catches its queries.
type surface struct {
	http.Handler
	*caught
}

func newSurface() surface {
	c := &caught{}
	return surface{graph.New(graph.Config{Devices: caughtDevices{caught: c},
		Catalog: caughtCatalog{caught: c}, Roles: caughtRoles{caught: c},
		Audit: caughtAudit{caught: c}, Authenticator: anybody{},
		Forms: catalog.MustForms(payload.Forms()),
		Kinds: slices.Concat(apple.Platform{}.Describe().Kinds,
			android.Platform{}.Describe().Kinds)}), c}
}

// ask asks for a list, and checks the statements that it becomes. It returns the status and body of
// the answer.
func (s surface) ask(t *testing.T, path string, options url.Values) (int, string) {
	t.Helper()
	s.queries = nil
	answer := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, path+"?"+options.Encode(), nil)
	r.Header.Set("Authorization", "Bearer anybody")
	s.ServeHTTP(answer, r)
	if answer.Code != http.StatusOK && answer.Code != http.StatusBadRequest {
		t.Fatalf("%s?%s: got %d %s", path, options.Encode(), answer.Code, answer.Body)
	}
	if answer.Code == http.StatusOK && (len(s.queries) != 1 || s.things != lists[path]) {
		t.Fatalf("%s?%s became %d queries on %s", path, options.Encode(), len(s.queries), s.things)
	}
	for _, q := range s.queries {
		for _, engine := range []string{"sqlite", "postgres"} {
			texts, args, err := store.SQL(engine, lists[path], q)
			if errors.Is(err, query.ErrPosition) {
				continue
			}
			if err != nil {
				t.Fatalf("%s?%s: %v", path, options.Encode(), err)
			}
			for i, text := range texts {
				checkVocabulary(t, text, len(args[i]))
			}
		}
	}
	return answer.Code, answer.Body.String()
}

// Every property that a list takes, with every operator and kind of value.
func TestSQLOfEveryProperty(t *testing.T) {
	s := newSurface()
	// members of enumerations
	conditions := []string{"# eq 'managed'", "# eq 'unknown'", "# eq 'failed'",
		"# eq 'resourceScope'", "# eq 'none'", "# eq 'disabled'",
		"# eq 'published'", "# eq 'business'"}
	for _, condition := range []string{"# eq %", "# lt %", "# in (%,%)", "contains(#,%)",
		"#/any(x:x in (%,%))", "not(# ne %)"} {
		for _, value := range []string{"'x'' OR 1=1 --'", "''", "null", "7", "true",
			"2025-01-01T00:00:00Z"} {
			conditions = append(conditions, strings.ReplaceAll(condition, "%", value))
		}
	}
	for path := range lists {
		_, refusal := s.ask(t, path, url.Values{"$filter": {"colour eq 'x'"}})
		_, names, ok := strings.Cut(refusal, "it takes ")
		if !ok {
			t.Fatalf("%s: %s", path, refusal)
		}
		names, _, _ = strings.Cut(names, ".\"")
		for name := range strings.SplitSeq(names, ", ") {
			taken := 0
			for _, condition := range conditions {
				if status, _ := s.ask(t, path,
					url.Values{"$filter": {strings.ReplaceAll(condition, "#",
						name)}}); status == http.StatusOK {
					taken++
				}
			}
			if taken == 0 && name != "deviceActionResults" {
				t.Errorf("%s takes no condition on %s", path, name)
			}
		}
	}
}

// FuzzSQL proves that no text of a caller gets into a statement: whatever the options are, the
// statements are made of the package's own vocabulary, and every ? has its parameter.
func FuzzSQL(f *testing.F) {
	const position = "eyJQb3NpdGlvbiI6eyJLZXlzIjpbIngnIE9SIDE9MSAtLSJdfX0" // x' OR 1=1 --
	for _, seed := range [][4]string{
		{"deviceName eq 'x'' OR 1=1 --'", `"a' OR 1=1 --"`, "deviceName desc,lastSyncDateTime", ""},
		{"contains(displayName,'%_\\') or not(description eq null)",
			"displayName:'; DROP TABLE devices", "displayName,id desc", ""},
		{"id in ('a','b',null) and contains(id,'x''')", "ab", "id desc", ""},
		{"", "", "", position}, {"id ne 'x'", "abc", "", position},
		{"deviceActionResults/any(a:a/actionState eq 'failed')", "",
			"osVersion,model,serialNumber desc", ""},
		{"roleScopeTagIds/any(t:t eq ''' OR 1=1' or t in ('a','b'))", "", "", ""},
		{"isof('microsoft.graph.iosVppApp') and publisher ne 'x' and bundleId eq ''", "",
			"lastModifiedDateTime desc", ""},
		{"lastSyncDateTime ne null and enrolledDateTime lt 2025-01-01T00:00:00Z and isSupervised eq true", "", "", ""},
		{"actionState in ('failed','done') and userName eq 'x' and requestDateTime gt 2025-01-01",
			"", "requestDateTime", ""},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	s := newSurface()
	f.Fuzz(func(t *testing.T, filter, search, orderBy, skipToken string) {
		defer cost.Input(t)()
		options := url.Values{}
		for name, value := range map[string]string{"$filter": filter, "$search": search,
			"$orderby": orderBy, "$skiptoken": skipToken} {
			if value != "" {
				options.Set(name, value)
			}
		}
		for path := range lists {
			s.ask(t, path, options)
		}
	})
}

func checkVocabulary(t *testing.T, text string, args int) {
	t.Helper()
	for _, word := range lexeme.FindAllString(text, -1) {
		if !slices.Contains(vocabulary, word) {
			t.Fatalf("%q is not of the vocabulary in %s", word, text)
		}
	}
	if rest := strings.TrimSpace(lexeme.ReplaceAllString(text, "")); rest != "" {
		t.Fatalf("%q is left over of %s", rest, text)
	}
	if marks := strings.Count(text, "?"); marks != args {
		t.Fatalf("%d marks and %d parameters in %s", marks, args, text)
	}
}
