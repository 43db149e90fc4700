package move

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/store/migrations"
	"github.com/syncpayloads/syncpayloads/internal/store/sqldb"
)

// openSource opens the database to move from, which is only read.
func openSource(ctx context.Context, location string) (*sqldb.Alone, error) {
	if sqldb.EngineOf(location) == sqldb.SQLite {
		if _, err := os.Stat(location); err != nil {
			return nil, fmt.Errorf("there is none: %w", err)
		}
	}
	db, err := sqldb.OpenAlone(ctx, location)
	if err != nil {
		return nil, err
	}
	if err := prepareSource(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func prepareSource(ctx context.Context, db *sqldb.Alone) error {
	version, err := db.Version(ctx)
	if err != nil {
		return err
	}
	if err := isCurrent(db.Engine(), version); err != nil {
		return err
	}
	half, err := Begun(ctx, db.Session)
	if err != nil {
		return err
	}
	if half {
		return errors.New("it is half of a move itself")
	}
	return db.SetReadOnly(ctx)
}

// openTarget opens the database to move to, and makes the tables of a new one.
func openTarget(ctx context.Context, location string) (*sqldb.Alone, error) {
	if sqldb.EngineOf(location) == sqldb.SQLite {
		if info, err := os.Stat(location); errors.Is(err, fs.ErrNotExist) ||
			err == nil && info.Size() == 0 {
			file, err := sqldb.Open(ctx, location, sqldb.Options{Migrations: migrations.Of})
			if err == nil {
				err = file.Close()
			}
			if err != nil {
				return nil, err
			}
		}
	}
	db, err := sqldb.OpenAlone(ctx, location)
	if err != nil {
		return nil, err
	}
	if err := prepareTarget(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func prepareTarget(ctx context.Context, db *sqldb.Alone) error {
	version, err := db.Version(ctx)
	if err == nil && version == 0 && db.Engine() == sqldb.Postgres {
		if err = db.Migrate(ctx, migrations.Of(sqldb.Postgres)); err == nil {
			version, err = db.Version(ctx)
		}
	}
	if err != nil {
		return err
	}
	return isCurrent(db.Engine(), version)
}

// isCurrent is an error if the tables are not of this program's version.
func isCurrent(engine sqldb.Engine, version int64) error {
	entries, err := fs.ReadDir(migrations.Of(engine), ".")
	if err != nil {
		return err
	}
	number, _, _ := strings.Cut(path.Base(entries[len(entries)-1].Name()), "_") // they are sorted
	newest, err := strconv.ParseInt(number, 10, 64)
	switch {
	case err != nil:
		return err
	case version == 0:
		return errors.New("it is no database of syncpayloads")
	case version < newest:
		return errors.New("it is of an older version: start this version's server on it once, stop it, then try again")
	case version > newest:
		return errors.New("it is of a newer version: use that version's program")
	}
	return nil
}
