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

// startAndroids runs a simulated Google with Android devices behind it, and has them managed by the
// server.
func (s *simulateCommand) startAndroids(ctx context.Context,
	c *client.Client) (google *demoGoogle, err error) {
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
	return google, s.enrollAndroids(ctx, c, google)
}

// enrollAndroids enrolls the devices with one token, and waits until the server knows them.
func (s *simulateCommand) enrollAndroids(ctx context.Context, c *client.Client,
	google *demoGoogle) error {
	token, err := c.CreateAndroidToken(ctx, client.AndroidTokenOptions{
		Mode: client.AndroidFullyManaged, ExpiresIn: time.Hour})
	if err != nil {
		return err
	}
	began := time.Now()
	for i := range s.Android {
		serial := fmt.Sprintf("SIM%07d", s.Seed+uint64(i))
		if _, err := google.service.Enroll(token.Value, serial,
			android.DeviceOptions{}); err != nil {
			return fmt.Errorf("enrolling %s: %w", serial, err)
		}
	}
	limited, cancel := context.WithTimeout(ctx,
		enrollTime+time.Duration(s.Android)*androidEnrollTime)
	defer cancel()
	for known := 0; known < s.Android; {
		now, err := c.Android(limited)
		if err != nil {
			return fmt.Errorf("%d of %d are known: %w", known, s.Android, err)
		}
		if known = now.Devices; known < s.Android {
			wait(limited, time.Second)
		}
	}
	fmt.Fprintf(os.Stderr, "%d Android devices enrolled in %s\n", s.Android,
		time.Since(began).Round(time.Second))
	return nil
}
