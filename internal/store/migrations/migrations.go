// Package migrations holds the numbered files that make the tables and bring them up to date, for
// each engine. To change a table, add a file of the next number for both engines; a file that was
// released stays as it is.
package migrations

import (
	"embed"
	"fmt"
	"io/fs"

	"github.com/syncpayloads/syncpayloads/internal/store/sqldb"
)

//go:embed sqlite/*.sql postgres/*.sql
var files embed.FS

// Of are the files for an engine.
func Of(engine sqldb.Engine) fs.FS {
	folder := "sqlite"
	if engine == sqldb.Postgres {
		folder = "postgres"
	}
	sub, err := fs.Sub(files, folder)
	if err != nil {
		panic(fmt.Sprintf("the embedded folder %s: %v", folder, err))
	}
	return sub
}
