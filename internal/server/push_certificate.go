package server

import (
	"context"
	"errors"

	"github.com/syncpayloads/syncpayloads/internal/channel/apple"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/graph"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// pushCertificates shows the channel's push certificate to the Graph surface: the two do not know each other.
type pushCertificates struct{ channel *apple.Channel }

func (p pushCertificates) PushCertificate(ctx context.Context) (*graph.PushCertificate, error) {
	c, err := p.channel.PushCertificate(ctx)
	if errors.Is(err, apple.ErrNoPushCertificate) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &graph.PushCertificate{Topic: c.Topic, SerialNumber: c.SerialNumber, PEM: string(c.PEM), Expires: c.Expires}, nil
}

func (p pushCertificates) SetPushCertificate(ctx context.Context, certificatePEM, keyPEM []byte, force bool) error {
	set := p.channel.SetPushCertificate
	if force {
		set = p.channel.ReplacePushCertificate
	}
	_, err := set(ctx, certificatePEM, keyPEM)
	var refused *apple.PushCertificateRefused
	if errors.As(err, &refused) {
		return &invalid.Input{Property: "certificate", Reason: refused.Reason.Error()}
	}
	var other *apple.OtherTopic
	if errors.As(err, &other) {
		return &graph.OtherTopic{Topic: other.Topic, Devices: graph.Unwakeable{Count: other.Devices, Names: other.Names}}
	}
	return err
}

func (p pushCertificates) Unwakeable(ctx context.Context, where fleet.Condition) (graph.Unwakeable, error) {
	n, names, err := p.channel.UnwakeableDevices(ctx, where)
	if errors.Is(err, apple.ErrNoPushCertificate) {
		return graph.Unwakeable{}, nil
	}
	return graph.Unwakeable{Count: n, Names: names}, err
}
