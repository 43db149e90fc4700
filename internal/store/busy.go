package store

import (
	"errors"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Busy reports whether err means that the database could not be used just now and may be tried again: another process
// holds its lock, or it is being closed.
func Busy(err error) bool {
	var e *sqlite.Error
	if errors.As(err, &e) {
		primary := e.Code() & 0xff // the rest is detail (SQLite result codes)
		return primary == sqlite3.SQLITE_BUSY || primary == sqlite3.SQLITE_LOCKED
	}
	return errors.Is(err, ErrClosed)
}
