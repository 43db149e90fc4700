// Command growth measures what a fleet's size costs: the same calls, pages and device reports on
// databases of different sizes, filled straight with SQL, each served by a server of its own.
// docs/operations.md has the method and results.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

func main() {
	g := &growth{}
	sizes := flag.String("sizes", "1000,100000",
		"numbers of devices, the first of which the others are compared with")
	engines := flag.String("engines", "sqlite,postgres", "databases to measure")
	flag.BoolVar(&g.android, "android", false,
		"measure Android devices, each with a policy of its own, in a file")
	flag.IntVar(&g.rounds, "rounds", 5, "how often the sizes are measured, by turns")
	flag.IntVar(&g.calls, "calls", 20, "samples of each figure a round")
	flag.StringVar(&g.report, "report", "", "file for the tables, in Markdown")
	folder := flag.String("dir", "",
		"folder for the databases, on the disk to be measured; empty: a temporary one")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := g.parse(*sizes, *engines)
	if err == nil {
		err = g.run(ctx, *folder)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "growth:", err)
		os.Exit(1)
	}
}

// growth is one call of the program.
type growth struct {
	sizes         []int
	engines       []string
	rounds, calls int
	android       bool
	report        string

	dir     string
	cluster *storetest.Cluster // nil: it has not been needed
}

func (g *growth) parse(sizes, engines string) error {
	for text := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < leastDevices {
			return fmt.Errorf("-sizes: %q must be a number of at least %d", text, leastDevices)
		}
		g.sizes = append(g.sizes, n)
	}
	g.engines = strings.Split(engines, ",")
	for _, e := range g.engines {
		if e != "sqlite" && e != "postgres" {
			return fmt.Errorf("-engines: %q must be sqlite or postgres", e)
		}
	}
	if g.rounds < 1 || g.calls < 1 {
		return errors.New("-rounds and -calls must be positive")
	}
	return nil
}

func (g *growth) run(ctx context.Context, folder string) (err error) {
	if g.dir, err = os.MkdirTemp(folder, "syncpayloads-growth-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(g.dir)) }()
	var text strings.Builder
	if g.android {
		countStatements()
		table, err := g.runAndroid(ctx)
		if err != nil {
			return err
		}
		fmt.Print(table)
		text.WriteString(table)
		g.engines = nil
	}
	for _, engine := range g.engines {
		t, err := g.measure(ctx, engine)
		if err != nil {
			return fmt.Errorf("%s: %w", engine, err)
		}
		text.WriteString(t.markdown())
		fmt.Print(t.markdown())
	}
	if g.report == "" {
		return nil
	}
	return os.WriteFile(g.report, []byte(text.String()), 0o644)
}

// measure fills a database for each size and measures them by turns, so that what else the machine
// does meets all alike.
func (g *growth) measure(ctx context.Context, engine string) (t *table, err error) {
	t = newTable(engine, g)
	var sites []*site
	defer func() {
		for _, s := range sites {
			err = errors.Join(err, s.close())
		}
		if g.cluster != nil {
			err = errors.Join(err, g.cluster.Close())
			g.cluster = nil
		}
	}()
	for i, size := range g.sizes {
		s, err := g.newSite(ctx, engine, size)
		if err != nil {
			return nil, err
		}
		sites = append(sites, s)
		progress("%s, %d devices: filling the database", engine, size)
		began := time.Now()
		if err := s.fill(ctx); err != nil {
			return nil, fmt.Errorf("%d devices: %w", size, err)
		}
		progress("%s, %d devices: filled in %s", engine, size, time.Since(began).Round(time.Second))
		if t.columns[i].room, err = s.measureRoom(ctx); err != nil {
			return nil, err
		}
	}
	for round := range g.rounds {
		for i, s := range slices.All(sites) {
			progress("%s, %d devices: round %d of %d", engine, s.size, round+1, g.rounds)
			if err := s.measure(ctx, t.columns[i], g.calls); err != nil {
				return nil, fmt.Errorf("%d devices: %w", s.size, err)
			}
		}
	}
	return t, nil
}

// location is where the database of a size is to be.
func (g *growth) location(ctx context.Context, engine string, size int) (string, error) {
	if engine == "sqlite" {
		return filepath.Join(g.dir, fmt.Sprintf("%d.db", size)), nil
	}
	if g.cluster == nil {
		cluster, err := storetest.Start(postgresSettings...)
		if err != nil {
			return "", err
		}
		g.cluster = cluster
	}
	name := fmt.Sprintf("devices_%d", size)
	return g.cluster.URL(name), g.cluster.Exec(ctx, "CREATE DATABASE "+name)
}

// postgresSettings are what an operator of a fleet of this size would set; the rest is PostgreSQL's
// default, durable commits among it.
var postgresSettings = []string{"shared_buffers=2GB", "max_wal_size=4GB",
	"effective_cache_size=8GB", "work_mem=16MB"}

func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().UTC().Format(time.TimeOnly)+" "+format+"\n", args...)
}
