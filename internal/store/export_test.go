package store

import (
	"fmt"

	"github.com/syncpayloads/syncpayloads/internal/query"
)

// SQL is the statement that a query becomes, and the one that counts what it selects, with their parameters.
func SQL(things string, q query.Query) (texts [2]string, args [2][]any, err error) {
	withBuiltIn := roles
	withBuiltIn.given = []any{"[]"}
	r, ok := map[string]*resource{"devices": &devices, "payloads": &payloads, "groups": &groups, "roles": &withBuiltIn,
		"assignments": &assignments, "scopeTags": &scopeTags, "remoteActions": &remoteActions}[things]
	if !ok {
		return texts, args, fmt.Errorf("there are no %s", things)
	}
	keys, err := r.keys(q.OrderBy)
	if err != nil {
		return texts, args, err
	}
	list, err := r.selects(q, keys)
	if err != nil {
		return texts, args, err
	}
	count, err := r.counts(q.Where)
	if err != nil {
		return texts, args, err
	}
	return [2]string{list.text.String(), count.text.String()}, [2][]any{list.args, count.args}, nil
}
