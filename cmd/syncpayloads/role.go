package main

import (
	"context"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/query"
	"github.com/syncpayloads/syncpayloads/internal/store"
)

type roleCommand struct {
	List roleListCommand `cmd:"" help:"List the roles, built-in and custom."`
}

type roleListCommand struct {
	database `embed:""`
	JSON     bool `name:"json" help:"Print JSON, with the rights of each role."`
}

// Run lists the roles.
func (r *roleListCommand) Run(ctx context.Context, out io.Writer) error {
	return r.open(ctx, func(st *store.Store) error {
		page, err := access.NewRoles(st, uuid.NewString).ListRoles(ctx, query.Query{})
		if err != nil {
			return err
		}
		roles := page.Items
		slices.SortFunc(roles,
			func(a, b *access.Role) int { return strings.Compare(a.Name, b.Name) })
		if r.JSON {
			return printJSON(out, roles)
		}
		rows := make([][]string, len(roles))
		for i, role := range roles {
			kind := "custom"
			if role.BuiltIn {
				kind = "built-in"
			}
			rows[i] = []string{role.ID, role.Name, kind, strconv.Itoa(len(role.Rights)),
				role.Description}
		}
		return printTable(out, []string{"id", "name", "kind", "rights", "description"}, rows)
	})
}
