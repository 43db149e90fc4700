package audit_test

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/store"
)

// columns are the columns of the record with a value that is none of its own, made from it.
var columns = map[string]string{
	"sequence": "sequence + 100", "id": "id || 'x'", "at": "at + 1", "actor_id": "actor_id || ' '",
	"actor_name": "upper(actor_name) || '.'",
	"address":    "address || '0'", "roles": "roles || char(31)",
	"activity": "'devices.' || activity",
	"kind":     "'Get' || kind",
	"objects":  "replace(objects, ']', ' ]')", "result": "result || 's'", "status": "status + 200",
	"reason":  "reason || 'x'",
	"request": "substr(request, 2) || 'y'", "skipped": "skipped + 1", "previous": "zeroblob(32)",
	"hash": "zeroblob(32)",
}

const lastEntry = 6

func TestEveryColumnOfEveryRowIsCovered(t *testing.T) {
	path := newRecord(t, lastEntry)
	db, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT name FROM pragma_table_info('audit_entries')")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	known := 0
	for rows.Next() {
		var column string
		if err := rows.Scan(&column); err != nil {
			t.Fatal(err)
		}
		value, ok := columns[column]
		if !ok {
			t.Fatalf("column %s is new: is it part of the hash?", column)
		}
		known++
		for row := 1; row <= lastEntry; row++ {
			edited := tamperWith(t, path,
				fmt.Sprintf("UPDATE audit_entries SET %s = CAST(%s AS %s) WHERE sequence = %d",
					column, value,
					columnType(t, db, column), row))
			_, err := verify(t, edited, audit.Head{})
			var b *audit.Broken
			if !errors.As(err, &b) || b.Sequence != int64(row) {
				t.Errorf("%s of entry %d was changed: %v", column, row, err)
			}
		}
	}
	if known != len(columns) {
		t.Errorf("the table has %d columns, %d are known", known, len(columns))
	}
}

func columnType(t *testing.T, db *sql.DB, column string) (name string) {
	t.Helper()
	if err := db.QueryRow("SELECT type FROM pragma_table_info('audit_entries') WHERE name = ?",
		column).Scan(&name); err != nil {
		t.Fatal(err)
	}
	return name
}

const (
	setHead = "UPDATE audit_head SET (sequence, hash) = (SELECT sequence, hash FROM audit_entries ORDER BY sequence DESC LIMIT 1)"
	swap    = "UPDATE audit_entries SET sequence = CASE sequence WHEN %d THEN -1 ELSE -2 END WHERE sequence IN (%[1]d, %d);" +
		"UPDATE audit_entries SET sequence = CASE sequence WHEN -1 THEN %[2]d ELSE %[1]d END WHERE sequence < 0"
	insertCopy = `INSERT INTO audit_entries SELECT %d, id || 'c', at, actor_id, actor_name, address, roles, activity, kind, objects, result,
		status, reason, request, skipped, previous, hash FROM audit_entries WHERE sequence = %d`
)

func TestTamperings(t *testing.T) {
	path := newRecord(t, lastEntry)
	for name, tt := range map[string]struct {
		statements []string
		at         int64
		says       string
	}{
		"first deleted": {[]string{"DELETE FROM audit_entries WHERE sequence = 1"}, 1,
			"entry 1 is missing"},
		"one deleted": {[]string{"DELETE FROM audit_entries WHERE sequence = 3"}, 3,
			"entry 3 is missing"},
		"some deleted": {[]string{"DELETE FROM audit_entries WHERE sequence IN (3, 4)"}, 3,
			"entries 3 to 4 are missing"},
		"last deleted": {[]string{"DELETE FROM audit_entries WHERE sequence = 6"}, 6,
			"entry 6 is missing at the end"},
		"all deleted": {[]string{"DELETE FROM audit_entries"}, 1,
			"entries 1 to 6 are missing at the end"},
		"gap closed": {[]string{"DELETE FROM audit_entries WHERE sequence = 3",
			"UPDATE audit_entries SET sequence = sequence - 1 WHERE sequence > 3"}, 3,
			"another one was put in its place"},
		"neighbours swapped": {[]string{fmt.Sprintf(swap, 3, 4)}, 3,
			"another one was put in its place"},
		"two swapped": {[]string{fmt.Sprintf(swap, 2, 5)}, 2,
			"another one was put in its place"},
		"one added": {[]string{fmt.Sprintf(insertCopy, 7, 6)}, 7, "was changed"},
		"one before all": {[]string{fmt.Sprintf(insertCopy, 0, 6)}, 1,
			"entry 0 is out of its place"},
		"one far before all": {[]string{fmt.Sprintf(insertCopy, -9, 6)}, 1,
			"entry -9 is out of its place"},
		"head set back": {[]string{"UPDATE audit_head SET (sequence, hash) = (SELECT sequence, hash FROM audit_entries WHERE sequence = 4)"}, 5, "set back"},
		"head advanced": {[]string{"UPDATE audit_head SET sequence = 7"}, 7,
			"entry 7 is missing at the end"},
		"head changed": {[]string{"UPDATE audit_head SET hash = zeroblob(32)"}, 6,
			"the head was changed"},
		"head deleted": {[]string{"DELETE FROM audit_head"}, 0, "its head is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := verify(t, tamperWith(t, path, tt.statements...), audit.Head{})
			var b *audit.Broken
			if !errors.As(err, &b) || b.Sequence != tt.at || !strings.Contains(b.Problem, tt.says) {
				t.Errorf("found %v", err)
			}
		})
	}
}

