package sqldb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// A file is looked through when it is opened: whole if it is small, and a large one for as long as
// nobody minds. Damage that stays is met by who reads it, as an error.
const (
	checkWhole = 64 << 20 // bytes, some tenths of a second
	checkTime  = 50 * time.Millisecond
)

// check looks for damaged pages, before anything is written to the file.
func (s *sqlite) check(ctx context.Context, path string) error {
	if file, err := os.Stat(path); err == nil && file.Size() > checkWhole {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, checkTime)
		defer cancel()
	}
	found := "ok"
	err := s.db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&found)
	switch {
	case errors.Is(err, sqlite3.CORRUPT), errors.Is(err, sqlite3.NOTADB):
		return damaged(err.Error())
	case err == nil && found != "ok":
		return damaged(found)
	default: // what else kept it from looking is met again, if it lasts
		return nil
	}
}

func damaged(how string) error {
	return fmt.Errorf("the file is damaged, or no database: %s; nothing was changed in it: put back a backup, or save what can be read of it with "+
		"the .recover command of the program sqlite3", how)
}
