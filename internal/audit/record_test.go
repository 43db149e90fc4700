package audit_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/query"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

var noon = time.Date(2025, 2, 13, 12, 0, 0, 123456789, time.UTC)

// use opens a database for the time of fn.
func use(t testing.TB, path string, fn func(*store.Store)) {
	t.Helper()
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	fn(s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func newCatalog(s *store.Store) *catalog.Catalog {
	return catalog.New(s, nil, func() time.Time { return noon }, uuid.NewString)
}

func newDraft(activity string) *audit.Draft {
	return &audit.Draft{Entry: audit.Entry{ID: uuid.NewString(), At: noon, Activity: activity,
		Kind: audit.Create, Result: audit.Success,
		Status: 201, Request: "request-1", Actor: audit.Actor{ID: "token:1", Name: "help desk",
			Address: "192.0.2.1",
			Roles:   []string{"Help Desk Operator", "Auditor"}}}}
}

func createGroup(ctx context.Context, c *catalog.Catalog, name string) (*audit.Draft, error) {
	d := newDraft("groups.create")
	_, err := c.CreateGroup(audit.With(ctx, d), catalog.GroupInput{DisplayName: name})
	return d, err
}

// newRecord makes a database whose record has n entries, and closes it.
func newRecord(t testing.TB, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "audit.db")
	use(t, path, func(s *store.Store) {
		c := newCatalog(s)
		for i := range n {
			var err error
			if i%3 != 2 {
				_, err = createGroup(t.Context(), c, fmt.Sprintf("group <%d> & \u2028", i))
			} else {
				err = s.AppendEntry(t.Context(),
					audit.Entry{ID: uuid.NewString(), At: noon.Add(time.Duration(i) * time.Second),
						Activity: "groups.get", Kind: audit.Read, Result: audit.Refused,
						Status: 403,
						Reason: "no role allows it", Skipped: i})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	})
	return path
}

// verify checks a database's record.
func verify(t testing.TB, path string, expect audit.Head) (audit.Head, error) {
	t.Helper()
	v := audit.Verifier{Expect: expect}
	noted, err := store.WalkAudit(t.Context(), path, 0, v.Add)
	if err != nil {
		return audit.Head{}, err
	}
	return v.End(&noted)
}

func mustVerify(t testing.TB, path string) audit.Head {
	t.Helper()
	head, err := verify(t, path, audit.Head{})
	if err != nil {
		t.Fatal(err)
	}
	return head
}

// entries are all entries of a database.
func entries(t testing.TB, path string) (list []audit.Entry) {
	t.Helper()
	_, err := store.WalkAudit(t.Context(), path, 0, func(e *audit.Entry) error {
		list = append(list, *e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// tamperWith does to a copy of the database what whoever holds the file can do, and returns the
// copy.
func tamperWith(t testing.TB, path string, statements ...string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(copied, content, 0o600); err != nil {
		t.Fatal(err)
	}
	execute(t, copied, append([]string{"DROP TRIGGER audit_entries_stay",
		"DROP TRIGGER audit_entries_last", "DROP TRIGGER audit_head_stays"},
		statements...)...)
	return copied
}

func execute(t testing.TB, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range statements {
		if _, err := db.Exec(text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestEntryIsWrittenWithItsOperation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.db")
	s := storetest.OpenAt(t, path)
	d, err := createGroup(t.Context(), newCatalog(s), "staff")
	if err != nil {
		t.Fatal(err)
	}
	if audit.Of(audit.With(t.Context(), d)) != nil {
		t.Error("a committed draft would be written again")
	}
	list := entries(t, path)
	if len(list) != 1 {
		t.Fatalf("%d entries", len(list))
	}
	e := list[0]
	if e.Sequence != 1 || len(e.Previous) != 0 || !e.At.Equal(noon.Truncate(time.Microsecond)) ||
		fmt.Sprint(e.Actor) != fmt.Sprint(d.Actor) {
		t.Errorf("got %+v", e)
	}
	if len(e.Objects) != 1 || e.Objects[0].Type != "group" || e.Objects[0].Name != "staff" ||
		e.Objects[0].Before != nil ||
		string(e.Objects[0].After) != `{"description":"","displayName":"staff","mailNickname":""}` {
		t.Errorf("objects: %+v", e.Objects)
	}
	if found, err := s.Entry(t.Context(), d.ID); err != nil ||
		found.Hash.String() != e.Hash.String() {
		t.Errorf("by id: %+v, %v", found, err)
	}
	if _, err := s.Entry(t.Context(), "none"); !errors.Is(err, audit.ErrNotFound) {
		t.Errorf("an id that does not exist: %v", err)
	}
	mustVerify(t, path)
}

// An operation that fails leaves no entry, no notes and a draft that is still to be written.
func TestFailedOperationLeavesNoEntry(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.db")
	c := newCatalog(storetest.OpenAt(t, path))
	g, err := c.CreateGroup(t.Context(), catalog.GroupInput{DisplayName: "staff"})
	if err != nil {
		t.Fatal(err)
	}
	d := newDraft("groups.addMember")
	ctx := audit.With(t.Context(), d)
	if err := c.AddMember(ctx, g.ID, "no-device"); err == nil {
		t.Fatal("a device that does not exist became a member")
	}
	if audit.Of(ctx) != d || len(d.Complete().Objects) != 0 || len(entries(t, path)) != 0 {
		t.Errorf("the failed operation left %+v and %d entries", d.Complete().Objects,
			len(entries(t, path)))
	}
	mustVerify(t, path)
}

// An operation whose entry cannot be written fails, too.
func TestNoOperationWithoutEntry(t *testing.T) {
	for name, change := range map[string]string{
		"no head":      "DROP TRIGGER audit_head_stays; DELETE FROM audit_head",
		"no table":     "DROP TABLE audit_entries",
		"a taken id":   "", // the draft's
		"a full table": "INSERT INTO audit_entries SELECT 2, 'x', 0, '', '', '', '', '', '', '[]', '', 0, '', '', 0, x'', x'' ",
	} {
		t.Run(name, func(t *testing.T) {
			path := newRecord(t, 1)
			used := entries(t, path)[0].ID
			if change != "" {
				execute(t, path, change)
			}
			c := newCatalog(storetest.OpenAt(t, path))
			d := newDraft("groups.create")
			if change == "" {
				d.ID = used
			}
			ctx := audit.With(t.Context(), d)
			if _, err := c.CreateGroup(ctx, catalog.GroupInput{DisplayName: "second"}); err == nil {
				t.Error("the operation was carried out")
			}
			if list, err := c.ListGroups(t.Context(), query.Query{}); err != nil ||
				len(list.Items) != 1 {
				t.Errorf("%d groups, %v", len(list.Items), err)
			}
			if audit.Of(ctx) == nil || len(d.Complete().Objects) != 0 {
				t.Errorf("the draft counts as written, or kept %v", d.Complete().Objects)
			}
		})
	}
}

// A refusal is recorded as such, even if its context has the draft of the operation that was
// refused.
func TestRecordedRefusalIsNotTheDraft(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.db")
	r := audit.NewRecorder(storetest.OpenAt(t, path), func() time.Time { return noon },
		uuid.NewString)
	d := newDraft("groups.create")
	ctx, gone := context.WithCancel(audit.With(t.Context(), d))
	gone()
	if err := r.Record(ctx, audit.Entry{Activity: "groups.create", Result: audit.Refused,
		Status: 400, Actor: d.Actor}); err != nil {
		t.Fatal(err)
	}
	list := entries(t, path)
	if len(list) != 1 || list[0].Result != audit.Refused || list[0].ID == "" ||
		list[0].At.IsZero() || audit.Of(ctx) != d {
		t.Errorf("recorded %+v", list)
	}
}

// Reading leaves nothing behind beside the database: not even a log, which the server could be kept
// from writing to.
func TestWalkLeavesNoFiles(t *testing.T) {
	path := newRecord(t, 2)
	mustVerify(t, path)
	if files, err := filepath.Glob(path + "*"); err != nil || len(files) != 1 {
		t.Errorf("there are %v, %v", files, err)
	}
}

func TestAppendOnly(t *testing.T) {
	path := newRecord(t, 2)
	db, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, text := range []string{"UPDATE audit_entries SET reason = 'x'",
		"DELETE FROM audit_entries WHERE sequence = 2", "DELETE FROM audit_head"} {
		if _, err := db.Exec(text); err == nil || !strings.Contains(err.Error(), "append only") {
			t.Errorf("%s: %v", text, err)
		}
	}
	mustVerify(t, path)
}
