package main

import (
	"context"
	"database/sql"
	"fmt"
)

// room is what a database takes on the disk, in bytes.
type room struct {
	total, perDevice int64
	tables           []tableRoom
	ledger           int64 // one device's ledger, as text
	action           int64 // one action with its indexes; without its events
	event            int64 // one event with its indexes
}

// tableRoom is a table with its indexes.
type tableRoom struct {
	name        string
	rows, bytes int64
}

func (s *site) measureRoom(ctx context.Context) (r room, err error) {
	db, err := s.open()
	if err != nil {
		return r, err
	}
	defer db.Close() //nolint:errcheck // it was read only
	r.total, err = s.bytes(ctx, db, "")
	if err != nil {
		return r, err
	}
	r.perDevice = r.total / int64(s.size)
	if err := db.QueryRowContext(ctx,
		"SELECT CAST(avg(length(doc)) AS BIGINT) FROM (SELECT doc FROM ledgers LIMIT 10000) AS sample").
		Scan(&r.ledger); err != nil {
		return r, err
	}
	for _, name := range copied {
		t := tableRoom{name: name}
		if err := db.QueryRowContext(ctx, "SELECT count(*) FROM "+name).Scan(&t.rows); err != nil {
			return r, err
		}
		if t.bytes, err = s.bytes(ctx, db, name); err != nil {
			return r, err
		}
		r.tables = append(r.tables, t)
		switch {
		case t.rows == 0:
		case name == "actions":
			r.action = t.bytes / t.rows
		case name == "events":
			r.event = t.bytes / t.rows
		}
	}
	return r, nil
}

// bytes is the size of a table with its indexes; empty: of the database.
func (s *site) bytes(ctx context.Context, db *sql.DB, of string) (n int64, err error) {
	var text string
	switch {
	case s.postgres() && of == "":
		text = "SELECT pg_database_size(current_database())"
	case s.postgres():
		text = "SELECT pg_total_relation_size('" + of + "')"
	case of == "":
		text = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
	default:
		return s.grown[of], nil
	}
	if err := db.QueryRowContext(ctx, text).Scan(&n); err != nil {
		return 0, fmt.Errorf("%w in: %s", err, text)
	}
	return n, nil
}
