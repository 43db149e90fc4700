package server

import (
	"context"
	"errors"

	"github.com/syncpayloads/syncpayloads/internal/apple/mdm"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/graph"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// Only Apple's platform has enrollment links and a push certificate. This file connects them with
// the Graph API.

// Channel returns the Apple MDM channel; nil if there is none.
func (s *Server) Channel() *mdm.Channel {
	for _, channel := range s.platforms.channels {
		if found, ok := channel.(*mdm.Channel); ok {
			return found
		}
	}
	return nil
}

// pushCertificates adapts the channel's push certificate to what the Graph API asks for. The two
// packages do not import each other.
type pushCertificates struct{ channel *mdm.Channel }

func (p pushCertificates) PushCertificate(ctx context.Context) (*graph.PushCertificate, error) {
	c, err := p.channel.PushCertificate(ctx)
	if errors.Is(err, mdm.ErrNoPushCertificate) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &graph.PushCertificate{Topic: c.Topic, SerialNumber: c.SerialNumber, PEM: string(c.PEM),
		Expires: c.Expires}, nil
}

func (p pushCertificates) SetPushCertificate(ctx context.Context, certificatePEM, keyPEM []byte,
	force bool) error {
	set := p.channel.SetPushCertificate
	if force {
		set = p.channel.ReplacePushCertificate
	}
	_, err := set(ctx, certificatePEM, keyPEM)
	var refused *mdm.PushCertificateRefused
	if errors.As(err, &refused) {
		return &invalid.Input{Property: "certificate", Reason: refused.Reason.Error()}
	}
	var other *mdm.OtherTopic
	if errors.As(err, &other) {
		return &graph.OtherTopic{Topic: other.Topic,
			Devices: graph.Unwakeable{Count: other.Devices, Names: other.Names}}
	}
	return err
}

func (p pushCertificates) Unwakeable(ctx context.Context,
	where fleet.Condition) (graph.Unwakeable, error) {
	n, names, err := p.channel.UnwakeableDevices(ctx, where)
	if errors.Is(err, mdm.ErrNoPushCertificate) {
		return graph.Unwakeable{}, nil
	}
	return graph.Unwakeable{Count: n, Names: names}, err
}
