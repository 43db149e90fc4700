package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// cluster is a private PostgreSQL server with the default settings, durable commits among them. Only the number of
// connections is raised: NanoMDM opens as many as it has requests.
type cluster struct {
	*program
	bin, address string
}

const (
	postgresBinaries = "/usr/lib/postgresql/*/bin" // where Debian puts them
	superuser        = "postgres"
)

// startCluster makes a cluster in a folder of its own and starts it. Run as root, it becomes the user postgres:
// PostgreSQL refuses root.
func startCluster(ctx context.Context, dir string, connections int) (*cluster, error) {
	found, err := filepath.Glob(postgresBinaries)
	if err != nil || len(found) == 0 {
		return nil, errors.New("PostgreSQL is not installed: there is no " + postgresBinaries)
	}
	slices.Sort(found)
	c := &cluster{bin: found[len(found)-1]}
	data := filepath.Join(dir, "postgres")
	if err := os.Mkdir(data, 0o700); err != nil {
		return nil, err
	}
	as, err := credential(data)
	if err != nil {
		return nil, err
	}
	made, err := start(dir, "initdb", as, filepath.Join(c.bin, "initdb"), "--pgdata", data, "--username", superuser, "--auth", "trust",
		"--encoding", "UTF8", "--no-locale")
	if err != nil {
		return nil, err
	}
	if <-made.ended; made.err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", made.err, made.tail())
	}
	if c.address, err = freeAddress(); err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(c.address)
	if err != nil {
		return nil, err
	}
	c.program, err = start(dir, "postgres", as, filepath.Join(c.bin, "postgres"), "-D", data, "-h", host, "-p", port, "-k", data,
		"-c", "max_connections="+strconv.Itoa(connections+50))
	if err != nil {
		return nil, err
	}
	return c, c.untilListening(ctx, c.address)
}

// credential is whom to run the cluster as, nil for the user of this program. The folder becomes theirs.
func credential(data string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup(superuser)
	if err != nil {
		return nil, fmt.Errorf("run as root, PostgreSQL needs another user: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(data, int(uid), int(gid))
}

// database makes an empty database in place of one of that name and returns its URL.
func (c *cluster) database(ctx context.Context, name string) (string, error) {
	for _, statement := range []string{"DROP DATABASE IF EXISTS " + name + " WITH (FORCE)", "CREATE DATABASE " + name} {
		if err := c.psql(ctx, superuser, "-c", statement); err != nil {
			return "", err
		}
	}
	return c.url(name), nil
}

func (c *cluster) url(database string) string {
	return "postgres://" + superuser + "@" + c.address + "/" + database + "?sslmode=disable"
}

func (c *cluster) psql(ctx context.Context, database string, args ...string) error {
	_, err := output(ctx, "", nil, append([]string{filepath.Join(c.bin, "psql"), "-d", c.url(database), "-X", "-q", "-v", "ON_ERROR_STOP=1"},
		args...)...)
	return err
}
