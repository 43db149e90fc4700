package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/query"
	"github.com/syncpayloads/syncpayloads/internal/store/sqldb"
)

// limits is a column that holds a list as listed does, or NULL for none at all.
type limits struct{ to *[]string }

// Scan implements sql.Scanner.
func (l limits) Scan(value any) error {
	var text sql.NullString
	if err := text.Scan(value); err != nil || !text.Valid {
		return err
	}
	*l.to = append([]string{}, unlisted[string](text.String)...)
	return nil
}

// Value implements driver.Valuer.
func (l limits) Value() (driver.Value, error) {
	if *l.to == nil {
		return nil, nil
	}
	return listed(*l.to), nil
}

// roleTable is a custom role. The built-in ones are no rows.
var roleTable = newTable("role_definitions", "id",
	plain("id", idColumn, func(r *access.Role) *string { return &r.ID }).by(access.ByID).stays(),
	plain("name", textColumn, func(r *access.Role) *string { return &r.Name }).by(access.ByName),
	plain("description", textColumn,
		func(r *access.Role) *string { return &r.Description }).by(access.ByDescription),
	encoded("rights", func(r *access.Role) *[]access.Right { return &r.Rights }),
)

var selectRole = "SELECT " + roleTable.selected + " FROM role_definitions"

func (t accessTx) role(ctx context.Context, where string, arg any) (*access.Role, error) {
	r, err := roleTable.scan(func(dest ...any) error {
		return t.q.Row(ctx, selectRole+where, []any{arg}, dest...)
	})
	if err != nil {
		return nil, sole(err)
	}
	return r, nil
}

func (t accessTx) Role(ctx context.Context, id string) (*access.Role, error) {
	return t.role(ctx, " WHERE id = ?", id)
}

func (t accessTx) RoleNamed(ctx context.Context, name string) (*access.Role, error) {
	return t.role(ctx, " WHERE lower(name) = ?", lower(name))
}

// roles are the custom ones; withRoles has the built-in ones, too.
var roles = resource{
	things:  "roles",
	columns: roleTable.selected + ", built_in",
	from:    "SELECT " + roleTable.selected + ", FALSE AS built_in FROM role_definitions",
	key:     column{"id", idColumn},
	fields: roleTable.fields("", map[query.Field]column{
		access.ByBuiltIn: {"built_in", boolColumn},
	}),
}

func withRoles(builtIn []*access.Role) *resource {
	all := roles
	for _, r := range builtIn {
		given := roleTable.insertArgs(r)
		all.from += " UNION ALL SELECT " + sqldb.Marks(len(given)) + ", TRUE"
		all.given = append(all.given, given...)
	}
	all.from = "(" + all.from + ") AS roles"
	return &all
}

func (t accessTx) Roles(ctx context.Context, builtIn []*access.Role,
	q query.Query) (page query.Page[*access.Role], err error) {
	return list(ctx, t.q, withRoles(builtIn), q,
		func(scan func(...any) error) (*access.Role, error) {
			r := new(access.Role)
			return r, scan(append(roleTable.dest(r), &r.BuiltIn)...)
		})
}

func (t accessTx) InsertRole(ctx context.Context, r *access.Role) error {
	_, err := t.q.Exec(ctx, roleTable.insertText, roleTable.insertArgs(r)...)
	return err
}

func (t accessTx) UpdateRole(ctx context.Context, r *access.Role) error {
	return t.change(ctx, roleTable.updateText, roleTable.updateArgs(r)...)
}

func (t accessTx) DeleteRole(ctx context.Context, id string) error {
	return t.change(ctx, "DELETE FROM role_definitions WHERE id = ?", id)
}

// assignmentTable is an assignment of a role, without its members.
var assignmentTable = newTable("role_assignments", "id",
	plain("id", idColumn,
		func(a *access.RoleAssignment) *string { return &a.ID }).by(access.ByID).stays(),
	plain("name", textColumn,
		func(a *access.RoleAssignment) *string { return &a.Name }).by(access.ByName),
	plain("description", textColumn,
		func(a *access.RoleAssignment) *string { return &a.Description }).by(access.ByDescription),
	plain("role_id", idColumn,
		func(a *access.RoleAssignment) *string { return &a.RoleID }).by(access.ByRole).stays(),
	limitColumn("group_ids",
		func(a *access.RoleAssignment) *[]string { return &a.Groups }).by(access.ByGroup),
	limitColumn("tag_ids",
		func(a *access.RoleAssignment) *[]string { return &a.Tags }).by(access.ByTag),
	optional("token_id", idColumn,
		func(a *access.RoleAssignment) *string { return &a.Token }).stays(),
)

