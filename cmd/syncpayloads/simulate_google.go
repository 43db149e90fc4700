package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/syncpayloads/syncpayloads/client"
	android "github.com/syncpayloads/syncpayloads/internal/android/simulator"
)

const (
	mostAndroids = 100_000
	// each device is heard of by a message, read, and given a policy, within Google's quota
	androidEnrollTime = time.Second
)

// androidFigures are what the Android devices of a simulation came to.
type androidFigures struct {
	Devices          int     `json:"devices"`
	EnrollingSeconds float64 `json:"enrollingSeconds"` // until the server knew them all
	PerSecond        float64 `json:"enrolledPerSecond"`
	MemoryPerDevice  float64 `json:"kibibytesPerDevice"` // in this program
}

// androids are the Android devices of a simulation.
type androids struct {
	*demoGoogle
	figures androidFigures
}

// startAndroids runs a simulated Google with Android devices behind it, and has them managed by the
// server.
func (s *simulateCommand) startAndroids(ctx context.Context,
	c *client.Client) (a *androids, err error) {
	var google *demoGoogle
	google, err = startDemoGoogle(ctx, s.AndroidListen, android.Options{RequireToken: true,
		Quota: 1000, PullWait: 5 * time.Second, Delay: 2 * time.Second, Seed: s.Seed,
		Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, google.close())
		}
	}()
	if err := google.setUp(ctx, c); err != nil {
		return nil, fmt.Errorf("setting up (is the server started with --android-url %s?): %w",
			google.url, err)
	}
	a = &androids{demoGoogle: google}
	a.figures, err = s.enrollAndroids(ctx, c, google)
	return a, err
}

// enrollAndroids enrolls the devices with one token, and waits until the server knows them.
func (s *simulateCommand) enrollAndroids(ctx context.Context, c *client.Client,
	google *demoGoogle) (f androidFigures, err error) {
	token, err := c.CreateAndroidToken(ctx, client.AndroidTokenOptions{
		Mode: client.AndroidFullyManaged, ExpiresIn: time.Hour})
	if err != nil {
		return f, err
	}
	before, began := memoryInUse(), time.Now()
	for i := range s.Android {
		serial := fmt.Sprintf("SIM%07d", s.Seed+uint64(i))
		if _, err := google.service.Enroll(token.Value, serial,
			android.DeviceOptions{}); err != nil {
			return f, fmt.Errorf("enrolling %s: %w", serial, err)
		}
	}
	limited, cancel := context.WithTimeout(ctx,
		enrollTime+time.Duration(s.Android)*androidEnrollTime)
	defer cancel()
	for known := 0; known < s.Android; {
		now, err := c.Android(limited)
		if err != nil {
			return f, fmt.Errorf("%d of %d are known: %w", known, s.Android, err)
		}
		if known = now.Devices; known < s.Android {
			wait(limited, time.Second)
		}
	}
	took := time.Since(began)
	f = androidFigures{Devices: s.Android, EnrollingSeconds: round(took.Seconds()),
		PerSecond:       round(float64(s.Android) / took.Seconds()),
		MemoryPerDevice: round(max(0, memoryInUse()-before) / 1024 / float64(s.Android))}
	fmt.Fprintf(os.Stderr,
		"%d Android devices enrolled in %s, %.1f a second, %.1f KiB of memory each\n",
		s.Android, took.Round(time.Second), f.PerSecond, f.MemoryPerDevice)
	return f, nil
}
