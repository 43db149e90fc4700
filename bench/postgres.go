package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// startCluster makes a private PostgreSQL server with the default settings, durable commits among
// them. Only the number of connections is raised: NanoMDM opens as many as it has requests.
func (b *bench) startCluster() (err error) {
	if b.cluster == nil {
		b.cluster, err = storetest.StartIn(b.dir, "shared_buffers=128MB",
			fmt.Sprint("max_connections=", b.count+50))
	}
	return err
}

func (b *bench) stopCluster() error {
	if b.cluster == nil {
		return nil
	}
	return b.cluster.Close()
}

// database makes an empty database in place of one of that name and returns its URL. Texts are
// compared byte by byte in it, which is the fastest for both servers.
func (b *bench) database(ctx context.Context, name string) (string, error) {
	for _, statement := range []string{"DROP DATABASE IF EXISTS " + name + " WITH (FORCE)",
		"CREATE DATABASE " + name + " TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'"} {
		if err := b.cluster.Exec(ctx, statement); err != nil {
			return "", err
		}
	}
	return b.cluster.URL(name), nil
}

// runFile runs the statements of a file in a database.
func (b *bench) runFile(ctx context.Context, database, file string) error {
	_, err := output(ctx, "", nil, filepath.Join(b.cluster.Bin, "psql"), "-d", database, "-X", "-q",
		"-v", "ON_ERROR_STOP=1", "-f", file)
	return err
}
