package store

import (
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

// A catalog of a server that refused two payloads of one identifier stays whole.
func TestCatalogOfAnOlderVersion(t *testing.T) {
	const columns = "(id, type, class, family, platforms, odata_type, display_name, description, sub_type, identifier, revision, version, " +
		"content, file_name, properties, created, last_modified)"
	path := migrateTo(t, 15,
		"INSERT INTO catalog_payloads "+columns+` VALUES ('p1', 1, 1, 'iOS', ',iOS,', 'iosCustomConfiguration', 'Wi-Fi', 'd', 'wiFi', 'a.b', 'u-1', 3, x'41', 'f', '{}', 5, 6)`,
		"INSERT INTO catalog_revisions (payload_id, revision) VALUES ('p1', 'u-0'), ('p1', 'u-1')",
		"INSERT INTO catalog_assignments (id, payload_id, kind, target, position) VALUES ('a1', 'p1', 'allDevices', '', 0), ('a2', 'p1', 'group', 'g', 1)")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	err = s.UpdateCatalog(t.Context(), func(tx catalog.Tx) error {
		p, err := tx.Payload(t.Context(), "p1")
		if err != nil || p.DisplayName != "Wi-Fi" || string(p.Content) != "A" || p.Version != 3 ||
			p.Tags[0] != "0" {
			t.Errorf("payload %+v, %v", p, err)
		}
		list, err := tx.Assignments(t.Context(), "p1")
		if err != nil || len(list) != 2 || list[0].ID != "a1" || list[1].Target != "g" {
			t.Errorf("assignments %v, %v", list, err)
		}
		second := *p
		second.ID, second.Revision = action.PayloadID("p2"), "u-2"
		if err := tx.InsertPayload(t.Context(), &second); err != nil {
			t.Errorf("a second one: %v", err)
		}
		for revision, want := range map[string]bool{"u-0": true, "u-1": true, "u-2": true,
			"u-3": false} {
			if used, err := tx.RevisionUsed(t.Context(), &second, revision); err != nil ||
				used != want {
				t.Errorf("%s is used: %v, %v", revision, used, err)
			}
		}
		if err := tx.DeletePayload(t.Context(), "p1"); err != nil {
			t.Error(err)
		}
		if list, err := tx.Assignments(t.Context(), "p1"); err != nil || len(list) != 0 {
			t.Errorf("assignments of what is deleted: %v, %v", list, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
