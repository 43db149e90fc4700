package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/activation"
	"github.com/syncpayloads/syncpayloads/internal/server"
)

// profiledServer is the argument with which the bench is our server, with a CPU profile from each
// SIGUSR1 to the next. The server's own program has no use for one.
const profiledServer = "profiled-server"

func runProfiled(args []string) error {
	listener, err := activation.Listener()
	if err != nil {
		return err
	}
	c := server.Config{Listener: listener, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
		RestoreAfter: server.DefaultRestoreAfter,
		SessionIdle:  access.SessionLifetime}
	flags := flag.NewFlagSet(profiledServer, flag.ContinueOnError)
	file := flags.String("cpu-profile", "", "")
	flags.StringVar(&c.DataDir, "data", "", "")
	flags.StringVar(&c.Database, "db", "", "")
	flags.StringVar(&c.URL, "url", "", "")
	flags.StringVar(&c.TLSCertFile, "tls-cert", "", "")
	flags.StringVar(&c.TLSKeyFile, "tls-key", "", "")
	flags.Float64Var(&c.RateLimit, "rate-limit", 0, "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	s, err := server.Start(ctx, c)
	if err != nil {
		return err
	}
	err = profileBySignal(ctx, *file)
	closing, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	return errors.Join(err, s.Close(closing))
}

// profileBySignal writes one file after the other until ctx ends.
func profileBySignal(ctx context.Context, name string) error {
	toggle := make(chan os.Signal, 1)
	signal.Notify(toggle, syscall.SIGUSR1)
	for number := 1; ; number++ {
		select {
		case <-toggle:
		case <-ctx.Done():
			return nil
		}
		file, err := os.Create(fmt.Sprint(name, number))
		if err == nil {
			err = pprof.StartCPUProfile(file)
		}
		if err != nil {
			return err
		}
		select {
		case <-toggle:
		case <-ctx.Done():
		}
		pprof.StopCPUProfile()
		if err := file.Close(); err != nil {
			return err
		}
	}
}

// toggleProfile begins or ends a CPU profile, if one is wanted.
func (b *bench) toggleProfile(s subject) {
	if b.profile != "" {
		_ = syscall.Kill(s.pid(), syscall.SIGUSR1) // that the server is gone, its devices tell
	}
}
