package sqldb

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/ncruces/go-sqlite3"
)

// Busy reports whether an error means that the database could not be written or read just now, and
// the same call may succeed a little later.
func Busy(err error) bool {
	var failed *pgconn.PgError
	if errors.As(err, &failed) {
		return passing(failed.Code)
	}
	var lost *unreachable
	return errors.Is(err, sqlite3.BUSY) || errors.Is(err, sqlite3.LOCKED) ||
		errors.Is(err, sqlite3.FULL) || errors.Is(err, ErrClosed) || errors.As(err, &lost)
}

// passing reports whether a code of PostgreSQL tells of a state that passes (PostgreSQL
// documentation, appendix A).
func passing(code string) bool {
	switch code {
	// conflicts, timeouts, shutdown, standby
	case "40001", "40P01", "55P03", "57014", "57P01", "57P02", "57P03", "25P03", "25006":
		return true
	}
	return strings.HasPrefix(code, "08") || strings.HasPrefix(code, "53") // connection, resources
}