// limitColumn is a column that limits does.
func limitColumn[T any](name string, of func(*T) *[]string) tableColumn[T] {
	return tableColumn[T]{
		name:     name,
		kind:     listColumn,
		value:    func(row *T) any { return limits{of(row)} },
		dest:     func(row *T) any { return limits{of(row)} },
		compared: "instr(" + name + ", ',' || ? || ',') > 0",
	}
}

var selectAssignment = "SELECT " + assignmentTable.selected + " FROM role_assignments"

var assignments = resource{
	things:  "role assignments",
	columns: assignmentTable.selected,
	from:    assignmentTable.name,
	key:     column{"id", idColumn},
	fields: assignmentTable.fields("", map[query.Field]column{
		access.ByLimited: {"(group_ids IS NOT NULL)", boolColumn},
		access.ByMember: {"EXISTS (SELECT 1 FROM role_members WHERE assignment_id = role_assignments.id AND member = ?)",
			listColumn},
	}),
}

func scanAssignment(scan func(...any) error) (*access.RoleAssignment, error) {
	a, err := assignmentTable.scan(scan)
	if err != nil {
		return nil, sole(err)
	}
	return a, nil
}

func (t accessTx) Assignment(ctx context.Context, id string) (*access.RoleAssignment, error) {
	a, err := scanAssignment(func(dest ...any) error {
		return t.q.Row(ctx, selectAssignment+" WHERE id = ?", []any{id}, dest...)
	})
	if err != nil {
		return nil, err
	}
	return a, t.readMembers(ctx, a)
}

func (t accessTx) Assignments(ctx context.Context,
	q query.Query) (query.Page[*access.RoleAssignment], error) {
	page, err := list(ctx, t.q, &assignments, q, scanAssignment)
	for _, a := range page.Items {
		if err == nil {
			err = t.readMembers(ctx, a)
		}
	}
	return page, err
}

func (t accessTx) AssignmentsOf(ctx context.Context,
	members []string) ([]*access.RoleAssignment, error) {
	if len(members) == 0 {
		return nil, nil
	}
	b := selection{of: &assignments, dialect: t.q.dialect}
	b.text.WriteString(selectAssignment +
		" WHERE id IN (SELECT assignment_id FROM role_members WHERE member IN (" +
		b.bindAll(members) + ")) ORDER BY id")
	var found []*access.RoleAssignment
	err := t.q.Once(ctx, b.text.String(), b.args, func(scan func(...any) error) error {
		a, err := scanAssignment(scan)
		found = append(found, a)
		return err
	})
	return found, err
}

func (t accessTx) readMembers(ctx context.Context, a *access.RoleAssignment) error {
	a.Members = []string{}
	return t.q.Rows(ctx,
		"SELECT member FROM role_members WHERE assignment_id = ? ORDER BY position", []any{a.ID},
		func(scan func(...any) error) error {
			var member string
			err := scan(&member)
			a.Members = append(a.Members, member)
			return err
		})
}

func (t accessTx) writeMembers(ctx context.Context, a *access.RoleAssignment) error {
	for i, member := range a.Members {
		_, err := t.q.Exec(ctx,
			"INSERT INTO role_members (member, assignment_id, position) VALUES (?, ?, ?)", member,
			a.ID, i)
		if err != nil {
			return fmt.Errorf("writing member %q of role assignment %s: %w", member, a.ID, err)
		}
	}
	return nil
}

func (t accessTx) InsertAssignment(ctx context.Context, a *access.RoleAssignment) error {
	_, err := t.q.Exec(ctx, assignmentTable.insertText, assignmentTable.insertArgs(a)...)
	if err != nil {
		return fmt.Errorf("writing role assignment %s: %w", a.ID, err)
	}
	return t.writeMembers(ctx, a)
}

func (t accessTx) UpdateAssignment(ctx context.Context, a *access.RoleAssignment) error {
	err := t.change(ctx, assignmentTable.updateText, assignmentTable.updateArgs(a)...)
	if err != nil {
		return err
	}
	if _, err := t.q.Exec(ctx, "DELETE FROM role_members WHERE assignment_id = ?",
		a.ID); err != nil {
		return err
	}
	return t.writeMembers(ctx, a)
}

func (t accessTx) DeleteAssignment(ctx context.Context, id string) error {
	return t.change(ctx, "DELETE FROM role_assignments WHERE id = ?", id)
}
