package store_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pressly/goose/v3"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/query"
	"github.com/syncpayloads/syncpayloads/internal/store"
)

// Whose token allowed everything before there were roles loses nothing.
func TestTokensFromBeforeRoles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	old, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, old, os.DirFS("migrations/sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	if _, err := old.ExecContext(t.Context(), `INSERT INTO tokens (id, name, hash, created_at) VALUES
		('a1', 'Anna', zeroblob(32), 1), ('b2', 'Ben', zeroblob(32), 2)`); err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	tokens, err := access.NewTokens(s, time.Now).List(t.Context())
	if err != nil || len(tokens) != 2 {
		t.Fatalf("tokens are %+v, %v", tokens, err)
	}
	roles := access.NewRoles(s, uuid.NewString)
	for _, token := range tokens {
		grants, err := roles.Grants(t.Context(), []string{"token:" + token.ID})
		everything := err == nil && len(grants) == 1 &&
			len(grants[0].Rights) == len(access.Rights())
		if !everything || grants[0].Area.Groups != nil || grants[0].Area.Tags != nil ||
			token.Role != "Administrator" || !token.LastUsed.IsZero() {
			t.Errorf("%+v has %+v, %v", token, grants, err)
		}
	}
	list, err := roles.ListAssignments(t.Context(), "", query.Query{})
	if err != nil || len(list.Items) != 2 {
		t.Fatalf("assignments are %+v, %v", list, err)
	}
	for _, a := range list.Items {
		if id, err := uuid.Parse(a.ID); err != nil || id.String() != a.ID || id.Version() != 4 ||
			id.Variant() != uuid.RFC4122 {
			t.Errorf("the id %q is no GUID: %v", a.ID, err)
		}
		if err := access.NewTokens(s, time.Now).Revoke(t.Context(), a.Token); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := roles.ListAssignments(t.Context(), "", query.Query{}); err != nil ||
		len(list.Items) != 0 {
		t.Errorf("without tokens the assignments are %+v, %v", list, err)
	}
}
