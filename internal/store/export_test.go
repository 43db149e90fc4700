package store

import (
	"context"
	"fmt"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/query"
	"github.com/syncpayloads/syncpayloads/internal/store/sqldb"
)

// resources are all that queries select.
func resources() map[string]*resource {
	return map[string]*resource{
		"devices":       &devices,
		"payloads":      &payloads,
		"groups":        &groups,
		"roles":         withRoles([]*access.Role{{ID: "x", Name: "y"}}),
		"assignments":   &assignments,
		"scopeTags":     &scopeTags,
		"remoteActions": &remoteActions,
	}
}

// Vocabulary is the SQL of all tables and columns that queries name, as the tables say it.
func Vocabulary() (texts []string) {
	for _, r := range resources() {
		texts = append(texts, r.columns, r.from, r.key.sql)
		for _, c := range r.fields {
			texts = append(texts, c.sql)
		}
	}
	return texts
}

// SQL is the statement that a query becomes, and the one that counts what it selects, with their
// parameters.
func SQL(engine, things string, q query.Query) (texts [2]string, args [2][]any, err error) {
	d := dialects[map[string]sqldb.Engine{"sqlite": sqldb.SQLite,
		"postgres": sqldb.Postgres}[engine]]
	r, ok := resources()[things]
	if !ok {
		return texts, args, fmt.Errorf("there are no %s", things)
	}
	keys, err := r.keys(q.OrderBy)
	if err != nil {
		return texts, args, err
	}
	list, err := r.selects(d, q, keys)
	if err != nil {
		return texts, args, err
	}
	count, err := r.counts(d, q.Where)
	if err != nil {
		return texts, args, err
	}
	return [2]string{list.text.String(), count.text.String()}, [2][]any{list.args, count.args}, nil
}

// TakeChanges takes the recorded changes of the catalog out of the database.
func (s *Store) TakeChanges(ctx context.Context) (found []catalog.Change, err error) {
	err = s.write(ctx, func(q *session) error {
		err := q.Rows(ctx, "SELECT kind, target FROM catalog_changes ORDER BY id", nil,
			func(scan func(...any) error) error {
				var c catalog.Change
				err := scan(&c.Kind, &c.Target)
				found = append(found, c)
				return err
			})
		if err == nil {
			_, err = q.Exec(ctx, "DELETE FROM catalog_changes")
		}
		return err
	})
	return found, err
}

// LedgerDoc is a ledger as it is stored.
type LedgerDoc = ledgerDoc

// What is stored of each.
var (
	LedgerText = ledgerText
	ActionText = actionText
	EventText  = eventText
)