// A chain that is whole in itself is told from the one that was written by a head that was noted
// before.
func TestNotedHeadFindsWholeNewChains(t *testing.T) {
	path := newRecord(t, lastEntry)
	head := mustVerify(t, path)
	list := entries(t, path)
	middle := audit.Head{Sequence: 3, Hash: list[2].Hash}
	for _, expect := range []audit.Head{head, middle} {
		if _, err := verify(t, path, expect); err != nil {
			t.Errorf("untouched, with %s: %v", expect, err)
		}
	}
	cut := tamperWith(t, path, "DELETE FROM audit_entries WHERE sequence > 4", setHead)
	if _, err := verify(t, cut, middle); err != nil {
		t.Errorf("cut behind the noted head: %v", err)
	}
	emptied := tamperWith(t, path, "DELETE FROM audit_entries",
		"UPDATE audit_head SET sequence = 0, hash = x''")
	rewritten := tamperWith(t, path)
	list[1].Reason = "nothing happened"
	rewrite(t, rewritten, list)
	for name, copied := range map[string]string{"cut": cut, "emptied": emptied,
		"rewritten": rewritten} {
		mustVerify(t, copied)
		var b *audit.Broken
		if _, err := verify(t, copied, head); !errors.As(err, &b) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := verify(t, rewritten, middle); err == nil {
		t.Error("rewritten from before the noted head, not found")
	}
}

// rewrite puts these entries in place of all, sealed anew, as an attacker would who knows how it is
// done.
func rewrite(t testing.TB, path string, list []audit.Entry) {
	t.Helper()
	execute(t, path, "DELETE FROM audit_entries", "UPDATE audit_head SET sequence = 0, hash = x''")
	use(t, path, func(s *store.Store) {
		for _, e := range list {
			if err := s.AppendEntry(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func dump(t testing.TB, path string) string {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var text string
	err = db.QueryRow(`SELECT coalesce((SELECT group_concat(concat_ws('|', sequence, id, at, actor_id, actor_name, address, roles, activity, kind, objects,
			result, status, reason, request, skipped, hex(previous), hex(hash)), char(10)) FROM (SELECT * FROM audit_entries ORDER BY sequence)), '')
		|| (SELECT concat_ws('|', sequence, hex(hash)) FROM audit_head)`).Scan(&text)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestAnyTampering does any number of any tamperings in any order: whatever is not as it was is
// found.
func TestAnyTampering(t *testing.T) {
	path := newRecord(t, lastEntry)
	head, original := mustVerify(t, path), dump(t, path)
	rapid.Check(t, func(r *rapid.T) {
		row := rapid.IntRange(1, lastEntry)
		copied := tamperWith(t, path, rapid.SliceOfN(rapid.Custom(func(r *rapid.T) string {
			a, b := row.Draw(r, "a"), row.Draw(r, "b")
			switch rapid.IntRange(0, 5).Draw(r, "tampering") {
			case 0:
				column := rapid.SampledFrom([]string{"at", "status", "skipped"}).Draw(r, "column")
				return fmt.Sprintf("UPDATE audit_entries SET %s = %d WHERE sequence = %d", column,
					rapid.Int64().Draw(r, "number"), a)
			case 1:
				column := rapid.SampledFrom([]string{"actor_id", "actor_name", "address", "roles",
					"activity", "kind", "objects", "result",
					"reason", "request"}).Draw(r, "column")
				text := rapid.StringMatching(`[a-z<>"{}\[\]]{0,4}`).Draw(r, "text")
				return fmt.Sprintf("UPDATE audit_entries SET %s = '%s' WHERE sequence = %d", column,
					text, a)
			case 2:
				return fmt.Sprintf("DELETE FROM audit_entries WHERE sequence BETWEEN %d AND %d", a,
					b)
			case 3:
				return fmt.Sprintf(swap, a, b)
			case 4:
				return fmt.Sprintf("INSERT OR IGNORE INTO audit_entries SELECT * FROM (%s)",
					strings.TrimPrefix(
						fmt.Sprintf(insertCopy, rapid.IntRange(0, lastEntry+2).Draw(r, "place"), a),
						"INSERT INTO audit_entries "))
			default:
				return setHead + " WHERE EXISTS (SELECT 1 FROM audit_entries)"
			}
		}), 1, 4).Draw(r, "tamperings")...)
		_, err := verify(t, copied, head)
		if same := dump(t, copied) == original; same != (err == nil) {
			r.Fatalf("the same: %t, found: %v", same, err)
		}
	})
}
