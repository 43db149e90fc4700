package store

import (
	"errors"

	"github.com/ncruces/go-sqlite3"
)

// Busy reports whether an error means that the database could not be written or read just now, and the same call may
// succeed a little later.
func Busy(err error) bool {
	return errors.Is(err, sqlite3.BUSY) || errors.Is(err, sqlite3.LOCKED) || errors.Is(err, ErrClosed)
}
