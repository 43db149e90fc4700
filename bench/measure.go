package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// subject is a server that is measured.
type subject interface {
	target() target
	identities() []*x509.Certificate // of the devices, in their order
	pid() int
	enrolled(context.Context) error                // is told that the devices have enrolled
	queue(ctx context.Context, install bool) error // gives every device its commands
	// checks that the server has taken note of what the devices did
	settled(context.Context) error
	close() error
}

// outcome is what a run came to. Times are of the measured phases alone: the queueing before each
// is not in them.
type outcome struct {
	roundTrips int // commands that were answered
	took       time.Duration
	queueing   time.Duration
	exchanges  []time.Duration // each from the request's first byte to the answer's last, sorted
	driver     time.Duration   // processor time of this program
	server     time.Duration   // of the server
	database   time.Duration   // of PostgreSQL
}

func (o *outcome) rate() float64 { return float64(o.roundTrips) / o.took.Seconds() }

// percentile of the exchanges' times.
func (o *outcome) percentile(p float64) time.Duration {
	return o.exchanges[min(len(o.exchanges)-1, int(p*float64(len(o.exchanges))))]
}

func (b *bench) runOurs(ctx context.Context, postgres bool) (*outcome, error) {
	s, err := b.startOurs(ctx, postgres)
	if err != nil {
		return nil, err
	}
	result, err := b.measure(ctx, s, postgres)
	return result, errors.Join(err, s.close())
}

func (b *bench) runPeer(ctx context.Context, storage string) (*outcome, error) {
	s, err := b.startPeer(ctx, storage)
	if err != nil {
		return nil, err
	}
	result, err := b.measure(ctx, s, storage == "pgsql")
	return result, errors.Join(err, s.close())
}

// measure enrolls the devices, lets them install everything once, and then measures the rounds.
func (b *bench) measure(ctx context.Context, s subject, postgres bool) (*outcome, error) {
	defer func() {
		for _, d := range b.devices {
			d.close()
		}
	}()
	var group errgroup.Group
	group.SetLimit(callsAtOnce)
	certificates := s.identities()
	for i, d := range b.devices {
		group.Go(func() error {
			if err := d.connect(s.target(), certificates[i]); err != nil {
				return err
			}
			return d.enroll()
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("enrolling: %w", err)
	}
	if err := s.enrolled(ctx); err != nil {
		return nil, err
	}
	if err := b.warmUp(ctx, s); err != nil {
		return nil, fmt.Errorf("before the first round: %w", err)
	}
	result := &outcome{}
	for round := range b.rounds {
		install := round%2 == 1
		began := time.Now()
		if err := s.queue(ctx, install); err != nil {
			return nil, fmt.Errorf("queueing: %w", err)
		}
		result.queueing += time.Since(began)
		if err := b.round(s, result, postgres); err != nil {
			return nil, err
		}
		if err := b.check(install); err != nil {
			return nil, err
		}
		if err := s.settled(ctx); err != nil {
			return nil, err
		}
	}
	slices.Sort(result.exchanges)
	return result, nil
}

// warmUp installs every profile on every device. Our server has that work by itself, from the
// assignments.
func (b *bench) warmUp(ctx context.Context, s subject) error {
	if _, asked := s.(*peer); asked {
		if err := s.queue(ctx, true); err != nil {
			return err
		}
	}
	if err := b.round(s, &outcome{}, false); err != nil {
		return err
	}
	return b.check(true)
}

// check proves that the devices did what was asked.
func (b *bench) check(install bool) error {
	want := 0
	if install {
		want = len(b.profiles)
	}
	for _, d := range b.devices {
		if len(d.has) != want {
			return fmt.Errorf("device %s has %d profiles after the round, want %d", d.udid,
				len(d.has), want)
		}
	}
	return nil
}

// round lets all devices connect at once and work until the server has nothing more for them.
func (b *bench) round(s subject, result *outcome, postgres bool) error {
	var mu sync.Mutex
	var group errgroup.Group
	before, err := b.usage(s, postgres)
	if err != nil {
		return err
	}
	b.toggleProfile(s)
	began := time.Now()
	for _, d := range b.devices {
		group.Go(func() error {
			exchanges := make([]time.Duration, 0, 2*b.commands)
			done,
				err := d.converse(func(took time.Duration) { exchanges = append(exchanges, took) })
			mu.Lock()
			defer mu.Unlock()
			result.roundTrips += done
			result.exchanges = append(result.exchanges, exchanges...)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	result.took += time.Since(began)
	b.toggleProfile(s)
	after, err := b.usage(s, postgres)
	if err != nil {
		return err
	}
	result.driver += after.driver - before.driver
	result.server += after.server - before.server
	result.database += after.database - before.database
	return nil
}
