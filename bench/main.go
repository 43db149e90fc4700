// Command bench measures how fast the server and NanoMDM, a free MDM server, each get commands to
// devices and their answers back: the same devices, messages, signatures and driver, one server
// after the other on the same machine. docs/performance.md has the method.
package main

import (
	"context"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == profiledServer {
		exit(runProfiled(os.Args[2:]))
	}
	b := &bench{}
	flag.IntVar(&b.count, "devices", 200, "how many devices")
	flag.IntVar(&b.commands, "commands", 10, "commands that each device gets at a time")
	flag.IntVar(&b.rounds, "rounds", 4,
		"how often the devices get them in one run, by turns removals and installations")
	flag.IntVar(&b.pairs, "pairs", 3, "runs of either server for each pair of storages")
	flag.StringVar(&b.only, "only", "", "one pair of storages: pgsql, file or inmem; empty: all")
	flag.StringVar(&b.report, "report", "", "file for the table, in Markdown")
	flag.StringVar(&b.profile, "cpu-profile", "",
		"files for CPU profiles of our server, one a round, without a comparison: a number is put behind the name; -only pgsql: on PostgreSQL")
	folder := flag.String("dir", "",
		"folder for the databases, on the disk to be measured; empty: a temporary one")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	exit(b.run(ctx, *folder))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// keyBits is the length of the devices' RSA keys and of the CA's that NanoMDM trusts.
const keyBits = 2048

// bench is one call of the program.
type bench struct {
	count, commands, rounds, pairs int
	only, report, profile          string

	dir      string
	tls      *tlsFiles
	cluster  *storetest.Cluster
	devices  []*device
	ca       *authority
	issued   []*x509.Certificate // of it, for the devices
	profiles []profile
}

func (b *bench) run(ctx context.Context, folder string) (err error) {
	if b.dir, err = os.MkdirTemp(folder, "syncpayloads-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.stopCluster(), os.RemoveAll(b.dir)) }()
	// PostgreSQL runs as another user, in a folder inside
	if err := os.Chmod(b.dir, 0o711); err != nil {
		return err
	}
	if err := b.build(ctx); err != nil {
		return err
	}
	if err := b.prepare(); err != nil {
		return err
	}
	if b.profile != "" {
		if b.profile, err = filepath.Abs(b.profile); err != nil {
			return err
		}
		return b.profileOurs(ctx)
	}
	return b.compare(ctx)
}

// profileOurs runs our server alone.
func (b *bench) profileOurs(ctx context.Context) error {
	postgres := b.only == "pgsql"
	if postgres {
		if err := b.startCluster(); err != nil {
			return err
		}
	}
	result, err := b.runOurs(ctx, postgres)
	if err == nil {
		fmt.Printf("%.0f round trips/s\n", result.rate())
	}
	return err
}

// build makes the two programs.
func (b *bench) build(ctx context.Context) error {
	fmt.Fprintln(os.Stderr, "building both servers")
	_, err := output(ctx, "", nil, "go", "build", "-o", b.dir+"/",
		"github.com/syncpayloads/syncpayloads/cmd/syncpayloads")
	if err == nil {
		_, err = output(ctx, b.dir, []string{"GOBIN=" + b.dir}, "go", "install",
			peerModule+"/cmd/nanomdm@"+peerVersion)
	}
	return err
}

// prepare makes what costs time and is the same in all runs: keys, profiles, the TLS certificate.
func (b *bench) prepare() (err error) {
	if b.tls, err = newTLS(b.dir); err != nil {
		return err
	}
	for i := range b.commands {
		b.profiles = append(b.profiles, newProfile(i))
	}
	if b.ca, err = newAuthority(); err != nil {
		return err
	}
	contents := &contents{known: make(map[string]profile)}
	b.devices, b.issued = make([]*device, b.count), make([]*x509.Certificate, b.count)
	var group errgroup.Group
	group.SetLimit(callsAtOnce)
	for i := range b.devices {
		group.Go(func() error {
			key, err := simulator.NewQuickKey(keyBits)
			if err != nil {
				return err
			}
			b.devices[i] = newDevice(i, key, contents)
			b.issued[i], err = b.ca.issue(i, key.Public())
			return err
		})
	}
	return group.Wait()
}

// web is an HTTP client that trusts our server.
func (b *bench) web() *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: b.tls.trust.Clone(),
		MaxIdleConnsPerHost: callsAtOnce}}
}

// storages are what is compared: NanoMDM's storage, and the database of our server beside it.
var storages = []struct{ peer, ours string }{{"pgsql", "PostgreSQL"}, {"file", "SQLite"},
	{"inmem", "SQLite"}}

// compare runs all pairs and prints what came out.
func (b *bench) compare(ctx context.Context) error {
	table := &table{bench: b, began: time.Now()}
	var ratios []string
	for _, s := range storages {
		ratio := "-"
		if b.only == "" || b.only == s.peer {
			why, err := b.comparable(ctx, s.peer == "pgsql")
			if err != nil {
				return err
			}
			if why != "" {
				table.skip(s.peer, why)
			} else if ratio, err = b.pair(ctx, s.peer, s.ours, table); err != nil {
				return err
			}
		}
		ratios = append(ratios, s.peer+"="+ratio)
	}
	fmt.Println(table.markdown())
	if b.report != "" {
		if err := os.WriteFile(b.report, []byte(table.markdown()), 0o644); err != nil {
			return err
		}
	}
	fmt.Println("peer-ratio " + strings.Join(ratios, " "))
	return nil
}

// comparable tells why a pair cannot run; empty: it can.
func (b *bench) comparable(ctx context.Context, postgres bool) (why string, err error) {
	if !postgres {
		return "", nil
	}
	help, err := output(ctx, b.dir, nil, filepath.Join(b.dir, "syncpayloads"), "serve", "--help")
	if err != nil {
		return "", err
	}
	if !strings.Contains(help, "--db=") {
		return "our server has no `serve --db`", nil
	}
	return "", b.startCluster()
}

// pair runs the servers by turns and returns the median of the ratios of their round trips a
// second.
func (b *bench) pair(ctx context.Context, storage, database string, t *table) (string, error) {
	var ratios []float64
	for i := range b.pairs {
		fmt.Fprintf(os.Stderr, "%s, pair %d of %d: ", storage, i+1, b.pairs)
		own, err := b.runOurs(ctx, storage == "pgsql")
		if err != nil {
			return "", fmt.Errorf("our server on %s: %w", database, err)
		}
		other, err := b.runPeer(ctx, storage)
		if err != nil {
			return "", fmt.Errorf("NanoMDM with %s: %w", storage, err)
		}
		ratios = append(ratios, own.rate()/other.rate())
		fmt.Fprintf(os.Stderr, "%.0f and %.0f round trips/s\n", own.rate(), other.rate())
		t.add(storage, "syncpayloads, "+database, own)
		t.add(storage, "NanoMDM "+peerVersion+", "+storage, other)
	}
	t.ratio(storage, ratios)
	return fmt.Sprintf("%.2f", median(ratios)), nil
}
