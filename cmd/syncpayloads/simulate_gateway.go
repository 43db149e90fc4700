package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/syncpayloads/syncpayloads/client"
	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// startTime is how long the server may take to start once the push service's CA has been written.
const startTime = 2 * time.Minute

// gateway runs the push service, if wanted, and waits for the server, which needs its CA to start.
func (s *simulateCommand) gateway(ctx context.Context,
	c *client.Client) (*simulator.Gateway, error) {
	if s.APNsListen == "" {
		return nil, nil
	}
	gateway, err := simulator.NewGateway(simulator.GatewayOptions{Address: s.APNsListen})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(s.APNsCAFile, gateway.CA(), 0o644); err != nil {
		return nil, errors.Join(fmt.Errorf("writing the push service's CA: %w", err),
			gateway.Close())
	}
	fmt.Fprintf(os.Stderr,
		"The push service runs. Start the server now, if it is not running yet, with:\n"+
			"  --apns-url %s --apns-ca %s\n", gateway.URL(), s.APNsCAFile)
	if err := untilServing(ctx, c); err != nil {
		return nil, errors.Join(err, gateway.Close())
	}
	return gateway, nil
}

func untilServing(ctx context.Context, c *client.Client) error {
	limited, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		err := setSimulatedPushCertificate(limited, c)
		var answer *client.Error
		if err == nil || errors.As(err, &answer) {
			return err
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-limited.Done():
			return err
		}
	}
}
